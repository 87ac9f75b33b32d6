"""Do the kernel and NumPy draw polygons as the installed Pillow does?

Compared are stars, whose corners are where versions of Pillow differ, long flat triangles, and
triangles of other pixels where products are not rounded to 32 bits.
"""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from segprep import kernel as optional
from segprep.kernel import Kernel

_SIDE = 48  # pixels
_ROUNDED = (  # on other processors, multiply-and-add may round once, not twice
    (47, 5, -19, 85, -37, 77),
    (-55, -47, 57, 49, 36, 18),
    (2, 45, -52, -36, 100, -39),
    (-16, 50, -33, 51, 61, -16),
    (55, 8, -10, 19, 32, 55),
    (15, 2, -7, -8, 49, 40),
)


def _polygons() -> list[tuple[float, ...]]:
    polygons: list[tuple[float, ...]] = [(0, 4, 47, 6, 3, 9), (-9, 1, 60, 3, 5, 90), *_ROUNDED]
    for step in (3, 5, 8, 11, 14):
        flat = [(step * n * n % 53 - 2, (7 * n * step + n) % 59 - 4) for n in range(19)]
        polygons.append(tuple(float(value) for point in flat for value in point))
    return polygons


def _by_pillow(points: tuple[float, ...]) -> bytes:
    picture = Image.new("L", (_SIDE, _SIDE))
    ImageDraw.Draw(picture).polygon(points, fill=1, outline=1)
    return picture.tobytes()


@cache
def kernel() -> Kernel | None:
    """The kernel, if it draws as Pillow does; None without it."""
    compiled = optional.compiled
    for points in _polygons():
        if compiled is None:
            break
        drawn = np.zeros((_SIDE, _SIDE), np.uint8)
        compiled.polygon(drawn, _SIDE, 1 << 15, points, 1)
        if drawn.tobytes() != _by_pillow(points):
            return None
    return compiled


@cache
def spans() -> bool:
    """Whether :func:`.polygon_spans.spans` are those of Pillow."""
    from segprep.imaging import polygon_spans

    polygons = _polygons()
    bounds = polygon_spans.spans(polygons, _SIDE, _SIDE)
    changes = np.zeros(len(polygons) * _SIDE * _SIDE + 1, np.int8)
    for places, change in zip(bounds or (), (1, -1), strict=False):
        changes[places] += change
    drawn = np.cumsum(changes[:-1], dtype=np.int8).tobytes()
    return drawn == b"".join(map(_by_pillow, polygons))
