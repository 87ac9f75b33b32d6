"""Pictures of every mode and format for the tests."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis.extra.numpy import array_shapes
from PIL import Image

from segprep.errors import SourceError

quick = settings(max_examples=50, deadline=None)
WHERE = Path("where.png")
GRAY = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 85  # 16-bit, every pixel another
shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=25)


def made(mode: str) -> Image.Image:
    if mode.startswith("I;16"):
        return Image.fromarray(GRAY)
    if mode in ("F", "I"):
        return Image.fromarray(GRAY.astype(np.float32 if mode == "F" else np.int32))
    picture = Image.merge(
        "RGB", [Image.fromarray((GRAY // part % 256).astype(np.uint8)) for part in (85, 3, 1)]
    )
    return picture.quantize(16) if mode == "P" else picture.convert(mode)


def saved(picture: Image.Image, kind: str = "PNG", **saving: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **saving)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def code(call: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        call(*args, **options)
    assert caught.value.path == WHERE
    return caught.value.code
