"""Data Science Bowl 2018 nuclei: one folder per image, one mask file per nucleus.

    stage1_train/<id>/images/<id>.png    the image
    stage1_train/<id>/masks/*.png        one black and white mask per nucleus

Format: https://www.kaggle.com/c/data-science-bowl-2018/data. Assumptions: a pixel belongs to the
nucleus if it is brighter than 127; every mask has its image's size; the folder's name is the
sample's. The border classes are defined in ``segprep/imaging/instances.py``.
"""

import glob
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import classes as class_lists
from segprep.errors import SourceError, UsageError
from segprep.files import listing, read_below, real_folders
from segprep.imaging import image, instances, mask_files, paired_masks
from segprep.imaging.image import SUFFIXES
from segprep.packed_items import PackedItems
from segprep.sources._common.pairing import stems
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    Evidence,
    Item,
    LinkRoot,
    MaxPixels,
    Note,
    Progress,
    Sample,
    Scan,
    Skipped,
    Stem,
    no_progress,
)

EXAMPLES = (
    "segprep convert dsb2018 stage1_train/ out/",
    "segprep convert dsb2018 stage1_train/ out/ --objects --target border --border-width 2",
    "segprep convert dsb2018 stage1_train/ out/ --target touching --border-as ignore",
)
WIDEST = 100


