"""Small labelme folders."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segprep.sources.labelme import Reader
from segprep.types import Sample

SIZE = (64, 48)
BOX = [[10, 10], [30, 30]]  # as a rectangle 441 pixels


def picture(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture that no other seed has: smooth colors, so that JPEG hardly changes it."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 256, (4, 5, 3)).astype(np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def box(label: Any = "cat", points: Any = BOX, kind: Any = "rectangle", **more: Any) -> Any:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None} | more


def annotate(folder: Path, stem: str, *shapes: Any, named: str = "", **more: Any) -> Path:
    """Write STEM.json, which names STEM.png if nothing else; the image is the caller's."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "version": "5.5.0",
        "shapes": list(shapes),
        "imagePath": named or f"{stem}.png",
        "imageData": None,
        "imageHeight": SIZE[1],
        "imageWidth": SIZE[0],
    } | more
    path = folder / f"{stem}.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


def sample(root: Path, stem: str = "", **options: Any) -> Sample:
    """The sample *stem* (or the only one) of the folder."""
    reader = Reader(root, **options)
    items = [item for item in reader.scan().items if stem in ("", item.stem)]
    assert len(items) == 1
    return reader.read(items[0])


def codes(read: Sample) -> list[str]:
    return [note.code for note in read.notes]
