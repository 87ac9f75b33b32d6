"""Palettes of mask files: whether their indices can be class ids, alone and across a set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep.imaging import image

_VOC = {
    (row[0], row[1], row[2]): n
    for n in reversed(range(256))
    if (row := image.voc_colors()[3 * n : 3 * n + 3])
}


@dataclass(frozen=True, slots=True)
class Palette:
    """The colors (N, 3) of a mask file, and the indices that its pixels use, in order."""

    table: NDArray[np.uint8]
    used: Sequence[int]

    @classmethod
    def of(cls, picture: Image.Image) -> "Palette":
        """The palette of an open picture of mode P."""
        table = np.frombuffer(bytes(picture.getpalette("RGB") or b""), np.uint8).reshape(-1, 3)
        used = [index for index in image.histogram(np.asarray(picture)) if index < len(table)]
        return cls(table, used)


def is_gray(palette: Palette) -> bool:
    """Whether the colors in use are grays that differ from their indices."""
    table, used = palette.table, palette.used
    return all(len(set(table[index].tolist())) == 1 for index in used) and any(
        int(table[index][0]) != index for index in used
    )


def doubt(palette: Palette) -> str:
    """Why the indices of a palette picture may not be what its colors mean: they run against each
    other, or are VOC's in another order.
    """
    table, used = palette.table, palette.used
    colors = {index: tuple(table[index].tolist()) for index in used}
    if (
        len(used) > 1
        and colors[used[0]] == (255, 255, 255)
        and all(color == (0, 0, 0) for index, color in colors.items() if index != used[0])
    ):
        return f"index {used[0]} is white, all others are black"
    moved = {
        index: _VOC[color] for index, color in colors.items() if _VOC.get(color, index) != index
    }
    if moved and all(color in _VOC for color in colors.values()):
        index, meant = next(iter(moved.items()))
        return f"index {index} has the color that VOC gives to {meant}"
    return ""
