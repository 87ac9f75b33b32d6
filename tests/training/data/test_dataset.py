"""The pairs of a list: read when asked for, kept while they fit the memory."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from PIL import Image

from segprep.dataset.tree import Tree
from segprep.imaging.image import write_mask
from segprep.training.data.dataset import ImagePairs
from segprep.training.data.pairs import InputSpec


def test_pairs_are_kept_while_they_fit_the_memory(tmp_path: Path) -> None:
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / folder).mkdir()
    stems = [f"s{n}" for n in range(4)]
    for stem in stems:
        Image.new("RGB", (10, 10)).save(tmp_path / "JPEGImages" / f"{stem}.png")
        write_mask(tmp_path / "SegmentationClass" / f"{stem}.png", np.zeros((10, 10), np.uint8))
    pairs = ImagePairs(Tree(tmp_path), stems, 2, InputSpec(16, 1.0, (0.0,) * 3, (1.0,) * 3))
    read = list(pairs.survey(lambda done, total: None, 2 * 400 + 1))
    assert [pair.stem for pair in read] == stems
    assert sorted(pairs.kept) == [0, 1]
    assert pairs[0] is pairs[0]
    assert pairs[3] is not pairs[3]
    assert [pair.stem for pair in pairs[1:3]] == ["s1", "s2"]
