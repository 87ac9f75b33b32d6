"""Tables, arrays and packed pictures, decoded by plain loops, OpenCV and NumPy: the same masks."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from .source_masks import LABELS, by_segprep, compare, drawings, painted, photo

NAMES = ("_background_", *LABELS)
Masks = dict[str, NDArray[Any]]


def originals(seed: int) -> Masks:
    """Stem -> mask of classes 0 to 4."""
    return {
        stem: painted(size, shapes) for stem, (size, shapes) in drawings(seed, bits=True).items()
    }


def pictures(root: Path, masks: Masks) -> None:
    for stem, mask in masks.items():
        photo(root / "images" / f"{stem}.jpg", mask.shape[::-1])


def check(
    kind: str, root: Path, theirs: Masks, capsys: pytest.CaptureFixture[str], **options: Any
) -> None:
    compare(kind, theirs, by_segprep(kind, root, **options), capsys)


def test_rle_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, masks = tmp_path / "in", originals(11)
    pictures(root, masks)
    with (root / "train.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["ImageId", "label", "EncodedPixels"])
        for stem, mask in masks.items():
            for value in sorted(set(mask.ravel().tolist()) - {0}):
                flat = np.concatenate([[0], (mask == value).T.ravel(), [0]]).astype(int)
                starts, ends = (np.flatnonzero(np.diff(flat) == step) for step in (1, -1))
                runs = [
                    str(n) for pair in zip(starts + 1, ends - starts, strict=True) for n in pair
                ]
                table.writerow([f"{stem}.jpg", LABELS[value - 1], " ".join(runs)])
    theirs: Masks = {stem: np.zeros(mask.shape, np.uint8) for stem, mask in masks.items()}
    with (root / "train.csv").open() as file:
        for row in csv.DictReader(file):
            canvas = theirs[row["ImageId"].removesuffix(".jpg")]
            numbers = [int(word) for word in row["EncodedPixels"].split()]
            for start, length in zip(numbers[::2], numbers[1::2], strict=True):
                for pixel in range(start - 1, start - 1 + length):
                    y, x = pixel % canvas.shape[0], pixel // canvas.shape[0]
                    canvas[y, x] = LABELS.index(row["label"]) + 1
    check("rle-csv", root, theirs, capsys)


@pytest.mark.parametrize("kind", ["ids", "floats", "one-hot", "npz"])
def test_arrays(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    root, masks = tmp_path / "in", originals(12)
    pictures(root, masks)
    (root / "masks").mkdir()
    for stem, mask in masks.items():
        file = root / "masks" / stem
        if kind == "npz":
            np.savez_compressed(file, mask=mask, weight=mask * 0.5)
        elif kind == "one-hot":
            np.save(file, np.asfortranarray(mask == np.arange(len(NAMES)).reshape(-1, 1, 1)))
        else:
            np.save(file, mask.astype("<i2" if kind == "ids" else ">f8"))
    theirs: Masks = {}
    for path in (root / "masks").iterdir():
        loaded = np.load(path)
        array = loaded["mask"] if kind == "npz" else loaded
        theirs[path.stem] = (array.argmax(0) if kind == "one-hot" else array).astype(np.uint8)
    options: dict[str, Any] = {"one-hot": {"axis": 0}, "npz": {"key": "mask"}}.get(kind, {})
    check("arrays", root, theirs, capsys, classes=",".join(NAMES), **options)


def _bdd100k(mask: NDArray[Any], objects: NDArray[Any]) -> NDArray[Any]:
    channels = (objects % 256, objects // 256, np.full_like(mask, 8), mask)  # B G R A for OpenCV
    return np.stack([channels[1], channels[2], channels[3], channels[0]], 2).astype(np.uint8)


def _synthia(mask: NDArray[Any], objects: NDArray[Any]) -> NDArray[Any]:
    return np.stack([np.zeros_like(objects), objects * 700, mask], 2).astype(np.uint16)


def _kitti(mask: NDArray[Any], objects: NDArray[Any]) -> NDArray[Any]:
    return (mask.astype(np.uint16) * 256 + objects).astype(np.uint16)


def _thousand(mask: NDArray[Any], objects: NDArray[Any]) -> NDArray[Any]:
    packed = mask.astype(np.uint16) * 1000 + objects
    return np.where(mask % 2 == 1, packed, mask).astype(np.uint16)


LAYOUTS: dict[str, tuple[Callable[..., NDArray[Any]], Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "bdd100k": (_bdd100k, lambda pixels: pixels[..., 2]),
    "synthia": (_synthia, lambda pixels: pixels[..., 2]),
    "kitti": (_kitti, lambda pixels: pixels >> 8),
    "thousand": (_thousand, lambda pixels: np.where(pixels > 999, pixels // 1000, pixels)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bitmasks(tmp_path: Path, layout: str, capsys: pytest.CaptureFixture[str]) -> None:
    """OpenCV writes and reads all 16 bits of every channel."""
    root, masks = tmp_path / "in", originals(13)
    pictures(root, masks)
    pack, unpack = LAYOUTS[layout]
    (root / "bitmasks").mkdir()
    theirs: Masks = {}
    for stem, mask in masks.items():
        objects = (np.arange(mask.size).reshape(mask.shape) % 7 + 1) * (mask > 0)
        file = str(root / "bitmasks" / f"{stem}.png")
        cv2.imwrite(file, pack(mask, objects))
        theirs[stem] = unpack(cv2.imread(file, cv2.IMREAD_UNCHANGED)).astype(np.uint8)
    options = {"classes": ",".join(NAMES), "layout": layout, "image_root": (root / "images",)}
    check("bitmasks", root / "bitmasks", theirs, capsys, **options)


def test_alpha(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, draw, theirs = tmp_path / "in", np.random.default_rng(14), Masks()
    root.mkdir()
    for n in range(40):
        pixels = draw.integers(0, 256, (30, 40, 4), dtype=np.uint8)
        file = str(root / f"image{n}.png")
        cv2.imwrite(file, pixels)
        theirs[f"image{n}"] = (cv2.imread(file, cv2.IMREAD_UNCHANGED)[..., 3] > 99).astype(np.uint8)
    check("alpha", root, theirs, capsys, name=LABELS[0], threshold=100)


def test_ade20k(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, masks, theirs = tmp_path / "in" / "training" / "street", originals(15), Masks()
    numbers = np.array([0, 7, 300, 1000, 3100])  # class numbers of the full index
    root.mkdir(parents=True)
    for stem, mask in masks.items():
        index = numbers[mask]
        name, file = f"ADE_train_{stem}", str(root / f"ADE_train_{stem}_seg.png")
        photo(root / f"{name}.jpg", mask.shape[::-1])
        red, green = index // 256 * 10, index % 256
        cv2.imwrite(file, np.stack([(mask > 0) * 1, green, red], 2).astype(np.uint8))
        things = [
            {"id": n, "name_ndx": int(numbers[n]), "name": label}
            for n, label in enumerate(LABELS, 1)
        ]
        content = {"annotation": {"filename": f"{name}.jpg", "object": things}}
        (root / f"{name}.json").write_text(json.dumps(content))
        _, green, red = np.moveaxis(cv2.imread(file).astype(int), 2, 0)
        decoded = red // 10 * 256 + green
        theirs[name] = np.searchsorted(numbers, decoded).astype(np.uint8)
    check("ade20k", tmp_path / "in", theirs, capsys, classes=",".join(NAMES))


def test_pixels_of_superannotate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, masks, theirs = tmp_path / "in", originals(16), Masks()
    root.mkdir()
    for stem, mask in masks.items():
        photo(root / f"{stem}.png", mask.shape[::-1])
        parts = np.where(mask, mask * 3 + np.arange(mask.size).reshape(mask.shape) % 3, 0)
        colors = parts * 0x010F05
        save = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], 2).astype(np.uint8)
        Image.fromarray(save).save(root / f"{stem}.png___save.png")
        things = [
            {
                "className": label,
                "parts": [{"color": f"#{(n * 3 + k) * 0x010F05:06x}"} for k in range(3)],
            }
            for n, label in enumerate(LABELS, 1)
        ]
        metadata = {"name": f"{stem}.png", "width": mask.shape[1], "height": mask.shape[0]}
        content = {"metadata": metadata, "instances": things}
        (root / f"{stem}.png___pixel.json").write_text(json.dumps(content))
        blue, green, red = np.moveaxis(cv2.imread(str(root / f"{stem}.png___save.png")), 2, 0)
        canvas = np.zeros(mask.shape, np.uint8)
        for thing in json.loads((root / f"{stem}.png___pixel.json").read_text())["instances"]:
            for part in thing["parts"]:
                r, g, b = bytes.fromhex(part["color"][1:])
                here = (red == r) & (green == g) & (blue == b)
                canvas[here] = LABELS.index(thing["className"]) + 1
        theirs[stem] = canvas
    check("superannotate", root, theirs, capsys)
