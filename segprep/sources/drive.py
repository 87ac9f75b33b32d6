"""DRIVE: vessels in 20 + 20 retinal photographs, ignored outside the field of view.

    DRIVE/
      training/
        images/21_training.tif          RGB, 565x584
        1st_manual/21_manual1.gif       white = vessel
        mask/21_training_mask.gif       white = field of view
      test/                             or testing/
        images/01_test.tif
        1st_manual/01_manual1.gif       not in the release of 2020 and later
        2nd_manual/01_manual2.gif       a second observer, for the test images only
        mask/01_test_mask.gif

Format: https://drive.grand-challenge.org (Staal, Abramoff, Niemeijer, Viergever, van Ginneken
2004). Assumptions: the first number of a name says what belongs together; white of a palette
counts by its color, whatever its index. The mask is fused as published: 0 background, 1 vessel,
255 outside the field of view, where outside wins even over a drawn vessel.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np

from segprep.errors import SourceError
from segprep.files import listing, read_below, real_folders
from segprep.imaging.image import SUFFIXES
from segprep.imaging.paired_masks import drawn_upright
from segprep.names import natural_key, stem_of
from segprep.sources._common.masks import retina
from segprep.sources._common.pairing import official_lists, stems
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
    "segprep convert drive DRIVE/ out/",
    "segprep convert drive DRIVE/ out/ --annotator 2nd",
    "segprep convert drive DRIVE/ out/ --outside background",
)
_KINDS = ("images", "1st_manual", "2nd_manual", "mask")
_SHIPPED_WITHOUT = {
    ("test", "1st_manual"),
    ("train", "2nd_manual"),
}  # the publisher gives these splits no such drawings
Part = Mapping[str, tuple[Path, ...]]  # kind -> the files there


@dataclass(frozen=True, slots=True)
class Reader:
    """Read a DRIVE folder, or one of its two halves."""

    root: Path
    annotator: Annotated[
        Literal["1st", "2nd"], "Whose annotation is the truth: 1st_manual or 2nd_manual."
    ] = "1st"
    outside: Annotated[
        Literal["ignore", "background"],
        "Pixels outside the field of view: ignore = 255, background = 0.",
    ] = "ignore"
    stem: Stem = "name"
    image_root: LinkRoot = ()
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A folder with images/ and mask/ beside 1st_manual/ or 2nd_manual/."""
        for folder, part in _parts(root.resolve()).items():
            if manual := next((kind for kind in _KINDS[1:3] if kind in part), ""):
                others = [kind for kind in ("images", "mask") if kind in part]
                return Evidence(
                    0.35 + 0.3 * len(others),
                    f"{folder.name} has {manual}" + "".join(f" and {kind}" for kind in others),
                )
        return None

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every image is an item with its drawing and its field of view; training and test are the
        official lists.
        """
        (root,) = real_folders(self.root)
        items: list[Item] = []
        skipped: list[Skipped] = []
        notes: list[Note] = []
        lists: dict[str, list[str]] = defaultdict(list)
        parts, manual = _parts(root), f"{self.annotator}_manual"
        drawn_anywhere = any(manual in part for part in parts.values())
        for folder, part in parts.items():
            split = official_lists.SPLITS.get(folder.name.lower(), "")
            if manual not in part and drawn_anywhere and (split, manual) in _SHIPPED_WITHOUT:
                where = folder.relative_to(root).as_posix()
                notes.append(
                    Note(
                        "image-unlabelled",
                        f"{where} has no {manual}, as published: its {len(part.get('images', ()))}"
                        " images are not samples",
                    )
                )
                continue
            part_items = self._items(root, folder, part, manual, skipped)
            items += part_items
            lists[split] += (item.stem for item in part_items)
        kept = stems.unique(items, skipped)
        return Scan(
            kept,
            retina.CLASSES,
            tuple(stems.with_exclusion(skip, "give the other as SRC") for skip in skipped),
            _official(lists, {item.stem for item in kept}),
            tuple(notes),
        )

    def _items(
        self, root: Path, folder: Path, part: Part, manual: str, skipped: list[Skipped]
    ) -> list[Item]:
        """The items of one half; what lacks a partner goes to *skipped*."""
        images, drawings, views = (
            _numbered(part.get(kind, ())) for kind in ("images", manual, "mask")
        )
        items = []
        for path in part.get("images", ()):
            number, stem = _number(path), stems.sample_stem(path, root, self.stem)
            expected = {
                folder / manual / f"{number}_manual{self.annotator[0]}.gif": drawings.get(
                    number, ()
                ),
                folder / "mask" / f"{stem_of(path.name)}_mask.gif": views.get(number, ()),
            }
            reasons = [
                _unpaired(path_expected.relative_to(root), there)
                for path_expected, there in expected.items()
                if len(there) != 1
            ]
            if len(images[number]) > 1:
                skipped.append(
                    Skipped(
                        stem,
                        str(path),
                        "image-ambiguous",
                        f"{len(images[number])} images have the number {number}",
                        "keep one of them",
                    )
                )
            elif reasons:
                skipped.append(
                    Skipped(
                        stem,
                        str(path),
                        "mask-missing",
                        "; ".join(reasons),
                        "restore it, or skip the image with --on-error skip",
                    )
                )
            else:
                items.append(Item(stem, path, tuple(there[0] for there in expected.values())))
        drawn = (*part.get(manual, ()), *part.get("mask", ()))
        skipped += _without_image((folder / "images").relative_to(root), drawn, images)
        return items

    def read(self, item: Item) -> Sample:
        """The photograph; vessel 1, background 0, and 255 (or 0) outside the field of view, which
        wins.
        """
        roots, notes = real_folders(self.root, self.image_root), list[Note]()
        (manual, view), picture = item.labels, cast("Path", item.image)
        vessel, inside = (
            retina.drawn(read_below(path, roots), path, notes, self.max_pixels)
            for path in (manual, view)
        )
        data = read_below(picture, roots)
        upright = drawn_upright(data, picture, vessel.shape, manual, notes, self.max_pixels)
        if inside.shape != vessel.shape:
            size = (
                f"the field of view is {inside.shape[1]}x{inside.shape[0]}, the drawing"
                f" {vessel.shape[1]}x{vessel.shape[0]} pixels"
            )
            raise SourceError(view, size, "restore both from their origin", "size-mismatch")
        if not inside.any():
            raise SourceError(
                view,
                "is black all over: no pixel lies in the field of view",
                "restore it from its origin",
                "view-empty",
            )
        lost = int(np.count_nonzero(vessel[inside == 0]))
        where = f"{100 * (1 - inside.mean()):.1f} % of the pixels lie outside the field of view"
        notes.append(
            Note("view-outside", where + (f", {lost} of them drawn as vessel" if lost else ""))
        )
        mask = np.where(inside == 1, vessel, np.uint8(IGNORE if self.outside == "ignore" else 0))
        return Sample(item.stem, data, mask, None, upright, tuple(notes))


def _parts(root: Path) -> dict[Path, Part]:
    """Folders at any depth that hold images/, 1st_manual/, 2nd_manual/ or mask/, with the image
    files of each.
    """
    parts: dict[Path, dict[str, tuple[Path, ...]]] = defaultdict(dict)
    for folder, name in listing(str(root)):
        path = Path(folder, name)
        kind = path.parent.name.lower()
        if kind in _KINDS and path.suffix.lower() in SUFFIXES and path.parent != root:
            part = parts[path.parent.parent]
            part[kind] = (*part.get(kind, ()), path)
    return dict(sorted(parts.items()))


def _number(path: Path) -> str:
    """The first number of the name; without one, what comes before the first _."""
    stem = stem_of(path.name)
    number = re.search(r"[0-9]+", stem)
    return number[0] if number else stem.split("_")[0]


def _numbered(paths: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    by_number: dict[str, tuple[Path, ...]] = {}
    for path in paths:
        by_number[_number(path)] = (*by_number.get(_number(path), ()), path)
    return by_number


def _unpaired(path_expected: Path, there: tuple[Path, ...]) -> str:
    if not there:
        return f"there is no {path_expected.as_posix()}"
    names = ", ".join(path.name for path in there)
    return f"{len(there)} files could be {path_expected.as_posix()}: {names}"


def _without_image(
    folder: Path, drawn: Iterable[Path], images: Mapping[str, tuple[Path, ...]]
) -> list[Skipped]:
    return [
        Skipped(
            stem_of(path.name),
            str(path),
            "image-missing",
            f"there is no image {_number(path)} in {folder.as_posix()}",
            "restore the image, or remove this file",
        )
        for path in drawn
        if _number(path) not in images
    ]


def _official(lists: Mapping[str, list[str]], stems: set[str]) -> dict[str, tuple[str, ...]]:
    """The lists of splits that have samples; one split alone is not a split."""
    sorted_lists = {
        split: tuple(sorted((stem for stem in listed if stem in stems), key=natural_key))
        for split, listed in lists.items()
        if split
    }
    full = {split: listed for split, listed in sorted_lists.items() if listed}
    return full if len(full) > 1 else {}
