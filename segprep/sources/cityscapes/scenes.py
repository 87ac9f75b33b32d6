"""The files of a Cityscapes folder: images, label files, the splits that folders stand for."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from segprep.files import listing
from segprep.names import natural_key
from segprep.sources.cityscapes.ids import FILES, INSTANCE_IDS, LABEL_TRAIN_IDS, POLYGONS
from segprep.types import Item, Note, Skipped

SPLITS = ("train", "val", "test", "train_extra")
IMAGE = re.compile(r"(.+)_leftImg8bit\.(?:png|jpe?g|tiff?|webp)", re.IGNORECASE)
LABELS = re.compile(
    r"(.+)_gt(Fine|Coarse)_(labelIds\.png|labelTrainIds\.png|instanceIds\.png|polygons\.json)"
)


@dataclass(frozen=True, slots=True)
class Scenes:
    """The images, and the label files by (stem, Fine or Coarse, kind), below *root*."""

    root: Path
    images: list[Path] = field(default_factory=list)
    labels: dict[tuple[str, str, str], list[Path]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @classmethod
    def below(cls, root: Path) -> "Scenes":
        """Everything below *root* whose name is one of Cityscapes'."""
        scenes = cls(root)
        for folder, name in listing(str(root)):
            if IMAGE.fullmatch(name):
                scenes.images.append(Path(folder, name))
            elif match := LABELS.fullmatch(name):
                scenes.labels[match[1], match[2], match[3]].append(Path(folder, name))
        return scenes

    def split_of(self, path: Path) -> str:
        """The split whose folder *path* lies in; "" if none."""
        parts = path.relative_to(self.root).parts[:-1]
        return next((part for part in parts if part in SPLITS), "")

    def unlabeled(self, gt: str) -> tuple[set[str], list[Note]]:
        """The split folders none of whose images has labels, as long as others have; a note for
        each.
        """
        images = Counter(self.split_of(path) for path in self.images)
        bare = Counter(
            self.split_of(path)
            for path in self.images
            if not any((stem_of(path), gt, name) in self.labels for name in FILES)
        )
        empty = {split for split in bare if split and bare[split] == images[split]}
        if len(empty) == len(images):
            return set(), []
        return empty, [
            Note(
                "image-unlabelled",
                f"{split}: none of its {bare[split]} images has gt{gt} labels; they were skipped",
            )
            for split in sorted(empty)
        ]

    def orphans(self, gt: str) -> list[Skipped]:
        """A Skipped for every labeled scene without an image."""
        pictured = {stem_of(path) for path in self.images}
        lost = {
            stem: paths[0]
            for (stem, kind, _), paths in self.labels.items()
            if kind == gt and stem not in pictured
        }
        hint = "add the image, or remove its labels"
        return [
            Skipped(stem, str(path), "image-missing", f"there is no {stem}_leftImg8bit", hint)
            for stem, path in lost.items()
        ]

    def lists(self, items: Sequence[Item]) -> Mapping[str, tuple[str, ...]]:
        """The official lists that the folders stand for, unless there is only one."""
        lists: dict[str, list[str]] = defaultdict(list)
        for item in sorted(items, key=lambda item: natural_key(item.stem)):
            lists[self.split_of(cast("Path", item.image))].append(item.stem)
        return {name: tuple(lists[name]) for name in SPLITS if name in lists and len(lists) > 1}

    def item(
        self, path: Path, gt: str, *, allowed: Sequence[str], train: bool, objects: bool
    ) -> Item | Skipped:
        """The image *path* with the first of the *allowed* kinds of label file that it has.

        *train*: train ids will do; *objects*: instance ids are needed, too.
        """
        stem = stem_of(path)
        order = [name for name in allowed if train or name != LABEL_TRAIN_IDS]
        name = next((name for name in order if (stem, gt, name) in self.labels), None)
        if name is None:
            return self._unlabeled_image(path, gt, allowed, order)
        needed = (name,) if name == POLYGONS or not objects else (name, INSTANCE_IDS)
        for kind in needed:
            files = self.labels.get((stem, gt, kind), [])
            if len(files) != 1:
                purpose = " for --objects" if kind != name else ""
                reason = f"{len(files)} files are called {stem}_gt{gt}_{kind}; one is needed"
                hint = "keep one" if files else "give --use polygons, or leave --objects out"
                return Skipped(stem, str(path), "mask-missing", reason + purpose, hint)
        labels = tuple(self.labels[stem, gt, kind][0] for kind in needed)
        return Item(stem, path, labels, payload=name)

    def _unlabeled_image(
        self, path: Path, gt: str, allowed: Sequence[str], order: Sequence[str]
    ) -> Skipped:
        stem = stem_of(path)
        only_train = LABEL_TRAIN_IDS in allowed and (stem, gt, LABEL_TRAIN_IDS) in self.labels
        if only_train and LABEL_TRAIN_IDS not in order:
            reason = "the image has only labelTrainIds, which cannot give all labels"
            return Skipped(stem, str(path), "mask-missing", reason, "give --labels train")
        reason = f"there is no {stem}_gt{gt}_{' or '.join(order or allowed)}"
        hint = "add them, try another --gt or --use, or skip the image with --on-error skip"
        return Skipped(stem, str(path), "mask-missing", reason, hint)


def stem_of(path: Path) -> str:
    """The scene of an image file: its name less _leftImg8bit and the extension."""
    return cast("re.Match[str]", IMAGE.fullmatch(path.name))[1]
