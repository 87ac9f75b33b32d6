"""Palettes of mask files: whether their indices can be class ids, alone and across a set."""

import numpy as np
from PIL import Image

from segprep.imaging import image

_VOC = {
    (row[0], row[1], row[2]): n
    for n in reversed(range(256))
    if (row := image.voc_colors()[3 * n : 3 * n + 3])
}


def is_gray(picture: Image.Image) -> bool:
    """Whether the colors in use are grays that differ from their indices."""
    table = np.frombuffer(bytes(picture.getpalette("RGB") or b""), np.uint8).reshape(-1, 3)
    used = [index for index in image.histogram(np.asarray(picture)) if index < len(table)]
    return all(len(set(table[index].tolist())) == 1 for index in used) and any(
        int(table[index][0]) != index for index in used
    )


def doubt(picture: Image.Image) -> str:
    """Why the indices of a palette picture may not be what its colors mean: they run against each
    other, or are VOC's in another order.
    """
    table = np.frombuffer(bytes(picture.getpalette("RGB") or b""), np.uint8).reshape(-1, 3)
    used = [index for index in image.histogram(np.asarray(picture)) if index < len(table)]
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
