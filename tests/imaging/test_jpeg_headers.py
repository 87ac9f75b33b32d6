"""Headers of JPEG files that are read without Pillow are those that Pillow reads."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from segprep.imaging import headers, image

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


@pytest.mark.parametrize("value", range(0, 256, 5))
def test_one_wrong_byte_gives_what_pillow_reads_or_nothing(value: int) -> None:
    data = written()
    for at in range(data.index(b"\xff\xc0"), data.index(b"\xff\xc0") + 19):
        spoiled = data[:at] + bytes([value]) + data[at + 1 :]
        if (head := headers.of_jpeg(spoiled)) is not None:
            assert head == of_pillow(spoiled)
