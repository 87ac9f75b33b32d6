"""Samples without end: the same for any number of workers, each once per epoch, in an order that
really changes; tensors.
"""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader

from segprep.errors import SegprepError
from segprep.training.augmentation.keras import Paired
from segprep.training.augmentation.presets import steps
from segprep.training.augmentation.stream import Chained
from segprep.training.data import pairs as data

VIEW = data.InputSpec(32, None, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def batches(windows, batch, start, stop, workers=0):
    numbers = range(start * batch, stop * batch)
    return DataLoader(windows, batch, sampler=numbers, num_workers=workers)


def pairs(count=10, height=24, width=32):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    masks = rng.integers(0, 3, (count, height, width), dtype=np.uint8)
    return [data.ImagePair(f"s{n}", images[n], masks[n], (height, width)) for n in range(count)]


def markers(count=10, side=32):
    """The mask is the row, the image holds row and column: geometry shows in every pixel."""
    rows, columns = np.mgrid[:side, :side]
    image = np.stack([rows, columns, rows], axis=2).astype(np.float32) / side
    return [
        data.ImagePair(f"s{n}", image, rows.astype(np.uint8), (side, side)) for n in range(count)
    ]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize(
    "chain",
    [
        steps("membrane-reflect", rotation=20),
        steps("unet-pytorch", jitter_rows=32, jitter_columns=32),
        steps("paper"),
    ],
)
def test_one_and_four_workers_give_the_same_batches(chain):
    """100 batches, and image and mask of each sample moved alike."""
    first = list(batches(Chained(markers(), VIEW, 7, chain), 2, 0, 100, workers=0))
    second = list(batches(Chained(markers(), VIEW, 7, chain), 2, 0, 100, workers=4))
    assert len(first) == len(second) == 100
    assert all(torch.equal(a[n], b[n]) for a, b in zip(first, second, strict=True) for n in (0, 1))


def test_image_and_mask_of_every_batch_match():
    chain = steps(
        "none",
        rotation=25,
        shear=10,
        zoom=0.2,
        width_shift=0.1,
        height_shift=2,
        horizontal_flip=True,
        vertical_flip=True,
    )
    for values, ids in batches(Chained(markers(), VIEW, 7, chain), 2, 0, 100, workers=1):
        rows = (values[:, 0] * 0.25 + 0.5) * 32
        assert (rows - ids).abs().max() <= 0.5 + 1e-3


def test_a_plain_loader_takes_it_too():
    loader = DataLoader(
        Chained(pairs(), VIEW, 1, [Paired(rotation=9)]), 4, sampler=range(4, 16), num_workers=1
    )
    values, ids = next(iter(loader))
    assert values.shape == (4, 3, 32, 32)
    assert ids.shape == (4, 32, 32)


def test_each_sample_once_per_epoch_in_a_new_order():
    stream = Chained(pairs(), VIEW, 3, [])
    epochs = [[stream.position(n) for n in range(start, start + 10)] for start in (0, 10, 20)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert [Chained(pairs(), VIEW, 3, []).position(n) for n in range(10)] == epochs[0]
    assert [Chained(pairs(), VIEW, 4, []).position(n) for n in range(10)] != epochs[0]
    assert stream.pairs[stream.position(12)].stem == f"s{epochs[1][2]}"


def test_a_sample_depends_on_seed_and_number_alone():
    one, two = (Chained(pairs(), VIEW, 5, [Paired(rotation=30)]) for _ in range(2))
    wanted = [one.sample(n) for n in range(25)]
    for n in (24, 3, 11, 3):
        assert np.array_equal(two.sample(n)[0], wanted[n][0])
        assert np.array_equal(two.sample(n)[1], wanted[n][1])
    again = next(n for n in range(10, 20) if one.position(n) == one.position(0))
    assert not np.array_equal(wanted[0][0], wanted[again][0])


def test_without_steps_images_are_left_as_they_are():
    stream, given = Chained(pairs(), VIEW, 0, []), pairs()
    for n in (0, 9, 13):
        assert np.array_equal(stream.sample(n)[0], given[stream.position(n)].image)
        assert np.array_equal(stream.sample(n)[1], given[stream.position(n)].mask)


def test_what_comes_in_is_not_written_to():
    given = pairs(2)
    before = [(pair.image.copy(), pair.mask.copy()) for pair in given]
    for chain in ("membrane", "unet-keras", "drive", "paper", "nested-unet", "letterbox"):
        stream = Chained(
            given,
            VIEW,
            0,
            steps(
                chain, **({"crop_size": 40, "resize_shorter": (20, 40)} if chain == "drive" else {})
            ),
        )
        for n in range(6):
            image, mask = stream.sample(n)
            assert image.shape[:2] == mask.shape
            assert image.dtype == mask.dtype == np.uint8
            assert set(np.unique(mask)) <= {0, 1, 2, 255}
    assert all(
        np.array_equal(pair.image, image) and np.array_equal(pair.mask, mask)
        for pair, (image, mask) in zip(given, before, strict=True)
    )


def test_tensors_are_normalized_and_of_one_size():
    stream = Chained(pairs(), VIEW, 0, [])
    values, ids = stream[0]
    given = pairs()[stream.position(0)]
    assert values.shape == (3, 32, 32)
    assert values.dtype == torch.float32
    assert ids.dtype == torch.int64
    assert torch.equal(ids[4:28], torch.from_numpy(given.mask.astype(np.int64)))
    assert (ids[:4] == 255).all()
    assert torch.allclose(
        values[:, 4:28],
        torch.from_numpy((given.image / 255 - 0.5) / 0.25).permute(2, 0, 1).float(),
        atol=1e-6,
    )
    assert torch.allclose(values[:, :4], torch.tensor((128 / 255 - 0.5) / 0.25), atol=1e-6)


def test_nothing_to_stream():
    with pytest.raises(SegprepError) as error:
        Chained([], VIEW, 0, [])
    assert error.value.code == "empty-list"
