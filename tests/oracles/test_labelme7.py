"""segprep's masks against labelme 7.1's rules, in every pixel: generated files of that version."""

import json
from pathlib import Path

import numpy as np
import pytest

from segprep.sources.labelme import Reader

from . import generated, labelme7
from .test_labelme import LABELME_IGNORES, _difference

VALUES = {name: number - 1 for number, name in enumerate(generated.LABELS)}  # __ignore__ is -1


def test_generated_files_of_version_7_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert VALUES["__ignore__"] == LABELME_IGNORES
    for path in generated.write(tmp_path, count=1000, seed=7):
        content = json.loads(path.read_text("utf-8")) | {"version": "7.1.0"}
        path.write_text(json.dumps(content), "utf-8")
    reader = Reader(tmp_path, objects=True)
    pixels, different = 0, []
    items = reader.scan().items
    for item in items:
        sample = reader.read(item)
        shapes = json.loads(item.labels[0].read_text("utf-8"))["shapes"]
        cls, ins = labelme7.labels(sample.mask.shape, shapes, VALUES)
        pixels += sample.mask.size
        if difference := _difference(sample, cls, ins):
            different.append(f"{item.stem}: {difference}")
    with capsys.disabled():
        print(
            f"\nlabelme 7.1's rules: {len(items)} files, {pixels} pixels, {len(different)} differ"
        )
    assert len(items) == 1000
    assert not different, "\n".join(different)


def test_rules_that_7_changed_do_change_pixels() -> None:
    """Else the comparison above would not see them."""
    strip = {"label": "cat", "points": [[5, 5], [20, 20], [50, 20]], "shape_type": "linestrip"}
    rounded = labelme7.outline((48, 64), strip)
    sharp = labelme7.outline((48, 64), strip | {"shape_type": "line"})
    assert int(rounded.sum()) > int(sharp.sum())
    bitmap = np.ones((21, 21), np.bool_)
    cropped = {"points": [[10, 10], [29, 29]], "mask": generated.bitmap_base64(bitmap)}
    assert int(labelme7.stamp((48, 64), cropped).sum()) == 400
