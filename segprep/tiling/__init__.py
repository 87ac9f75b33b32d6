"""Large pictures to a tree of tiles, and predictions of tiles back to pictures.

    out/JPEGImages/<stem>_<top>_<left>.png        a square part; black beyond the picture's edge
    out/SegmentationClass/<stem>_<top>_<left>.png 255 beyond the edge
    out/ImageSets/Segmentation/*.txt              every tile is in its picture's lists
    out/JPEGImages/….pgw, ….png.aux.xml           where the tile lies on the ground, if it is known
    out/tiles.json                                size, overlap, the size of every picture, and
                                                  where it lies on the ground

The tree is read like any source, so staging, publishing and resuming are conversion's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from segprep import engine, jsontext, types
from segprep.conversion import convert_with, tree_source
from segprep.conversion.result import Conversion
from segprep.conversion.sample_files import ImageFormat
from segprep.dataset import samples, tree
from segprep.dataset.shards import flat_stems, size_for
from segprep.dataset.tree import Tree
from segprep.files import read_inside, real_folders
from segprep.imaging import resizing
from segprep.imaging.image import MaskMode
from segprep.outputs import OutputFolder
from segprep.sources._common.pairing import stems as pairing
from segprep.tiling import georeferences, pictures
from segprep.tiling.grid import TILES, Grid, corners, stem_of_tile
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
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
        return self.scanned(jobs, progress)[0]

    def scanned(
        self, jobs: int, progress: Progress[Any]
    ) -> tuple[Scan, dict[str, tuple[int, int]]]:
        """What :meth:`scan` says, and (H, W) of every picture."""
        Grid(self.size, self.overlap, {}).check()
        dataset = Tree(real_folders(self.root)[0])
        classes, skipped = tree_source.classes_of(dataset), list[Skipped]()
        entries = list(samples.entries(dataset, skipped))
        names = flat_stems(dataset, (entry.stem for entry in entries))
        items, tiles, dropped = list[Item](), dict[str, tuple[str, ...]](), 0
        shapes = dict[str, tuple[int, int]]()
        cuts = engine.run(_Cuts(self), entries, jobs=jobs)
        results = progress(cuts, len(entries), "cutting")
        for entry, cut in zip(entries, results, strict=True):
            if isinstance(cut, engine.Failure):
                skipped.append(Skipped(entry.stem, cut.path, cut.code, cut.reason, cut.hint))
                continue
            own = [
                tree_source.item(
                    entry, stem_of_tile(names[entry.stem], corner), (entry, corner), entry.stem
                )
                for corner in cut.kept
            ]
            items += own
            shapes[names[entry.stem]] = cut.shape
            tiles[entry.stem] = tuple(item.stem for item in own)
            dropped += cut.dropped
        lists, notes = tree_source.lists_of(dataset, tiles)
        spread = {
            name: tuple(stem for picture in listed for stem in tiles[picture])
            for name, listed in lists.items()
        }
        if dropped:
            message = f"{dropped} tiles show only background and were dropped; see --keep-empty"
            notes = (*notes, Note("empty-tile", message))
        scan = Scan(pairing.unique(items, skipped), classes, tuple(skipped), spread, notes)
        return scan, shapes

    def read(self, item: Item) -> Sample:
        """One tile. Raises SourceError."""
        entry, (top, left) = cast("tuple[Entry, tuple[int, int]]", item.payload)
        roots = real_folders(self.root)
        classes = tree_source.classes_of(Tree(roots[0]))
        picture = pictures.opened(entry, roots, classes, self.max_pixels)
        pixels, mask, objects = picture.cut(top, left, self.size)
        return Sample(item.stem, resizing.encoded(pixels), mask, objects, True, picture.notes)


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
        picture = pictures.opened(entry, roots, classes, reader.max_pixels)
        height, width = picture.shape
        every = tuple(corners(height, width, reader.size, reader.overlap))
        if reader.keep_empty:
            return Cut(picture.shape, every, 0)
        empty = (IGNORE, IGNORE if classes.background is None else classes.background)
        kept = list[tuple[int, int]]()
        for top, row in groupby(every, key=lambda corner: corner[0]):
            mask = picture.mask.rows(top, min(top + reader.size, height))
            shown = (mask != empty[0]) & (mask != empty[1])
            columns = shown.any(axis=0)
            kept += [tile for tile in row if columns[tile[1] : tile[1] + reader.size].any()]
        return Cut(picture.shape, tuple(kept), len(every) - len(kept))


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
    shard: int | None = None,
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
    *keep_empty*. A tile is in its picture's lists. A PNG or TIFF is read a band at a time; of other
    pictures (JPEG, JPEG in TIFF) one is held per worker, decoded. Where a picture lies on the
    ground (GeoTIFF, or a world file beside it) is kept in tiles.json, and beside each tile's image
    in a world file and a .aux.xml.

    Raises:
        UsageError: a wrong size or overlap, or *dataset* and *out* overlap.
        TreeError: the dataset names no classes, or *out* holds something else.
        BadInputError: bad samples, listed in its ``skipped``; nothing was written.
    """
    dataset_tree = tree.find(Path(dataset))
    reader = Reader(dataset_tree.root, size, overlap, keep_empty, max_pixels)
    scan, shapes = reader.scanned(jobs, progress)
    done = convert_with(
        cast("types.Reader", reader),
        FORMAT,
        out,
        scan=scan,
        shard=size_for(shard, dataset_tree),
        jobs=jobs,
        on_error=on_error,
        overwrite=overwrite,
        dry_run=dry_run,
        keep_order=True,
        image_format=image_format,
        mask_mode=mask_mode,
        progress=progress,
    )
    if not dry_run:
        _describe(reader, shapes, done.out)
    return done


def _describe(reader: Reader, shapes: Mapping[str, tuple[int, int]], out: Path) -> None:
    """Write tiles.json and world files beside the tiles, unless they are there as they should
    be.
    """
    dataset, ground = Tree(reader.root.resolve()), {}
    entries = list(samples.entries(dataset, []))
    names = flat_stems(dataset, (entry.stem for entry in entries))
    for entry in entries:
        if names[entry.stem] not in shapes:
            continue
        if reference := georeferences.of(entry.image, (dataset.root,)) or georeferences.noted(
            entry
        ):
            ground[names[entry.stem]] = reference
    grid = Grid(reader.size, reader.overlap, shapes, ground)
    georeferences.write_beside(out, grid)
    content = jsontext.encoded(grid.plain())
    if not (out / TILES).is_file() or read_inside(out, TILES) != content:
        OutputFolder(out).write(TILES, content)
