"""Pixels: headers, orientation, transcoding, masks by their indices, counting and looking up."""

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from imaging.pictures import GRAY, WHERE, code, made, opened, quick, saved, shapes, turned
from PIL import Image, ImageOps

from segprep.imaging import image, transcoding

flat = st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 255]))


# counting, look-up


def counted(mask: "np.ndarray[Any, Any]") -> dict[int, int]:
    return dict(zip(*(part.tolist() for part in np.unique(mask, return_counts=True)), strict=True))


@quick
@given(arrays(np.uint8, shapes, elements=flat, fill=flat))
def test_histogram_and_look_up_of_bytes(mask: "np.ndarray[Any, Any]") -> None:
    table = bytes((7 * value + 3) % 256 for value in range(256))
    result, seen = image.look_up(mask, table)
    assert image.histogram(mask) == seen == counted(mask)
    assert result.dtype == np.uint8
    assert np.array_equal(result, np.frombuffer(table, np.uint8)[mask])


@quick
@given(
    arrays(
        np.uint16, shapes, elements=st.integers(0, 65_535), fill=st.sampled_from([0, 256, 65_535])
    )
)
def test_histogram_of_16_bit(mask: "np.ndarray[Any, Any]") -> None:
    assert image.histogram(mask) == counted(mask)


