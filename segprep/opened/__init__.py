"""A dataset opened from Python: its samples one by one, its lists, and other libraries' forms.

tree = segprep.open("out")
len(tree), tree.classes.names
for sample in tree["train"]:
    sample.image, sample.mask              (H, W, 3) uint8, (H, W) class ids
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from segprep.cards import Swatch, card
from segprep.dataset import samples, tree
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, SourceError, UsageError
from segprep.exporting import common_files
from segprep.files import read_below
from segprep.imaging import image
from segprep.names import natural_key, unknown
from segprep.opened.picture import overlay
from segprep.reports import thumbnails
from segprep.targets._common import lists
from segprep.types import MAX_PIXELS, Classes, Entry, Skipped
from segprep.writer import Inventory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from segprep.training.data.tensors import TreeDataset

_PICTURES = 4  # on a card


@dataclass(frozen=True, eq=False, repr=False)
class OpenedSample:
    """One sample: nothing is read before it is asked for, and what was read is kept as long as the
    sample is.
    """

    stem: str
    image_path: Path
    mask_path: Path
    _entry: Entry
    _roots: tuple[Path, ...]
    _classes: Classes | None

    @cached_property
    def image(self) -> "NDArray[np.uint8]":
        """The upright picture, (H, W, 3) uint8 RGB. Raises SourceError."""
        return image.pixels(read_below(self._entry.image, self._roots), self._entry.image)

    @cached_property
    def _labels(self) -> "tuple[NDArray[np.uint8], NDArray[np.uint16] | None]":
        sample = samples.read(self._entry, self._roots, MAX_PIXELS)
        mask, objects = samples.upright(sample, self._entry.image, MAX_PIXELS)
        if self._classes:
            samples.check_ids(mask, self._classes, self._entry.mask)
        return mask, objects

    @property
    def mask(self) -> "NDArray[np.uint8]":
        """Class ids (H, W), 255 where ignored, as they lie on the upright picture.

        Raises SourceError, also for a value that no class has.
        """
        return self._labels[0]

    @property
    def objects(self) -> "NDArray[np.uint16] | None":
        """Object ids (H, W) from 1, 0 none, 65535 ignored; None where the dataset has none."""
        return self._labels[1]

    def overlay(self, **options: Any) -> "Image":
        """The mask over the image; *options* are those of :func:`segprep.overlay`."""
        background = self._classes.background if self._classes else 0
        return overlay(self.image, self.mask, **{"background": background, **options})

    def __repr__(self) -> str:
        return f"<OpenedSample {self.stem!r}>"

    def _repr_html_(self) -> str:
        try:
            return self._card()
        except SourceError as error:
            return card(self.stem, {}, remarks=[f"cannot be shown: {error.reason}"])

    def _card(self) -> str:
        """The card of a sample whose files can be read. Raises SourceError."""
        height, width = self.mask.shape
        values = {value: count / self.mask.size for value, count in histogram(self.mask)}
        return card(
            self.stem,
            {"pixels": f"{width} x {height}"},
            columns=("id", "class", "share"),
            rows=[(n, named(self._classes, n), f"{values[n]:.2%}") for n in values],
            pictures={"image and mask": self.picture(320)},
        )

    def picture(self, side: int) -> str:
        """The overlay, no side longer than *side* pixels, as a data URI."""
        background = self._classes.background if self._classes else 0
        small = thumbnails.small(thumbnails.shown(self.image), side)
        return thumbnails.uri(thumbnails.laid_over(small, self.mask, background))


def histogram(mask: "NDArray[np.uint8]") -> list[tuple[int, int]]:
    """(Value, pixels) of *mask*, in order of the values."""
    return sorted(image.histogram(mask).items())


def named(classes: Classes | None, value: int) -> Swatch:
    """The class *value* with the color that overlays give it: none for the background."""
    names = dict(enumerate(classes.names)) if classes else {}
    clear = value == (classes.background if classes else 0)
    color = "transparent" if clear else thumbnails.color(value)
    return Swatch(color, names.get(value, "ignored" if value == 255 else "?"))


@dataclass(frozen=True, eq=False, repr=False)
class OpenedTree:
    """The samples of a tree, or of one of its lists, in natural order.

    ``len(tree)``, ``for sample in tree``, ``tree[0]``, ``tree[-5:]``, ``tree["train"]``.
    """

    root: Path
    entries: tuple[Entry, ...]
    split: str | None = None

    @cached_property
    def tree(self) -> Tree:
        """The whole tree on the disk."""
        return Tree(self.root)

    @cached_property
    def classes(self) -> Classes | None:
        """The class list: ``classes.names[i]`` is pixel value i; None where the tree has none."""
        return self.tree.classes()

    @cached_property
    def lists(self) -> Mapping[str, tuple[str, ...]]:
        """The stems of every list: train, val, test and others."""
        return self.tree.lists()

    @property
    def stems(self) -> tuple[str, ...]:
        """The names of the samples."""
        return tuple(entry.stem for entry in self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[OpenedSample]:
        return map(self._sample, self.entries)

    def _sample(self, entry: Entry) -> OpenedSample:
        roots = (self.root,)
        return OpenedSample(entry.stem, entry.image, entry.mask, entry, roots, self.classes)

    @overload
    def __getitem__(self, key: int) -> OpenedSample: ...
    @overload
    def __getitem__(self, key: str | slice) -> "OpenedTree": ...
    def __getitem__(self, key: int | str | slice) -> "OpenedSample | OpenedTree":
        """Sample number *key*; of a slice or of the list called *key* an OpenedTree.

        Raises IndexError; UsageError for a list that is not there.
        """
        if isinstance(key, slice):
            return OpenedTree(self.root, self.entries[key], self.split)
        if not isinstance(key, str):
            return self._sample(self.entries[key])
        if key not in self.lists:
            message, hint = unknown("list", key, self.lists)
            raise UsageError("bad-option", f"{self.root}: {message}", hint)
        listed = set(self.lists[key])
        return OpenedTree(self.root, tuple(e for e in self.entries if e.stem in listed), key)

    def sample(self, stem: str) -> OpenedSample:
        """The sample called *stem*. Raises UsageError."""
        for entry in self.entries:
            if entry.stem == stem:
                return self._sample(entry)
        message, hint = unknown("sample", stem, self.stems)
        raise UsageError("bad-option", f"{self.root}: {message}", hint)

    def to_torch(
        self, split: str | None = None, transform: Callable[..., Any] | None = None
    ) -> "TreeDataset":
        """These samples, or those of the list *split*, as a ``torch.utils.data.Dataset`` of
        (image (3, H, W) float32 in 0..1, mask (H, W) int64); *transform* takes and gives both.

        Raises MissingExtraError without PyTorch; UsageError for a list that is not there.
        """
        from segprep.training.data.tensors import TreeDataset

        chosen = self[split] if split else self
        return TreeDataset(self.tree, chosen.stems, transform)

    def to_hf(self) -> Any:
        """A ``datasets.Dataset`` with the columns image, label and stem, or where the tree has
        such lists, and this is all of it, a ``datasets.DatasetDict`` of train (or trainval),
        validation and test.

        Labels are images whose pixel value is the class id. Every mask is read and checked; files
        that lie upright are taken from where they are. Raises MissingExtraError without datasets,
        BadInputError for samples that cannot be used.
        """
        from segprep.opened import huggingface

        inventory = Inventory(self.root.name, self.entries, self.lists, None)
        whole = self.split is None and len(self) == len(self.tree.stems())
        if whole and lists.has_split(inventory):
            stems = lists.stems_by_split(inventory)
            return huggingface.by_split(self.root, self.entries, stems)
        return huggingface.dataset(self.root, self.entries)

    def to_coco(self) -> dict[str, Any]:
        """These samples as a COCO instances document: images, categories, annotations with RLE, one
        per object, or per class where the tree has no objects; ignored pixels are in none.

        Raises BadInputError for samples that cannot be used, TreeError without class names.
        """
        name = "annotations/instances_train.json"
        content: dict[str, Any] = json.loads(common_files("coco", self.root, self.entries)[name])
        return content

    def __repr__(self) -> str:
        part = f"[{self.split!r}]" if self.split else ""
        return f"<OpenedTree {str(self.root)!r}{part}, {len(self)} samples>"

    def _repr_html_(self) -> str:
        classes, shares = self.classes, {n: len(listed) for n, listed in self.lists.items()}
        names = classes.names if classes else ()
        pictures, remarks = dict[str, str](), list[str]()
        for sample in self[:_PICTURES]:
            try:
                pictures[sample.stem] = sample.picture(150)
            except SourceError as error:
                remarks.append(f"{sample.stem} cannot be shown: {error.reason}")
        return card(
            f"{self.root.name}: {self.split}" if self.split else self.root.name,
            {"samples": len(self)} | ({} if self.split else shares),
            columns=("id", "class"),
            rows=[(n, named(classes, n)) for n in range(len(names))],
            remarks=remarks,
            pictures=pictures,
        )


def open(dataset: str | Path = ".") -> OpenedTree:
    """Open the tree *dataset* (or the only one right below it), made by segprep or not.

    Raises UsageError or TreeError if there is none, or it is not finished; BadInputError for masks
    without an image, listed in its ``skipped``.
    """
    home = tree.find(Path(dataset))
    root = home.root.resolve()
    skipped: list[Skipped] = []
    entries = sorted(
        samples.entries(Tree(root), skipped), key=lambda entry: natural_key(entry.stem)
    )
    if skipped:
        first = skipped[0]
        raise BadInputError(
            "bad-input",
            f"{root}: {len(skipped)} samples cannot be used: {first.path}: {first.reason}",
            first.hint or "segprep check lists them all",
            tuple(skipped),
        )
    return OpenedTree(root, tuple(entries))
