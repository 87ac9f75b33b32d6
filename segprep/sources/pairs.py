"""Images and masks of class ids in separate folders: the most common layout.

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

from numpy.typing import NDArray

from segprep import engine
from segprep.dataset import classes as class_lists
from segprep.errors import SourceError, UsageError
from segprep.files import read_below
from segprep.imaging import image, lookup, low_depth, mask_files, paired_masks, steps
from segprep.packed_items import FirstLabels
from segprep.sources._common.classes import mask_values, own_names, palette_order
from segprep.sources._common.classes.mask_values import ClassesById, Ids
from segprep.sources._common.classes.recalled_values import MaskValues, of_masks
from segprep.sources._common.masks import lossy, stepped_masks
from segprep.sources._common.pairing import files_beside, matching
from segprep.sources._common.pairing.paired_folders import PairedFolders, background_of
from segprep.types import (
    IGNORE,
    Evidence,
    Item,
    Note,
    Progress,
    Sample,
    Scan,
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


@dataclass(frozen=True, slots=True)
class Reader(PairedFolders):
    """Read a folder of images and a folder of id masks."""

    classes: ClassesById = None
    ids: Ids = ""
    palette: Annotated[
        Literal["auto", "index", "gray"],
        "For GIFs whose indices and gray levels differ: which of the two is the id.",
    ] = "auto"

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
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
            f"{folders.told(root)}, and {first.name} holds {what}",
        )

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every pair is an item; the payload is the table value -> id."""
        roots = self.roots()
        folders = self.folders()
        matched = self.paired(folders)
        if not matched.items:  # why not, not what their values mean, is what has to be told
            return Scan((), class_lists.numbered(1), matched.skipped, {}, matched.notes)
        if not self.ids:
            own_names.refuse_different(FirstLabels(matched.items), roots)
        if self.palette == "auto":
            palette_order.check(FirstLabels(matched.items), roots, jobs=jobs)
        beside = files_beside.class_file(roots[0], folders)
        classes, table, notes = self._meaning(beside, matched, jobs, progress)
        background = background_of(classes, matched.items)
        named = tuple(mask_values.parse_ids(self.ids)) if self.ids else ()
        payload = (table, len(classes.names), background, named)
        items = matched.items.with_payload(payload)
        return Scan(items, classes, matched.skipped, matched.lists, (*matched.notes, *notes))

    def _meaning(
        self,
        beside: Path | None,
        matched: matching.Pairing,
        jobs: int,
        progress: Progress[Any],
    ) -> mask_values.Meaning:
        """The classes, and pixel value -> id.

        *beside* is a list of classes that lies beside the folders.
        """
        if meaning := mask_values.meaning(self.classes, self.ids, beside):
            return meaning
        classes, inferred = mask_values.infer(self._values(matched, jobs, progress))
        return classes, mask_values.identity(classes), inferred

    def _values(
        self, matched: matching.Pairing, jobs: int, progress: Progress[Any]
    ) -> mask_values.Contents:
        """What all masks hold."""
        failures: list[engine.Failure] = []
        paths = FirstLabels(matched.items)
        contents = mask_values.Contents()
        task, kind = (
            _ToldValues(self, self.roots()),
            repr(("pairs, places", self.palette, self.max_pixels)),
        )
        told = of_masks(task, paths, kind, jobs=jobs, progress=progress, failures=failures)
        for values in told:
            numbered, stepped = values.further
            contents.add(values.pixels, numbered, _steps(*stepped))
        if failures and not contents.seen:
            raise UsageError(
                "values-unclear",
                f"no mask could be read as class ids; {failures[0].path}: {failures[0].reason}",
                failures[0].hint,
            )
        return contents

    def read(self, item: Item) -> Sample:
        """The image, and its mask through the table."""
        table, classes, background, named = item.payload

        def to_mask(data: bytes, path: Path, notes: list[Note]) -> paired_masks.Counted:
            lossy.refuse(data, path, stated=bool(self.ids))
            values = mask_files.values(data, path, notes, self.max_pixels, self.palette)
            values = low_depth.ids(values, data, path, notes, table=table, named=named)
            seen = image.histogram(values)
            if not self.ids and seen.keys() == {0, IGNORE}:
                raise SourceError(
                    path,
                    f"holds 0 and 255 only: 255 ({seen[IGNORE]} px) may be a class, or ignored",
                    lookup.cause(seen, classes),
                    "values-unclear",
                )
            mask, counts = lookup.counted(values, seen, table, path, classes)
            if not self.ids:
                notes += stepped_masks.judge(values, seen, path, _PairSteps(self, self.roots()))
            return mask, counts

        return paired_masks.sample(
            item, self.roots(), to_mask, self.max_pixels, background=background
        )


@dataclass(frozen=True, slots=True)
class _PairSteps:
    """The steps of one mask."""

    reader: Reader
    roots: tuple[Path, ...]

    def __call__(self, path: Path) -> steps.MaskSteps:
        values, histogram = self.opened(path)
        return steps.measure(values, histogram)

    def opened(self, path: Path) -> tuple[NDArray[Any], Mapping[int, int]]:
        """The mask at *path*, and its histogram."""
        data = read_below(path, self.roots)
        lossy.refuse(data, path, stated=False)
        values = mask_files.values(data, path, [], self.reader.max_pixels, self.reader.palette)
        return values, image.histogram(values)


@dataclass(frozen=True, slots=True)
class _ToldValues:
    """The histogram of one mask, whether its values look like numbers, and its steps, to be
    recalled.
    """

    reader: Reader
    roots: tuple[Path, ...]

    def __call__(self, path: Path) -> MaskValues:
        values, histogram = _PairSteps(self.reader, self.roots).opened(path)
        numbered = mask_values.looks_like_instances(values, histogram)
        measured = steps.measure(values, histogram)
        return MaskValues(
            histogram, (numbered, (sorted(measured.values), measured.count, measured.places))
        )


def _steps(values: list[int], count: int, places: int) -> steps.MaskSteps:
    """What :class:`_ToldValues` gave, recalled."""
    return steps.MaskSteps(frozenset(values), count, places)


def _read(path: Path, root: Path) -> set[int] | None:
    """The values of the mask at *path*; those of a photograph where it holds colors; None if it
    cannot be read at all.
    """
    try:
        return set(image.histogram(mask_files.values(read_below(path, (root,)), path, [])))
    except SourceError as error:
        return set(range(256)) if error.code == "mask-is-colour" else None
