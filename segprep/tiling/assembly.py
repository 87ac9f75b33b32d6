"""Masks predicted for tiles, put together to masks of whole pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import tree
from segprep.errors import SourceError, TreeError
from segprep.files import read_below, real_folders
from segprep.imaging import image
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
    tile of the dataset shows is background. Where the picture had a georeference, a world file and
    a .aux.xml beside the mask hold it.

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
    kept, missing = frozenset(dataset_tree.stems()), 0
    for stem, shape in progress(grid.pictures.items(), len(grid.pictures), "assembling"):
        mask = np.full(shape, background, np.uint8)
        for corner in corners(shape[0], shape[1], grid.size, grid.overlap):
            path = folder / f"{stem_of_tile(stem, corner)}.png"
            if path.stem in kept or path.is_file():
                _paste(mask, _prediction(path, folder, grid.size, max_pixels), corner, grid)
            else:
                missing += 1
        results.write(f"{stem}.png", image.encode_mask(mask))
        if place_of := grid.ground.get(stem):
            for name, content in georeferences.files(f"{stem}.png", place_of).items():
                results.write(name, content)
    return Assembly(root, len(grid.pictures), missing)


def _paste(
    mask: NDArray[np.uint8], values: NDArray[np.uint8], corner: tuple[int, int], grid: Grid
) -> None:
    """Write what the tile at *corner* gives into *mask*."""
    (rows, inner_rows), (columns, inner_columns) = (
        _inner(start, length, grid) for start, length in zip(corner, mask.shape, strict=True)
    )
    mask[rows, columns] = values[inner_rows, inner_columns]


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
