"""NumPy arrays: kinds of numbers, axes, archives, and what is refused."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources.region_files import HEIGHT, WIDTH, only, photo, square

from segprep.errors import SourceError
from segprep.sources import guesses
from segprep.sources.arrays import Reader


def put(folder: Path, array: Any, name: str = "a.npy", **more: Any) -> Reader:
    (folder / "masks").mkdir(exist_ok=True)
    np.save(folder / "masks" / name, array)
    return Reader(folder, **{"classes": "background,cell,nucleus", **more})


def example(folder: Path) -> Reader:
    photo(folder / "images" / "a.png")
    return put(folder, square(2))


@pytest.mark.parametrize(
    "array",
    [
        square(1),
        square(1) > 0,
        square(1).astype(np.float64),
        square(1).astype(np.int64)[None],
        np.asfortranarray(square(1)),
        square(1)[..., None],
    ],
    ids=["uint8", "bool", "float", "leading", "fortran", "trailing"],
)
def test_one_id_per_pixel(tmp_path: Path, array: Any) -> None:
    example(tmp_path)
    assert (only(put(tmp_path, array)) == square()).all()


@pytest.mark.parametrize("axis", [0, -1])
def test_one_hot(tmp_path: Path, axis: int) -> None:
    example(tmp_path)
    scores = np.stack([square() == 0, square() == 1], axis).astype(np.float32)
    assert (only(put(tmp_path, scores, axis=axis)) == square()).all()


def test_archives(tmp_path: Path) -> None:
    reader = example(tmp_path)
    (tmp_path / "masks" / "a.npy").unlink()
    np.savez_compressed(tmp_path / "masks" / "a.npz", mask=square(), other=square(2))
    (skipped,) = reader.scan().skipped
    assert "mask, other" in skipped.reason
    chosen = Reader(tmp_path, classes="background,cell,nucleus", key="other")
    assert (only(chosen) == square(2)).all()


def bomb() -> bytes:
    """The header of an array of 2**40 numbers, and none of them."""
    out = io.BytesIO()
    described = {"descr": "|u1", "fortran_order": False, "shape": (1 << 20, 1 << 20)}
    np.lib.format.write_array_header_1_0(out, described)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        np.full((HEIGHT, WIDTH), 0.3),
        np.full((HEIGHT, WIDTH), -1),
        np.zeros((3, HEIGHT, WIDTH)),
        np.array([["a", "b"], ["c", "d"]]),
        np.zeros((HEIGHT, WIDTH), complex),
    ],
    ids=["fraction", "negative", "three axes", "text", "complex"],
)
def test_arrays_that_are_no_masks(tmp_path: Path, content: Any) -> None:
    example(tmp_path)
    (skipped,) = put(tmp_path, content).scan().skipped
    assert skipped.code == "bad-array"


def test_pickles_and_bombs_are_not_opened(tmp_path: Path) -> None:
    reader = example(tmp_path)
    path = tmp_path / "masks" / "a.npy"
    np.save(path, np.array([[print, 1], [2, 3]], dtype=object), allow_pickle=True)
    assert [one.code for one in reader.scan().skipped] == ["bad-array"]
    path.write_bytes(bomb())
    assert [one.code for one in reader.scan().skipped] == ["bad-array"]


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "arrays"


@pytest.mark.parametrize("at", [12, 20, 26, 40])
def test_headers_that_are_no_program_text(tmp_path: Path, at: int) -> None:
    """NumPy parses the header as Python, whose own errors must not escape."""
    reader = example(tmp_path)
    (path,) = reader.label_files()[:1]
    data = path.read_bytes()
    path.write_bytes(data[:at] + b"\0(\xff" + data[at + 3 :])
    with pytest.raises(SourceError):
        reader.array(path)
