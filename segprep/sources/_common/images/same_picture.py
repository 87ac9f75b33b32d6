"""Whether two encoded images show the same picture: by their bytes, their size, and a thumbnail; or
by their first rows, which costs a sixteenth of that.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep.errors import SourceError
from segprep.imaging import image

_CELL = 8  # pixels on a side that become one of the thumbnail: JPEG decodes that at once
_LEAST = 64  # of the thumbnail's longer side
_BLOCKS = 16  # rows of a JPEG that are decoded together
# levels: what encoding again changes in the brightness of an 8x8 block (3 at most, in qualities of
# 50 to 95) and in its color, on average; and the least deviation of the blocks that tells anything
_BRIGHTNESS, _COLOR, _DEVIATION = 4, 6.0, 4.0


def rows_to(row: float) -> int:
    """How many rows of a JPEG are compared so that what is drawn at *row* would be seen, too."""
    return _BLOCKS * (int(max(row, 0.0)) // _BLOCKS + 1)


def beginning(length: int, size: tuple[int, int], rows: int) -> int:
    """How many bytes hold the first *rows* of a JPEG of *length* bytes and *size* (H, W): four
    times their share, which is plenty.
    """
    return 8192 + 4 * length * min(rows, size[0]) // size[0]


def begin_alike(
    first: bytes, second: bytes, path: Path, *, size: tuple[int, int], rows: int, limit: int
) -> bool:
    """Whether two JPEGs of *size* (H, W) show the same in their first *rows*; of the *second*, its
    :func:`beginning` is enough. False where these rows are too smooth to tell, or are not read
    easily: the second is progressive, or may be rotated. The *first* is not. *path* is its.

    Encoding again leaves the mean of a block as it was but for 3 levels, a drawing does not.
    """
    tops = [
        _top(first, size, rows),
        b"" if b"Exif" in second[:256] else _top(second, size, rows),
    ]
    if not all(tops):
        return False
    shown = []
    for top in tops:
        try:
            with image.opened(top, path, limit) as picture:
                picture.draft("YCbCr", (size[1] // _CELL, min(rows, size[0]) // _CELL))
                shown.append(np.asarray(picture.convert("YCbCr"), np.int16))
        except SourceError:
            return False
    brightness = shown[0][..., 0]
    steps = np.abs(shown[0] - shown[1])
    return bool(
        brightness.std() >= _DEVIATION
        and steps[..., 0].max() <= _BRIGHTNESS
        and steps[..., 1:].mean() <= _COLOR
    )


def _top(data: bytes, size: tuple[int, int], rows: int) -> bytes:
    """A sequential JPEG of *size* (H, W) that ends after its first *rows*; b"" of other files."""
    at = 2 if data.startswith(b"\xff\xd8") else len(data)
    while data[at : at + 1] == b"\xff" and at + 9 < len(data):
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if kind in (0xC0, 0xC1):
            sides = [int.from_bytes(data[at + n : at + n + 2], "big") for n in (5, 7)]
            if tuple(sides) != size:
                return b""
            if rows >= size[0]:
                return data
            end = at + beginning(len(data), size, rows)
            return data[: at + 5] + rows.to_bytes(2, "big") + data[at + 7 : end] + b"\xff\xd9"
        if kind in (0xC2, 0xDA):
            return b""
        at += 2 + length
    return b""


def difference(first: bytes, second: bytes, path: Path, limit: int) -> float | None:
    """How much two encodings of one picture differ, in gray levels on average; None where they show
    different pictures. Both are compared upright, on a thumbnail of about an eighth of their size.

    Encoding again changes all of a picture a little; a drawing on it changes some of it a lot.
    Raises SourceError for an image that does not decode; *path* is the first one's.
    """
    if first == second:
        return 0.0
    heads = [image.header(data, path, limit) for data in (first, second)]
    if heads[0].shape(upright=True) != heads[1].shape(upright=True):
        return None
    thumbs = [
        _thumbnail(data, head, path, limit)
        for data, head in zip((first, second), heads, strict=True)
    ]
    if any(head.mode.startswith("I") for head in heads):
        thumbs = [_stretched(thumb) for thumb in thumbs]  # the other one may be an 8-bit preview
    far = 24 if max(heads[0].width, heads[0].height) >= 4 * _LEAST else 48
    return _alike(*thumbs, far=far)


def _alike(first: NDArray[np.float32], other: NDArray[np.float32], *, far: int) -> float | None:
    """The mean difference of two thumbnails (h, w, 3); None where it is not one of encoding: too
    large, or more than *far* in too many places.
    """
    steps = np.abs(first - other)
    mean, spread = float(steps.mean()), float(first.std())
    alike = mean <= 2 + 0.02 * spread and np.count_nonzero(steps > far) <= 0.005 * steps.size
    return mean if alike else None


def _stretched(thumb: NDArray[np.float32]) -> NDArray[np.float32]:
    """*thumb* with its values spread over 0 to 255, whatever their range."""
    low, high = float(thumb.min()), float(thumb.max())
    return (thumb - low) * (255 / max(high - low, 1e-9))


def _thumbnail(data: bytes, head: image.Header, path: Path, limit: int) -> NDArray[np.float32]:
    """The picture upright and small, (h, w, 3)."""
    longer = max(head.width, head.height)
    scale = min(1.0, max(_LEAST, longer / _CELL) / longer)
    size = max(1, round(head.width * scale)), max(1, round(head.height * scale))
    with image.opened(data, path, limit) as picture:
        deep = picture.mode.startswith("I;16")
        if picture.mode in ("F", "I") or (picture.mode.startswith("I;") and not deep):
            raise SourceError(
                path,
                f"has pixel type {picture.mode}, which has no unambiguous 8-bit form",
                "save it as 8-bit or 16-bit gray, or RGB",
                "image-unsupported",
            )
        picture.draft("RGB", size)
        shown = Image.fromarray(np.asarray(picture).astype(np.float32)) if deep else picture
        small = np.asarray(
            (shown if deep else shown.convert("RGB")).resize(size, Image.Resampling.BOX)
        )
    channels = [small] * 3 if deep else [small[:, :, n] for n in range(3)]
    upright = [image.upright_array(channel, head.orientation) for channel in channels]
    return np.stack(upright, axis=2).astype(np.float32)
