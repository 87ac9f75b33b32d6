"""What is this dataset? Its samples, classes, sizes, splits and origin, from the manifest or,
without one, from the files.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segprep import engine
from segprep.dataset import tree
from segprep.dataset.tree import IMAGES, MASKS, STAGING, Tree


@dataclass(frozen=True, slots=True)
class ClassShare:
    """One class in numbers: *share* is of all pixels that are not ignored."""

    value: int
    name: str
    pixels: int
    share: float
    images: int


@dataclass(frozen=True, slots=True)
class Info:
    """A dataset in numbers. *sizes* maps (width, height) to images; *ignored* is the share of all
    pixels; *faults* in words.
    """

    root: Path
    images: int
    classes: tuple[ClassShare, ...]
    ignored: float
    sizes: Mapping[tuple[int, int], int]
    lists: Mapping[str, int]
    unlisted: int
    source: Mapping[str, Any] | None
    split: Mapping[str, Any] | None
    notes: Mapping[str, int]
    faults: tuple[str, ...]


def info(dataset: str | Path = ".", *, jobs: int = 1) -> Info:
    """Describe *dataset*, made by segprep or not.

    Raises UsageError if there is none, TreeError if its manifest is damaged.
    """
    place = tree.find(Path(dataset))
    made = place.manifest
    pixels: Counter[int] = Counter()
    images: Counter[int] = Counter()
    sizes: Counter[tuple[int, int]] = Counter()
    notes: Counter[str] = Counter()
    faults: list[str] = (
        [f"{STAGING} holds an unfinished conversion"] if (place.root / STAGING).is_dir() else []
    )
    if made:
        for record in place.records():
            pixels.update(record.pixels)
            images.update(record.pixels.keys())
            sizes[record.width, record.height] += 1
            notes.update({note.code for note in record.notes})
            faults += [
                f"{name} is missing"
                for name in (record.image, record.mask)
                if not (place.root / name).is_file()
            ]
    else:
        for result in engine.run(_Counted(place), place.stems(), jobs=jobs):
            if isinstance(result, engine.Failure):
                faults.append(f"{result.path}: {result.reason}")
                continue
            counts, size, fault = result
            pixels.update(counts)
            images.update(counts.keys())
            sizes[size] += 1
            faults += fault
    lists = place.lists()
    listed = {stem for stems in lists.values() for stem in stems}
    return Info(
        place.root, sum(sizes.values()), _shares(place, pixels, images), pixels[255] / (pixels.total() or 1), dict(sizes.most_common()),
        {name: len(stems) for name, stems in lists.items()}, len(set(place.stems()) - listed) if lists else 0,
        made.source if made else None, made.split if made else None, dict(notes), tuple(faults),
    )  # fmt: skip


def _shares(
    place: Tree, pixels: Mapping[int, int], images: Mapping[int, int]
) -> tuple[ClassShare, ...]:
    classes = place.classes()
    names = dict(enumerate(classes.names)) if classes else {}
    valid = sum(count for value, count in pixels.items() if value != 255) or 1
    values = sorted({*names, *pixels} - {255})
    return tuple(
        ClassShare(
            value,
            names.get(value, "(not in the class list)" if names else "?"),
            pixels.get(value, 0),
            pixels.get(value, 0) / valid,
            images.get(value, 0),
        )
        for value in values
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """Pixels and size of one mask of a tree without a manifest."""

    place: Tree

    def __call__(self, stem: str) -> tuple[dict[int, int], tuple[int, int], list[str]]:
        from segprep.imaging.image import read_mask

        mask = read_mask(self.place.mask_path(stem))
        height, width = mask.shape
        fault = (
            []
            if self.place.image_path(stem)
            else [f"{IMAGES}/{stem}.* is missing (there is {MASKS}/{stem}.png)"]
        )
        return self.place.pixels(stem), (width, height), fault
