"""Names that are off by one are told by the masks before and after, also in half of a dataset."""

import sys
from pathlib import Path

import numpy as np
import pytest

import segprep
from segprep.checking import neighbors

sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))
import radiographs


def off_by_one(folder: Path, first: int, step: int) -> Path:
    """A tree of 40 pictures, whose masks from number *first* on are those of another."""
    tree: Path = radiographs.make(folder, 40, 0)
    paths = sorted((tree / "SegmentationClass").iterdir())[first:]
    masks = [path.read_bytes() for path in paths]
    for number, path in enumerate(paths):
        if 0 <= number + step < len(masks):
            path.write_bytes(masks[number + step])
    return tree


@pytest.mark.parametrize(("step", "side"), [(1, "before"), (-1, "after")])
@pytest.mark.parametrize("first", [16, 27])
def test_the_stem_and_the_side_are_told(first: int, step: int, side: str, tmp_path: Path) -> None:
    tree = off_by_one(tmp_path / "x", first, step)
    (finding,) = segprep.check(tree, select=["SEG6"]).findings
    assert finding.code == "SEG608"
    assert abs(int(finding.stem[1:]) - first) <= 2
    assert f"fit the mask {side} their own better" in finding.message


def test_a_dataset_in_order_is_hardly_read_again(tmp_path: Path) -> None:
    tree = radiographs.make(tmp_path / "x", 40, 0)
    seen = segprep.checking.measured(segprep.checking.survey(tree))
    assert seen.moved_on is None
    assert neighbors.moved_on(seen.pairs[:12], (tree,)) is None


def test_neighbors_that_are_as_good_by_chance_are_no_evidence() -> None:
    assert neighbors._start(np.array([False] * 18 + [True] * 6)) == 18
    assert neighbors._start(np.array([False] * 20 + [True] * 4)) is None
    assert neighbors._start(np.array([True, False] * 12)) is None
    assert neighbors._start(np.array([True] * 24)) is None
