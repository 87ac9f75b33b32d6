"""Which masks a check names: by the network, by edges and colors, or by both."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from segprep.training.check import placement
from segprep.training.check.suspects import Suspect, disagreement, outliers, ranked
from segprep.training.data.pairs import ImagePair


def scored(*special: Suspect) -> list[Suspect]:
    """Forty masks that the network knows a little, and *special* ones."""
    usual = [Suspect(f"m{n}", 0.2 + 0.002 * n, 0.8, True, "", -0.5) for n in range(40)]
    return [*usual, *special]


@pytest.mark.parametrize(
    ("score", "misplaced", "named"),
    [(0.9, 0.0, True), (0.22, 6.0, True), (0.4, 3.3, True), (0.22, 3.3, False), (0.38, 0.5, False)],
)
def test_either_evidence_names_a_mask_and_so_do_both(score, misplaced, named) -> None:
    special = Suspect("x", score, 0.5, False, "", misplaced)
    suspects = ranked(scored(special))
    assert [one.stem for one in outliers(suspects)] == ["x"] * named
    assert (suspects[0].stem == "x") == (score > 0.3 or misplaced > 3)


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
