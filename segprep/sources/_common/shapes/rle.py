"""What COCO writes as ``segmentation`` to pixels: RLE, plain or compressed, and polygons.

The runs count pixels down the columns, zeros and ones in turn, zeros first; the compressed form
keeps differences to the last but one count in characters of six bits
(https://github.com/cocodataset/cocoapi, common/maskApi.c). They are checked before anything is
drawn, since that library trusts them and its C code reads and writes out of bounds if they lie.
Polygons are drawn by pycocotools alone, so that there is no second rule for their pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import MissingExtraError, ShapeError
from segprep.imaging.coordinates import flat_coordinates
from segprep.names import shown

Counts = NDArray[np.int64]
MAX_OUTLINE = 20_000_000  # pixels along all polygons of one image: seconds of work
MAX_AREA = 20_000_000_000  # pixels in all columns that are unpacked for one image: seconds of work
_LONGEST = 7  # characters of one compressed count: 35 bits


class SegmentationError(ValueError):
    """A segmentation that cannot be drawn; *code* is of :data:`errors.CODES`."""

    def __init__(self, reason: str, code: str = "bad-shape") -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """The pixels of one segmentation: *bits* (h, w) true where it covers; their first pixel is at
    column *x*, row *y* of the image.
    """

    x: int
    y: int
    bits: NDArray[np.bool_]


class Sheet:
    """One image of (height, width) pixels; keeps account of the work that its
    segmentations cause.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self._outline = self._area = 0.0

    def patch(self, segmentation: Any) -> Patch | None:
        """The pixels of *segmentation*, or None if it covers none.

        Raises SegmentationError, MissingExtraError (for polygons).
        """
        if isinstance(segmentation, dict):
            return self._unpack(run_lengths(segmentation, self.height, self.width))
        if isinstance(segmentation, list):
            return self._unpack(self._polygons(segmentation))
        raise SegmentationError(
            f": polygons or RLE were expected, not {type(segmentation).__name__}"
        )

    def _polygons(self, listed: Sequence[Any]) -> Counts:
        checked = [_coordinates(points, f"[{number}]") for number, points in enumerate(listed)]
        self._outline += sum(_length(points) for points in checked)
        if self._outline > MAX_OUTLINE:
            raise SegmentationError(
                f"the outlines of this image together are {self._outline:.0f} pixels long",
                "shape-too-complex",
            )
        coco = pycocotools()
        drawn = coco.frPyObjects(listed, self.height, self.width)
        return decompressed((drawn[0] if len(drawn) == 1 else coco.merge(drawn))["counts"])

    def _unpack(self, counts: Counts) -> Patch | None:
        """The columns from the first to the last that a run of ones touches, less empty rows."""
        ends = np.cumsum(counts)
        starts, stops = ends[:-1:2], ends[1::2]
        starts, stops = starts[stops > starts], stops[stops > starts]
        if not len(starts):
            return None
        first, last = int(starts[0]) // self.height, (int(stops[-1]) - 1) // self.height
        size = (last + 1 - first) * self.height
        self._area += size
        if self._area > MAX_AREA:
            raise SegmentationError(
                f"the annotations of this image together span {self._area:.0f} pixels",
                "shape-too-complex",
            )
        steps = np.zeros(size + 1, np.int8)
        steps[starts - first * self.height] = 1
        steps[stops - first * self.height] -= 1
        bits = np.cumsum(steps[:-1], dtype=np.int8).view(np.bool_).reshape(-1, self.height).T
        rows = np.flatnonzero(bits.any(axis=1))
        return Patch(first, int(rows[0]), np.ascontiguousarray(bits[rows[0] : rows[-1] + 1]))


def run_lengths(segmentation: Mapping[str, Any], height: int, width: int) -> Counts:
    """The runs of ``{"size": [h, w], "counts": [...] or "..."}``; they fill *height* x
    *width* exactly. Raises SegmentationError.
    """
    size, given = segmentation.get("size"), segmentation.get("counts")
    if size != [height, width] or not all(type(value) is int for value in size):
        raise SegmentationError(
            f".size: {shown(size)} is not the image's [height, width] = [{height}, {width}]",
            "size-mismatch",
        )
    if isinstance(given, str):
        counts = decompressed(given.encode("utf-8", "replace"))
    elif isinstance(given, list) and set(map(type, given)) <= {int}:
        try:
            counts = np.array(given, np.int64)
        except OverflowError:
            raise SegmentationError(".counts: a run is longer than any image") from None
    else:
        raise SegmentationError(
            ".counts: a list of whole numbers, or a compressed text, was expected"
        )
    wrong = np.flatnonzero((counts < 0) | (counts > height * width))
    if len(wrong):
        raise SegmentationError(
            f".counts: run {wrong[0]} is {counts[wrong[0]]} pixels long in an image of"
            f" {height * width}"
        )
    if int(counts.sum()) != height * width:
        raise SegmentationError(
            f".counts: the runs sum to {counts.sum()} pixels, the image has {height * width}"
        )
    return counts


def decompressed(text: bytes) -> Counts:
    """The runs in a compressed text, unchecked but for the text's own form.

    Raises SegmentationError.
    """
    codes = np.frombuffer(text, np.uint8) - np.uint8(48)  # what is less becomes large
    if len(codes) == 0 or codes.max() > 63:
        raise SegmentationError(
            ".counts: is not a compressed run length: a character is out of range"
            if len(codes)
            else ".counts: is empty"
        )
    last = np.flatnonzero(codes < 32)  # characters that end a number
    lengths = last.copy()
    lengths[1:] -= last[:-1]
    lengths[:1] += 1
    if not len(last) or last[-1] != len(codes) - 1 or lengths.max() > _LONGEST:
        raise SegmentationError(
            ".counts: is not a compressed run length: it is cut off, or has a number that is too"
            " long"
        )
    numbers = codes[last].astype(np.int64)
    numbers -= (numbers & 16) << 1  # the highest bit of the last five is the sign
    for before in range(1, int(lengths.max())):
        longer = np.flatnonzero(lengths > before)
        numbers[longer] = (numbers[longer] << 5) + (codes[last[longer] - before] & 31)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def _coordinates(points: Any, address: str) -> NDArray[np.float64]:
    """One polygon as flat x0, y0, x1, y1, …"""
    if not isinstance(points, list) or not set(map(type, points)) <= {int, float}:
        reason = f"{address}: a flat list of numbers x0, y0, x1, y1, … was expected"
        raise SegmentationError(reason)
    try:
        flat_coordinates(points, address, "a polygon", least=3)
    except ShapeError as error:
        raise SegmentationError(error.message, error.code) from error
    return np.array(points, np.float64)


def _length(points: NDArray[np.float64]) -> float:
    """How many pixels the closed outline passes."""
    pairs = points.reshape(-1, 2)
    steps = np.abs(pairs[1:] - pairs[:-1])
    closing = float(np.abs(pairs[0] - pairs[-1]).max())
    return closing + float(np.maximum(steps[:, 0], steps[:, 1]).sum())


def pycocotools() -> Any:
    """The module that draws polygons. Raises MissingExtraError."""
    try:
        from pycocotools import mask
    except ImportError as error:
        raise MissingExtraError("COCO annotations", "pycocotools", "coco") from error
    return mask
