"""A tree that segprep wrote, as Datumaro reads it: the same items, subsets, classes, pixels and
instances. See README.md.
"""

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import segprep
from segprep.sources.labelme import Reader
from segprep.types import IGNORE, OBJECT_IGNORE, Sample

from . import generated

COUNT = 60
IGNORED_INSTANCE = 255  # in an 8-bit instance PNG

PROGRAM = """
import json, sys
import numpy as np
from datumaro import Dataset

dataset = Dataset.import_from(sys.argv[1], "voc_segmentation")
labels = [label.name for label in next(iter(dataset.categories().values()))]
items, arrays = [], {}
for item in dataset:
    shapes = []
    for annotation in item.annotations:
        arrays[str(len(arrays))] = np.asarray(annotation.image, bool)
        label = labels[annotation.label]
        shapes.append([len(arrays) - 1, annotation.type.name, label, annotation.group])
    size = item.media.data.shape[:2]
    items.append({"id": item.id, "subset": item.subset, "size": size, "shapes": shapes})
told = np.array(json.dumps({"labels": labels, "items": items}))
np.savez_compressed(sys.argv[2], told=told, **arrays)
"""

Planes = dict[tuple[str, int], NDArray[np.bool_]]  # (label, instance or 0) -> where
Found = dict[str, dict[str, Planes]]  # subset -> stem -> planes


@pytest.fixture(scope="module")
def datumaro() -> str:
    """The Python that has Datumaro."""
    python = os.environ.get("SEGPREP_DATUMARO_PYTHON")
    if not python:
        pytest.skip(
            "SEGPREP_DATUMARO_PYTHON names no Python that has Datumaro (make oracles sets it)"
        )
    return python


@pytest.mark.parametrize("objects", [False, True], ids=["classes", "instances"])
def test_datumaro_reads_what_segprep_wrote(
    datumaro: str, tmp_path: Path, objects: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    generated.write(tmp_path / "src", COUNT, seed=7)
    segprep.convert("labelme", tmp_path / "src", tmp_path / "out", objects=objects)
    lists = segprep.split(tmp_path / "out", seed=1).lists
    labels, found = _read_by_datumaro(datumaro, tmp_path)
    expected = _planes(tmp_path / "src", objects)
    assert labels == [name for name in generated.LABELS if name != "__ignore__"] + ["ignored"]
    assert {subset: sorted(items) for subset, items in found.items()} == {
        subset: sorted(stems) for subset, stems in lists.items()
    }
    assert sorted(stem for part in ("train", "val", "test") for stem in found[part]) == sorted(
        expected
    )
    different = [
        f"{subset} {stem}"
        for subset, items in found.items()
        for stem, planes in items.items()
        if not _equal(planes, expected[stem])
    ]
    planes = sum(len(planes) for planes in expected.values())
    with capsys.disabled():
        print(
            f"\n{len(expected)} items, {planes} masks of a class or instance compared;"
            f" {len(different)} items differ"
        )
    assert not different
    assert planes > COUNT


def _read_by_datumaro(python: str, folder: Path) -> tuple[list[str], Found]:
    """Labels and masks of the tree at *folder*/out, by Datumaro."""
    command = [python, "-c", PROGRAM, str(folder / "out"), str(folder / "found.npz")]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr
    found: Found = defaultdict(dict)
    with np.load(folder / "found.npz") as arrays:
        told: dict[str, Any] = json.loads(str(arrays["told"]))
        for item in told["items"]:
            planes = {
                (label, group): arrays[str(number)]
                for number, kind, label, group in item["shapes"]
                if kind == "mask"
            }
            assert len(planes) == len(item["shapes"]), (
                f"{item['id']}: two masks mean the same, or one is not a mask"
            )
            assert all(list(plane.shape) == item["size"] for plane in planes.values()), (
                f"{item['id']}: image and mask differ in size"
            )
            found[item["subset"]][item["id"]] = planes
    return told["labels"], dict(found)


def _planes(source: Path, objects: bool) -> dict[str, Planes]:
    """Stem -> what Datumaro should find, from the masks before they were written."""
    reader = Reader(source, objects=objects)
    scan = reader.scan()
    names = dict(enumerate(scan.classes.names)) | {IGNORE: "ignored"}
    return {item.stem: _planes_of(reader.read(item), names) for item in scan.items}


def _planes_of(sample: Sample, names: dict[int, str]) -> Planes:
    """A plane per class; with instances a plane per instance, and none for the background."""
    if sample.objects is None:
        return {(names[int(value)], 0): sample.mask == value for value in np.unique(sample.mask)}
    planes = {}
    for number in np.unique(sample.objects[sample.objects > 0]).tolist():
        where = sample.objects == number
        (value,) = np.unique(sample.mask[where]).tolist()
        planes[names[value], IGNORED_INSTANCE if number == OBJECT_IGNORE else number] = where
    return planes


def _equal(first: Planes, second: Planes) -> bool:
    return first.keys() == second.keys() and all(
        np.array_equal(first[key], second[key]) for key in first
    )
