"""JPEG files that are read without Pillow's way of opening them are what Pillow reads."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segprep.imaging import headers, image, jpeg

PLAIN: tuple[dict[str, Any], ...] = ({}, {"progressive": True}, {"comment": b"seen"})
MODES = ("L", "RGB", "CMYK")


def written(mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (19, 7)).save(out, "JPEG", **options)
    return out.getvalue()


def of_pillow(data: bytes) -> headers.Header:
    with image.opened(data, Path("x.jpg"), 10**10) as picture:
        return headers.of_picture(picture, data)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", PLAIN, ids=str)
def test_plain_files_read_as_pillow_reads_them(mode: str, options: dict[str, Any]) -> None:
    data = written(mode, **options)
    assert headers.of_jpeg(data) == of_pillow(data)


@pytest.mark.parametrize("turn", [1, 6])
def test_a_file_that_may_be_turned_is_left_to_pillow(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    data = written(exif=exif)
    assert headers.of_jpeg(data) is None
    assert image.header(data, Path("x.jpg")).orientation == turn


def test_every_shorter_file_is_left_to_pillow_or_read_alike() -> None:
    data = written(comment=b"seen")
    for length in range(data.index(b"\xff\xda") + 4):
        assert headers.of_jpeg(data[:length]) is None


@pytest.mark.parametrize("length", range(10))
@pytest.mark.parametrize("follow", [b"", bytes(4)])
def test_a_frame_without_its_size_is_left_to_pillow(length: int, follow: bytes) -> None:
    frame = b"\xff\xc0" + length.to_bytes(2) + bytes(max(0, length - 2))
    assert headers.of_jpeg(b"\xff\xd8" + frame + follow) is None


@pytest.mark.parametrize("value", range(0, 256, 5))
def test_one_wrong_byte_gives_what_pillow_reads_or_nothing(value: int) -> None:
    data = written()
    for at in range(data.index(b"\xff\xc0"), data.index(b"\xff\xc0") + 19):
        spoiled = data[:at] + bytes([value]) + data[at + 1 :]
        if (head := headers.of_jpeg(spoiled)) is not None:
            assert head == of_pillow(spoiled)


def shown(picture: Image.Image | None) -> Any:
    return picture and (picture.mode, picture.size, picture.tobytes())


def picture(mode: str, size: tuple[int, int], **options: Any) -> bytes:
    values = np.random.default_rng(3).integers(0, 256, (*size[::-1], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(values).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", [*PLAIN, {"subsampling": 0}], ids=str)
@pytest.mark.parametrize("least", [None, (64, 64), (16, 12), (9, 4)])
def test_pixels_are_those_of_pillow_at_every_scale(
    mode: str, options: dict[str, Any], least: tuple[int, int] | None
) -> None:
    data = picture(mode, (75, 53), **options)
    head = headers.of_jpeg(data)
    assert head is not None
    found = jpeg.decoded(data, head, 75 * 53, least)
    with Image.open(io.BytesIO(data)) as expected:
        if least:
            expected.draft(None, least)
        assert shown(found) == shown(expected)
    assert jpeg.decoded(data, head, 75 * 53 - 1, least) is None


def test_what_is_damaged_or_has_four_channels_is_left_to_pillow() -> None:
    for data in (picture("RGB", (75, 53))[:-400], picture("CMYK", (75, 53))):
        head = headers.of_jpeg(data)
        assert head is not None
        assert jpeg.decoded(data, head, 10**6) is None


@pytest.mark.parametrize("value", [0, 1, 17, 128, 255])
def test_one_wrong_byte_gives_the_pixels_of_pillow_or_nothing(value: int) -> None:
    data = picture("RGB", (30, 20))
    for at in range(2, data.index(b"\xff\xda") + 20, 3):
        spoiled = data[:at] + bytes([value]) + data[at + 1 :]
        head = headers.of_jpeg(spoiled)
        if head and (found := jpeg.decoded(spoiled, head, 10**6)):
            with image.opened(spoiled, Path("x.jpg"), 10**6) as expected:
                assert shown(found) == shown(expected)
