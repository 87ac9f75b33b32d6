"""Masks that nobody touched are not read again to infer what their values mean."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segprep import convert, engine
from segprep.files import states

LAYOUTS = {"pairs": ("images", "masks"), "voc": ("JPEGImages", "SegmentationClass")}


@pytest.fixture
def read_masks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the masks whose values are read from here on."""
    names: list[str] = []
    real = engine.run

    def counting(task: Any, items: Sequence[Any], **options: Any) -> Any:
        if type(task).__name__ == "_Told":
            names.extend(path.name for path in items)
        return real(task, items, **options)

    monkeypatch.setattr(engine, "run", counting)
    return names


def write(source: Path, format: str, stem: str, *values: int) -> None:
    """An image and its mask: rows of *values*."""
    for folder in LAYOUTS[format]:
        (source / folder).mkdir(parents=True, exist_ok=True)
    images, masks = (source / folder for folder in LAYOUTS[format])
    Image.new("RGB", (20, 10 * len(values)), (len(stem), 90, 7)).save(images / f"{stem}.png")
    mask = np.repeat(np.array(values, np.uint8), 200).reshape(-1, 20)
    Image.fromarray(mask).save(masks / f"{stem}.png")


@pytest.mark.parametrize("format", LAYOUTS)
def test_only_the_values_of_what_changed_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_masks: list[str], format: str
) -> None:
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    source, out = tmp_path / "source", tmp_path / "out"
    for stem in ("a", "b", "c"):
        write(source, format, stem, 0, 1, 255)
    assert len(convert(format, source, out).classes) == 2
    assert sorted(read_masks) == ["a.png", "b.png", "c.png"]
    read_masks.clear()
    write(source, format, "b", 0, 1, 1)
    again = convert(format, source, out)
    assert (again.converted, again.kept, len(again.classes)) == (1, 2, 2)
    assert read_masks == ["b.png"]
    write(source, format, "c", 0, 2, 1)
    assert len(convert(format, source, out).classes) == 3
    assert read_masks == ["b.png", "c.png"]
    read_masks.clear()
    convert(format, source, out, verify=True)
    assert sorted(read_masks) == ["a.png", "b.png", "c.png"]


def test_of_a_mask_that_cannot_be_read_nothing_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_masks: list[str]
) -> None:
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    source, out = tmp_path / "source", tmp_path / "out"
    for stem in ("a", "b", "c"):
        write(source, "pairs", stem, 0, 1)
    (source / "masks" / "b.png").write_bytes(b"not a mask")
    for turn in (["a.png", "b.png", "c.png"], ["b.png", "c.png"]):
        read_masks.clear()
        write(source, "pairs", "c", 0, 1, 1, 0)
        done = convert("pairs", source, out, on_error="skip")
        assert [entry.stem for entry in done.skipped] == ["b"]
        assert sorted(read_masks) == turn
