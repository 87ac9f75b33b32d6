"""segprep's masks of COCO files against pycocotools' own rendering (COCO.annToMask), in every
pixel: generated files and real ones.
"""

import contextlib
import io
import json
import os
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from segprep.sources.coco import Reader

pycocotools = pytest.importorskip("pycocotools.coco")
pytestmark = pytest.mark.filterwarnings(  # of its decoder, with NumPy 2
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
REAL = Path(os.environ.get("SEGPREP_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
IMAGES = 150


def segmentation(random: Random, height: int, width: int) -> Any:
    """Polygons (up to three, also beyond the edges), plain or compressed run lengths."""
    kind = random.choice(("polygons", "polygons", "plain", "compressed"))
    if kind == "polygons":
        return [_polygon(random, height, width) for _ in range(random.randint(1, 3))]
    bits = np.zeros((height, width), np.uint8)
    for _ in range(random.randint(1, 5)):
        x, y = random.randrange(width), random.randrange(height)
        bits[y : y + random.randint(1, height), x : x + random.randint(1, width)] ^= 1
    packed = pycocotools.maskUtils.encode(np.asfortranarray(bits))
    if kind == "compressed":
        return {"size": [height, width], "counts": packed["counts"].decode()}
    flat = bits.T.ravel()
    return {
        "size": [height, width],
        "counts": np.diff([0, *np.flatnonzero(np.diff(flat, prepend=0)), flat.size]).tolist(),
    }


def _polygon(random: Random, height: int, width: int) -> list[float]:
    digits = random.choice((0, 1, 2, 6))
    points = random.randint(3, 12)
    return [
        round(random.uniform(-5, side + 5), digits)
        for _ in range(points)
        for side in (width, height)
    ]


def write(root: Path, count: int = IMAGES) -> Path:
    random = Random(20240229)
    images, annotations = [], []
    for number in range(count):
        height, width = random.randint(1, 90), random.randint(1, 120)
        Image.new("RGB", (width, height)).save(root / f"{number}.png")
        images.append(
            {"id": number, "file_name": f"{number}.png", "height": height, "width": width}
        )
        for _ in range(random.randint(0, 6)):
            one = {
                "id": len(annotations) + 1,
                "image_id": number,
                "category_id": random.choice((1, 2, 5, 90)),
                "iscrowd": 0,
            }
            annotations.append(one | {"segmentation": segmentation(random, height, width)})
    categories = [{"id": number, "name": f"class {number}"} for number in (1, 2, 5, 90)]
    path = root / "generated.json"
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return path


def expected(coco: Any, image: int, disjoint: bool) -> NDArray[np.uint8] | None:
    """What pycocotools draws, category positions as values; None if *disjoint* is asked for and
    annotations overlap.
    """
    info, categories = coco.imgs[image], sorted(coco.cats)
    mask, covered = (
        np.zeros((info["height"], info["width"]), np.uint8),
        np.zeros((info["height"], info["width"]), int),
    )
    for annotation in coco.imgToAnns[image]:
        drawn = coco.annToMask(annotation).astype(bool)
        mask[drawn] = 1 + categories.index(annotation["category_id"])
        covered += drawn
    return None if disjoint and covered.max() > 1 else mask


def compare(path: Path, disjoint: bool = False, **options: Any) -> tuple[int, int]:
    """(images compared, annotations in them); every pixel is equal."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = pycocotools.COCO(str(path))
    ids = {Path(info["file_name"]).stem: number for number, info in coco.imgs.items()}
    reader, images, annotations = (
        Reader(path.parent, annotations=(path.name,), crowd="class", **options),
        0,
        0,
    )
    for item in reader.scan().items:
        theirs = expected(coco, ids[item.stem], disjoint)
        if theirs is not None:
            assert (reader.read(item).mask == theirs).all(), item.stem
            images, annotations = images + 1, annotations + len(coco.imgToAnns[ids[item.stem]])
    return images, annotations


@pytest.mark.parametrize("disjoint", [True, False])
def test_generated_files(
    tmp_path: Path, disjoint: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where annotations do not overlap there is nothing to decide; where they do, later ones are
    painted over earlier ones.
    """
    images, annotations = compare(write(tmp_path), disjoint)
    with capsys.disabled():
        print(f"\npycocotools: {images} images with {annotations} annotations are equal")
    assert images >= (40 if disjoint else IMAGES)
    assert annotations >= (20 if disjoint else 450)


def test_the_comparison_sees_another_order(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        compare(write(tmp_path), overlap="area")


@pytest.mark.parametrize(
    ("name", "images"),
    [
        ("formats/panoptic_coco/panoptic_coco_detection_format.json", 2),
        ("formats/coco_instances_labelformat/instances.json", 2),
    ],
)
def test_real_files(name: str, images: int) -> None:
    if not REAL.is_dir():
        pytest.skip(f"there is no real data at {REAL} (set SEGPREP_REAL_DATA)")
    root = (REAL / "formats/yolo_seg_labelformat",) if "labelformat" in name else ()
    assert compare(REAL / name, image_root=root)[0] == images
