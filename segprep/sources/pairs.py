"""Images and masks of class ids in folders of their own: the commonest layout of all.

    images/x.jpg     any image                       frames/frame_001.png    train/x.jpg      x.jpg
    masks/x.png      its mask: pixel value = id      masks/mask_001.png      trainannot/x.png
    x_mask.png

Format: nobody's; what tutorials, CamVid, mmsegmentation's custom sets and Keras pipelines have in
common. Assumptions: one mask per image, of its size; the value counts (of a palette the index),
never a color. 255 is ignored unless --ids says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep import engine
from segprep.dataset import classes as class_lists
from segprep.errors import SourceError, UsageError
from segprep.files import read_below, real_folders
from segprep.imaging import image, lookup, mask_files
from segprep.sources._common import image_folders, mask_values, matching
from segprep.sources._common.image_folders import ImageFolder, MaskFolder
from segprep.sources._common.name_rules import PairBy
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
    Stem,
    no_progress,
)

EXAMPLES = (
    "segprep convert pairs data/ out/ --classes background,cell",
    "segprep convert pairs data/ out/ --ids 0=background,128=cell,255=nucleus",
    (
        "segprep convert pairs data/ out/ --images frames --masks masks --pair-by number --classes"
        " codes.txt"
    ),
)
_LISTS = (
    "class_names.txt",
    "labelmap.txt",
    "classes.txt",
    "codes.txt",
)  # beside the folders; the last is fast.ai's


@dataclass(frozen=True, slots=True)
class Reader:
    """Read a folder of images and a folder of id masks."""

    root: Path
    classes: Annotated[
        str | None,
        "Class names in the order of their ids, from 0: a FILE with one per line, a,b,c, or their"
        " number.",
    ] = None
    ids: Annotated[
        str,
        "What the values mean: VALUE=NAME,… or a FILE of such lines; __ignore__ is 255. With"
        " --classes: exceptions from their order.",
    ] = ""
    images: ImageFolder = ""
    masks: MaskFolder = ""
    pair_by: PairBy = "auto"
    palette: Annotated[
        Literal["auto", "index", "gray"],
        "For GIFs whose indices and gray levels differ: which of the two is the id.",
    ] = "auto"
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognise(cls, root: Path) -> Evidence | None:
        """Folders of images and masks, and masks that hold small ids."""
        root = root.resolve()
        if not (glimpse := matching.glimpse(root)):
            return None
        folders, paths = glimpse
        seen = {path: ids - {IGNORE} for path in paths if (ids := _read(path, root)) is not None}
        if (
            not any(values - {0} for values in seen.values())
            or max(map(len, seen.values())) > mask_values.LARGEST
        ):
            return None
        first, ids = max(seen.items(), key=lambda values: max(values[1], default=0))
        what = (
            "small ids"
            if max(ids) <= mask_values.LARGEST
            else f"{len(ids)} values up to {max(ids)}"
        )
        score = 0.6 if max(ids) <= mask_values.LARGEST else 0.5
        return Evidence(
            score,
            f"{folders.images.name}/ and {folders.masks.name}/ pair, and {first.name} holds {what}",
        )

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every pair is an item; the payload is the table value -> id."""
        (root,) = real_folders(self.root)
        folders = image_folders.folders(root, self.images, self.masks)
        matched = matching.match(root, folders, self.pair_by, self.stem)
        classes, table, notes = self._meaning(
            root, image_folders.beside(root, folders, _LISTS), matched, jobs, progress
        )
        items = tuple(
            Item(item.stem, item.image, item.labels, (table, len(classes.names)), item.group)
            for item in matched.items
        )
        return Scan(items, classes, matched.skipped, matched.lists, (*matched.notes, *notes))

    def _meaning(
        self,
        root: Path,
        beside: Path | None,
        matched: matching.Pairing,
        jobs: int,
        progress: Progress[Any],
    ) -> tuple[Classes, dict[int, int], list[Note]]:
        """The classes, and pixel value -> id.

        *beside* is a list of classes that lies beside the folders.
        """
        notes: list[Note] = []
        stated = mask_values.parse_ids(self.ids) if self.ids else {}
        listed = self.classes
        if listed is None and not stated and beside:
            listed = str(beside)
            notes.append(Note("classes-found", f"classes read from {listed}"))
        if listed is None and not stated:
            classes, inferred = mask_values.infer(self._values(root, matched, jobs, progress))
            return classes, mask_values.identity(classes), inferred
        if listed is None:
            return *mask_values.stated(stated), notes
        classes = class_lists.positions(listed)
        return classes, mask_values.identity(classes) | mask_values.table(stated, classes), notes

    def _values(
        self, root: Path, matched: matching.Pairing, jobs: int, progress: Progress[Any]
    ) -> dict[int, int]:
        """How often each value occurs in all masks."""
        seen: dict[int, int] = {}
        failures: list[engine.Failure] = []
        paths = [item.labels[0] for item in matched.items]
        for histogram in progress(
            engine.run(_PairValues(self, root), paths, jobs=jobs, chunk=8),
            len(paths),
            "reading masks",
        ):
            if isinstance(histogram, engine.Failure):
                failures.append(histogram)
                continue
            for value, count in histogram.items():
                seen[value] = seen.get(value, 0) + count
        if failures and not seen:
            raise UsageError(
                "values-unclear",
                f"no mask could be read as class ids; {failures[0].path}: {failures[0].reason}",
                failures[0].hint,
            )
        return seen

    def read(self, item: Item) -> Sample:
        """The image, and its mask through the table."""
        table, classes = item.payload

        def to_mask(data: bytes, path: Path, notes: list[Note]) -> NDArray[np.uint8]:
            values = mask_files.values(data, path, notes, self.max_pixels, self.palette)
            if not self.ids and (seen := image.histogram(values)).keys() == {0, IGNORE}:
                raise SourceError(
                    path,
                    f"holds 0 and 255 only: 255 ({seen[IGNORE]} px) may be a class, or ignored",
                    lookup.cause(seen, classes),
                    "values-unclear",
                )
            return lookup.translate(values, table, path, classes)

        return mask_files.paired(item, real_folders(self.root), to_mask, self.max_pixels)


@dataclass(frozen=True, slots=True)
class _PairValues:
    """The histogram of one mask, for the engine."""

    reader: Reader
    root: Path

    def __call__(self, path: Path) -> Mapping[int, int]:
        return image.histogram(
            mask_files.values(
                read_below(path, (self.root,)),
                path,
                [],
                self.reader.max_pixels,
                self.reader.palette,
            )
        )


def _read(path: Path, root: Path) -> set[int] | None:
    """The values of the mask at *path*; those of a photograph where it holds colors; None if it
    cannot be read at all.
    """
    try:
        return set(image.histogram(mask_files.values(read_below(path, (root,)), path, [])))
    except SourceError as error:
        return set(range(256)) if error.code == "mask-is-colour" else None
