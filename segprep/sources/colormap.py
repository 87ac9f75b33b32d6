"""Images and masks whose colors stand for classes, in separate folders: CamVid, ADE20K, VOC
colors, any table.

    images/x.png      any image
    labels/x_L.png    its mask: one color per class, as a table says
    label_colors.txt  optional, beside the folders: R G B name per line (also class_dict.csv,
    labelmap.txt, dataset_meta.json, or a list of classes with colors)

Format: CamVid's label_colors.txt, http://mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid/;
Datumaro's labelmap.txt. Assumptions: pairs as in the format "pairs"; only colors of the table
occur; ADE20K's colors are those of its 150-class challenge, two of which are equal and refused.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import classes as class_lists
from segprep.errors import SegprepError, SourceError, UsageError
from segprep.files import read_below
from segprep.imaging import image, mask_files, paired_masks
from segprep.packed_items import FirstLabels
from segprep.sources._common.classes import color_tables
from segprep.sources._common.classes.color_tables import ColorTable
from segprep.sources._common.classes.smoothed_colors import SeenColors
from segprep.sources._common.masks import color_masks
from segprep.sources._common.pairing import files_beside, image_folders, matching, name_rules
from segprep.sources._common.pairing.paired_folders import PairedFolders, background_of
from segprep.types import (
    Evidence,
    Item,
    Note,
    Progress,
    Sample,
    Scan,
    Unpainted,
    no_progress,
)

EXAMPLES = (
    "segprep convert colormap CamVid/ out/ --table camvid",
    "segprep convert colormap data/ out/ --table label_colors.txt --unknown ignore",
    "segprep convert colormap data/ out/ --from-voc-gray --classes background,cell,nucleus",
)


@dataclass(frozen=True, slots=True)
class Reader(PairedFolders):
    """Read a folder of images and a folder of color-coded masks."""

    table: Annotated[
        str,
        "What the colors mean: a FILE of R G B name, or voc, camvid, ade20k, or gray (the level is"
        " the id; needs --classes).",
    ] = ""
    classes: Annotated[
        str | None,
        "Class names for voc, gray and --from-voc-gray: a FILE, a,b,c in the order of their ids, or"
        " their number.",
    ] = None
    from_voc_gray: Annotated[
        bool,
        "The masks are gray: VOC's colors, flattened to their brightness. Levels that two classes"
        " share are refused.",
    ] = False
    unknown: Annotated[
        Literal["error", "ignore", "nearest"],
        "Colors that are not in the table: refuse the file, ignore them (255), or take the nearest"
        " class.",
    ] = "error"

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """Folders of images and masks, and a mask of a few colors that is not a palette picture."""
        root = root.resolve()
        if not (glimpse := matching.glimpse(root)):
            return None
        folders, paths = glimpse
        counts = ((path, _colors(path, root)) for path in paths)
        path, count = next(((path, count) for path, count in counts if count), (paths[0], 0))
        if not 0 < count <= 256:
            return None
        beside = None
        with suppress(UsageError):  # tables that differ; told by the scan
            beside = files_beside.color_table(root, image_folders.folders(root))
        return Evidence(
            0.8 if beside else 0.7,
            f"{folders.masks.name}/{path.name} holds {count} colors"
            + (f", and {beside.name} lies beside" if beside else ""),
        )

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every pair is an item; the payload is the table."""
        folders = self.folders()
        matched = self.paired(folders)
        if not matched.items:
            return Scan((), class_lists.numbered(1), matched.skipped, {}, matched.notes)
        table, notes = self._table(self.roots()[0], folders, matched)
        background = background_of(table.classes, matched.items)
        items = matched.items.with_payload((table, background))
        return Scan(items, table.classes, matched.skipped, matched.lists, (*matched.notes, *notes))

    def _table(
        self, root: Path, folders: tuple[name_rules.Folders, ...], matched: matching.Pairing
    ) -> tuple[ColorTable, list[Note]]:
        if (
            self.from_voc_gray
            or self.table in ("gray", "grey")  # codespell:ignore
            or (self.table == "voc" and self.classes)
        ):
            if self.from_voc_gray and self.table not in ("", "voc"):
                raise UsageError(
                    "bad-option",
                    f"--from-voc-gray and --table {self.table} contradict each other",
                    "give one of them",
                )
            if self.classes is None and not self.from_voc_gray:
                raise UsageError(
                    "bad-option",
                    f"--table {self.table} needs --classes",
                    "give the names in the order of their ids",
                )
            classes = (
                color_tables.load("voc").classes
                if self.classes is None
                else class_lists.positions(self.classes)
            )
            make = (
                color_tables.flattened
                if self.from_voc_gray
                else color_tables.voc
                if self.table == "voc"
                else color_tables.gray
            )
            return make(classes), []
        if self.classes is not None:
            raise UsageError(
                "bad-option",
                "a color table has its own names; --classes goes with voc, gray and"
                " --from-voc-gray",
                "name the classes in the table",
            )
        if self.table:
            return color_tables.load(self.table), []
        if path := files_beside.color_table(root, folders):
            return color_tables.load(str(path)), [Note("classes-found", f"colors read from {path}")]
        raise self._unnamed(matched)

    def _unnamed(self, matched: matching.Pairing) -> UsageError:
        """The error for colors without a table: those of up to 50 masks with their counts, ready to
        be used as a table.
        """
        colors, masks = SeenColors(), FirstLabels(matched.items)
        for path in masks[:: max(1, len(masks) // 50)]:
            with suppress(SourceError):  # told when it is converted
                data = read_below(path, self.roots())
                colors.add(mask_files.colors(data, path, self.max_pixels))
        reason, hint = colors.question()
        return UsageError("bad-option", f"what do the colors mean? {reason}", hint)

    def read(self, item: Item) -> Sample:
        """The image, and its mask through the table."""
        table, background = item.payload
        unpainted: tuple[Unpainted, ...] = ()

        def to_mask(data: bytes, path: Path, notes: list[Note]) -> NDArray[np.uint8]:
            nonlocal unpainted
            if self.from_voc_gray:
                shown = self._gray(data, path, notes)
            else:
                shown = mask_files.colors(data, path, self.max_pixels)
            mask = color_masks.decoded(shown, table, path, self.unknown)
            notes += mask.notes
            unpainted = mask.unpainted
            return mask.ids

        sample = paired_masks.sample(
            item, self.roots(), to_mask, self.max_pixels, background=background
        )
        return replace(sample, unpainted=unpainted)

    def _gray(self, data: bytes, path: Path, notes: list[Note]) -> NDArray[np.uint8]:
        """A mask of gray levels as the colors (H, W, 3) that it shows. Raises SourceError."""
        level = mask_files.values(data, path, notes, self.max_pixels, "gray")
        if int(level.max(initial=0)) > 255:
            raise SourceError(
                path,
                "has 16-bit values, which no flattened palette has",
                "use: segprep convert pairs",
                "image-unsupported",
            )
        return np.repeat(level.astype(np.uint8)[..., None], 3, 2)


def _colors(path: Path, root: Path) -> int:
    """How many colors the mask has; 0 if it is gray, cannot be read, or is a palette picture: its
    indices, not its colors, are the ids.
    """
    try:
        data = read_below(path, (root,))
        if image.header(data, path).mode == "P":
            return 0
        shown = mask_files.colors(data, path)
    except SegprepError:
        return 0
    if (shown == shown[..., :1]).all():
        return 0
    red, green, blue = np.moveaxis(shown.astype(np.uint32), 2, 0)
    seen = np.zeros(1 << 24, np.bool_)  # sorting as many pixels takes a hundred times as long
    seen[red << 16 | green << 8 | blue] = True
    return int(np.count_nonzero(seen))
