"""Which masks a check names: by the network, by edges and colors, or by both."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from segprep.training.check import placement
from segprep.training.check.suspects import Suspect, disagreement, outliers, ranked, recall
from segprep.training.data.pairs import ImagePair


def scored(*special: Suspect) -> list[Suspect]:
    """Forty masks that the network knows a little, and *special* ones."""
    usual = [Suspect(f"m{n}", 0.2 + 0.002 * n, 0.8, True, "", -0.5) for n in range(40)]
    return [*usual, *special]


@pytest.mark.parametrize(
    ("score", "misplaced", "told", "seen", "named"),
    [
        (0.9, 0.0, 40.0, 1.0, True),
        (0.31, 0.0, 30.0, 0.9, True),
        (0.31, 4.0, 20.0, 0.1, True),
        (0.4, 6.0, 0.0, 0.0, True),
        (0.9, 0.0, 0.0, 1.0, False),
        (0.67, 0.0, -24.0, 0.9, False),
        (0.9, 0.5, 60.0, 0.2, False),
        (0.22, 2.3, 30.0, 0.9, False),
        (0.22, 6.0, 0.0, 0.9, False),
    ],
)
def test_evidence_adds_up_and_no_kind_alone_accuses(score, misplaced, told, seen, named) -> None:
    """The model alone; colors alone, of what was painted elsewhere; edges alone."""
    special = Suspect("x", score, 0.5, False, "", misplaced, told, seen)
    suspects = ranked(scored(special))
    assert [one.stem for one in outliers(suspects)] == ["x"] * named
    assert suspects[0].stem == "x"


@pytest.mark.parametrize(("likely", "usual", "named"), [(3, 1, 0), (4, 1, 4), (4, 4, 0)])
def test_several_masks_of_little_evidence_are_no_chance(
    likely: int, usual: int, named: int
) -> None:
    """Nine deviations each: three of 43 masks, four of 44, four of 164."""
    special = [Suspect(f"x{n}", 0.5, 0.5, False, "", 3.0, 0.0, 0.0) for n in range(likely)]
    suspects = ranked([*scored() * usual, *special])
    assert {one.stem for one in outliers(suspects)} == {f"x{n}" for n in range(named)}


def test_what_the_model_sees_of_a_mask() -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[:2], mask[7] = 1, 255
    assert recall(np.zeros_like(mask), mask) == 0
    assert recall(mask, mask) == recall(np.ones_like(mask), np.zeros_like(mask)) == 1
    assert recall(np.where(mask == 1, [1, 0] * 4, 0).astype(np.uint8), mask) == 0.5


@pytest.mark.parametrize("right", ["mask", "guess"])
def test_colors_tell_more_of_what_is_right(right: str) -> None:
    pair = disc(np.random.default_rng(7), "uint8")
    other = np.ascontiguousarray(pair.mask[:, ::-1])
    mask, guess = (pair.mask, other) if right == "mask" else (other, pair.mask)
    told = placement.told_gain(ImagePair("", pair.image, mask, pair.size), guess)
    assert told < -10 if right == "mask" else told > 10
    assert placement.told_gain(pair, pair.mask) == 0
    ignored = ImagePair("", pair.image, np.full_like(mask, 255), pair.size)
    assert placement.told_gain(ignored, guess) == 0


def test_a_thin_class_that_lies_elsewhere_counts_by_itself() -> None:
    """The disc is met still, its rim is not: the disc must not dilute that."""
    rows, columns = np.mgrid[:60, :80]

    def scene(middle: int) -> np.ndarray:
        far = np.hypot(rows - 30, columns - middle)
        return np.where(far < 19, 1, np.where(far < 24, 2, 0)).astype(np.uint8)

    sure = torch.from_numpy(np.stack([scene(34) == c for c in range(3)]).astype(np.float32))
    usual, moved = (disagreement(0.03 + 0.9 * sure, scene(x))[0] for x in (36, 46))
    assert usual < 0.1
    assert moved > 0.8


def test_nothing_to_rank() -> None:
    assert (ranked([]), outliers([])) == ((), ())


def disc(rng: np.random.Generator, dtype: str) -> ImagePair:
    """A bright disc off the middle on textured ground."""
    drawn = Image.new("L", (90, 70))
    x, y = rng.integers(2, 20, 2).tolist()
    ImageDraw.Draw(drawn).ellipse((x, y, x + 30, y + 30), fill=1)
    mask = np.asarray(drawn)
    image = np.clip(60 + 120 * mask[..., None] + rng.normal(0, 15, (70, 90, 3)), 0, 255)
    scale = 200 if dtype == "uint16" else 1
    return ImagePair("", (image * scale).astype(dtype), mask, mask.shape)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_mirrored_mask_is_misplaced(dtype: str) -> None:
    rng = np.random.default_rng(5)
    pairs = []
    for n in range(24):
        pair = disc(rng, dtype)
        mask = pair.mask[:, ::-1] if n == 7 else pair.mask
        pairs.append(ImagePair(f"d{n}", pair.image, np.ascontiguousarray(mask), pair.size))
    scores = placement.misplaced(pairs)
    assert max(scores, key=lambda stem: scores[stem]) == "d7"
    assert scores["d7"] > 4.5
    assert placement.misplaced(pairs[:5]) == {}
