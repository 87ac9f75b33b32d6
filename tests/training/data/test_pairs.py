"""Tree to tensors: kinds of images, letterbox, scale, windows by seed and number alone."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from segprep.dataset.tree import Tree
from segprep.errors import SegprepError, SourceError
from segprep.imaging.samples import rgb
from segprep.training.augmentation.windows import Windows
from segprep.training.data.dataset import ImagePairs
from segprep.training.data.pairs import (
    ImagePair,
    InputSpec,
    moments,
    nearest,
    normalized,
    read_pair,
    scaled,
)

PLAIN = InputSpec(32, 1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def batches(
    windows: Windows, batch: int, start: int, stop: int, workers: int = 0
) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    numbers = range(start * batch, stop * batch)
    return DataLoader(windows, batch, sampler=numbers, num_workers=workers)


def encoded(array: np.ndarray, kind: str = "PNG", mode: str | None = None) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array, mode).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("array", "kind", "dtype", "value"),
    [
        (np.full((3, 4), 7, np.uint8), "PNG", np.uint8, 7),
        (np.full((3, 4, 3), 7, np.uint8), "PNG", np.uint8, 7),
        (
            np.dstack([np.full((3, 4, 3), 7, np.uint8), np.zeros((3, 4, 1), np.uint8)]),
            "PNG",
            np.uint8,
            7,
        ),
        (np.full((3, 4), 40_000, np.uint16), "PNG", np.uint16, 40_000),
        (np.full((3, 4), 0.25, np.float32), "TIFF", np.float32, 0.25),
    ],
    ids=["gray", "rgb", "clear rgba", "16-bit", "float"],
)
def test_every_kind_of_image_has_three_channels(
    array: np.ndarray, kind: str, dtype: type, value: float
) -> None:
    found = rgb(encoded(array, kind), Path("x"))
    assert found.shape == (3, 4, 3)
    assert found.dtype == dtype
    assert np.all(found == value)


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(SourceError, match="not finite"):
        rgb(encoded(np.array([[0.5, np.nan]], np.float32), "TIFF"), Path("x.tif"))


def test_letterboxed_window_is_gray_and_ignored_around_the_image() -> None:
    view = InputSpec(64, None, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    pair = scaled(
        ImagePair("a", np.full((30, 60, 3), 200, np.uint8), np.ones((30, 60), np.uint8), (30, 60)),
        view,
    )
    values, mask = Windows([pair], view, 0, augmented=False)[0]
    assert pair.mask.shape == (32, 64)
    assert (mask[:16] == 255).all()
    assert (mask[48:] == 255).all()
    assert (mask[16:48] == 1).all()
    assert torch.allclose(values[:, :16], torch.tensor(128 / 255))
    assert torch.allclose(values[:, 16:48], torch.tensor(200 / 255))


def test_a_window_larger_than_the_image_ignores_what_is_beyond() -> None:
    pair = ImagePair("a", np.full((9, 50, 3), 10, np.uint8), np.zeros((9, 50), np.uint8), (9, 50))
    _, mask = Windows([pair], PLAIN, 0)[3]
    assert set(mask.unique().tolist()) == {0, 255}


def test_nearest_invents_no_value() -> None:
    mask = np.random.default_rng(0).choice([0, 3, 255], (37, 53)).astype(np.uint8)
    for shape in ((20, 20), (80, 90), (1, 1)):
        small = nearest(mask, *shape)
        assert small.shape == shape
        assert set(np.unique(small)) <= {0, 3, 255}


def test_moments_leave_ignored_pixels_out_and_constant_images_do_not_divide_by_zero() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[0] = 255
    mask = np.array([[1, 1], [255, 255]], np.uint8)
    mean, std = moments([ImagePair("a", image, mask, (2, 2))])
    assert mean == (1.0, 1.0, 1.0)
    assert std == (1.0, 1.0, 1.0)
    values = normalized(torch.full((3, 1, 1), 1.0), InputSpec(32, 1.0, mean, std))
    assert torch.equal(values, torch.zeros(3, 1, 1))


def test_sixteen_bits_keep_what_eight_would_lose() -> None:
    image = np.array([[1000, 1001]], np.uint16).repeat(3).reshape(1, 2, 3)
    _, std = moments([ImagePair("a", image, np.zeros((1, 2), np.uint8), (1, 2))])
    assert std[0] == pytest.approx(0.5 / 65535)


def pairs(count: int = 5) -> list[ImagePair]:
    rng = np.random.default_rng(1)
    return [
        ImagePair(
            f"{n}",
            rng.integers(0, 255, (40 + n, 50, 3)).astype(np.uint8),
            rng.integers(0, 2, (40 + n, 50)).astype(np.uint8),
            (40, 50),
        )
        for n in range(count)
    ]


def test_windows_are_functions_of_seed_and_number() -> None:
    one, same, other = (Windows(pairs(), PLAIN, seed) for seed in (4, 4, 5))
    for number in (0, 3, 17):
        assert torch.equal(one[number][0], same[number][0])
        assert torch.equal(one[number][1], same[number][1])
    assert not torch.equal(one[0][0], other[0][0])


def test_every_sample_comes_once_per_epoch_in_changing_order() -> None:
    windows = Windows(pairs(7), PLAIN, 0)
    orders = [[windows.position(7 * epoch + n) for n in range(7)] for epoch in range(3)]
    assert all(sorted(order) == list(range(7)) for order in orders)
    assert orders[0] != orders[1]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [1, 4])
def test_workers_give_the_same_batches(workers: int) -> None:
    windows = Windows(pairs(), PLAIN, 3)
    plain, parallel = list(batches(windows, 4, 0, 6)), list(batches(windows, 4, 0, 6, workers))
    assert len(plain) == len(parallel) == 6
    assert all(
        torch.equal(a[0], b[0]) and torch.equal(a[1], b[1])
        for a, b in zip(plain, parallel, strict=True)
    )


def test_batches_go_on_where_they_stopped() -> None:
    windows = Windows(pairs(), PLAIN, 3)
    whole, rest = list(batches(windows, 4, 0, 6)), list(batches(windows, 4, 4, 6))
    assert torch.equal(whole[4][0], rest[0][0])


def test_an_empty_list_is_an_error_of_its_own() -> None:
    with pytest.raises(SegprepError) as caught:
        Windows([], PLAIN, 0)
    assert caught.value.code == "empty-list"


def test_bad_pairs_are_named_all_together(discs: Callable[..., Path]) -> None:
    root = discs(6)
    (root / "JPEGImages/i1.png").unlink()
    Image.new("L", (5, 5)).save(root / "JPEGImages/i2.png")
    with pytest.raises(SegprepError) as caught:
        list(ImagePairs(Tree(root), [f"i{n}" for n in range(6)], 2, PLAIN).survey(print, 0))
    assert caught.value.code == "image-missing"
    assert "2 samples cannot be used" in caught.value.message
    assert "i2.png" in caught.value.message


def test_ids_outside_the_classes_are_refused(discs: Callable[..., Path]) -> None:
    place = Tree(discs(2))
    assert read_pair(place, "i0", 2).mask.max() == 1
    with pytest.raises(SourceError) as caught:
        read_pair(place, "i0", 1)
    assert caught.value.code == "unknown-value"


def signed(kind: str, bands: int) -> bytes:
    """A TIFF of numbers from 0 to 95, as scientific cameras and GDAL write it."""
    array = np.arange(96).reshape(-1, 4, bands).astype(kind)
    height, width = array.shape[:2]
    numbers = {"i": 2, "u": 1, "f": 3}[array.dtype.kind]
    tags = [(256, width), (257, height), (258, 8 * array.dtype.itemsize), (259, 1), (262, 1)]
    tags += [(273, 8), (277, bands), (278, height), (279, array.nbytes), (339, numbers)]
    page = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    header = b"II*\0" + struct.pack("<I", 8 + array.nbytes)
    return header + array.tobytes() + struct.pack("<H", len(tags)) + page + bytes(4)


@pytest.mark.parametrize(
    ("kind", "bands", "expected"),
    [("int16", 1, "float32"), ("uint16", 3, "uint16"), ("float32", 4, "float32")],
)
def test_numbers_of_scientific_images(kind: str, bands: int, expected: str) -> None:
    array = rgb(signed(kind, bands), Path("a.tif"))
    assert (array.dtype, array.shape[2]) == (expected, 3)
    assert array[0, 0].tolist() == ([0, 0, 0] if bands == 1 else [0, 1, 2])


def test_more_bands_than_a_network_takes() -> None:
    with pytest.raises(SourceError, match="has 6 bands"):
        rgb(signed("uint16", 6), Path("a.tif"))
