"""Masks of other images fit worse than an image's own, unless they were mixed up."""

import sys
from pathlib import Path

import numpy as np
import pytest

import segprep
from segprep.checking import ranks, signals
from segprep.checks._common import fit

sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))
import radiographs


@pytest.mark.parametrize("step", [0, 7])
def test_mixed_up_masks_are_told_where_all_lie_at_the_same_place(step: int, tmp_path: Path) -> None:
    findings = segprep.check(radiographs.make(tmp_path / "x", 40, step), select=["SEG604"]).findings
    assert [one.message.split(":")[0] for one in findings] == ["the masks look unrelated"] * (
        step > 0
    )


def test_masks_that_fit_well_are_not_read_again(tmp_path: Path) -> None:
    tree = radiographs.make(tmp_path / "x", 16, 0, contrast=140)
    seen = segprep.checking.measured(segprep.checking.survey(tree))
    assert seen.own is None
    few = ranks.ranked(seen.pairs[: fit.LEAST - 1], (tree,))
    assert few is None


def test_masks_that_are_all_alike_are_not_said_to_be_mixed_up() -> None:
    rng = np.random.default_rng(1)
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 20:40] = 1
    drawn = ranks.Drawn(mask, signals.borders(mask).reshape(-1))
    noise = (rng.integers(0, 255, (64, 64, 3)).astype(np.uint8) for _ in range(14))
    assert ranks._share([(ranks.shortened(colors), drawn) for colors in noise]) == 1.0
