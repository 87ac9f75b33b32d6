"""Masks of 2 and 4 bits per pixel: which of the two numbers is the id."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import segprep
from segprep.errors import BadInputError

IDS = np.repeat(np.arange(4, dtype=np.uint8), 8)[None].repeat(20, 0)


def png(ids: NDArray[np.uint8], bits: int) -> bytes:
    """A gray PNG of *bits* per pixel; the width of *ids* fills whole bytes."""
    packed = np.zeros((len(ids), ids.shape[1] * bits // 8), np.uint8)
    for n in range(8 // bits):
        packed |= ids[:, n :: 8 // bits] << (8 - bits * (n + 1))
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    header = struct.pack(">IIBBBBB", ids.shape[1], len(ids), bits, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def convert(root: Path, bits: int, mask: NDArray[np.uint8] = IDS, **options: Any) -> Any:
    """The mask that comes out, and the notes."""
    for folder in ("images", "masks"):
        (root / "in" / folder).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", mask.shape[::-1]).save(root / "in/images/a.jpg")
    (root / "in/masks/a.png").write_bytes(png(mask, bits))
    done = segprep.convert("pairs", root / "in", root / "out", **options)
    return segprep.read_mask(root / "out/SegmentationClass/a.png"), done.notes


@pytest.mark.parametrize("bits", [2, 4])
@pytest.mark.parametrize("names", ["sky,road,car,tree", "4"])
def test_stored_numbers_are_ids_of_the_list(tmp_path: Path, bits: int, names: str) -> None:
    mask, notes = convert(tmp_path, bits, classes=names)
    assert (mask == IDS).all()
    assert not notes


@pytest.mark.parametrize("bits", [2, 4])
def test_shown_grays_are_ids_where_the_user_says_so(tmp_path: Path, bits: int) -> None:
    """Optimizers store 0, 85, 170, 255 in 2 bits."""
    step = 255 // (2**bits - 1)
    ids = ",".join(f"{n * step}={name}" for n, name in enumerate("dcba"))
    mask, notes = convert(tmp_path, bits, ids=ids)
    assert (mask == IDS).all()
    assert not notes


def test_where_both_may_be_meant_what_was_taken_is_said(tmp_path: Path) -> None:
    mask, (note,) = convert(tmp_path / "a", 4, classes="60")
    assert (mask == IDS).all()
    assert "a.png has 4 bits per pixel: 0, 1, 2, 3 were taken, not 0, 17, 34, 51" in note.message
    mask, (note,) = convert(tmp_path / "b", 4, classes="60", ids="17=class_5")
    assert sorted(set(mask.flat)) == [0, 5, 34, 51]
    assert "0, 17, 34, 51 were taken, not 0, 1, 2, 3" in note.message


def test_numbers_beyond_the_list_are_refused_as_they_are_shown(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        convert(tmp_path, 2, classes="sky,road")
    assert "85 (" in str(caught.value.skipped[0])


def test_black_and_white_is_not_taken_for_ids(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        convert(tmp_path, 2, (IDS > 1).astype(np.uint8) * 3, classes="sky,road")
    assert "0 and 255 only" in str(caught.value.skipped[0])
