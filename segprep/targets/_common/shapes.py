"""A mask as shapes that labelme draws back to it: polygons from large to small, or bitmaps.

labelme fills a polygon and draws its outline, through the pixels' centers, later shapes over
earlier ones. So a region is written by its outer border pixels; what lies in its holes is written
after it, the background, too.
"""

import base64
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segprep.imaging import contours, image, raster
from segprep.imaging.contours import Points
from segprep.targets._common import outlines
from segprep.types import IGNORE

MOST_IGNORED = 20  # polygons of ignored pixels that a person can still edit
_BARE = -1  # a pixel of the canvas that no shape covers, where there is no background
_ROUNDS = 5  # repairs of what thin outlines leave, in exact drawings


@dataclass(frozen=True, slots=True, eq=False)
class DrawnShape:
    """One shape: pixel *value*, *points* (x, y), and for a bitmap its PNG in base64."""

    value: int
    points: list[tuple[int, int]]
    bitmap: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Shapes in painting order, and how many pixels differ from the mask when they are painted;
    *share*: of the value that this costs most, how many of its pixels; *closer*: the outlines run
    closer than was asked for; *has_bitmap*: one bitmap, the last shape, has all ignored pixels.
    """

    shapes: tuple[DrawnShape, ...]
    changed: int
    share: float = 0.0
    closer: bool = False
    has_bitmap: bool = False


def bitmaps(mask: NDArray[np.uint8], background: int | None) -> Drawing:
    """One bitmap per value but the *background*, if there is one: nothing is lost."""
    shapes = []
    for value, top, left, bits in contours.boxes(mask):
        if value != background:
            shapes.append(_bitmap(value, top, left, bits))
    return Drawing(tuple(shapes), 0)


def _bitmap(value: int, top: int, left: int, bits: NDArray[np.bool_]) -> DrawnShape:
    height, width = bits.shape
    png = image.encode_mask(bits.astype(np.uint8) * 255, "gray")
    corners = [(left, top), (left + width - 1, top + height - 1)]
    return DrawnShape(value, corners, base64.b64encode(png).decode())


def bounded(
    mask: NDArray[np.uint8], background: int | None, tolerance: float, max_loss: float
) -> Drawing:
    """The :func:`polygons` for *tolerance*, or for less, so that no value loses and wins more than
    *max_loss* of its pixels. Ignored pixels that would be more than MOST_IGNORED polygons, rims
    around objects, are one bitmap over them.
    """
    ignored = mask == IGNORE
    count = sum(region.value == IGNORE for region in contours.regions(mask)) if ignored.any() else 0
    has_bitmap = count > MOST_IGNORED
    covered = ignored if has_bitmap else np.zeros_like(ignored)
    visible = np.where(covered, _beneath(mask, background), mask)
    for step in outlines.tolerances(tolerance):
        drawing = polygons(visible, background, step, covered)
        if drawing.share <= max_loss:
            break
    drawing = replace(drawing, closer=step < tolerance, has_bitmap=has_bitmap)
    if not has_bitmap:
        return drawing
    (last,) = (
        _bitmap(value, top, left, bits)
        for value, top, left, bits in contours.boxes(mask)
        if value == IGNORE
    )
    return replace(drawing, shapes=(*drawing.shapes, last))


def _beneath(mask: NDArray[np.uint8], background: int | None) -> np.uint8:
    """What is drawn where a bitmap covers it: the *background*, or without one the value of most
    pixels that are not ignored.
    """
    if background is not None:
        return np.uint8(background)
    return np.uint8(np.bincount(mask.ravel(), minlength=256)[:IGNORE].argmax())


def polygons(
    mask: NDArray[np.uint8], background: int | None, tolerance: float, covered: NDArray[np.bool_]
) -> Drawing:
    """One polygon per region, large ones first; with a *tolerance* of 0 drawn until every pixel is
    right. What pixels have that are *covered* (H, W) later does not matter. Without a *background*
    every region is drawn.
    """
    canvas = np.full(mask.shape, _BARE if background is None else background, np.int16)
    regions = sorted(contours.regions(mask), key=lambda region: -region.outer.area)
    shapes = []
    for region in regions:
        pixels = region.outer.pixels
        if region.value == background and _is_painted(canvas, region, tolerance):
            continue
        shapes.append(_painted(canvas, region.value, contours.simplified(pixels, tolerance)))
    for _ in range(_ROUNDS if tolerance == 0 else 0):
        wrong = np.where((canvas == mask) | covered, -1, mask.astype(np.int16))
        rest = [region for region in contours.regions(wrong) if region.value >= 0]
        if not rest:
            break
        shapes += [
            _painted(canvas, region.value, contours.simplified(region.outer.pixels, 0))
            for region in rest
        ]
    wrong = (canvas != mask) & ~covered
    moved = np.bincount(mask[wrong], minlength=256)
    moved += np.bincount(canvas[wrong & (canvas != _BARE)], minlength=256)
    areas = np.bincount(mask[~covered], minlength=256)
    shares = moved[areas > 0] / areas[areas > 0]
    return Drawing(tuple(shapes), int(np.count_nonzero(wrong)), float(shares.max(initial=0)))


def _is_painted(canvas: NDArray[np.int16], region: contours.TracedRegion, tolerance: float) -> bool:
    """Whether the canvas shows the region's value along its border already; with a *tolerance*
    along most of it.
    """
    border = region.outer.pixels
    same = canvas[border[:, 0], border[:, 1]] == region.value
    return bool(same.all()) if tolerance == 0 else float(same.mean()) > 0.5


def _painted(canvas: NDArray[np.int16], value: int, points: Points) -> DrawnShape:
    """Paint a polygon as labelme does, in the box around it; a polygon has three points or more."""
    corners = points if len(points) > 2 else np.resize(points, (3, 2))
    top, left = corners.min(axis=0)
    bottom, right = corners.max(axis=0) + 1
    drawing = raster.Canvas(int(bottom - top), int(right - left))
    drawing.polygon((corners[:, ::-1] - (left, top)).ravel().tolist(), 1)
    box = canvas[top:bottom, left:right]
    box[drawing.array() > 0] = value
    return DrawnShape(value, [(int(x), int(y)) for y, x in corners])
