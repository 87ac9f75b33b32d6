"""PGM and PPM files whose highest value is not 255: every number arrives as it is stored."""

from pathlib import Path

import numpy as np
import pytest
from imaging.wide_files import RNG
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.imaging import image, mask_files, netpbm, sixteen_bits, transcoding

WHERE = Path("m.ppm")
IDS = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)


def file_of(pixels: NDArray[np.generic], kind: int, highest: int) -> bytes:
    header = f"P{kind}\n# a comment\n{pixels.shape[1]} {pixels.shape[0]}\n{highest}\n".encode()
    if kind < 4:
        return header + "\n".join(map(str, pixels.reshape(-1).tolist())).encode()
    return header + pixels.astype(np.uint8 if highest < 256 else ">u2").tobytes()


@pytest.mark.parametrize("highest", [2, 15, 4095, 65_535])
@pytest.mark.parametrize("kind", [2, 3, 5, 6])
def test_masks_hold_the_stored_numbers(kind: int, highest: int) -> None:
    pixels = IDS[..., None].repeat(3 if kind in (3, 6) else 1, 2)
    data = file_of(pixels, kind, highest)
    assert np.array_equal(mask_files.values(data, WHERE, []), IDS)


def test_pictures_keep_sixteen_bits() -> None:
    for kind, channels in ((5, 1), (6, 3)):
        pixels = RNG.integers(0, 4000, (5, 4, channels)).astype(np.uint16)
        png_data, _ = transcoding.transcode(file_of(pixels, kind, 4095), WHERE, "png")
        kept = (
            mask_files.values(png_data, WHERE, [])[..., None]
            if channels == 1
            else sixteen_bits.read(png_data, WHERE)
        )
        assert kept is not None
        assert np.array_equal(kept, pixels)


def test_brightness_is_still_what_is_shown() -> None:
    data = file_of(IDS[..., None], 5, 2)
    assert mask_files.intensity(data, WHERE)[0].tolist() == [0, 128, 255]
    assert netpbm.read(file_of(IDS[..., None], 5, 255), WHERE) is None
    assert image.header(data, WHERE).shape(upright=True) == (2, 3)


def test_refusals() -> None:
    data = file_of(IDS[..., None].repeat(3, 2), 6, 65_535)
    for broken, reason in (
        (data[:-3], "damaged"),
        (file_of(IDS[..., None], 5, 1), "a value above 1"),
        (file_of(IDS[..., None], 2, 300) + b" x", None),
    ):
        if reason is None:
            assert netpbm.read(broken, WHERE) is not None
            continue
        with pytest.raises(SourceError, match=reason) as caught:
            netpbm.read(broken, WHERE)
        assert caught.value.code == "image-damaged"
    with pytest.raises(SourceError, match="5 are allowed"):
        netpbm.read(data, WHERE, limit=5)
