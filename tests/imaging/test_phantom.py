"""Classes made by smoothing are told from thin things and from borders that were drawn."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from segprep.imaging import image, phantom


def regions() -> NDArray[np.uint8]:
    """Background 0 with a disk of 2 and a square of 1."""
    rows, columns = np.mgrid[:120, :160]
    mask = np.zeros((120, 160), np.uint8)
    mask[(rows - 60) ** 2 + (columns - 50) ** 2 < 35**2] = 2
    mask[30:90, 110:150] = 1
    return mask


def found(mask: NDArray[np.uint8]) -> list[int]:
    return phantom.rims(mask, image.histogram(mask))


@pytest.mark.parametrize("most", [2, 3, 5])
def test_a_seam_of_interpolation(most: int) -> None:
    mask = regions() // 2 * most
    size = (201, 149)
    smooth = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.BILINEAR))
    assert found(mask) == []
    assert found(smooth) == [value for value in range(1, most) if (smooth == value).any()]
    assert found(np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))) == []


def test_a_jpeg_of_ids() -> None:
    out = io.BytesIO()
    Image.fromarray(regions() // 2 * 20).save(out, "JPEG", quality=90)
    mask = np.asarray(Image.open(out))
    assert set(found(mask)) >= {value for value in range(4, 17) if (mask == value).any()}


def test_what_was_drawn_is_no_phantom() -> None:
    thin = np.zeros((60, 60), np.uint8)
    thin[30] = 1  # a crack on the background, beside class 2
    thin[:20, :20] = 2
    assert found(thin) == []
    assert found(regions()) == []
    ignored = regions()
    ignored[:, 70] = 255
    assert found(ignored) == []


def test_what_a_later_shape_left_uncovered_is_no_phantom() -> None:
    """A facade (3) covered by a tree (9) up to a rim of one pixel, which no averaging of 3 and 9
    makes alone; and a scrap of class 1 in a street where 0 and 2 touch all along.
    """
    mask = np.zeros((120, 160), np.uint8)
    mask[20:100, 20:140] = 9
    mask[20:100, 20:80] = 3
    mask[20:100, 80] = 5
    assert found(mask) == []
    street = np.zeros((400, 400), np.uint8)
    street[::8] = street[1::8] = street[2::8] = street[3::8] = 2
    street[200, 100:104] = 1
    assert found(street) == []


def test_a_thin_rest_along_a_tenth_of_a_border_is_no_phantom() -> None:
    """A ventricle (1) of a heart that ends beside a wall (2): smoothing would line all of it."""
    mask = np.zeros((80, 80), np.uint8)
    mask[20:60, 20:60] = 2
    mask[30:40, 30:40] = 3
    mask[45:60, 19] = 1
    assert found(mask) == []


def test_scraps_in_a_small_mask_are_no_phantom() -> None:
    """Class 2, covered by 3 up to a few pixels, while 1, 3 and 5 touch the background directly."""
    mask = np.zeros((32, 32), np.uint8)
    mask[4:12, 4:12] = 1
    mask[20:28, 4:28] = 5
    mask[2:10, 20:28] = 3
    few = mask.copy()
    few[10, 22:28] = 2
    mask[10, 20:28] = mask[2:10, 28] = 2
    assert found(few) == found(mask) == []
    smooth = Image.fromarray(mask).resize((48, 48), Image.Resampling.BILINEAR)
    assert 4 in found(np.asarray(smooth))


def test_the_note_names_values_and_the_way_out() -> None:
    mask = np.asarray(Image.fromarray(regions()).resize((201, 149), Image.Resampling.BILINEAR))
    mask = np.where(np.asarray(mask)[:, :] > 2, 2, mask).astype(np.uint8)[:, :110]
    (note,) = phantom.notes(mask, image.histogram(mask), Path("a.png"))
    assert note.code == "phantom-class"
    assert "class 1" in note.message
    assert "nearest neighbor" in note.message
