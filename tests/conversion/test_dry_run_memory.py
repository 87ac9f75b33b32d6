"""A dry run of very many samples keeps no record of them."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segprep import convert

COUNT = 120


def source(folder: Path, value: int) -> Path:
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(COUNT):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / "images" / f"s{number:03}.png")
        mask = np.full((8, 8), value, np.uint8)
        Image.fromarray(mask).save(folder / "masks" / f"s{number:03}.png")
    return folder


def test_records_that_are_read_are_let_go(tmp_path: Path) -> None:
    """Three results later, nobody else refers to a record."""
    counts = list[int]()

    def counting(results: Iterable[Any], _total: int, _label: str) -> Iterator[Any]:
        latest = list[Any]()
        for result in results:
            latest.append(result)
            if len(latest) > 3:
                old = latest.pop(0)
                counts.append(sys.getrefcount(old))  # by name, and by this call
                del old
            yield result

    folder, out = source(tmp_path / "source", 1), tmp_path / "out"
    convert("pairs", folder, out, classes="3", dry_run=True, progress=counting)
    assert counts
    assert max(counts) == 2
