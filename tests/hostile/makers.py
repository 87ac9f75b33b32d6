"""Makers of odd pictures and annotations."""

import base64
import io
import json
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SECRET = (1, 254, 3)  # no other picture here has this color
TRIANGLE = [[4, 4], [30, 4], [20, 24]]
HEIGHT, WIDTH = 30, 40


def encoded(
    format: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (WIDTH, HEIGHT), **saving: Any
) -> bytes:
    """A small picture in *format*."""
    gray = Image.linear_gradient("L").resize(size)
    picture = {
        "I;16": lambda: Image.fromarray(np.asarray(gray).astype(np.uint16) * 257),
        "F": lambda: Image.fromarray(np.asarray(gray).astype(np.float32) / 7),
        "I": lambda: Image.fromarray(np.asarray(gray).astype(np.int32) * 70_000),
    }.get(mode, lambda: gray.convert("RGB").convert(mode))()
    out = io.BytesIO()
    picture.save(out, format, **saving)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(
    width: int,
    height: int,
    rows: bytes = b"",
    *,
    depth: int = 8,
    color: int = 0,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A PNG whose header says what we like.

    *rows* is already deflated; *after* follows the header's 13 bytes.
    """
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0) + after
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + before
        + chunk(b"IDAT", rows or zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@cache
def zeros_png(side: int) -> bytes:
    """A genuine 1-bit PNG of side x side zeros: about 0.01 % of its decoded size."""
    deflate, row = zlib.compressobj(1), bytes(1 + (side + 7) // 8)
    return raw_png(
        side,
        side,
        b"".join(deflate.compress(row * 100) for _ in range(side // 100)) + deflate.flush(),
        depth=1,
    )


def shape(
    label: Any = "cat", points: Any = None, kind: Any = "polygon", **more: Any
) -> dict[str, Any]:
    return {
        "label": label,
        "points": TRIANGLE if points is None else points,
        "shape_type": kind,
        "group_id": None,
        "flags": {},
        **more,
    }


def bitmap(width: int, height: int) -> str:
    return base64.b64encode(encoded("PNG", "1", (width, height))).decode()


def plain(
    folder: Path, stem: str, image: bytes | None = None, suffix: str = ".png", **content: Any
) -> Path:
    """One good sample, or with *content* a special one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}{suffix}").write_bytes(image or encoded())
    made = {"shapes": [shape()], "imagePath": f"{stem}{suffix}", "imageData": None, **content}
    (folder / f"{stem}.json").write_text(json.dumps(made))
    return folder / f"{stem}.json"


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
