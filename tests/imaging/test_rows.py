"""PNG and TIFF read in bands: the same pixels as when they are decoded whole."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFilter

from segprep.errors import SourceError
from segprep.imaging import big_tiff, png_rows, resizing, tiff_rows

HEIGHT, WIDTH = 37, 23


def picture(mode: str) -> Image.Image:
    """Noise above, a gradient below: every filter of PNG occurs."""
    random = np.random.default_rng(3)
    values = random.integers(0, 256, (HEIGHT, WIDTH, 4)).astype(np.uint8)
    values[9:] = (np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)) * 3 % 256)[9:, :, None]
    return Image.fromarray(values, "RGBA").convert(mode)


def rows_of(path: Path, monkeypatch: pytest.MonkeyPatch, band: int = 200) -> Any:
    monkeypatch.setattr(png_rows, "_BAND", band)
    with open(path, "rb") as file:
        return png_rows.opened(file, path)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("band", [1, 100, 1 << 20])
def test_png(mode: str, band: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(mode).save(tmp_path / "a.png")
    rows = rows_of(tmp_path / "a.png", monkeypatch, band)
    bands = list(rows.bands())
    assert (len(bands) > 1) == (band < 1 << 20)
    whole = resizing.decoded((tmp_path / "a.png").read_bytes(), tmp_path / "a.png")
    assert (np.concatenate(bands) == whole).all()
    assert np.concatenate(bands).dtype == whole.dtype
    assert rows.holds_labels == (mode in "LP")
    if mode == "P":
        labels = np.concatenate(list(rows.bands(labels=True)))
        with Image.open(tmp_path / "a.png") as stored:
            assert (labels == np.asarray(stored)).all()


@pytest.mark.parametrize("colors", [2, 4, 16])
def test_indices_of_few_bits(colors: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = picture("RGB").quantize(colors)
    few.save(tmp_path / "a.png", bits={2: 1, 4: 2, 16: 4}[colors])
    rows = rows_of(tmp_path / "a.png", monkeypatch)
    assert rows.depth == {2: 1, 4: 2, 16: 4}[colors]
    assert (np.concatenate(list(rows.bands(labels=True))) == np.asarray(few)).all()
    assert (np.concatenate(list(rows.bands())) == np.asarray(few.convert("RGB"))).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_are_kept(channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    values = random.integers(0, 65_536, (HEIGHT, WIDTH, channels)).astype(np.uint16)
    values[12:] = (np.arange(HEIGHT)[12:, None, None] * 700 + np.arange(channels)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), values)
    found = np.concatenate(list(rows_of(tmp_path / "a.png", monkeypatch).bands()))
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    assert (found.reshape(values.shape) == values[..., order]).all()
    (tmp_path / "b.png").write_bytes(resizing.encoded(found))
    again = np.concatenate(list(rows_of(tmp_path / "b.png", monkeypatch).bands()))
    assert (again == found).all()


def test_what_cannot_be_read_in_bands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture("RGB").save(tmp_path / "turned.png", exif=exif)
    frames = [picture("RGB"), picture("RGB").rotate(90)]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    picture("RGB").save(tmp_path / "a.jpg")
    (tmp_path / "empty.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for name in ("turned.png", "moving.png", "a.jpg", "empty.png"):
        assert rows_of(tmp_path / name, monkeypatch) is None
        with open(tmp_path / name, "rb") as file:
            assert tiff_rows.opened(file, tmp_path / name) is None


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_a_damaged_png_is_refused(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    picture("RGB").save(out, "PNG")
    data = bytearray(out.getvalue())
    if how == "cut":
        data = data[: len(data) // 2]
    else:
        data[len(data) // 2] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(SourceError) as caught:
        list(rows_of(tmp_path / "a.png", monkeypatch).bands())
    assert caught.value.code == "image-damaged"


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH), (HEIGHT, WIDTH, 3)])
def test_tiff(compression: Any, tile: Any, shape: Any, tmp_path: Path) -> None:
    values = np.asarray(picture("RGB" if len(shape) == 3 else "L"))
    tifffile.imwrite(
        tmp_path / "a.tif",
        values,
        compression=compression,
        tile=tile,
        rowsperstrip=None if tile else 5,
        photometric="rgb" if len(shape) == 3 else "minisblack",
        metadata=None,
    )
    with open(tmp_path / "a.tif", "rb") as file:
        rows = tiff_rows.opened(file, tmp_path / "a.tif")
    assert rows
    bands = list(rows.bands())
    assert len(bands) == (3 if tile else 8)
    assert (np.concatenate(bands) == values).all()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    ("bigtiff", "planes", "mode"),
    [(True, False, "RGB"), (True, False, "L"), (True, True, "RGB"), (False, True, "RGB")],
)
def test_big_tiffs_and_planes(
    bigtiff: bool, planes: bool, mode: str, compression: Any, tile: Any, order: Any, tmp_path: Path
) -> None:
    values = np.asarray(picture(mode))
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.moveaxis(values, -1, 0) if planes else values,
        bigtiff=bigtiff,
        byteorder=order,
        planarconfig="separate" if planes else None,
        photometric="rgb" if mode == "RGB" else "minisblack",
        compression=compression,
        tile=tile,
        rowsperstrip=None if tile else 5,
        metadata=None,
    )
    with open(tmp_path / "a.tif", "rb") as file:
        rows = tiff_rows.opened(file, tmp_path / "a.tif")
    assert rows
    bands = list(rows.bands())
    assert len(bands) == (3 if tile else 8)
    assert (np.concatenate(bands) == values).all()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_tiffs_of_16_bits(
    channels: int, planes: bool, tile: Any, order: Any, tmp_path: Path
) -> None:
    """They were read whole, and cut to 8 bits."""
    random = np.random.default_rng(1)
    values = random.integers(0, 65_536, (HEIGHT, WIDTH, channels)).astype(np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.moveaxis(values, -1, 0) if planes else values,
        byteorder=order,
        photometric="rgb",
        extrasamples=["unassalpha"] if channels == 4 else None,
        planarconfig="separate" if planes else "contig",
        compression="zlib",
        tile=tile,
        rowsperstrip=None if tile else 5,
        metadata=None,
    )
    with open(tmp_path / "a.tif", "rb") as file:
        rows = tiff_rows.opened(file, tmp_path / "a.tif")
    assert rows
    bands = list(rows.bands())
    assert (len(bands), bands[0].dtype) == (3 if tile else 8, np.uint16)
    assert (np.concatenate(bands) == values).all()


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr"])
@pytest.mark.parametrize("big", [False, True])
def test_jpeg_in_tiff(mode: str, big: bool, tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (128, 96, 3)).astype(np.uint8)
    smooth = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(3)).convert(mode)
    smooth.save(tmp_path / "a.tif", compression="jpeg", tiffinfo={278: 32}, big_tiff=big)
    with open(tmp_path / "a.tif", "rb") as file:
        rows = tiff_rows.opened(file, tmp_path / "a.tif")
    assert rows
    bands = list(rows.bands())
    assert len(bands) == 4
    whole = resizing.decoded((tmp_path / "a.tif").read_bytes(), tmp_path / "a.tif")
    assert (np.concatenate(bands) == whole).all()


def test_a_damaged_jpeg_in_tiff_is_refused(tmp_path: Path) -> None:
    picture("RGB").save(tmp_path / "a.tif", compression="jpeg", tiffinfo={278: 16})
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data.replace(b"\xff\xc0", b"\xff\xc3"))
    with open(tmp_path / "a.tif", "rb") as file:
        rows = tiff_rows.opened(file, tmp_path / "a.tif")
    assert rows
    with pytest.raises(SourceError) as caught:
        list(rows.bands())
    assert caught.value.code == "image-damaged"


@pytest.mark.parametrize("length", [0, 3, 9, 15, 16, 24, 60, 200])
def test_a_torn_big_tiff_is_none(length: int, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.asarray(picture("RGB")), bigtiff=True, metadata=None)
    data = (tmp_path / "a.tif").read_bytes()
    assert big_tiff.only(data)
    assert big_tiff.only(data[:length]) is None
    assert big_tiff.only(data[:8] + b"\xff" * 8 + data[16:]) is None


def test_other_tiffs_are_left_to_pillow(tmp_path: Path) -> None:
    values = np.asarray(picture("RGB"))
    tifffile.imwrite(tmp_path / "signed.tif", values[..., 0].astype(np.int16))
    bands = np.concatenate([values, values], axis=2)
    tifffile.imwrite(tmp_path / "bands.tif", bands, photometric="minisblack", planarconfig="contig")
    tifffile.imwrite(tmp_path / "pages.tif", np.stack([values] * 2), photometric="rgb")
    tifffile.imwrite(tmp_path / "bigpages.tif", np.stack([values] * 2), bigtiff=True)
    for name in ("signed.tif", "bands.tif", "pages.tif", "bigpages.tif"):
        with open(tmp_path / name, "rb") as file:
            assert tiff_rows.opened(file, tmp_path / name) is None, name


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("point", [False, True])
def test_georeferences(point: bool, bigtiff: bool, order: Any, tmp_path: Path) -> None:
    keys = (1, 1, 0, 2, 1025, 0, 1, 2 if point else 1, 3072, 0, 1, 32_632)
    tags = [
        (33_550, "d", 3, (0.5, 0.25, 0.0)),
        (33_922, "d", 6, (0.0, 0.0, 0.0, 500_000.0, 5_400_000.0, 0.0)),
        (34_735, "H", len(keys), keys),
    ]
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.asarray(picture("L")),
        extratags=tags,
        metadata=None,
        bigtiff=bigtiff,
        byteorder=order,
    )
    with open(tmp_path / "a.tif", "rb") as file:
        found = tiff_rows.georeferenced(file)
    shift = (0.25, -0.125) if point else (0.0, 0.0)
    corner = (500_000.0 - shift[0], 5_400_000.0 - shift[1])
    assert found == tiff_rows.Georeference((0.5, 0.0, corner[0], 0.0, -0.25, corner[1]), 32_632)
    picture("L").save(tmp_path / "plain.tif")
    with open(tmp_path / "plain.tif", "rb") as file:
        assert tiff_rows.georeferenced(file) is None
