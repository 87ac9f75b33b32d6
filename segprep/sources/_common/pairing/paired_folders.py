"""What every format of images and masks in folders can be told: where they lie, how they pair."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from segprep.errors import UsageError
from segprep.files import real_folders
from segprep.sources._common.pairing import image_folders, matching, name_rules, rival_folders
from segprep.sources._common.pairing.folder_names import ExcludeFolder, is_excluded
from segprep.sources._common.pairing.image_folders import ImageFolder, MaskFolder
from segprep.sources._common.pairing.name_rules import Folders, PairBy
from segprep.sources._common.pairing.official_lists import ListsFromFolders
from segprep.sources._common.pairing.pair_patterns import PairPattern
from segprep.types import MAX_PIXELS, Classes, Item, MaxPixels, Stem

Missing = Annotated[
    Literal["error", "empty"],
    "An image without a mask: error = refuse it, empty = its mask is all background.",
]
ImageRoot = Annotated[
    tuple[Path, ...],
    "A folder outside SRC that holds the images; SRC then holds the masks. Or one that links in SRC"
    " lead into (DVC, git-annex).",
]


@dataclass(frozen=True, slots=True)
class PairedFolders:
    """The options of a Reader whose images and masks lie in folders."""

    APPLIES_VIEWS: ClassVar[bool] = False  # whether a field of view lies outside of all classes

    root: Path
    images: ImageFolder = ""
    masks: MaskFolder = ""
    pair_by: PairBy = "auto"
    pair: PairPattern = ""
    missing: Missing = "error"
    image_root: ImageRoot = ()
    exclude_folder: ExcludeFolder = ()
    lists_from_folders: ListsFromFolders = "auto"
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    def roots(self) -> tuple[Path, ...]:
        """The folders that may be read, resolved; SRC first."""
        return real_folders(self.root, self.image_root)

    def folders(self) -> tuple[Folders, ...]:
        """The pairs of image and mask folders; none where --pair states the pairs."""
        root, *further = self.roots()
        if self.pair:
            return ()
        further = image_homes(root, further)
        if len(further) > 1:
            reason = "several --image-root are understood with --pair only"
            raise UsageError("bad-option", reason, "add --pair IMAGE=MASK, or give one of them")
        if further:
            home = further[0] / self.images if self.images else further[0]
            return (Folders(home, root / self.masks if self.masks else root),)
        pairs = image_folders.folders(root, self.images, self.masks, excluded=self.exclude_folder)
        for pair in pairs:
            if pair.view and not self.APPLIES_VIEWS:
                raise rival_folders.error(root, pair.images, [pair.masks, pair.view])
        return pairs

    def paired(self, folders: tuple[Folders, ...]) -> matching.Pairing:
        """Every image with its mask. Raises UsageError for options that contradict each other."""
        root, *further = self.roots()
        empty, from_folders = self.missing == "empty", self.lists_from_folders == "auto"
        if not self.pair:
            return matching.match(
                root,
                folders,
                self.pair_by,
                self.stem,
                empty=empty,
                from_folders=from_folders,
                excluded=self.exclude_folder,
            )
        if self.pair_by != "auto":
            raise UsageError(
                "bad-option", "--pair and --pair-by contradict each other", "give one of them"
            )
        files = [
            path
            for home in (root, *further)
            for path in name_rules.image_files(home)
            if not is_excluded(path, home, self.exclude_folder)
        ]
        return matching.match_stated(
            root,
            self.pair,
            files,
            self.stem,
            further=tuple(further),
            empty=empty,
            from_folders=from_folders,
        )

    def explain(self, stem: str) -> list[str]:
        """Which rule joined the files of the samples called *stem*, one line each."""
        pairing = self.paired(self.folders())
        lines = [
            _explained(item, rule)
            for item, rule in zip(pairing.items, pairing.rules, strict=True)
            if item.stem == stem
        ]
        return lines + [
            f"{skip.path}: [{skip.code}] {skip.reason}"
            for skip in pairing.skipped
            if skip.stem == stem
        ]


def image_homes(root: Path, further: Sequence[Path]) -> list[Path]:
    """Those of the *further* folders that links in *root* do not lead into: they hold images by
    name, the others are where the files of *root* are kept.
    """
    homes = list(further)
    for path in name_rules.image_files(root) if homes else ():
        if os.path.islink(path):
            real = Path(os.path.realpath(path))
            homes = [home for home in homes if not real.is_relative_to(home)]
            if not homes:
                break
    return homes


_MEANINGS = {
    "name": "image and mask have the same name",
    "affix": "the names are the same but for a prefix or suffix",
    "number": "the names end in the same number",
}


def _explained(item: Item, rule: str) -> str:
    if item.labels[0] == item.image:
        return f"{item.stem}: {item.image} has no mask: all background (--missing empty)"
    return f"{item.stem}: {item.image} with {item.labels[0]}: {_MEANINGS.get(rule, rule)}"


def background_of(classes: Classes, items: Iterable[Item]) -> int:
    """The id of the pixels of images without a mask; 0 where there are none. Raises UsageError
    where the class list has no background.
    """
    if classes.background is not None:
        return classes.background
    if any(item.labels[0] == item.image for item in items):
        raise UsageError(
            "bad-option",
            f"--missing empty needs a background, but no class is called so: {classes.names[0]}, …",
            "call a class background in the class list, or leave these images out",
        )
    return 0
