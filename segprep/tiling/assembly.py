"""Masks predicted for tiles, put together to masks of whole pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import tree
from segprep.errors import SourceError, TreeError
from segprep.files import read_below, real_folders
from segprep.imaging import image, png_parts
from segprep.names import unsharded
from segprep.outputs import OutputFolder
from segprep.tiling import georeferences
from segprep.tiling.grid import Grid, corners, stem_of_tile
from segprep.types import IGNORE, MAX_PIXELS, Progress, no_progress


@dataclass(frozen=True, slots=True)
class Assembly:
    """What was put together: *masks* pictures at *out*; *missing* tiles are not in the dataset of
    tiles (they showed only background) and are background.
    """

    out: Path
    masks: int
    missing: int


def untile(
    dataset: str | Path,
    predictions: str | Path,
    out: str | Path,
    *,
    overwrite: bool = False,
    max_pixels: int = MAX_PIXELS,
    progress: Progress[Any] = no_progress,
) -> Assembly:
    """Put the masks <tile>.png in the folder *predictions* together to OUT/<stem>.png, for the tree
    of tiles *dataset*.

    Where tiles overlap, a pixel comes from the tile in which it lies farther from the edge. What no
    tile of the dataset shows is background. A row of tiles is held at a time. Where the picture had
    a georeference, a world file and a .aux.xml beside the mask hold it.

    Raises:
        TreeError: *dataset* was not made by segprep tile, or *out* is not empty.
        SourceError: a prediction is missing, unreadable, or of another size.
    """
    dataset_tree = tree.find(Path(dataset))
    grid, (folder,) = Grid.load(dataset_tree.root, max_pixels), real_folders(Path(predictions))
    classes, root = dataset_tree.classes(), Path(out)
    results = OutputFolder(root)
    background = classes.background if classes and classes.background is not None else 0
    if root.is_dir() and any(root.iterdir()) and not overwrite:
        raise TreeError(
            "output-exists", f"{root} is not empty", "choose another OUT, or give --overwrite"
        )
    kept = {unsharded(stem): stem for stem in dataset_tree.stems()}
    mosaic = _Mosaic(folder, grid, kept, background, max_pixels)
    for stem, shape in progress(grid.pictures.items(), len(grid.pictures), "assembling"):
        bands = mosaic.bands(stem, *shape)
        results.write(f"{stem}.png", png_parts.encode_bands(bands, shape, image.voc_colors()))
        if place_of := grid.ground.get(stem):
            for name, content in georeferences.files(f"{stem}.png", place_of).items():
                results.write(name, content)
    return Assembly(root, len(grid.pictures), mosaic.missing)


@dataclass
class _Mosaic:
    """The predictions in *folder* as bands of the pictures of *grid*; *kept* tiles (name ->
    stem) must be there, of the others those that are not are *missing*, and *background*.
    """

    folder: Path
    grid: Grid
    kept: Mapping[str, str]
    background: int
    limit: int
    missing: int = 0

    def bands(self, stem: str, height: int, width: int) -> Iterator[NDArray[np.uint8]]:
        """The mask of *stem* from top to bottom, for each row of tiles what they give (h, W).

        Raises SourceError.
        """
        every = corners(height, width, self.grid.size, self.grid.overlap)
        for top, row in groupby(every, key=lambda corner: corner[0]):
            rows, inner = _inner(top, height, self.grid)
            band = np.full((rows.stop - rows.start, width), self.background, np.uint8)
            for corner in row:
                tile = stem_of_tile(stem, corner)
                path = self.folder / f"{self.kept.get(tile, tile)}.png"
                if tile not in self.kept and not path.is_file():
                    self.missing += 1
                    continue
                values = _prediction(path, self.folder, self.grid.size, self.limit)
                columns, part = _inner(corner[1], width, self.grid)
                band[:, columns] = values[inner, part]
            yield band


def _inner(start: int, length: int, grid: Grid) -> tuple[slice, slice]:
    """The part of a side that a tile gives: in the picture, and in the tile."""
    trim = grid.overlap // 2
    first = start + (trim if start else 0)
    last = start + grid.size
    last = length if last >= length else last - (grid.overlap - trim)
    return slice(first, last), slice(first - start, last - start)


def _prediction(path: Path, folder: Path, size: int, limit: int) -> NDArray[np.uint8]:
    values = image.decode_mask(read_below(path, (folder,)), path, limit)
    if values.shape != (size, size) or values.max(initial=0) > IGNORE:
        raise SourceError(
            path,
            f"is {values.shape[1]}x{values.shape[0]} pixels of values up to {values.max()}; the"
            f" tiles are {size}x{size}",
            "predict for the dataset of tiles, without resizing",
            "size-mismatch",
        )
    return values.astype(np.uint8)