@quick
@given(arrays(np.int32, shapes, elements=st.integers(0, 699), fill=st.integers(0, 699)))
def test_histogram_and_look_up_of_many_shapes(drawn: "np.ndarray[Any, Any]") -> None:
    table = bytes(value % 251 for value in range(700))
    result, seen = image.look_up(drawn, table)
    assert image.histogram(drawn) == seen == counted(drawn)
    assert np.array_equal(result, np.frombuffer(table, np.uint8)[drawn])
    assert result.dtype == np.uint8


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 15, 16, 17, 4096, 4099])
def test_every_length_of_flat_and_mixed_rows(size: int) -> None:
    for row in (
        np.full((1, size), 255, np.uint8),
        np.arange(size).astype(np.uint8)[None],
        (np.arange(size) // 11 % 3).astype(np.uint8)[None],
    ):
        result, seen = image.look_up(row, bytes(range(255, -1, -1)))
        assert image.histogram(row) == seen == counted(row)
        assert np.array_equal(result, 255 - row)


def test_views_are_counted_as_they_look() -> None:
    base = (np.arange(1200) // 7 % 5).astype(np.uint8).reshape(30, 40)
    for view in (base.T, base[::-1, ::3], base[3:20, 5:18], np.asfortranarray(base), base[:, 1:]):
        result, seen = image.look_up(view, b"\x09\x08\x07\x06\x05")
        assert image.histogram(view) == seen == counted(view)
        assert np.array_equal(result, 9 - view)


def test_the_answer_is_a_copy() -> None:
    drawn = np.zeros((4, 4), np.uint8)
    image.look_up(drawn, b"\0")[0][:] = 5
    assert not drawn.any()


# headers


@pytest.mark.parametrize("kind", image.FORMATS)
def test_headers_of_every_format(kind: str) -> None:
    found = image.header(saved(made("RGB" if kind != "GIF" else "P"), kind), WHERE)
    assert (found.format, found.width, found.height, found.orientation, found.several) == (
        kind,
        32,
        24,
        1,
        False,
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_of_the_upright_picture(orientation: int) -> None:
    data = saved(made("RGB"), "JPEG", exif=turned(orientation))
    found = image.header(data, WHERE)
    assert (found.orientation, found.turned) == (orientation, orientation >= 5)
    assert found.shape(upright=False) == (24, 32)
    assert (
        found.shape(upright=True)
        == image.pixels(data, WHERE).shape[:2]
        == ImageOps.exif_transpose(opened(data)).size[::-1]
    )


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_is_none(orientation: int) -> None:
    assert (
        image.header(saved(made("RGB"), "JPEG", exif=turned(orientation)), WHERE).orientation == 1
    )


def test_several_frames_are_seen() -> None:
    assert image.header(
        saved(made("L"), "GIF", save_all=True, append_images=[made("RGB")]), WHERE
    ).several


def test_foreign_and_broken_and_large() -> None:
    whole = saved(made("RGB"))
    assert code(image.header, b"%PDF-1.7 and more", WHERE) == "image-unsupported"
    assert code(image.header, b"", WHERE) == "image-unsupported"
    assert code(image.pixels, whole[: len(whole) // 2], WHERE) == "image-damaged"
    assert code(image.header, saved(made("L"), "ICO"), WHERE) == "image-unsupported"
    assert code(image.header, saved(made("L")), WHERE, limit=32 * 24 - 1) == "image-too-large"
    assert image.header(saved(made("L")), WHERE, limit=32 * 24).width == 32


def test_the_remembered_header_does_not_lift_the_limit() -> None:
    data = saved(made("L"))
    assert image.header(data, WHERE) is image.header(data, WHERE)
    assert code(image.header, data, WHERE, limit=10) == "image-too-large"


def test_pillows_own_limit_is_left_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS
    image.header(saved(made("L")), WHERE, limit=10**10)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_uprighting_a_mask_is_what_pillow_does_to_the_picture(orientation: int, dtype: Any) -> None:
    rows = np.arange(6 * 4).reshape(4, 6).astype(dtype)
    exif = turned(orientation)
    wanted = np.asarray(ImageOps.exif_transpose(opened(saved(Image.fromarray(rows), exif=exif))))
    result = image.upright_array(rows, orientation)
    assert np.array_equal(result, wanted)
    assert result.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "L", "I;16"])
def test_transcoding_turns_the_picture_upright_once(orientation: int, mode: str) -> None:
    data = saved(made(mode), exif=turned(orientation))
    upright, _ = transcoding.transcode(data, WHERE, "png")
    assert image.header(upright, WHERE).orientation == 1
    assert np.array_equal(
        np.asarray(opened(upright)),
        (
            image.upright_array(np.asarray(made(mode)), orientation)
            if mode != "RGB"
            else image.pixels(data, WHERE)
        ),
    )


@pytest.mark.parametrize(
    ("mode", "kind", "target", "becomes", "said"),
    [
        *[(mode, "PNG", "png", mode, "") for mode in ("1", "L", "LA", "RGB", "RGBA", "I;16")],
        ("P", "PNG", "png", "RGB", "pixel type P became RGB"),
        ("CMYK", "TIFF", "png", "RGB", "pixel type CMYK became RGB"),
        ("YCbCr", "TIFF", "png", "RGB", "pixel type YCbCr became RGB"),
        ("LAB", "TIFF", "png", "RGB", "pixel type LAB became RGB"),
        ("RGB", "PNG", "jpg", "RGB", ""),
        ("L", "PNG", "jpg", "L", ""),
        ("LA", "PNG", "jpg", "L", "pixel type LA became L"),
        ("RGBA", "PNG", "jpg", "RGB", "pixel type RGBA became RGB"),
        ("I;16", "PNG", "jpg", "L", "pixel type I;16 became L"),
        ("P", "PNG", "jpg", "RGB", "pixel type P became RGB"),
        ("CMYK", "JPEG", "jpg", "RGB", "pixel type CMYK became RGB"),
    ],
)
def test_what_each_pixel_type_becomes(
    mode: str, kind: str, target: Literal["png", "jpg"], becomes: str, said: str
) -> None:
    data = saved(made(mode), kind)
    result, words = transcoding.transcode(data, WHERE, target)
    picture = opened(result)
    assert (picture.format, picture.mode, words) == (
        {"png": "PNG", "jpg": "JPEG"}[target],
        becomes,
        said,
    )
    if target == "png":
        assert np.array_equal(np.asarray(picture), np.asarray(opened(data).convert(becomes)))
    else:
        eight_bit = (
            np.asarray(made(mode)) >> 8
            if mode == "I;16"
            else np.asarray(opened(data).convert(becomes))
        )
        assert np.abs(np.asarray(picture).astype(int) - eight_bit).mean() < 6


def test_a_transparent_palette_keeps_its_transparency() -> None:
    result, words = transcoding.transcode(saved(made("P"), transparency=3), WHERE, "png")
    assert words == "pixel type P became RGBA"
    alpha = np.asarray(opened(result))[:, :, 3]
    assert np.array_equal(alpha == 0, np.asarray(made("P")) == 3)


def test_16_bit_of_either_byte_order_keeps_every_value() -> None:
    big = saved(made("I;16"), "TIFF")
    assert np.array_equal(np.asarray(opened(transcoding.transcode(big, WHERE, "png")[0])), GRAY)
    pgm = b"P5 32 24 65535\n" + GRAY.astype(">u2").tobytes()
    assert image.header(pgm, WHERE).format == "PPM"


@pytest.mark.parametrize("mode", ["F", "I"])
def test_float_and_32_bit_are_refused(mode: str) -> None:
    assert (
        code(transcoding.transcode, saved(made(mode), "TIFF"), WHERE, "png") == "image-unsupported"
    )


def test_what_the_file_said_beside_its_pixels_is_left_out() -> None:
    """Comments, thumbnails and dates would make equal pictures differ; the color profile belongs
    to the pixels.
    """
    data = saved(made("RGB"), "JPEG", comment=b"secret", exif=turned(1), icc_profile=b"profile")
    result, _ = transcoding.transcode(data, WHERE, "png")
    assert b"secret" not in result
    assert opened(result).info == {"icc_profile": b"profile"}
    assert (
        "icc_profile"
        not in opened(
            transcoding.transcode(
                saved(made("CMYK"), "JPEG", icc_profile=b"profile"), WHERE, "png"
            )[0]
        ).info
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_wholeness(kind: str) -> None:
    data = saved(made("RGB"), kind)
    assert transcoding.intact(data, WHERE, kind)
    assert code(transcoding.intact, data[: len(data) // 3], WHERE, kind) == "image-damaged"
    if kind == "PNG":
        assert not transcoding.intact(data[:-12], WHERE, kind)
        assert (
            code(transcoding.intact, data[:-20] + b"x" + data[-19:], WHERE, kind) == "image-damaged"
        )
