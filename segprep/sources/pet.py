"""Oxford-IIIT Pet: photographs of 37 breeds of cats and dogs with trimaps.

    images/Abyssinian_100.jpg                   some are GIF or PNG inside
    annotations/trimaps/Abyssinian_100.png      1 pet, 2 background, 3 border (not classified)
    annotations/list.txt trainval.txt test.txt  optional: name, breed (1 to 37), species (1 cat, 2
    dog), number within the species

Format: https://www.robots.ox.ac.uk/~vgg/data/pets/. Assumptions: both may lie deeper
(oxford-iiit-pet/, annotations/annotations/); a breed is the stem before its last underscore, a name
with a capital is a cat (both true of the whole set); where the lists are there, their breed numbers
give the order of the classes.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import classes as class_lists
from segprep.errors import UsageError
from segprep.files import read_below, real_folders, walk
from segprep.imaging import lookup, mask_files, paired_masks
from segprep.names import natural_key
from segprep.sources._common.classes import palette_order
from segprep.sources._common.pairing import matching
from segprep.sources._common.pairing.name_rules import Folders
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    Classes,
    Evidence,
    Item,
    LinkRoot,
    MaxPixels,
    Note,
    Progress,
    Sample,
    Scan,
    no_progress,
)

EXAMPLES = (
    "segprep convert pet oxford-iiit-pet/ out/                 classes pet, background, border",
    (
        "segprep convert pet oxford-iiit-pet/ out/ --target voc    background, pet; the border is"
        " ignored"
    ),
    "segprep convert pet oxford-iiit-pet/ out/ --target breed",
)
_TRIMAP = {1: 0, 2: 1, 3: 2}


@dataclass(frozen=True, slots=True)
class Reader:
    """Read images/ and annotations/trimaps/."""

    published_ids: ClassVar[bool] = True  # a trimap's background is 2
    root: Path
    target: Annotated[
        Literal["trimap", "binary", "voc", "species", "breed"],
        "trimap = pet, background, border (ids 0, 1, 2); binary = background, pet (the border"
        " counts as pet); voc = background, pet, border ignored; species = background, cat, dog,"
        " border ignored; breed = background, then each breed, border ignored.",
    ] = "trimap"
    trimaps: Annotated[
        str, "Folder of the trimaps below SRC, where several folders of that name differ."
    ] = ""
    image_root: LinkRoot = ()
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """images/ and annotations/trimaps/."""
        homes = _homes(root.resolve())
        return (
            Evidence(0.95, f"images/ and {homes[0].masks.relative_to(root.resolve()).as_posix()}/")
            if homes
            else None
        )

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every trimap is an item; the payload is the table value -> id. trainval.txt and test.txt
        become lists.
        """
        (root,) = real_folders(self.root)
        homes, notes = self._distinct(root)
        if len(homes) != 1:
            listed = ", ".join(str(home.masks) for home in homes)
            reason = (
                f"there are several folders of trimaps: {listed}"
                if homes
                else f"images/ or annotations/trimaps/ is missing in {root}"
            )
            raise UsageError(
                "folders-unclear",
                reason,
                (
                    "choose one: "
                    + " or ".join(
                        f"--trimaps {shlex.quote(home.masks.relative_to(root).as_posix())}"
                        for home in homes
                    )
                    if homes
                    else "SRC holds images/ and annotations/, as the two archives unpack"
                ),
            )
        matched = matching.match(root, homes, "name", "name")
        trimaps = [item.labels[0] for item in matched.items]
        palette_order.check(trimaps, real_folders(self.root, self.image_root), otherwise="")
        notes, home = [*notes, *matched.notes], homes[0].masks.parent
        numbers = _breeds(root, home, [item.stem for item in matched.items])
        classes = self._classes(numbers)
        items = tuple(
            Item(
                item.stem,
                item.image,
                item.labels,
                (self._table(item.stem, numbers), len(classes.names)),
            )
            for item in matched.items
        )
        lists = matching.list_files(root, items, notes, (home,))
        hint = "add or rename the file, or skip it with --on-error skip"  # no --missing here
        skipped = tuple(replace(skip, hint=hint) for skip in matched.skipped)
        return Scan(items, classes, skipped, lists, tuple(notes))

    def _distinct(self, root: Path) -> tuple[list[Folders], list[Note]]:
        """The folders of trimaps, copies with the same files skipped, and a note that says so."""
        homes = _homes(root)
        if self.trimaps:
            return [home for home in homes if home.masks == root / self.trimaps], []
        first, others = homes[:1], homes[1:]
        copies = [home for home in others if _same(first[0].masks, home.masks, root)]
        if not copies:
            return homes, []
        names = ", ".join(home.masks.relative_to(root).as_posix() for home in copies)
        note = Note("duplicate-folder", f"{names}: a copy of the trimaps; it was skipped")
        return [home for home in homes if home not in copies], [note]

    def _classes(self, numbers: Mapping[str, int]) -> Classes:
        if self.target == "trimap":
            return Classes(("pet", "background", "border"), background=1)
        names = {
            "binary": ["pet"],
            "voc": ["pet"],
            "species": ["cat", "dog"],
            "breed": sorted(numbers, key=lambda breed: numbers[breed]),
        }[self.target]
        return class_lists.make(["background", *names])

    def _table(self, stem: str, numbers: Mapping[str, int]) -> dict[int, int]:
        if self.target == "trimap":
            return _TRIMAP
        if self.target == "binary":
            return {1: 1, 2: 0, 3: 1}
        ids = {
            breed: number
            for number, breed in enumerate(sorted(numbers, key=lambda breed: numbers[breed]), 1)
        }
        return {
            1: {"voc": 1, "species": 1 if stem[:1].isupper() else 2, "breed": ids[_breed(stem)]}[
                self.target
            ],
            2: 0,
            3: IGNORE,
        }

    def read(self, item: Item) -> Sample:
        """The image, and its trimap through the table."""
        table, classes = item.payload

        def to_mask(data: bytes, path: Path, notes: list[Note]) -> NDArray[np.uint8]:
            return lookup.translate(
                mask_files.values(data, path, notes, self.max_pixels), table, path, classes
            )

        return paired_masks.sample(
            item, real_folders(self.root, self.image_root), to_mask, self.max_pixels
        )


