"""What pixels of foreign mask files mean: the cases in which a plausible reading would silently be
wrong.
"""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imaging.wide_files import tiff_file
from PIL import Image

from segprep.errors import SourceError
from segprep.imaging import image, lookup, mask_files, png
from segprep.sources._common.classes import polarity
from segprep.types import Note

ONE = np.array([[0, 1, 1, 0]], np.uint8).repeat(3, 0)
PATH = Path("folder/m.png")


def encoded(picture: Image.Image, form: str = "PNG") -> bytes:
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()


def palette(*colors: tuple[int, int, int], indices: np.ndarray = ONE) -> bytes:
    made = Image.fromarray(indices, mode="P")
    made.putpalette([part for color in colors for part in color])
    return encoded(made)


@pytest.mark.parametrize(
    "read",
    [
        lambda data: mask_files.values(data, PATH, []),
        lambda data: mask_files.intensity(data, PATH),
        lambda data: mask_files.colors(data, PATH),
    ],
)
@pytest.mark.parametrize("color", [0, 255])
def test_masks_drawn_in_transparency_only_are_refused(
    read: Callable[[bytes], Any], color: int
) -> None:
    plane, alpha = np.full_like(ONE, color), ONE * 255
    for picture in (
        Image.fromarray(np.dstack([plane] * 3 + [alpha])),
        Image.fromarray(np.dstack([plane, alpha]), "LA"),
    ):
        with pytest.raises(SourceError, match="transparency") as caught:
            read(encoded(picture))
        assert (caught.value.code, caught.value.path) == ("values-unclear", PATH)
    opaque = Image.fromarray(np.dstack([ONE * 255] * 3 + [ONE * 255]))
    assert read(encoded(opaque)).any()
    assert read(
        encoded(Image.fromarray(np.dstack([plane] * 3 + [np.full_like(ONE, 255)])))
    ).any() == bool(color)


@pytest.mark.parametrize(
    ("data", "doubt"),
    [
        (palette((255, 255, 255), (0, 0, 0)), "index 0 is white"),
        (palette((0, 0, 0), (0, 128, 0)), "gives to 2"),
        (palette((0, 0, 0), (128, 0, 0)), ""),
        (palette((0, 0, 0), (255, 255, 255)), ""),
        (palette((0, 0, 0), (128, 0, 0), (9, 9, 9)), ""),
        (palette((7, 7, 7), (8, 8, 80)), ""),
    ],
)
def test_indices_that_run_against_their_colors_are_told(data: bytes, doubt: str) -> None:
    notes: list[Note] = []
    assert (mask_files.values(data, PATH, notes) == ONE).all()
    assert [note.code for note in notes] == (["palette-ambiguous"] if doubt else [])
    assert all(doubt in note.message and "m.png" in note.message for note in notes)


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_whole_numbers_of_any_type_are_ids(kind: type) -> None:
    data = encoded(Image.fromarray(ONE.astype(kind)), "TIFF")
    assert (mask_files.values(data, PATH, []) == ONE).all()
    assert (mask_files.intensity(data, PATH) == ONE).all()


def test_fractions_are_refused_by_name() -> None:
    data = encoded(Image.fromarray(ONE.astype(np.float32) / 3), "TIFF")
    with pytest.raises(SourceError, match=r"folder/m\.png: holds fractions"):
        mask_files.values(data, PATH, [])


def test_black_and_white_of_16_bits_is_named() -> None:
    assert "65535=NAME" in lookup.cause({0: 3, 65_535: 2}, 2)
    assert lookup.cause({0: 9}, 2).startswith("0 only: every pixel is background")


def test_a_tint_is_no_color_but_ids_in_one_channel_are() -> None:
    mask = np.zeros((20, 20, 3), np.uint8)
    mask[4:12, 5:15] = 255, 249, 249
    mask[4, 5:15] = 120, 114, 115
    gray = mask_files.intensity(encoded(Image.fromarray(mask), "PNG"), PATH)
    assert (gray == mask[..., 0]).all()
    indices = Image.fromarray(mask).quantize(colors=3)
    assert (mask_files.intensity(encoded(indices, "PNG"), PATH) == mask[..., 0]).all()
    for color in ((5, 0, 0), (255, 240, 255)):
        mask[4:12, 5:15] = color
        with pytest.raises(SourceError, match="holds colors"):
            mask_files.intensity(encoded(Image.fromarray(mask), "PNG"), PATH)


def test_classes_spread_over_all_grays_are_told_from_smoothed_borders() -> None:
    thirds, quarters = dict.fromkeys((0, 85, 170, 255), 9), dict.fromkeys((0, 64, 128, 191, 255), 9)
    assert "85=class_1,170=class_2" in lookup.cause(thirds, 0)
    assert "64=class_1,128=class_2,191=class_3,255=class_4" in lookup.cause(quarters, 0)
    smoothed = {0: 900, 64: 4, 128: 8, 191: 4, 255: 90}
    assert "black and white with smoothed borders" in lookup.cause(smoothed, 0)


