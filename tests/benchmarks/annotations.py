"""Seeded annotations for the benchmarks: 1280x720 JPEGs, 15 polygons of 60 points, every other one
with embedded imageData.
"""

import base64
import io
import json
import math
import random
from pathlib import Path

import numpy as np
from PIL import Image

LABELS = tuple(f"class{n}" for n in range(8))


def textures(count: int = 6) -> list[bytes]:
    """JPEGs (quality 90, about 200 kB) of smooth color fields with fine noise."""
    rng, made = np.random.default_rng(0), []
    for _ in range(count):
        field = Image.fromarray(rng.integers(0, 255, (45, 80, 3), dtype=np.uint8)).resize(
            (1280, 720), Image.Resampling.BICUBIC
        )
        noisy = np.asarray(field).astype(np.int16) + rng.integers(-6, 7, (720, 1280, 3))
        out = io.BytesIO()
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=90)
        made.append(out.getvalue())
    return made


def write(folder: Path, count: int, seed: int = 0) -> None:
    """*count* annotated images and a labels.txt below *folder*."""
    folder.mkdir(parents=True)
    (folder / "labels.txt").write_text("\n".join(("__ignore__", "_background_", *LABELS)) + "\n")
    rng, pictures = random.Random(seed), textures()
    for n in range(count):
        picture = pictures[n % len(pictures)]
        content = {
            "version": "5.0.1",
            "flags": {},
            "shapes": [blob(rng) for _ in range(15)],
            "imagePath": f"image{n:05}.jpg",
            "imageData": base64.b64encode(picture).decode() if n % 2 else None,
            "imageHeight": 720,
            "imageWidth": 1280,
        }
        (folder / f"image{n:05}.jpg").write_bytes(picture)
        (folder / f"image{n:05}.json").write_text(json.dumps(content))


def blob(rng: random.Random) -> dict[str, object]:
    """A wobbly polygon of 60 points."""
    x, y, radius = rng.uniform(0, 1280), rng.uniform(0, 720), rng.uniform(30, 200)
    reach = [radius * rng.uniform(0.8, 1.1) for _ in range(60)]
    points = [
        [x + r * math.cos(n * math.tau / 60), y + r * math.sin(n * math.tau / 60)]
        for n, r in enumerate(reach)
    ]
    return {
        "label": rng.choice(LABELS),
        "points": points,
        "group_id": None,
        "shape_type": "polygon",
        "flags": {},
    }