@dataclass(frozen=True, slots=True)
class Reader:
    """Read the folders <id>/images and <id>/masks."""

    root: Path
    target: Annotated[
        Literal["binary", "border", "touching"],
        "Classes beside the nucleus: binary = none, border = a nucleus' pixels near its edge,"
        " touching = pixels near two nuclei.",
    ] = "binary"
    border_width: Annotated[
        int, "Width of the border in pixels, along rows, columns and diagonals."
    ] = 1
    border_as: Annotated[
        Literal["class", "ignore"], "Make the border a separate class, or ignore it (255)."
    ] = "class"
    objects: Annotated[bool, "Write SegmentationObject as well: one id per nucleus."] = False
    name: Annotated[str, "Name of the object's class."] = "nucleus"
    missing: Annotated[
        Literal["error", "empty"],
        "An image without any mask: error = refuse it, empty = no nuclei.",
    ] = "error"
    stem: Stem = "name"
    image_root: LinkRoot = ()
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """Folders that hold images/ and masks/ of their own."""
        for folder in (
            path.parent
            for pattern in ("*/masks", "*/*/masks", "*/*/*/masks")
            for path in sorted(root.glob(pattern))[:3]
        ):
            if (folder / "images").is_dir() and any(
                (folder / "images").glob(f"{glob.escape(folder.name)}.*")
            ):
                return Evidence(
                    0.95, f"{folder.name}/ has an image of its name in images/, and masks/"
                )
        return None

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every folder with images/ in it is an item."""
        if not 1 <= self.border_width <= WIDEST:
            raise UsageError(
                "bad-option",
                f"--border-width {self.border_width} is not from 1 to {WIDEST}",
                "for example 2",
            )
        (root,) = real_folders(self.root)
        folders: dict[str, tuple[list[str], list[str]]] = {}
        for folder, name in listing(str(root)):
            parent, kind = os.path.split(folder)
            if kind in ("images", "masks") and os.path.splitext(name)[1].lower() in SUFFIXES:
                folders.setdefault(parent, ([], []))[kind == "masks"].append(name)
        skipped: list[Skipped] = []
        notes = _without_tests(root, folders) if self.missing == "error" else []
        items = [
            item
            for folder, (images, stack) in folders.items()
            if (item := self._item(root, Path(folder), images, stack, skipped))
        ]
        names = [class_lists.BACKGROUND, self.name] + (
            [self.target] if self.target != "binary" and self.border_as == "class" else []
        )
        return Scan(
            _packed(stems.unique(items, skipped)),
            class_lists.make(names),
            tuple(skipped),
            notes=tuple(notes),
        )

    def _item(
        self, root: Path, folder: Path, images: list[str], stack: list[str], skipped: list[Skipped]
    ) -> Item | None:
        """The sample of *folder* with its first label; the payload names all of them."""
        stem = "_".join(folder.relative_to(root).parts) if self.stem == "path" else folder.name
        if len(images) != 1:
            code, hint = (
                "image-ambiguous" if images else "image-missing",
                "leave one image in each folder images/",
            )
            skipped.append(
                Skipped(
                    stem,
                    str(folder / "images"),
                    code,
                    f"{len(images)} images where one was expected: {', '.join(images)}",
                    hint,
                )
            )
            return None
        if not stack and self.missing == "empty":
            picture = folder / "images" / images[0]
            return Item(stem, picture, (picture,), payload=images)
        if not stack:
            skipped.append(
                Skipped(
                    stem,
                    str(folder / "masks"),
                    "mask-missing",
                    "holds no mask",
                    "a test set has none: skip it with --on-error skip; or give --missing empty",
                )
            )
            return None
        first = folder / "masks" / stack[0]
        return Item(stem, folder / "images" / images[0], (first,), payload=stack)

    def read(self, item: Item) -> Sample:
        """The image, and its masks merged."""
        roots, notes = real_folders(self.root, self.image_root), list[Note]()
        picture = cast("Path", item.image)
        data = read_below(picture, roots)
        if item.labels == (picture,):
            shape = image.header(data, picture, self.max_pixels).shape(upright=True)
            return Sample(item.stem, data, np.zeros(shape, np.uint8))
        spots, ones, shape, between = [], list[str](), (0, 0), 0
        for path in item.labels:
            part = mask_files.lit(read_below(path, roots), path, self.max_pixels)
            if (size := part.size) != shape:
                upright = paired_masks.drawn_upright(
                    data, picture, size, path, notes, self.max_pixels
                )
                if shape != (0, 0):
                    raise SourceError(
                        path,
                        f"is {size[1]}x{size[0]}, the masks before it {shape[1]}x{shape[0]}",
                        "all masks of an image have its size",
                        "size-mismatch",
                    )
                shape = size
            if part.plain:
                spots.append(instances.spot_of_white(path.name, part))
                continue
            bright = part.pixels > 127
            if part.lit and part.pixels.max() == 1:  # 1 is what others write as 255
                ones.append(path.name)
                bright = part.pixels == 1
            else:
                between += part.lit - part.whites
            spots.append(instances.spot_of(path.name, bright, part.top, part.left))
        notes += self._value_notes(ones, between)
        objects, account = _merged(spots, shape, item)
        return Sample(
            item.stem,
            data,
            self._mask(objects),
            objects if self.objects else None,
            upright,
            (*notes, *account),
        )

    def _value_notes(self, ones: list[str], between: int) -> list[Note]:
        notes = list[Note]()
        if ones:
            notes.append(
                Note(
                    "values-zero-one",
                    f"{len(ones)} masks hold 0 and 1 instead of 0 and 255, {ones[0]} first; 1 was"
                    f" read as {self.name}",
                )
            )
        if between:
            notes.append(
                Note(
                    "intermediate-values",
                    f"{between} mask pixels are neither 0 nor 255; brighter than 127 counts as"
                    f" {self.name}",
                )
            )
        return notes

    def _mask(self, objects: NDArray[np.uint16]) -> NDArray[np.uint8]:
        mask = (objects > 0).astype(np.uint8)
        if self.target != "binary":
            edge = instances.border if self.target == "border" else instances.touching
            mask[edge(objects, self.border_width)] = 2 if self.border_as == "class" else IGNORE
        return mask


def _packed(items: Iterable[Item]) -> PackedItems:
    """*items*, whose payloads name the files beside their first label, with all of these: path
    objects for them would take as long as reading them.
    """
    packed = PackedItems()
    for item in items:
        home = str(item.labels[0].parent)
        packed.add(
            item.stem, [os.path.split(str(item.image)), *zip(repeat(home), item.payload)], None
        )
    return packed


def _without_tests(root: Path, folders: dict[str, tuple[list[str], list[str]]]) -> list[Note]:
    """Take folders of images none of which has masks (stage1_test) out of *found*, as long as
    others have; a note for each.
    """
    labeled = {os.path.dirname(folder) for folder, (_, stack) in folders.items() if stack}
    bare = (
        Counter(
            os.path.dirname(folder) for folder in folders if os.path.dirname(folder) not in labeled
        )
        if labeled
        else Counter[str]()
    )
    for folder in [folder for folder in folders if os.path.dirname(folder) in bare]:
        del folders[folder]
    return [
        Note(
            "image-unlabelled",
            f"{Path(os.path.relpath(group, root)).as_posix()}: none of its {count} images has"
            " masks; they were skipped",
        )
        for group, count in bare.items()
    ]


def _merged(
    spots: list[instances.Spot], shape: tuple[int, int], item: Item
) -> tuple[NDArray[np.uint16], list[Note]]:
    try:
        return instances.merge(spots, *shape)
    except ValueError as error:
        raise SourceError(
            item.labels[0].parent, str(error), "split the image", "too-many-objects"
        ) from error
