"""Packed class and object: each layout from pixels by hand."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sources.region_files import HEIGHT, WIDTH, photo

from segprep.sources import guesses
from segprep.sources.bitmasks import Reader

CLASSES = np.zeros((HEIGHT, WIDTH), np.int64)
CLASSES[2:8, 2:6], CLASSES[2:8, 6:9] = 1, 2
OBJECTS = np.zeros((HEIGHT, WIDTH), np.int64)
OBJECTS[2:5, 2:6], OBJECTS[5:8, 2:6], OBJECTS[2:8, 6:9] = 1, 2, 1
SHOWN = np.zeros((HEIGHT, WIDTH), np.uint16)
SHOWN[2:5, 2:6], SHOWN[5:8, 2:6], SHOWN[2:8, 6:9] = 1, 2, 3


def pictures() -> dict[str, Image.Image]:
    rgba = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    rgba[..., 0], rgba[..., 3] = CLASSES, OBJECTS
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[..., 0], rgb[..., 1] = CLASSES, OBJECTS
    kitti = (CLASSES * 256 + OBJECTS).astype(np.uint16)
    thousand = np.where(OBJECTS > 0, CLASSES * 1000 + OBJECTS - 1, CLASSES).astype(np.uint16)
    return {
        "bdd100k": Image.fromarray(rgba),
        "synthia": Image.fromarray(rgb),
        "kitti": Image.fromarray(kitti),
        "thousand": Image.fromarray(thousand),
    }


def put(folder: Path, layout: str, **more: Any) -> Reader:
    (folder / "bitmasks").mkdir(exist_ok=True)
    pictures()[layout].save(folder / "bitmasks" / "a.png")
    photo(folder / "images" / "a.jpg")
    options = {"classes": "background,car,bus", "image_root": (folder / "images",)}
    return Reader(folder / "bitmasks", **options, layout=layout, objects=True, **more)  # type: ignore[arg-type]


def example(folder: Path) -> Reader:
    return put(folder, "bdd100k")


@pytest.mark.parametrize("layout", sorted(pictures()))
def test_classes_and_objects(tmp_path: Path, layout: str) -> None:
    reader = put(tmp_path, layout)
    (item,) = reader.scan().items
    sample = reader.read(item)
    assert (sample.mask == CLASSES).all()
    assert sample.objects is not None
    assert (sample.objects == SHOWN).all()


def test_synthia_has_16_bits_per_channel(tmp_path: Path) -> None:
    """Pillow reads the high bytes alone, in which there are no classes."""
    reader = put(tmp_path, "synthia")
    objects = OBJECTS * 300
    channels = np.stack([CLASSES, objects, np.zeros_like(objects)], axis=2).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in channels)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    (tmp_path / "bitmasks" / "a.png").write_bytes(png)
    sample = reader.read(reader.scan().items[0])
    assert (sample.mask == CLASSES).all()
    assert sample.objects is not None
    assert (sample.objects == SHOWN).all()


@pytest.mark.parametrize(("picture", "layout"), [("kitti", "bdd100k"), ("bdd100k", "kitti")])
def test_a_layout_that_does_not_fit(tmp_path: Path, picture: str, layout: str) -> None:
    reader = put(tmp_path, layout)
    pictures()[picture].save(tmp_path / "bitmasks" / "a.png")
    (skipped,) = reader.scan().skipped
    assert skipped.code == "bad-array"
    assert "--layout" in skipped.hint


def test_auto_knows_the_folders_name(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "bitmasks"


def test_auto_prefers_bitmasks_to_colors_where_all_channels_are_used(tmp_path: Path) -> None:
    for part in ("train", "val"):
        photo(tmp_path / f"images/10k/{part}/{part[0]}7.jpg")
        file = tmp_path / f"labels/ins_seg/bitmasks/{part}/{part[0]}7.png"
        file.parent.mkdir(parents=True)
        pictures()["bdd100k"].save(file)
    assert guesses(tmp_path)[0][0] == "bitmasks"
