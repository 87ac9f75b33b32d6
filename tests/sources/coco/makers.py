"""Makers of small COCO files for the tests."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segprep.sources.coco import Reader
from segprep.types import Sample

coco_masks = pytest.importorskip("pycocotools.mask")


W, H = 12, 10
SQUARE = [[2, 2, 6, 2, 6, 6, 2, 6]]  # pixels 2..5
CATS = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}]


def picture(path: Path, size: tuple[int, int] = (W, H)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "gray").save(path)


def images(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": number, "file_name": name, "height": H, "width": W} | more
        for number, name in enumerate(names, 1)
    ]


def of(
    segmentation: Any = SQUARE, category: Any = 3, image: Any = 1, **more: Any
) -> dict[str, Any]:
    return {
        "image_id": image,
        "category_id": category,
        "segmentation": segmentation,
        "iscrowd": 0,
    } | more


def write(
    path: Path,
    annotations: Sequence[Any] = (),
    pictures: Any = None,
    categories: Any = CATS,
    **more: Any,
) -> Path:
    """A COCO file; the images that it lists lie in images/ beside its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbered = [
        one if not isinstance(one, dict) or "id" in one else one | {"id": number}
        for number, one in enumerate(annotations, 1)
    ]
    path.write_text(
        json.dumps(
            {
                "images": images("a.png") if pictures is None else pictures,
                "annotations": numbered,
                "categories": categories,
            }
            | more
        )
    )
    return path


def example(root: Path) -> Reader:
    for split, name in (("train", "a"), ("val", "b")):
        picture(root / f"images/{split}2017/{name}.png")
        write(
            root / f"annotations/instances_{split}2017.json",
            [of(), of(block(7, 7, 9, 9), 7, iscrowd=1)],
            images(f"{name}.png"),
        )
    return Reader(root)


def block(x0: int, y0: int, x1: int, y1: int, packed: bool = False) -> dict[str, Any]:
    """Run lengths of a rectangle, both corners included."""
    bits = np.zeros((H, W), np.uint8)
    bits[y0 : y1 + 1, x0 : x1 + 1] = 1
    if packed:
        return {
            "size": [H, W],
            "counts": coco_masks.encode(np.asfortranarray(bits))["counts"].decode(),
        }
    flat = bits.T.ravel()
    edges = np.flatnonzero(np.diff(flat, prepend=0))
    return {"size": [H, W], "counts": np.diff([0, *edges, flat.size]).tolist()}


def one(root: Path, *annotations: Any, categories: Any = CATS, **options: Any) -> Sample:
    picture(root / "a.png")
    write(root / "x.json", annotations, categories=categories)
    reader = Reader(root, **options)
    scan = reader.scan()
    assert len(scan.items) == 1, scan.skipped
    return reader.read(scan.items[0])
