"""A small tree with all that targets stumble over: ignored pixels, holes, objects, three lists."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segprep
from segprep.dataset.tree import Tree
from segprep.imaging.image import read_mask

_RING = [[4, 4], [26, 4], [26, 20], [4, 20]]
_HOLE = [[9, 8], [19, 8], [19, 15], [9, 15]]
_DOG = [[12, 10], [15, 10], [15, 13], [12, 13]]
_CORNER = [[0, 0], [6, 0], [6, 3], [0, 3]]


def _polygon(label: str, points: list[list[int]], group: int | None = None) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": "polygon", "group_id": group}


@pytest.fixture
def rich(tmp_path: Path, make: Callable[..., Path]) -> Path:
    """Ten samples: rings of cat with holes, a dog in some holes, a corner of ignored pixels."""
    for n in range(10):
        shapes = [_polygon("cat", _RING, 1), _polygon("_background_", _HOLE)]
        if n % 2:
            shapes.append(_polygon("dog", _DOG, 2))
        if n % 3 == 0:
            shapes.append(_polygon("__ignore__", _CORNER))
        make(tmp_path / "rich-source", f"s{n}", *shapes)
    segprep.convert("labelme", tmp_path / "rich-source", tmp_path / "rich", objects=True)
    segprep.split(tmp_path / "rich", seed=1)
    return tmp_path / "rich"


@pytest.fixture
def ids() -> "Callable[[Path, str], np.ndarray[Any, Any]]":
    """The mask of a stem in a tree."""
    return lambda tree, stem: read_mask(Tree(tree).mask_path(stem))