def _homes(root: Path) -> list[Folders]:
    """images/ and trimaps/ at *root* or in folders below it: the trimaps, and the nearest images/
    beside or above them.
    """
    trimaps = [
        path
        for depth in range(5)
        for path in sorted(root.glob("*/" * depth + "trimaps"))
        if path.is_dir() and "__MACOSX" not in path.parts
    ]
    pairs = []
    for folder in trimaps:
        homes = (
            home
            for home in folder.parents
            if home.is_relative_to(root) and (home / "images").is_dir()
        )
        pairs += [Folders(home / "images", folder) for home in list(homes)[:1]]
    return pairs


def _same(first: Path, other: Path, root: Path) -> bool:
    """Whether two folders hold files of the same names and contents."""
    names = [sorted(path.name for path in walk(folder)) for folder in (first, other)]
    return names[0] == names[1] and all(
        read_below(first / name, (root,)) == read_below(other / name, (root,)) for name in names[0]
    )


def _breed(stem: str) -> str:
    return stem.rpartition("_")[0] or stem


def _breeds(root: Path, home: Path, stems: list[str]) -> dict[str, int]:
    """Breed -> its number in the lists at *home*; in natural order where there are none."""
    numbers: dict[str, int] = {}
    for name in ("list.txt", "trainval.txt", "test.txt"):
        path = home / name
        text = read_below(path, (root,)).decode("utf-8", "replace") if path.is_file() else ""
        rows = [
            line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")
        ]
        numbers |= {
            _breed(row[0]): int(row[1])
            for row in rows
            if len(row) > 1 and row[1].isdecimal() and len(row[1]) < 6
        }
    rest = sorted({_breed(stem) for stem in stems} - set(numbers), key=natural_key)
    return numbers | {
        breed: max(numbers.values(), default=0) + n for n, breed in enumerate(rest, 1)
    }
