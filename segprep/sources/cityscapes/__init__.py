"""Cityscapes, gtFine and gtCoarse: street scenes labelled by id images or polygon files.

    src/
      leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png
      gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png         8-bit, ids 0 to 33
                          aachen_000000_000019_gtFine_labelTrainIds.png    8-bit, 0 to 18, else 255
                          aachen_000000_000019_gtFine_instanceIds.png      16-bit, id or 1000 * id +
                          number
                          aachen_000000_000019_gtFine_polygons.json        {"objects": [{"label",
                          "polygon"}]}

Format: https://www.cityscapes-dataset.com and its scripts,
https://github.com/mcordts/cityscapesScripts (labels.py is the id table). Assumptions: names tell
files apart, folders only the split (train, val, test, train_extra), so flat copies are read too;
polygons are drawn in the file's order, later over earlier.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from segprep.files import listing, read_below, real_folders
from segprep.imaging import image, mask_files
from segprep.names import natural_key
from segprep.sources._common import stems
from segprep.sources.cityscapes import labels as streetlabels
from segprep.sources.cityscapes.labels import (
    FILES,
    INSTANCE_IDS,
    LABEL_IDS,
    LABEL_TRAIN_IDS,
    POLYGONS,
)
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    Classes,
    Evidence,
    Item,
    MaxPixels,
    Note,
    Progress,
    Sample,
    Scan,
    Skipped,
    no_progress,
)

EXAMPLES = (
    "segprep convert cityscapes cityscapes/ out/",
    "segprep convert cityscapes cityscapes/ out/ --labels all --objects",
    "segprep convert cityscapes cityscapes/ out/ --gt coarse",
)
_SPLITS = ("train", "val", "test", "train_extra")
_IMAGE = re.compile(r"(.+)_leftImg8bit\.(?:png|jpe?g|tiff?|webp)", re.IGNORECASE)
_LABELS = re.compile(
    r"(.+)_gt(Fine|Coarse)_(labelIds\.png|labelTrainIds\.png|instanceIds\.png|polygons\.json)"
)
_USED: dict[str, tuple[str, ...]] = {
    "label-ids": (LABEL_IDS,),
    "train-ids": (LABEL_TRAIN_IDS,),
    "instance-ids": (INSTANCE_IDS,),
    "polygons": (POLYGONS,),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Read Cityscapes as it is downloaded and unpacked."""

    root: Path
    labels: Annotated[
        Literal["train", "all"],
        "train = the 19 classes of the benchmark, everything else is 255; all = the 34 label ids as"
        " they are, void ones included.",
    ] = "train"
    gt: Annotated[
        Literal["auto", "fine", "coarse"],
        "Which annotation: auto = gtFine, or gtCoarse where SRC has no gtFine.",
    ] = "auto"
    use: Annotated[
        Literal["auto", "label-ids", "train-ids", "instance-ids", "polygons"],
        "Which label file: auto = labelIds, else labelTrainIds, else instanceIds, else the polygons"
        " drawn anew.",
    ] = "auto"
    objects: Annotated[
        bool, "Write SegmentationObject as well, from instanceIds or the polygons."
    ] = False
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognise(cls, root: Path) -> Evidence | None:
        """Files that end in _leftImg8bit and in _gtFine_ or _gtCoarse_ and a kind of label."""
        images = labels = ""
        for _, name in listing(str(root)):
            images, labels = (
                images or (name if _IMAGE.fullmatch(name) else ""),
                labels or (name if _LABELS.fullmatch(name) else ""),
            )
            if images and labels:
                return Evidence(0.97, f"{images} and {labels} are Cityscapes names")
        return None

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every _leftImg8bit image is an item; its split is the folder train, val, test or
        train_extra above it.
        """
        (root,) = real_folders(self.root)
        found, notes = _Found.below(root), list[Note]()
        gt = self._annotation(found, notes)
        empty = _unlabelled(found, gt, notes)
        made = [
            self._item(path, found, gt)
            for path in found.images
            if found.split_of(path) not in empty
        ]
        skipped = [one for one in made if isinstance(one, Skipped)] + _orphans(found, gt)
        items = {item.image: item for item in made if isinstance(item, Item)}
        kept = tuple(
            items[one.image]
            for one in stems.unique([replace(item, labels=()) for item in items.values()], skipped)
        )
        used = Counter(item.payload for item in kept)
        if set(used) - {LABEL_IDS}:
            notes.append(
                Note(
                    "labels-from",
                    "the masks were made of "
                    + ", ".join(f"{name} ({used[name]})" for name in FILES if used[name]),
                )
            )
        classes = Classes(streetlabels.classes(self.labels), background=None)
        return Scan(kept, classes, tuple(skipped), _lists(kept, found), tuple(notes))

    def read(self, item: Item) -> Sample:
        """The image, and the class ids of its label file."""
        roots, path, picture, notes = (
            real_folders(self.root),
            item.labels[0],
            cast("Path", item.image),
            list[Note](),
        )
        content = read_below(path, roots)
        if item.payload == POLYGONS:
            painted = streetlabels.drawn(
                content, path, self.labels, self.objects, notes, self.max_pixels
            )
            mask, objects = painted.mask, painted.objects
        else:
            mask, objects = (
                streetlabels.looked_up(
                    content, path, item.payload, self.labels, notes, self.max_pixels
                ),
                None,
            )
            if self.objects:
                objects = streetlabels.instances(
                    mask,
                    read_below(item.labels[-1], roots),
                    item.labels[-1],
                    notes,
                    self.max_pixels,
                )
        data = read_below(picture, roots)
        upright = mask_files.drawn_upright(data, picture, mask.shape, path, notes, self.max_pixels)
        pixels = image.histogram(mask)
        if set(pixels) <= ({IGNORE} if self.labels == "train" else streetlabels.VOID):
            notes.append(
                Note(
                    "all-ignored",
                    "every pixel is void, as in the withheld labels of Cityscapes' test images",
                )
            )
        return Sample(item.stem, data, mask, objects, upright, tuple(notes), pixels)

    def _annotation(self, found: "_Found", notes: list[Note]) -> str:
        """Fine or Coarse."""
        if self.gt != "auto":
            return self.gt.title()
        kinds = {kind for _, kind, _ in found.labels}
        if kinds == {"Coarse"}:
            notes.append(Note("labels-from", "there is no gtFine; the masks were made of gtCoarse"))
        return "Coarse" if kinds == {"Coarse"} else "Fine"

    def _item(self, path: Path, found: "_Found", gt: str) -> Item | Skipped:
        stem, allowed = _stem(path), _USED.get(self.use, FILES)
        order = [name for name in allowed if self.labels == "train" or name != LABEL_TRAIN_IDS]
        name = next((name for name in order if (stem, gt, name) in found.labels), None)
        if name is None:
            if (
                LABEL_TRAIN_IDS not in order
                and (stem, gt, LABEL_TRAIN_IDS) in found.labels
                and LABEL_TRAIN_IDS in allowed
            ):
                return Skipped(
                    stem,
                    str(path),
                    "mask-missing",
                    "the image has only labelTrainIds, which cannot give all labels",
                    "give --labels train",
                )
            hint = (
                "add them, try another --gt or --use, or leave the image out with --on-error skip"
            )
            return Skipped(
                stem,
                str(path),
                "mask-missing",
                f"there is no {stem}_gt{gt}_{' or '.join(order or allowed)}",
                hint,
            )
        needed = (name,) if name == POLYGONS or not self.objects else (name, INSTANCE_IDS)
        for one in needed:
            if len(there := found.labels.get((stem, gt, one), [])) != 1:
                reason = f"{len(there)} files are called {stem}_gt{gt}_{one}; one is needed" + (
                    " for --objects" if one != name else ""
                )
                return Skipped(
                    stem,
                    str(path),
                    "mask-missing",
                    reason,
                    "keep one" if there else "give --use polygons, or leave --objects out",
                )
        return Item(
            stem, path, tuple(found.labels[stem, gt, one][0] for one in needed), payload=name
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """The images, and the label files by (stem, Fine or Coarse, kind), below *root*."""

    root: Path
    images: list[Path] = field(default_factory=list)
    labels: dict[tuple[str, str, str], list[Path]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @classmethod
    def below(cls, root: Path) -> "_Found":
        found = cls(root)
        for folder, name in listing(str(root)):
            if _IMAGE.fullmatch(name):
                found.images.append(Path(folder, name))
            elif match := _LABELS.fullmatch(name):
                found.labels[match[1], match[2], match[3]].append(Path(folder, name))
        return found

    def split_of(self, path: Path) -> str:
        return next(
            (part for part in path.relative_to(self.root).parts[:-1] if part in _SPLITS), ""
        )

    def has(self, stem: str, gt: str) -> bool:
        return any((stem, gt, name) in self.labels for name in FILES)


def _stem(path: Path) -> str:
    return cast("re.Match[str]", _IMAGE.fullmatch(path.name))[1]


def _unlabelled(found: _Found, gt: str, notes: list[Note]) -> set[str]:
    """The split folders none of whose images has labels, as long as others have; a note for each."""
    images = Counter(found.split_of(path) for path in found.images)
    bare = Counter(found.split_of(path) for path in found.images if not found.has(_stem(path), gt))
    empty = {split for split in bare if split and bare[split] == images[split]}
    if len(empty) == len(images):
        return set()
    notes += [
        Note(
            "image-unlabelled",
            f"{split}: none of its {bare[split]} images has gt{gt} labels; they were left out",
        )
        for split in sorted(empty)
    ]
    return empty


def _orphans(found: _Found, gt: str) -> list[Skipped]:
    """A Skipped for every labelled scene without an image."""
    pictured = {_stem(path) for path in found.images}
    lost = {
        stem: paths[0]
        for (stem, kind, _), paths in found.labels.items()
        if kind == gt and stem not in pictured
    }
    return [
        Skipped(
            stem,
            str(path),
            "image-missing",
            f"there is no {stem}_leftImg8bit",
            "add the image, or remove its labels",
        )
        for stem, path in lost.items()
    ]


def _lists(items: Sequence[Item], found: _Found) -> Mapping[str, tuple[str, ...]]:
    """The official lists that the folders stand for, unless there is only one."""
    lists: dict[str, list[str]] = defaultdict(list)
    for item in sorted(items, key=lambda item: natural_key(item.stem)):
        lists[found.split_of(cast("Path", item.image))].append(item.stem)
    return {name: tuple(lists[name]) for name in _SPLITS if name in lists} if len(lists) > 1 else {}
