"""Large pictures to a tree of tiles, and predictions of tiles back to pictures.

    out/JPEGImages/<stem>_<top>_<left>.png        a square part; black beyond the picture's edge
    out/SegmentationClass/<stem>_<top>_<left>.png 255 beyond the edge
    out/ImageSets/Segmentation/*.txt              every tile is in its picture's lists
    out/tiles.json                                size, overlap, and the size of every picture

The tree is read like any source, so staging, publishing and resuming are conversion's.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np

from segprep import engine, jsontext, types
from segprep.conversion import Conversion, convert_with, tree_source
from segprep.conversion.sample_files import ImageFormat
from segprep.dataset import samples, tree
from segprep.dataset.tree import Tree
from segprep.files import read_inside, real_folders, write_atomic
from segprep.imaging import resizing
from segprep.imaging.image import MaskMode
from segprep.sources._common import stems as pairing
from segprep.tiling.grid import TILES, Grid, corners, stem_of_tile
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    OBJECT_IGNORE,
    Classes,
    Entry,
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

FORMAT = "tile"
_decoded: list[Any] = []  # the last picture: the tiles of one picture come in turn


@dataclass(frozen=True, slots=True)
class Reader:
    """Read a tree as tiles."""

    root: Path
    size: Annotated[int, "Pixels on each side of a tile."] = 512
    overlap: Annotated[int, "Pixels that neighboring tiles share."] = 64
    keep_empty: Annotated[bool, "Keep tiles that show only background."] = False
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """Any VOC-style tree."""
        return tree_source.recognized(root)

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every tile that is kept is an item; every mask is read once for it.

        Raises UsageError for a size that cannot be, TreeError for a tree without class names.
        """
        Grid(self.size, self.overlap, {}).check()
        place = Tree(real_folders(self.root)[0])
        classes, skipped = tree_source.classes_of(place), list[Skipped]()
        entries = list(samples.entries(place, skipped))
        items, tiles, dropped = list[Item](), dict[str, tuple[str, ...]](), 0
        results = progress(self.cuts(entries, jobs), len(entries), "cutting")
        for entry, cut in zip(entries, results, strict=True):
            if isinstance(cut, engine.Failure):
                skipped.append(Skipped(entry.stem, cut.path, cut.code, cut.reason, cut.hint))
                continue
            own = [_item(entry, corner) for corner in cut.kept]
            items += own
            tiles[entry.stem] = tuple(item.stem for item in own)
            dropped += cut.dropped
        lists, notes = tree_source.lists_of(place, tiles)
        spread = {
            name: tuple(stem for picture in listed for stem in tiles[picture])
            for name, listed in lists.items()
        }
        if dropped:
            message = f"{dropped} tiles show only background and were dropped; see --keep-empty"
            notes = (*notes, Note("empty-tile", message))
        return Scan(pairing.unique(items, skipped), classes, tuple(skipped), spread, notes)

    def cuts(self, entries: list[Entry], jobs: int) -> "list[Cut | engine.Failure]":
        """The tiles of every entry, or why it cannot be read."""
        return list(engine.run(_Cuts(self), entries, jobs=jobs))

    def read(self, item: Item) -> Sample:
        """One tile. Raises SourceError."""
        entry, (top, left) = cast("tuple[Entry, tuple[int, int]]", item.payload)
        roots = real_folders(self.root)
        classes = tree_source.classes_of(Tree(roots[0]))
        sample, pixels = _whole(entry, roots, classes, self.max_pixels)
        data = resizing.encoded(resizing.cut(pixels, top, left, self.size, 0))
        mask = resizing.cut(sample.mask, top, left, self.size, IGNORE)
        objects = sample.objects
        if objects is not None:
            objects = resizing.cut(objects, top, left, self.size, OBJECT_IGNORE)
        return Sample(item.stem, data, mask, objects, True, sample.notes)


def _item(entry: Entry, corner: tuple[int, int]) -> Item:
    labels = (entry.mask, *([entry.objects] if entry.objects else []))
    stem = stem_of_tile(entry.stem, corner)
    return Item(stem, entry.image, labels, (entry, corner), entry.stem)


