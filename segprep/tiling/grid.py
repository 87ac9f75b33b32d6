"""Where tiles lie: their corners, their names, and the account of them in tiles.json."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segprep.errors import TreeError, UsageError

TILES = "tiles.json"


@dataclass(frozen=True, slots=True)
class Grid:
    """Tiles of *size* pixels, neighbors sharing *overlap*, and (H, W) of every picture by stem."""

    size: int
    overlap: int
    pictures: Mapping[str, tuple[int, int]]

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
        return {"size": self.size, "overlap": self.overlap, "pictures": pictures}

    @classmethod
    def load(cls, root: Path) -> "Grid":
        """The grid of the tree at *root*. Raises TreeError where it has none."""
        try:
            content = json.loads((root / TILES).read_bytes())
            pictures = {
                str(stem): (int(height), int(width))
                for stem, (height, width) in content["pictures"].items()
            }
            grid = cls(int(content["size"]), int(content["overlap"]), pictures)
            grid.check()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
            raise TreeError(
                "bad-tiles",
                f"{root / TILES} does not describe tiles: {error!r}",
                "give the dataset that segprep tile wrote",
            ) from error
        return grid


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
    """The name of the tile of *stem* at *corner*; folders in the stem become part of it."""
    return f"{stem.replace('/', '_')}_{corner[0]:05}_{corner[1]:05}"
