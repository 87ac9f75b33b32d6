"""What a training works on: the lists, the pairs (held in memory as far as that goes), how they are
normalized.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import overload

from segprep.dataset.plausibility import tree_doubts
from segprep.dataset.tree import Tree
from segprep.errors import SegprepError, SourceError
from segprep.names import unknown
from segprep.train_config import NONE, Config
from segprep.training.data.lists import Selection, check_lists, draw
from segprep.training.data.pairs import (
    GRAY,
    ImagePair,
    InputSpec,
    moments,
    raise_bad,
    read_pair,
    scaled,
)

HELD = 2 << 30  # bytes of images and masks that stay in memory; others are read again when needed
# images at most that are read before the first step; the others are trusted until their turn comes
SURVEYED = 5000
CAFFE = tuple(mean / 255 for mean in (123.68, 116.779, 103.939))
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
Watch = Callable[[int, int], None]  # done, total


def select_lists(tree: Tree, config: Config, *, judged: bool = False) -> Selection:
    """The lists that *config* names; where the tree has neither, 80 to 20 drawn by the seed from
    what is on no test list. A dataset that is *judged* needs images to score, and may have masks
    that say nothing.

    Raises SegprepError: empty-list, bad-list (an image stands in both), no-mask-for-stem,
    no-val-images (only if *judged*), values-unclear (masks of 0 and 255 only; not if *judged*).
    """
    stems, splits = tree.stems(), tree.lists()
    if not stems:
        raise SegprepError("empty-list", f"{tree.root} has no samples", "convert some first")
    for name in (config.train, config.val):
        if splits and name not in splits and name not in (NONE, Config().train, Config().val):
            message, hint = unknown("list", name, splits)
            raise SegprepError("bad-list", f"{tree.root}: {message}", hint)
    notes = []
    for note in tree_doubts(tree):
        if note.code == "values-unclear" and not judged:  # one class and nothing to learn
            message, _, hint = note.message.partition(". If ")
            raise SegprepError(note.code, f"{tree.root}: {message}", f"if {hint}")
        notes.append(note.message)
    train, val = (tuple(dict.fromkeys(splits.get(name, ()))) for name in (config.train, config.val))
    if config.train not in splits and config.val not in splits:
        kept = set(splits.get("test", ()))  # an official test list is nobody's to train on
        train = tuple(stem for stem in stems if stem not in kept)
        if config.val != NONE and len(train) > 1:
            train, val = draw(train, config.seed)
        notes.append(
            f"the dataset has no train and val lists: {len(train)} images to train on and"
            f" {len(val)} to validate on were drawn with seed {config.seed}"
        )
    check_lists(tree, stems, (config.train, train), (config.val, val), scored=judged)
    if not val:
        notes.append(
            "no validation: the training loss picks the best epoch, and it says nothing about"
            " images that were not trained on"
        )
    if len(train) > SURVEYED and not judged:
        count = len(range(0, len(train), -(-len(train) // SURVEYED)))
        notes.append(
            f"of {len(train)} images to train on, {count} were read for mean, deviation and faults"
        )
    return Selection(train, val, tuple(notes))


class ImagePairs(Sequence[ImagePair]):
    """The pairs of *stems* at the scale of *view*, read when asked for, unless kept by a survey."""

    def __init__(self, tree: Tree, stems: Sequence[str], classes: int, view: InputSpec) -> None:
        self.tree, self.stems, self.classes, self.view = tree, stems, classes, view
        self.kept: dict[int, ImagePair] = {}

    def __len__(self) -> int:
        return len(self.stems)

    @overload
    def __getitem__(self, at: int) -> ImagePair: ...
    @overload
    def __getitem__(self, at: slice) -> "ImagePairs": ...
    def __getitem__(self, at: int | slice) -> "ImagePair | ImagePairs":
        """One pair, or those of a slice. Raises SourceError for a file that cannot be used."""
        if isinstance(at, slice):
            part = ImagePairs(self.tree, self.stems[at], self.classes, self.view)
            part.kept = {
                n: self.kept[m]
                for n, m in enumerate(range(*at.indices(len(self))))
                if m in self.kept
            }
            return part
        if at in self.kept:
            return self.kept[at]
        return scaled(read_pair(self.tree, self.stems[at], self.classes), self.view)

    def survey(self, watch: Watch, budget: int) -> Iterator[ImagePair]:
        """Each pair, of more than SURVEYED every second, third …; they are kept until *budget*
        bytes are full. Raises SegprepError naming every bad file, after all were read.
        """
        bad: list[SourceError] = []
        for n in range(0, len(self), -(-len(self) // SURVEYED) or 1):
            try:
                pair = self[n]
            except SourceError as error:
                bad.append(error)
                continue
            budget -= pair.image.nbytes + pair.mask.nbytes
            if budget > 0:
                self.kept[n] = pair
            watch(n + 1, len(self))
            yield pair
        raise_bad(bad)


def prepare(
    tree: Tree,
    chosen: Selection,
    names: Sequence[str],
    config: Config,
    watch: Callable[[str, int, int], None],
    *,
    whole: bool = False,
) -> tuple[ImagePairs, ImagePairs, InputSpec]:
    """Read what there is: the pairs to train on (at their own size if *whole*), those to validate
    on, and the view with its normalization. Raises SegprepError for bad files.
    """
    view = view_of(config)
    own = replace(view, scale=1.0) if whole else view
    train, val = (
        ImagePairs(tree, stems, len(names), spec)
        for stems, spec in ((chosen.train, own), (chosen.val, view))
    )
    pairs = train.survey(lambda done, total: watch("reading train", done, total), HELD)
    mean, std = moments(pairs, config.channels)
    held = sum(pair.image.nbytes + pair.mask.nbytes for pair in train.kept.values())
    for _ in val.survey(lambda done, total: watch("reading val", done, total), HELD - held):
        pass
    mean, std = given_moments(config) or (mean, std)
    return train, val, replace(view, mean=mean, std=std)


def view_of(config: Config) -> InputSpec:
    """How images become tensors by *config*, not normalized yet."""
    return InputSpec(
        config.size,
        None if config.fit != NONE else config.scale,
        (0.0,) * config.channels,
        (1.0,) * config.channels,
        config.fit == "stretch",
        config.channels,
        config.augmentation.get("letterbox_anchor") == "corner",
        int(config.augmentation.get("letterbox_gray", GRAY)),
    )


def given_moments(config: Config) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Mean and deviation that *config* names; None for the dataset's own."""
    if config.mean:
        return config.mean, config.std
    names = {
        "imagenet": IMAGENET,
        "caffe": (CAFFE, (1 / 255,) * 3),
        "half": ((0.5,) * config.channels, (0.5,) * config.channels),
        "unit": ((0.0,) * config.channels, (1.0,) * config.channels),
    }
    return names.get(config.normalize)
