"""Polygon, rectangle, disc, line and stamp, drawn into one (H, W) buffer by Pillow's rules.

Coordinates here are (x, y). Up to LIMIT (or twice the canvas) they go to Pillow as they are, so
that masks equal labelme's in every pixel; beyond it, where Pillow's conversion to C integers would
wrap or its ellipse never end, shapes are clipped first. A shape that would take unreasonably long
is refused (ValueError).

The compiled kernel and, for all polygons of an image together, NumPy are faster; they draw where a
few polygons show that they draw as the installed Pillow does.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from segprep.imaging import flat_stream, like_pillow
from segprep.kernel import Kernel

LIMIT = 32_767
MAX_CROSSINGS = 10_000_000  # polygon edges times the rows they cross, per canvas: seconds of work
_FARTHEST = 1 << 24  # pixels from the origin that the kernel draws
MAX_AREA = 20_000_000_000  # painted pixels per canvas: seconds of work


class TooComplexError(ValueError):
    """The shapes of one canvas would take unreasonably long to draw."""


class Canvas:
    """An (H, W) buffer, zero at first, of values up to *most*."""

    def __init__(self, height: int, width: int, most: int = 255) -> None:
        self.height, self.width = height, width
        self.limit = _limit(height, width)
        self._mode = "L" if most <= 255 else "I;16" if most <= 65_535 else "I"
        kind = {"L": np.uint8, "I;16": np.uint16}.get(self._mode)
        self._buffer: NDArray[Any] | None = (
            None if kind is None else np.zeros((height, width), kind)
        )
        self._crossings = self._area = 0.0

    @cached_property
    def _image(self) -> Image.Image:
        size = (self.width, self.height)
        if self._buffer is None:
            return Image.new("I", size)
        picture = Image.frombuffer(self._mode, size, self._buffer, "raw", self._mode, 0, 1)
        picture.readonly = 0  # draw into our array: no copy in, none out
        return picture

    @cached_property
    def _draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self._image)

    @cached_property
    def _compiled(self) -> Kernel | None:
        """The kernel where it can draw polygons on this canvas."""
        return like_pillow.kernel() if self._mode == "L" and self.limit <= _FARTHEST else None

    def polygon(self, points: Sequence[float], value: int) -> None:
        """Fill the closed polygon of flat *points* x0, y0, … (even-odd, outline included)."""
        if self._compiled and self._buffer is not None and not _is_long(points, self.height):
            area = self._compiled.polygon(
                self._buffer, self.width, self.limit, tuple(points), value
            )
            if area is not None:
                self._spend(area)
                return
        if points := self._clipped(points):
            self._draw.polygon(points, fill=value, outline=value)

    def _clipped(self, points: Sequence[float]) -> Sequence[float]:
        """The part of a polygon within the limit, none if it is no polygon. Raises
        TooComplexError.
        """
        xs, ys = points[::2], points[1::2]
        box = min(xs), min(ys), max(xs), max(ys)
        if max(-box[0], -box[1], box[2], box[3]) > self.limit:
            points = clip_polygon(points, float(self.limit))
            if len(points) < 6:
                return ()
            xs, ys = points[::2], points[1::2]
            box = min(xs), min(ys), max(xs), max(ys)
        if _is_long(points, self.height):
            rows = np.clip(np.asarray(ys), 0, self.height)
            self._crossings += (
                float(np.abs(np.diff(rows, append=rows[:1])).sum()) + len(ys) * self.height / 500
            )
            if self._crossings > MAX_CROSSINGS:
                raise TooComplexError(
                    f"a polygon of {len(ys)} points crosses the image's rows {self._crossings:.0f}"
                    " times"
                )
        self._spend(self._box_area(*box))
        return points

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, value: int) -> None:
        """Fill the rectangle with the corners (x0, y0) <= (x1, y1), both included."""
        box = tuple(min(max(v, -self.limit), self.limit) for v in (x0, y0, x1, y1))
        self._spend(self._box_area(*box))
        self._draw.rectangle(box, fill=value, outline=value)

    def disc(self, x: float, y: float, radius: float, value: int) -> None:
        """Fill the disc around (x, y)."""
        box = (x - radius, y - radius, x + radius, y + radius)
        if box[2] < -1 or box[3] < -1 or box[0] > self.width or box[1] > self.height:
            return
        self._spend(self._box_area(*box))
        if max(map(abs, box)) > self.limit:
            self.stamp(self._big_disc(x, y, radius), 0, 0, value)
        else:
            self._draw.ellipse(box, fill=value, outline=value)

    def line(
        self, points: Sequence[float], width: int, value: int, *, rounded: bool = False
    ) -> None:
        """Draw straight lines *width* pixels wide through flat *points* x0, y0, x1, y1, …, the
        joints between them *rounded* or not.
        """
        joint = "curve" if rounded else None
        self._spend((len(points) // 2) * (self.height + width * width))
        if max(map(abs, points)) <= self.limit:
            self._draw.line(points, fill=value, width=width, joint=joint)
            return
        for start in range(0, len(points) - 2, 2):
            if part := clip_segment(points[start : start + 4], float(self.limit)):
                self._draw.line(part, fill=value, width=width)
        for x, y in zip(points[2:-2:2], points[3:-2:2], strict=True) if rounded else ():
            self.disc(x, y, width / 2, value)

    def stamp(self, mask: NDArray[np.bool_], x: int, y: int, value: int) -> None:
        """Set *value* where *mask* (h, w) is true, its first pixel at column *x*, row *y*; what
        lies outside is cut off.
        """
        top, left = max(0, -y), max(0, -x)
        part = (
            mask[top : self.height - y, left : self.width - x]
            if y < self.height and x < self.width
            else mask[:0]
        )
        if not part.size:
            return
        self._spend(part.size)
        if self._buffer is not None:
            rows, columns = part.shape
            target = self._buffer[y + top : y + top + rows, x + left : x + left + columns]
            np.copyto(target, value, where=part)
        else:
            stencil = Image.fromarray(np.where(part, np.uint8(255), np.uint8(0)))
            self._image.paste(value, (x + left, y + top), stencil)

    def array(self) -> NDArray[Any]:
        """The canvas (H, W), uint8, uint16 or int32."""
        return np.asarray(self._image) if self._buffer is None else self._buffer

    def _box_area(self, x0: float, y0: float, x1: float, y1: float) -> float:
        return max(0.0, min(x1, self.width) - max(x0, 0)) * max(
            0.0, min(y1, self.height) - max(y0, 0)
        )

    def _spend(self, area: float) -> None:
        self._area += area
        if self._area > MAX_AREA:
            raise TooComplexError(f"the shapes together paint {self._area:.0f} pixels")

    def _big_disc(self, x: float, y: float, radius: float) -> NDArray[np.bool_]:
        """A disc too large for Pillow's integer ellipse, by its equation; rows and columns are
        scaled so that no square overflows.
        """
        rows = (np.arange(self.height)[:, None] - y) / radius
        columns = (np.arange(self.width)[None, :] - x) / radius
        return np.asarray(rows * rows + columns * columns <= 1.0)


def _limit(height: int, width: int) -> int:
    """Up to where coordinates go to Pillow as they are."""
    return max(LIMIT, 2 * height, 2 * width)


def _is_long(points: Sequence[float], height: int) -> bool:
    """Whether a polygon may take long: else it is cheap, whatever it looks like."""
    return len(points) * height > MAX_CROSSINGS // 25


def painted(
    polygons: Sequence[Sequence[float]], values: bytes, height: int, width: int, *, numbered: bool
) -> tuple[NDArray[np.uint8], dict[int, int], dict[int, dict[int, int]]] | None:
    """*polygons* (flat points each) painted together: (H, W) of their *values*, the background's
    first, or *numbered* from 1; and what :meth:`.Kernel.paint` counts. None where they are drawn
    one by one.
    """
    compiled, limit = like_pillow.kernel(), _limit(height, width)
    long = any(_is_long(points, height) for points in polygons)
    if limit > _FARTHEST or long or not polygons or (numbered and len(polygons) > 255):
        return None
    inks, used = bytes(range(len(values))) if numbered else values, bytes(sorted({0, *values}))
    if compiled is None:
        return _painted_as_spans(polygons, values, inks, height, width)
    drawn, flat = np.empty((height, width), np.uint8), tuple(map(tuple, polygons))
    told = None if numbered else flat_stream.plan(drawn.shape, used)
    layers = compiled.paint(drawn, width, limit, MAX_AREA, flat, values, inks, told)
    if layers is None:
        return None
    if told:
        flat_stream.remember(drawn, used, layers[2])
    return drawn, *layers[:2]


def _painted_as_spans(
    polygons: Sequence[Sequence[float]], values: bytes, inks: bytes, height: int, width: int
) -> tuple[NDArray[np.uint8], dict[int, int], dict[int, dict[int, int]]] | None:
    """What :func:`painted` gives, without the kernel."""
    from segprep.imaging import span_layers

    area = len(polygons) * height * width
    if len(polygons) > span_layers.MOST or area > MAX_AREA or _limit(height, width) > LIMIT:
        return None
    if not like_pillow.spans():
        return None
    return span_layers.paint(polygons, values, inks, height, width)


def clip_polygon(points: Sequence[float], limit: float) -> list[float]:
    """The part of a polygon inside the square -limit..limit (Sutherland and Hodgman 1974), as flat
    points.
    """
    for axis in (0, 1):
        for bound, sign in ((limit, 1.0), (-limit, -1.0)):
            points = _clip_side(points, axis, bound, sign)
            if not points:
                return []
    return list(points)


def _clip_side(points: Sequence[float], axis: int, bound: float, sign: float) -> list[float]:
    kept: list[float] = []
    previous = points[-2:]
    for at in range(0, len(points), 2):
        current = points[at : at + 2]
        inside, was_inside = (
            sign * current[axis] <= sign * bound,
            sign * previous[axis] <= sign * bound,
        )
        if inside != was_inside:
            kept += _cut(previous, current, axis, bound)
        if inside:
            kept += current
        previous = current
    return kept


def clip_segment(segment: Sequence[float], limit: float) -> list[float]:
    """The part of a segment x0, y0, x1, y1 inside the square -limit..limit; [] if none."""
    ends = [list(segment[:2]), list(segment[2:])]
    for axis in (0, 1):
        for bound, sign in ((limit, 1.0), (-limit, -1.0)):
            outside = [n for n in (0, 1) if sign * ends[n][axis] > sign * bound]
            if len(outside) == 2:
                return []
            for n in outside:
                ends[n] = _cut(ends[n], ends[1 - n], axis, bound)
    return [*ends[0], *ends[1]]


def _cut(start: Sequence[float], end: Sequence[float], axis: int, bound: float) -> list[float]:
    """Where the way from *start* to *end* crosses *bound* on *axis*; exactly there, however far
    away the ends are.
    """
    share = (bound - start[axis]) / (end[axis] - start[axis])
    cut = [start[n] + share * (end[n] - start[n]) for n in (0, 1)]
    cut[axis] = bound
    return cut
