"""Whether two encoded images show the same picture: by their bytes, their size, and a thumbnail."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep.errors import SourceError
from segprep.imaging import image

_CELL = 8  # pixels on a side that become one of the thumbnail: JPEG decodes that at once
_LEAST = 64  # of the thumbnail's longer side


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
    steps = np.abs(thumbs[0] - thumbs[1])
    mean, spread = float(steps.mean()), float(thumbs[0].std())
    far = 24 if max(heads[0].width, heads[0].height) >= 4 * _LEAST else 48
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
                f"has pixel type {picture.mode}, which has no one right 8-bit form",
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
