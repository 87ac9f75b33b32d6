"""Where tiles lie: their corners, their names, and the account of them in tiles.json."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from segprep.dataset import fields
from segprep.errors import SourceError, TreeError, UsageError
from segprep.files import read_inside
from segprep.imaging.tiff_rows import Georeference
from segprep.names import shown, stem_fault
from segprep.types import MAX_PIXELS

TILES = "tiles.json"


@dataclass(frozen=True, slots=True)
class Grid:
    """Tiles of *size* pixels, neighbors sharing *overlap*; by stem (H, W) of every picture, and
    where it lies on the *ground*, if that is known.
    """

    size: int
    overlap: int
    pictures: Mapping[str, tuple[int, int]]
    ground: Mapping[str, Georeference] = field(default_factory=dict)

    def check(self) -> None:
        """Raise UsageError where no grid can be."""
        if not 1 <= self.size <= 65_535:
            raise UsageError("bad-option", f"--size {self.size}", "give 1 to 65535 pixels")
        if not 0 <= self.overlap < self.size:
            raise UsageError(
                "bad-option",
                f"--overlap {self.overlap}: a tile has {self.size} pixels",
                "give an overlap below the size",
            )

    def plain(self) -> dict[str, Any]:
        """The grid as JSON."""
        pictures = {stem: list(shape) for stem, shape in sorted(self.pictures.items())}
        content: dict[str, Any] = {"size": self.size, "overlap": self.overlap, "pictures": pictures}
        if self.ground:
            content["ground"] = {
                stem: {"transform": list(reference.transform), "epsg": reference.epsg}
                for stem, reference in sorted(self.ground.items())
            }
        return content

    @classmethod
    def load(cls, root: Path, limit: int = MAX_PIXELS) -> "Grid":
        """The grid of the tree at *root*. Raises TreeError where it has none, or a picture of more
        than *limit* pixels.
        """
        try:
            content = fields.mapping(json.loads(read_inside(root, TILES) or b""), "tiles")
            pictures = {
                _stem(stem): _shape(shape, f"pictures.{shown(stem)}", limit)
                for stem, shape in fields.mapping(content.get("pictures"), "pictures").items()
            }
            ground = {
                _stem(stem): _ground(reference, f"ground.{shown(stem)}")
                for stem, reference in fields.mapping(content.get("ground", {}), "ground").items()
            }
            size, overlap = (fields.count(content.get(key), key) for key in ("size", "overlap"))
            grid = cls(size, overlap, pictures, ground)
            grid.check()
        except (OSError, ValueError, RecursionError, UsageError) as error:
            reason = error.reason if isinstance(error, SourceError) else str(error)
            raise TreeError(
                "bad-tiles",
                f"{root / TILES} does not describe tiles: {reason}",
                "give the dataset that segprep tile wrote",
            ) from error
        return grid


def _stem(stem: str) -> str:
    """*stem*, if it can name a sample. Raises ValueError."""
    if fault := stem_fault(stem, portable=False):
        raise ValueError(f"pictures: {shown(stem)!r} {fault}")
    return stem


def _shape(shape: Any, address: str, limit: int) -> tuple[int, int]:
    """(H, W) of a picture. Raises ValueError."""
    sides = fields.each(fields.count)(shape, address)
    if len(sides) != 2 or not 0 < sides[0] * sides[1] <= limit:
        raise ValueError(
            f"{address}: {sides} is not the size of a picture of at most {limit} pixels"
        )
    return sides[0], sides[1]


def _ground(value: Any, address: str) -> Georeference:
    """A georeference: six finite numbers, and the number of a coordinate system or null."""
    checked = fields.fields(
        fields.mapping(value, address),
        {"transform": fields.array, "epsg": fields.optional(fields.count)},
    )
    numbers = checked["transform"]
    if len(numbers) != 6 or not all(
        isinstance(number, int | float) and not isinstance(number, bool) and isfinite(number)
        for number in numbers
    ):
        raise ValueError(f"{address}.transform: must be six numbers")
    return Georeference.of(numbers, checked["epsg"])


def corners(height: int, width: int, size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """(Top, left) of every tile of a picture, rows first."""
    for top in starts(height, size, overlap):
        for left in starts(width, size, overlap):
            yield top, left


def starts(length: int, size: int, overlap: int) -> range:
    """Where tiles begin along one side: as few as reach its end."""
    stride = size - overlap
    count = max(0, -(-(length - size) // stride)) + 1
    return range(0, count * stride, stride)


def stem_of_tile(stem: str, corner: tuple[int, int]) -> str:
    """The name of the tile of *stem* at *corner*."""
    return f"{stem}_{corner[0]:05}_{corner[1]:05}"
