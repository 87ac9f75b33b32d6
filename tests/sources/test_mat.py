"""MATLAB files: structures, cells, several matrices, other kinds of files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat
from sources.region_files import only, photo, square

from segprep.errors import SegprepError
from segprep.sources import guesses
from segprep.sources.mat import Reader


def put(folder: Path, content: dict[str, Any], **more: Any) -> Reader:
    (folder / "gt").mkdir(exist_ok=True)
    savemat(folder / "gt" / "a.mat", content)
    return Reader(folder, **{"classes": "background,crack,other", **more})


def example(folder: Path) -> Reader:
    photo(folder / "images" / "a.png")
    return put(folder, {"LabelMap": square(2).astype(np.uint16)})


def test_a_matrix(tmp_path: Path) -> None:
    assert (only(example(tmp_path)) == square(2)).all()


def test_crack_forest_and_sbd(tmp_path: Path) -> None:
    example(tmp_path)
    truth = {"groundTruth": {"Segmentation": square() + 1, "Boundaries": square()}}
    reader = put(
        tmp_path,
        truth,
        classes=None,
        ids="1=background,2=crack",
        variable="groundTruth.Segmentation",
    )
    assert (only(reader) == square()).all()
    assert reader.scan().classes.names == ("background", "crack")
    sbd = put(tmp_path, {"GTcls": {"Segmentation": square(), "CategoriesPresent": 15}})
    assert (only(sbd) == square()).all()


def test_cells_of_bsds(tmp_path: Path) -> None:
    example(tmp_path)
    cells = np.empty((1, 2), object)
    for n in range(2):
        cells[0, n] = {"Segmentation": square(n + 1)}
    reader = put(tmp_path, {"groundTruth": cells}, variable="groundTruth.1.Segmentation")
    assert (only(reader) == square(2)).all()


def test_files_that_cannot_be_read_are_not_outvoted_by_one_that_can(tmp_path: Path) -> None:
    """A repository holds masks of two matrices each, and the matrix of a model beside them."""
    photo(tmp_path / "images" / "a.png")
    for name in ("a", "b"):
        truth = {"groundTruth": {"Segmentation": square() + 1, "Boundaries": square()}}
        savemat(tmp_path / f"{name}.mat", truth)
    savemat(tmp_path / "model.mat", {"weights": np.zeros((9, 9))})
    with pytest.raises(SegprepError, match="2 of 3 label files could not be read") as caught:
        Reader(tmp_path).scan()
    assert "--variable" in caught.value.hint


def test_several_matrices_are_named(tmp_path: Path) -> None:
    example(tmp_path)
    (skipped,) = put(tmp_path, {"one": square(), "two": square()}).scan().skipped
    assert skipped.code == "bad-array"
    assert "one, two" in skipped.reason
    assert "--variable" in skipped.hint


@pytest.mark.parametrize(
    "data", [b"\x89HDF\r\n\x1a\n" + bytes(600), b"MATLAB 5.0 MAT-file" + bytes(200)]
)
def test_other_files(tmp_path: Path, data: bytes) -> None:
    reader = example(tmp_path)
    (tmp_path / "gt" / "a.mat").write_bytes(data)
    try:
        codes = [one.code for one in reader.scan().skipped]
    except SegprepError as error:
        codes = [error.code]
    assert codes == ["bad-array"]


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "mat"
