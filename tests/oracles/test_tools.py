"""Outlines of annotation tools, decoded and drawn without segprep: the same masks.

Each tool has a writer and a reference of a few lines that reads its files. Outlines with whole
corners and right angles are filled by OpenCV and equal in every pixel; any others are filled by
scikit-image, whose rule is the pixel's center, and may differ beside an outline only.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.draw import polygon as center_fill

from .source_masks import LABELS, Ring, Shape, by_segprep, compare, drawings, photo
from .tool_files import TOOLS, Annotated, Size

Drawing = tuple[Size, list[Shape]]


def skyline(draw: np.random.Generator, width: int, height: int) -> Ring:
    """An outline with whole corners and right angles."""
    count = int(draw.integers(2, 6))
    xs = np.sort(draw.choice(np.arange(width), count, replace=False)).tolist()
    base = int(draw.integers(5, height))
    tops = draw.integers(0, base, count - 1).tolist()
    ring = [(xs[0], base)]
    for left, right, top in zip(xs, xs[1:], tops, strict=False):
        ring += [(left, top), (right, top)]
    return [*ring, (xs[-1], base)]


def expected(images: Iterator[Annotated], *, exact: bool) -> dict[str, NDArray[np.uint8]]:
    """Stem -> mask of *images*, later parts over earlier ones."""
    masks = {}
    for stem, (width, height), parts in images:
        canvas = np.zeros((height, width), np.uint8)
        for label, part in parts:
            value = LABELS.index(label) + 1
            if isinstance(part, np.ndarray):
                canvas[part] = value
            elif exact:
                cv2.fillPoly(canvas, [np.array(part[0], np.int32)], value)
            else:
                ring = np.array(part[0], float)
                canvas[center_fill(ring[:, 1], ring[:, 0], canvas.shape)] = value
        masks[stem] = canvas
    return masks


def written(root: Path, tool: str, images: Mapping[str, Drawing]) -> str:
    """The name of the format in which *images* are in *root* now."""
    name, write, _, _ = TOOLS[tool]
    for stem, (size, shapes) in images.items():
        photo(root / f"{stem}.png", size)
        write(root, stem, size, shapes)
    return name


@pytest.mark.parametrize("tool", TOOLS)
def test_whole_corners(tmp_path: Path, tool: str, capsys: pytest.CaptureFixture[str]) -> None:
    bits = TOOLS[tool][3]
    name = written(tmp_path / "in", tool, drawings(len(tool), bits=bits, outline=skyline))
    theirs = expected(TOOLS[tool][2](tmp_path / "in"), exact=True)
    compare(tool, theirs, by_segprep(name, tmp_path / "in"), capsys)


@pytest.mark.parametrize("tool", TOOLS)
def test_any_outline(tmp_path: Path, tool: str) -> None:
    images = drawings(len(tool), bits=False)
    name = written(tmp_path / "in", tool, images)
    theirs = expected(TOOLS[tool][2](tmp_path / "in"), exact=False)
    for stem, mask in by_segprep(name, tmp_path / "in").items():
        band = np.zeros(mask.shape, np.uint8)
        for _, ring in images[stem][1]:
            cv2.polylines(band, [np.rint(ring).astype(np.int32)], True, 1, 3)
        assert not ((theirs[stem] != mask) & (band == 0)).any()
