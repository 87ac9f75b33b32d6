"""Tables of run lengths: columns, classes, empty rows, numbers that do not fit."""

from pathlib import Path

import numpy as np
import pytest
from sources.region_files import masks, only, photo, square, write

from segprep.errors import SourceError
from segprep.sources import guesses
from segprep.sources.rle_csv import Reader


def runs(mask: np.ndarray) -> str:
    """START LENGTH pairs down the columns, from 1: the definition, one pixel at a time."""
    pairs: list[list[int]] = []
    for n, value in enumerate(mask.T.reshape(-1).tolist(), 1):
        if value and pairs and sum(pairs[-1]) == n:
            pairs[-1][1] += 1
        elif value:
            pairs.append([n, 1])
    return " ".join(f"{start} {length}" for start, length in pairs)


def example(folder: Path) -> Reader:
    photo(folder / "a.png")
    write(folder / "train.csv", f"ImageId,EncodedPixels\na.png,{runs(square())}\n")
    return Reader(folder)


def test_run_lengths(tmp_path: Path) -> None:
    assert example(tmp_path).scan().classes.names == ("_background_", "object")
    assert (only(example(tmp_path)) == square()).all()


def test_rows_without_run_lengths_and_images_without_rows(tmp_path: Path) -> None:
    reader = example(tmp_path)
    photo(tmp_path / "b.png", 1)
    photo(tmp_path / "c.png", 2)
    write(tmp_path / "train.csv", f"ImageId,EncodedPixels\na,{runs(square())}\nb,\n")
    found = masks(reader)
    assert not found["b"].any()
    assert not found["c"].any()
    assert (found["a"] == square()).all()
    assert any("1 images have no row" in note.message for note in reader.scan().notes)
    assert sorted(masks(Reader(tmp_path, rows_only=True))) == ["a", "b"]


@pytest.mark.parametrize(
    "table",
    [
        "ImageId,ClassId,EncodedPixels\na.png,3,{0}\n",
        "ImageId_ClassId,EncodedPixels\na.png_3,{0}\n",
    ],
)
def test_classes(tmp_path: Path, table: str) -> None:
    reader = example(tmp_path)
    write(tmp_path / "train.csv", table.format(runs(square())))
    assert reader.scan().classes.names == ("_background_", "class_3")
    assert (only(reader) == square()).all()


def test_rows_of_one_image_are_its_objects(tmp_path: Path) -> None:
    example(tmp_path)
    write(tmp_path / "train.csv", "ImageId,EncodedPixels\na.png,1 3\na.png,21 3\n")
    reader = Reader(tmp_path, objects=True)
    sample = reader.read(reader.scan().items[0])
    assert sample.objects is not None
    assert sample.objects[:3, 0].tolist() == [1, 1, 1]
    assert sample.objects[:3, 2].tolist() == [2, 2, 2]


@pytest.mark.parametrize("text", ["1", "0 3", "119 9", "1 x", "-4 2", "9" * 30 + " 1"])
def test_run_lengths_that_do_not_fit(tmp_path: Path, text: str) -> None:
    reader = example(tmp_path)
    write(tmp_path / "train.csv", f"ImageId,EncodedPixels\na.png,{text}\n")
    with pytest.raises(SourceError) as caught:
        only(reader)
    assert caught.value.code == "bad-shape"
    assert "line 2" in caught.value.reason


def test_another_table_is_named(tmp_path: Path) -> None:
    example(tmp_path)
    write(tmp_path / "other.csv", "x,y\n1,2\n")
    assert [one.path.rsplit("/", 1)[-1] for one in Reader(tmp_path).scan().skipped] == ["other.csv"]


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "rle-csv"


@pytest.mark.parametrize(
    "table",
    [
        "id,encoding\na,1 2 9 2\n",
        "id,class,segmentation\na,bowel,\na,stomach,1 2 9 2\n",
        "image;x\na;1 2\n",
    ],
)
def test_columns_are_known_by_name_or_by_what_they_hold(tmp_path: Path, table: str) -> None:
    (tmp_path / "train.csv").write_text(table)
    evidence = Reader.recognize(tmp_path)
    assert (evidence is not None) == ("," in table)


def test_a_class_whose_rows_are_all_empty_is_kept(tmp_path: Path) -> None:
    reader = example(tmp_path)
    photo(tmp_path / "b.png", 1)
    table = "ImageId,ClassId,EncodedPixels\na.png,3,{0}\nb.png,1,\na.png,2,\n"
    write(tmp_path / "train.csv", table.format(runs(square())))
    assert reader.scan().classes.names == ("_background_", "class_1", "class_2", "class_3")
    assert (masks(reader)["a"] == 3 * square()).all()
    write(tmp_path / "more.csv", "ImageId,ClassId,EncodedPixels\nb.png,9,1 2\n")
    assert reader.scan().classes.names == ("_background_", "class_3", "class_9")


def kaggle(folder: Path) -> Reader:
    """Severstal's folder: most images without defects have no row, and test images never have."""
    for name in ("train_images/a.png", "train_images/b.png", "test_images/c.png"):
        photo(folder / name, len(name))
    table = f"ImageId,ClassId,EncodedPixels\na.png,2,{runs(square())}\n"
    write(folder / "train.csv", table)
    return Reader(folder)


def test_test_images_without_a_row_are_no_background(tmp_path: Path) -> None:
    reader = kaggle(tmp_path)
    assert sorted(masks(reader)) == ["a", "b"]
    notes = [note.message for note in reader.scan().notes if note.code == "image-unlabelled"]
    assert any("1 images have no row and are all background" in text for text in notes)
    assert any("1 images in folders of test images were skipped" in text for text in notes)
    write(tmp_path / "train.csv", "ImageId,ClassId,EncodedPixels\nc.png,2,1 2\n")
    assert sorted(masks(reader)) == ["a", "b", "c"]


def test_a_submission_beside_the_table_is_not_read(tmp_path: Path) -> None:
    reader = kaggle(tmp_path)
    path = write(tmp_path / "sample_submission.csv", "ImageId,EncodedPixels,ClassId\nc.png,1 9,1\n")
    assert sorted(masks(reader)) == ["a", "b"]
    (skipped,) = reader.scan().skipped
    assert (skipped.path, skipped.foreign) == (str(path), True)
    assert "holds predictions" in skipped.reason
    assert skipped.hint == "if it is meant: --annotations sample_submission.csv"
    evidence = Reader.recognize(tmp_path)
    assert evidence
    assert "train.csv" in evidence.reason
    assert list(masks(Reader(tmp_path, annotations=("sample_submission.csv",), rows_only=True)))
    (tmp_path / "train.csv").unlink()
    assert "c" in masks(reader)


def test_a_template_for_predictions_is_refused(tmp_path: Path) -> None:
    reader = kaggle(tmp_path)
    rows = [f"{name}.png_{n},1 120\n" for name in "abc" for n in range(4)]
    write(tmp_path / "train.csv", f"ImageId_ClassId,EncodedPixels\n{''.join(rows)}")
    (skipped,) = reader.scan().skipped
    assert "all 12 rows hold the same RLE, 1 120" in skipped.reason
    assert "template" in skipped.hint