def test_a_jpeg_read_by_nonzero_says_how_much_of_it_is_smear() -> None:
    drawn = np.zeros((32, 32), np.uint8)
    drawn[5:20, 7:23] = 255
    notes: list[Note] = []
    found = polarity.binary(encoded(Image.fromarray(drawn), "JPEG"), PATH, notes, "nonzero", 127.5)
    assert found.sum() > (drawn > 0).sum()
    assert [note.code for note in notes] == ["intermediate-values"]
    assert not (
        polarity.binary(encoded(Image.fromarray(drawn)), PATH, notes[:0], "nonzero", 127.5)
        - drawn // 255
    ).any()


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_ids_of_sixteen_bits_per_channel_keep_their_low_byte(channels: int) -> None:
    ids = np.array([[0, 1, 2, 40_000]], np.uint16)
    data = png.encode(np.repeat(ids[..., None], channels, 2))
    notes: list[Note] = []
    assert np.array_equal(mask_files.values(data, PATH, notes), ids)
    assert [note.code for note in notes] == ([] if channels == 2 else ["mask-grey-rgb"])


def test_colors_of_sixteen_bits() -> None:
    color = np.array([[[255, 0, 128]]], np.uint16)
    assert mask_files.colors(png.encode(color * 257), PATH).tolist() == [[[255, 0, 128]]]
    assert mask_files.colors(png.encode(color), PATH).tolist() == [[[255, 0, 128]]]
    with pytest.raises(SourceError, match="16 bits per channel"):
        mask_files.colors(png.encode(color * 100), PATH)


def test_a_mask_of_twelve_bits_is_not_all_dark() -> None:
    data = png.encode(np.array([[0, 4095]], np.uint16))
    with pytest.raises(SourceError, match="up to 4095, none of which is bright"):
        mask_files.intensity(data, PATH)
    bright = png.encode(np.array([[0, 65_535]], np.uint16))
    assert mask_files.intensity(bright, PATH).tolist() == [[0, 255]]


def frames(kind: str) -> bytes:
    pages = [Image.fromarray(np.full((3, 4), value, np.uint8)) for value in (0, 1, 255)]
    out = io.BytesIO()
    pages[0].save(out, kind, save_all=True, append_images=pages[1:])
    return out.getvalue()


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "read",
    [
        lambda data: mask_files.values(data, PATH, []),
        lambda data: mask_files.intensity(data, PATH),
        lambda data: mask_files.colors(data, PATH),
        lambda data: mask_files.lit(data, PATH),
    ],
    ids=["values", "intensity", "colors", "lit"],
)
def test_a_mask_has_one_frame(kind: str, read: Callable[[bytes], object]) -> None:
    with pytest.raises(SourceError) as caught:
        read(frames(kind))
    assert caught.value.code == "mask-frames"


@pytest.mark.parametrize("encode", ["pillow", "segprep"])
def test_no_flipped_bit_gives_wrong_ids(encode: str) -> None:
    rng = np.random.default_rng(1)
    ids = np.kron(rng.integers(0, 9, (6, 8)), np.ones((8, 8))).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(ids).save(out, "PNG")
    data = out.getvalue() if encode == "pillow" else image.encode_mask(ids)
    refused = 0
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            assert np.array_equal(mask_files.values(bytes(flipped), PATH, []), ids), bit
        except SourceError:
            refused += 1
    assert refused > 7 * len(data)


@pytest.mark.parametrize(("kind", "mode"), [(1, "1"), (8, "L")])
def test_a_tiff_whose_zero_is_white_keeps_its_numbers(kind: int, mode: str) -> None:
    """Pillow shows it inverted: 1 would become 0, and class 2 the value 253."""
    data = bytearray(encoded(Image.fromarray(ONE == 1 if kind == 1 else ONE), "TIFF"))
    at = data.index(b"\x06\x01\x03\x00\x01\x00\x00\x00\x01\x00")  # PhotometricInterpretation 1
    data[at + 8] = 0
    notes: list[Note] = []
    assert (mask_files.values(bytes(data), PATH, notes) == ONE).all()
    assert [note.code for note in notes] == ["values-unclear"]
    assert mask_files.intensity(bytes(data), PATH)[0].tolist() == (
        [255, 0, 0, 255] if kind == 1 else [255, 254, 254, 255]
    )


@pytest.mark.parametrize("kind", [np.int64, np.uint64, np.float64])
def test_numbers_of_64_bits_in_a_tiff(kind: type) -> None:
    data = tiff_file(ONE.astype(kind)[..., None])
    if kind is np.float64:
        whole, fraction = (struct.pack("<HHII", 339, 4, 1, number) for number in (1, 3))
        data = data.replace(whole, fraction)
    assert (mask_files.values(data, PATH, []) == ONE).all()
    assert image.header(data, PATH).shape(upright=True) == ONE.shape
    with pytest.raises(SourceError, match="a TIFF of numbers of 64 bits"):
        image.pixels(data, PATH)
