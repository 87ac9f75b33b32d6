"""What the oracles of annotation formats share: random drawings, and the comparison of masks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from segprep import sources

COUNT, LABELS = 40, ("cat", "big dog", "Baum", "x-1")
Ring = list[tuple[float, float]]
Shape = tuple[str, Any]  # a label with a Ring or bits (H, W)
Outline = Callable[[np.random.Generator, int, int], Ring]


def any_outline(draw: np.random.Generator, width: int, height: int) -> Ring:
    """Three to eight corners anywhere in the image, to a hundredth of a pixel."""
    corners = draw.uniform(0, (width, height), (int(draw.integers(3, 9)), 2)).round(2)
    return [(float(x), float(y)) for x, y in corners]


def drawings(
    seed: int, *, bits: bool, outline: Outline = any_outline
) -> dict[str, tuple[tuple[int, int], list[Shape]]]:
    """Stem -> size (W, H) and shapes; with *bits* some are bitmaps."""
    draw = np.random.default_rng(seed)
    result = {}
    for n in range(COUNT):
        width, height = (int(side) for side in draw.integers(20, 90, 2))
        shapes: list[Shape] = []
        for _ in range(int(draw.integers(1, 7))):
            label = LABELS[int(draw.integers(len(LABELS)))]
            if bits and draw.random() < 0.4:
                shapes.append((label, draw.random((height, width)) < 0.2))
                continue
            shapes.append((label, outline(draw, width, height)))
        result[f"image{n}"] = ((width, height), shapes)
    return result


def photo(path: Path, size: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 60).convert("RGB").save(path)


def painted(size: tuple[int, int], shapes: list[Shape]) -> NDArray[np.uint8]:
    """Later shapes over earlier ones, as Pillow draws them."""
    canvas = Image.new("L", size, 0)
    for label, shape in shapes:
        value = LABELS.index(label) + 1
        if isinstance(shape, np.ndarray):
            canvas = Image.fromarray(np.where(shape, value, np.asarray(canvas)).astype(np.uint8))
        else:
            ImageDraw.Draw(canvas).polygon(shape, fill=value, outline=value)
    return np.asarray(canvas)


def by_segprep(kind: str, root: Path, **options: Any) -> dict[str, NDArray[Any]]:
    """Stem -> mask of the names in LABELS, by position."""
    reader = sources.load(kind)(root, **options)  # type: ignore[call-arg]
    scan = reader.scan()
    assert not scan.skipped
    names = ("_background_", *LABELS)
    table = np.array([names.index(name) for name in scan.classes.names], np.uint8)
    return {item.stem: table[sources.read(reader, item).mask] for item in scan.items}


def compare(
    kind: str,
    expected: dict[str, NDArray[Any]],
    found: dict[str, NDArray[Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert expected.keys() == found.keys()
    different = [stem for stem in expected if not np.array_equal(expected[stem], found[stem])]
    pixels = sum(mask.size for mask in expected.values())
    with capsys.disabled():
        print(f"\n{kind}: {len(expected)} masks, {pixels} pixels; {len(different)} differ")
    assert not different
    assert sum(len(np.unique(mask)) for mask in expected.values()) >= 2 * COUNT