def _whole(
    entry: Entry, roots: tuple[Path, ...], classes: Classes, limit: int
) -> tuple[Sample, Any]:
    """The whole sample and its decoded picture; this is kept until another is asked for.

    The files are read each time, so that the record of a tile names them.
    """
    sample, _ = tree_source.upright(entry, roots, classes, limit)
    if _decoded and _decoded[0] == sample.image:
        return sample, _decoded[1]
    pixels = resizing.decoded(sample.image, entry.image, limit)
    _decoded[:] = sample.image, pixels
    return sample, pixels


@dataclass(frozen=True, slots=True)
class Cut:
    """The tiles of one picture of *shape* (H, W): the corners of those *kept*, and how many were
    *dropped*.
    """

    shape: tuple[int, int]
    kept: tuple[tuple[int, int], ...]
    dropped: int


@dataclass(frozen=True, slots=True)
class _Cuts:
    """The tiles of one sample, for the engine."""

    reader: Reader

    def __call__(self, entry: Entry) -> Cut:
        reader, roots = self.reader, real_folders(self.reader.root)
        classes = tree_source.classes_of(Tree(roots[0]))
        sample, _ = tree_source.upright(entry, roots, classes, reader.max_pixels)
        height, width = sample.mask.shape
        every = tuple(corners(height, width, reader.size, reader.overlap))
        if reader.keep_empty:
            return Cut((height, width), every, 0)
        empty = (IGNORE, IGNORE if classes.background is None else classes.background)
        kept = tuple(
            (top, left)
            for top, left in every
            if not np.isin(
                sample.mask[top : top + reader.size, left : left + reader.size], empty
            ).all()
        )
        return Cut((height, width), kept, len(every) - len(kept))


def tile(
    dataset: str | Path,
    out: str | Path,
    *,
    size: int = 512,
    overlap: int = 64,
    keep_empty: bool = False,
    max_pixels: int = MAX_PIXELS,
    image_format: ImageFormat = "keep",
    mask_mode: MaskMode = "palette",
    jobs: int = 1,
    on_error: Literal["stop", "skip"] = "stop",
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress[Any] = no_progress,
) -> Conversion:
    """Write the tree *dataset* as square tiles of *size* pixels, neighbors sharing *overlap*, to a
    new tree at *out*; *dataset* itself is never changed.

    Tiles begin every *size* - *overlap* pixels; the last ones reach beyond the edge, where the
    picture is black and the mask 255. Tiles that show only background are dropped unless
    *keep_empty*. A tile is in its picture's lists. One decoded picture is held per worker.

    Raises:
        UsageError: a wrong size or overlap, or *dataset* and *out* overlap.
        TreeError: the dataset names no classes, or *out* holds something else.
        BadInputError: bad samples, listed in its ``skipped``; nothing was written.
    """
    place = tree.find(Path(dataset))
    reader = Reader(place.root, size, overlap, keep_empty, max_pixels)
    done = convert_with(
        cast("types.Reader", reader),
        FORMAT,
        out,
        jobs=jobs,
        on_error=on_error,
        overwrite=overwrite,
        dry_run=dry_run,
        image_format=image_format,
        mask_mode=mask_mode,
        progress=progress,
    )
    if not dry_run:
        _describe(reader, done.out, jobs)
    return done


def _describe(reader: Reader, out: Path, jobs: int) -> None:
    """Write tiles.json beside the tiles, unless it is there as it should be."""
    entries = list(samples.entries(Tree(reader.root), []))
    shapes = {
        entry.stem: cut.shape
        for entry, cut in zip(entries, reader.cuts(entries, jobs), strict=True)
        if isinstance(cut, Cut)
    }
    content = jsontext.encoded(Grid(reader.size, reader.overlap, shapes).plain())
    if not (out / TILES).is_file() or read_inside(out, TILES) != content:
        write_atomic(out / TILES, content)
