"""Photographs of 16 bits: all of them in PNG, and none lost silently in 8."""

import io
from pathlib import Path

import numpy as np
import pytest
from imaging.wide_files import tiff_file, wide
from PIL import Image

from segprep.errors import SourceError
from segprep.imaging import png, sixteen_bits, transcoding

WHERE = Path("x.tif")


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_tiff_to_png_keeps_every_bit(planar: bool, channels: int) -> None:
    pixels = wide(8, 6, channels)
    data, change = transcoding.transcode(tiff_file(pixels, planar=planar), WHERE, "png")
    assert change == ""
    assert np.array_equal(sixteen_bits.read(data, WHERE), pixels)


def test_one_plane_becomes_gray() -> None:
    pixels = wide(8, 6, 1)
    data, _ = transcoding.transcode(tiff_file(pixels, planar=True), WHERE, "png")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels[..., 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_twelve_bits_do_not_become_black(channels: int) -> None:
    data = tiff_file(np.full((4, 4, channels), 4000, np.uint16), planar=True)
    with pytest.raises(SourceError, match="nearly black") as caught:
        transcoding.transcode(data, WHERE, "jpg")
    assert caught.value.code == "image-unsupported"
    bright = tiff_file(np.full((4, 4, channels), 40_000, np.uint16), planar=True)
    shown = Image.open(io.BytesIO(transcoding.transcode(bright, WHERE, "jpg", rgb=True)[0]))
    assert abs(int(np.asarray(shown).mean()) - (40_000 >> 8)) <= 1


def test_gray_of_twelve_bits_neither() -> None:
    data = png.encode(np.full((4, 4), 4000, np.uint16))
    with pytest.raises(SourceError, match="nearly black"):
        transcoding.transcode(data, WHERE, "jpg")


def test_five_bands_are_not_an_image() -> None:
    with pytest.raises(SourceError, match="5 channels"):
        transcoding.transcode(tiff_file(wide(4, 4, 5)), WHERE, "png")
