"""COCO: reading an annotation file, and converting it, against pycocotools.

A file of 60,000 polygons and RLE crowds on 10,000 images; one of 300 images that are converted; and
one of 20,000 objects as RLE on 2,000 images, every other compressed, scanned and converted.
The peer decodes with ``annToMask``, lays later objects over earlier ones, and saves class masks
with Pillow; it copies the images, and checks nothing.
"""

import json
import math
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from measuring import SEGPREP, Comparison, Row, Size, to_fresh
from PIL import Image
from pycocotools import mask as coco_mask

from segprep.sources._common.shapes import rle

SCAN = "import sys; from pathlib import Path; from segprep.sources.coco import Reader; {}"
OURS = SCAN.format("print(len(Reader(Path(sys.argv[1])).scan().items))")
THEIRS = """
import sys
from pycocotools.coco import COCO
print(len(COCO(sys.argv[1] + "/annotations/instances_val.json").imgs))
"""
PEER = """
import shutil, sys
from pathlib import Path
import numpy as np
from PIL import Image
from pycocotools.coco import COCO
source, out = map(Path, sys.argv[1:])
coco = COCO(str(source / "annotations" / "instances_val.json"))
ids = {number: n for n, number in enumerate(sorted(coco.cats), 1)}
palette = [value for n in range(256) for value in (n, n * 7 % 256, n * 31 % 256)]
for name in ("JPEGImages", "SegmentationClass"):
    (out / name).mkdir(parents=True)
for number, image in coco.imgs.items():
    mask = np.zeros((image["height"], image["width"]), np.uint8)
    for annotation in coco.imgToAnns[number]:
        value = 255 if annotation["iscrowd"] else ids[annotation["category_id"]]
        mask[coco.annToMask(annotation) > 0] = value
    picture = Image.fromarray(mask)
    picture.putpalette(palette)
    stem = Path(image["file_name"]).stem
    picture.save(out / "SegmentationClass" / f"{stem}.png")
    shutil.copy(source / "val" / image["file_name"], out / "JPEGImages")
"""
WIDTH, HEIGHT, CLASSES = 640, 480, 80


def outline(rng: random.Random) -> list[float]:
    """A wobbly polygon of 12 to 40 points, flat."""
    x, y, radius = rng.uniform(40, 600), rng.uniform(40, 440), rng.uniform(10, 120)
    points: list[float] = []
    count = rng.randint(12, 40)
    for n in range(count):
        reach, angle = radius * rng.uniform(0.8, 1.1), n * math.tau / count
        points.append(round(min(max(x + reach * math.cos(angle), 0), WIDTH), 2))
        points.append(round(min(max(y + reach * math.sin(angle), 0), HEIGHT), 2))
    return points


def crowd(rng: random.Random) -> dict[str, Any]:
    """A block of pixels as uncompressed RLE, column by column."""
    left, top = rng.randint(0, 500), rng.randint(0, 300)
    rows, columns = rng.randint(20, 150), rng.randint(20, 120)
    counts = [left * HEIGHT + top, *([rows, HEIGHT - rows] * columns)]
    counts[-1] += WIDTH * HEIGHT - sum(counts)
    return {"size": [HEIGHT, WIDTH], "counts": counts}


def packed(points: list[float], compressed: bool) -> dict[str, Any]:
    """A polygon as RLE."""
    text = coco_mask.frPyObjects([points], HEIGHT, WIDTH)[0]["counts"]
    counts = text.decode() if compressed else rle.decompressed(text).tolist()
    return {"size": [HEIGHT, WIDTH], "counts": counts}


def annotation(rng: random.Random, number: int, image: int, as_rle: bool) -> dict[str, Any]:
    """Every 60th is a crowd, or all are RLE, every other compressed."""
    if as_rle:
        mask: Any = packed(outline(rng), compressed=bool(number % 2))
    else:
        mask = [outline(rng)] if number % 60 else crowd(rng)
    flags = {"iscrowd": int(not number % 60), "area": 1.0, "bbox": [0, 0, 1, 1]}
    names = {"id": number, "image_id": image, "category_id": rng.randint(1, CLASSES)}
    return {**names, "segmentation": mask, **flags}


def write(
    folder: Path, images: int, pictures: bool, *, each: int = 6, as_rle: bool = False
) -> Path:
    """A source of *images* with *each* annotations, as RLE if asked for; image files are empty
    unless *pictures*.
    """
    rng, field = random.Random(5), np.random.default_rng(5).integers(0, 255, (30, 40, 3), np.uint8)
    for name in ("annotations", "val"):
        (folder / name).mkdir(parents=True)
    Image.fromarray(field).resize((WIDTH, HEIGHT)).save(folder / "picture.jpg", quality=90)
    data = (folder / "picture.jpg").read_bytes() if pictures else b""
    (folder / "picture.jpg").unlink()
    names = [f"{n:012}.jpg" for n in range(1, images + 1)]
    for name in names:
        (folder / "val" / name).write_bytes(data)
    content = {
        "images": [
            {"id": n, "file_name": name, "height": HEIGHT, "width": WIDTH}
            for n, name in enumerate(names, 1)
        ],
        "categories": [{"id": n, "name": f"class{n}"} for n in range(1, CLASSES + 1)],
        "annotations": [annotation(rng, n, 1 + n % images, as_rle) for n in range(each * images)],
    }
    (folder / "annotations" / "instances_val.json").write_text(json.dumps(content))
    return folder


def scanning(source: str, what: str, goal: float) -> Comparison:
    return Comparison(
        {
            "scan": [sys.executable, "-c", OURS, source],
            "pycocotools": [sys.executable, "-c", THEIRS, source],
        },
        [Row(f"COCO, scan of {what}", "scan", "pycocotools", goal)],
    )


def converting(work: Path, source: str, what: str, goal: float) -> Comparison:
    words = ("convert", "coco", source, "OUT", "-q", "-j", "1")
    peer = to_fresh(work / "theirs", sys.executable, "-c", PEER, source, "OUT")
    return Comparison(
        {"convert": to_fresh(work / "ours", *SEGPREP, *words), "pycocotools, Pillow": peer},
        [Row(f"convert coco, {what}", "convert", "pycocotools, Pillow", goal)],
    )


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    images, count, packed_images = size(10_000), size(300), size(2000)
    large = str(write(work / "large", images, pictures=False))
    yield scanning(large, f"{6 * images} annotations", 0.75)
    yield converting(
        work / "few", str(write(work / "source", count, pictures=True)), f"{count} images", 0.67
    )
    runs = str(write(work / "runs", packed_images, pictures=True, each=10, as_rle=True))
    yield scanning(runs, f"{10 * packed_images} RLE", 1.0)
    yield converting(work / "many", runs, f"{packed_images} images with 10 RLE each", 1.0)
