"""What images and masks say before any training: polarity, shifts, turns, other images' masks."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from segprep.training.check import alignment, causes, polarity
from segprep.training.check.alignment import Alignment
from segprep.training.check.verdict import Reason
from segprep.training.data.pairs import ImagePair


def pair(mask: np.ndarray, image: np.ndarray) -> ImagePair:
    return ImagePair("a", image, mask.astype(np.uint8), mask.shape)


def cause(found: list[Reason]) -> list[str]:
    return [one.cause for one in found]


def scenes(change: object, count: int = 8) -> list[ImagePair]:
    """Boxes on noise, of different sizes; *change* spoils the mask."""
    rng, found = np.random.default_rng(3), []
    for n in range(count):
        height, width = 120 + 8 * n, 160 - 4 * n
        mask = np.zeros((height, width), np.uint8)
        for _ in range(3):
            top, left = rng.integers(0, height - 30), rng.integers(0, width - 30)
            mask[top : top + rng.integers(15, 30), left : left + rng.integers(15, 30)] = 1
        image = (rng.integers(0, 40, (height, width, 3)) + 120 * mask[..., None]).astype(np.uint8)
        found.append(pair(np.ascontiguousarray(change(mask)), image))  # type: ignore[operator]
    return found


def moved(down: float, right: float) -> object:
    return lambda mask: np.roll(
        mask, (int(down * mask.shape[0]), int(right * mask.shape[1])), (0, 1)
    )


def test_inverted_masks_are_a_matter_of_polarity() -> None:
    rng, pairs = np.random.default_rng(1), []
    for n in range(16):
        mask = np.zeros((60, 60), np.uint8)
        top, left = rng.integers(0, 35, 2)
        mask[top : top + 20, left : left + 20] = 1
        image = (rng.integers(0, 30, (60, 60, 3)) + (120 + 5 * (n % 3)) * mask[..., None]).astype(
            np.uint8
        )
        pairs.append((mask, image))
    clean = [pair(mask, image) for mask, image in pairs]
    mixed = [pair(mask if n % 2 else 1 - mask, image) for n, (mask, image) in enumerate(pairs)]
    assert polarity.reasons(clean) == []
    assert cause(polarity.reasons(mixed)) == ["mixed-polarity"]
    assert polarity.reasons([pair(1 - mask, image) for mask, image in pairs]) == []
    for one in mixed:  # the corners of a round field of view are ignored
        one.mask[[0, 1, -2, -1]] = one.mask[:, [0, 1, -2, -1]] = 255
    assert cause(polarity.reasons(mixed)) == ["mixed-polarity"]


def test_white_and_black_animals_are_no_inverted_masks() -> None:
    """Beside a black dog the white cat is meant, or the other way round."""
    rng, pairs = np.random.default_rng(2), []
    for n in range(24):
        image = rng.integers(100, 130, (60, 60, 3))
        image[10:30, 8:28] += 60
        image[10:30, 32:52] -= 60
        mask = np.zeros((60, 60), np.uint8)
        mask[10:30, 8 + 24 * (n % 2) : 28 + 24 * (n % 2)] = 1
        pairs.append(pair(mask, image.astype(np.uint8)))
    assert polarity.reasons(pairs) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda mask: mask, ""),
        (moved(0.25, 0.25), "25% of the height up and 25% of the width left"),
        (moved(0, 0.125), "12% of the width left"),
        (lambda mask: mask[:, ::-1], "mirrored left to right"),
        (lambda mask: mask[::-1, ::-1], "rotated by 180 degrees"),
    ],
    ids=["clean", "quarter", "eighth", "mirror", "turn"],
)
def test_alignment_is_measured_from_the_data(change: object, words: str) -> None:
    found = causes.of_alignment(alignment.measure(scenes(change)))
    assert cause(found) == (["misaligned"] if words else [])
    assert words in "".join(one.message for one in found)


def test_masks_of_other_images_fit_no_better_than_chance_and_are_no_shift() -> None:
    clean = scenes(lambda mask: mask)
    strange = [
        pair(np.resize(clean[n - 1].mask, one.mask.shape), one.image) for n, one in enumerate(clean)
    ]
    assert alignment.measure(clean).rank > 0.9
    assert alignment.measure(strange).rank < 0.75
    assert cause(causes.of_alignment(alignment.measure(strange))) in ([], ["masks-unrelated"])
    assert alignment.measure(clean).told_rank > 0.9
    assert alignment.measure(strange).told_rank < 0.7
    apart = Alignment(48, rank=0.45, moved_rank=0.6, turned_rank=0.6)
    assert cause(causes.of_alignment(apart)) == ["masks-unrelated"]
    assert causes.of_alignment(replace(apart, told_rank=0.9)) == []
    near = Alignment(48, 0.97, 0.86, (-0.047, -0.047), 9.9, 8.6, 1.0)
    assert cause(causes.of_alignment(near)) == ["misaligned"]
    assert alignment.measure([]) == Alignment(0)


def test_masks_of_one_plot_are_not_those_of_other_images() -> None:
    """All show the same picture, but for a few cells: no other mask can fit worse."""
    rng, pairs = np.random.default_rng(4), []
    for _ in range(12):
        mask = np.zeros((128, 128), np.uint8)
        mask[20:100, 30:110] = 1
        mask[tuple(rng.integers(40, 90, (2, 3)))] = 0
        pairs.append(pair(mask, rng.integers(0, 255, (128, 128, 3)).astype(np.uint8)))
    plots = alignment.measure(pairs)
    assert plots.rank == plots.told_rank == 1
    assert causes.of_alignment(plots) == []


def test_outlines_drawn_too_wide_are_no_shift() -> None:
    """They fit more edges when moved, but the colors tell less of them; binary pets, measured."""
    wide = Alignment(48, 0.64, 0.93, (3 / 128, 2 / 128), 7.4, -4.8, 0.84)
    assert causes.of_alignment(wide) == []
    taller = alignment.measure(scenes(lambda mask: mask | np.roll(mask, -mask.shape[0] // 8, 0)))
    assert taller.moved_told < 0 or not taller.shift[0]
    assert causes.of_alignment(taller) == []


def test_wide_outlines_that_are_shifted_are_found_by_colors() -> None:
    """A band as the border of a pet: edges alone see it two ways, and shifts are hard to tell."""

    def change(mask: np.ndarray) -> np.ndarray:
        wide = np.asarray(Image.fromarray(mask).filter(ImageFilter.MaxFilter(9)))
        return np.roll(wide, mask.shape[1] // 20, 1)

    assert cause(causes.of_alignment(alignment.measure(scenes(change)))) == ["misaligned"]
    pets = Alignment(48, 0.7, 0.87, (3 / 128, -4 / 128), 4.5, 8.3, 0.84)
    assert cause(causes.of_alignment(pets)) == ["misaligned"]
    mirrored = Alignment(48, 0.48, 0.47, turn="mirrored", turned_gain=2.6, turned_told=9.4)
    assert cause(causes.of_alignment(replace(mirrored, turned_rank=0.64))) == ["misaligned"]
    assert cause(causes.of_alignment(mirrored)) == ["masks-unrelated"]
