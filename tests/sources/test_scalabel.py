"""Scalabel: outlines, curves, run lengths, boxes."""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources.region_files import HOLE, SQUARE, only, photo, square, with_hole, write

from segprep.errors import SourceError
from segprep.sources import guesses
from segprep.sources.scalabel import Reader

REAL = Path(os.environ.get("SEGPREP_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def outline(vertices: Any, types: str = "", closed: bool = True) -> dict[str, Any]:
    return {"vertices": vertices, "types": types or "L" * len(vertices), "closed": closed}


def put(folder: Path, **label: Any) -> Reader:
    write(folder / "labels.json", [{"name": "a.png", "labels": [{"category": "car", **label}]}])
    return Reader(folder)


def example(folder: Path) -> Reader:
    photo(folder / "a.png")
    return put(folder, poly2d=[outline(SQUARE)])


def test_an_outline_and_its_hole(tmp_path: Path) -> None:
    assert (only(example(tmp_path)) == square()).all()
    assert (only(put(tmp_path, poly2d=[outline(SQUARE), outline(HOLE)])) == with_hole()).all()


def test_a_curve_bulges_towards_its_control_points(tmp_path: Path) -> None:
    example(tmp_path)
    curve = [[2, 4], [2, 0], [8, 0], [8, 4]]
    mask = only(put(tmp_path, poly2d=[outline(curve, "LCCL")]))
    assert mask[1, 5] == 1  # the highest point of the curve: 3/4 of the way up
    assert not mask[0].any()


def test_run_lengths(tmp_path: Path) -> None:
    example(tmp_path)
    columns = square().T.reshape(-1)
    runs, last = [0], 0
    for value in columns.tolist():
        if value != last:
            runs.append(0)
            last = value
        runs[-1] += 1
    reader = put(tmp_path, rle={"counts": runs, "size": [10, 12]})
    assert (only(reader) == square()).all()


def test_a_line_is_not_painted_and_said(tmp_path: Path) -> None:
    example(tmp_path)
    lines = [outline(SQUARE, closed=False), outline(HOLE)]
    reader = put(tmp_path, poly2d=lines)
    sample = reader.read(reader.scan().items[0])
    assert sample.mask.sum() == 6  # HOLE
    assert "shape-without-area" in [note.code for note in sample.notes]


@pytest.mark.parametrize("types", ["LLL", "LLLX", "LLLC"])
def test_types_that_do_not_fit(tmp_path: Path, types: str) -> None:
    example(tmp_path)
    (skipped,) = put(tmp_path, poly2d=[outline(SQUARE, types)]).scan().skipped
    assert "poly2d[0]" in skipped.reason


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "scalabel"


def test_real_run_lengths_equal_pycocotools() -> None:
    folder = REAL / "formats" / "scalabel" / "tests" / "eval" / "testcases" / "boundary"
    if not folder.is_dir():
        pytest.skip(f"no real data at {REAL}")
    import json

    from pycocotools import mask as coco

    from segprep.imaging.shapes import unpack

    path = (folder / "boundary_gts.json").resolve()
    labels = [x for frame in json.loads(path.read_text()) for x in frame["labels"]]
    regions = [x for image in Reader(folder).parse(path).images for x in image.regions]
    assert len(regions) == len(labels) > 3
    for region, label in zip(regions, labels, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of pycocotools with NumPy 2
            theirs = coco.decode(label["rle"])
        ours = np.zeros_like(theirs)
        if region.bits is not None:
            bits = unpack(region.bits)
            x, y = region.corner
            ours[y : y + bits.shape[0], x : x + bits.shape[1]] = bits
        assert (ours == theirs).all()


def test_run_lengths_of_another_image_are_refused(tmp_path: Path) -> None:
    example(tmp_path)
    reader = put(tmp_path, rle={"counts": [0, 400], "size": [20, 20]})
    with pytest.raises(SourceError, match="the mask is 20x20, its image 12x10"):
        only(reader)
