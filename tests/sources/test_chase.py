"""CHASE_DB1: names, observers, 1-bit drawings, partners; on made files of its kind."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import SegprepError, SourceError
from segprep.sources.chase import Reader
from segprep.types import Scan

CROSS = np.zeros((9, 12), bool)
CROSS[4], CROSS[:, 6] = True, True


def draw(path: Path, pixels: Any) -> None:
    Image.fromarray(np.asarray(pixels)).save(path)


def example(folder: Path) -> Reader:
    for number, eye in ((1, "L"), (1, "R"), (2, "L")):
        name = f"Image_{number:02}{eye}"
        Image.new("RGB", (12, 9), (120, 60, 30)).save(folder / f"{name}.jpg")
        draw(folder / f"{name}_1stHO.png", CROSS)
        draw(folder / f"{name}_2ndHO.png", CROSS & (np.arange(12) < 8))
    return Reader(folder)


def codes(scan: Scan) -> dict[str, str]:
    return {Path(one.path).name: one.code for one in scan.skipped}


def test_a_one_bit_drawing_is_read_as_it_is(tmp_path: Path) -> None:
    reader = example(tmp_path)
    with Image.open(tmp_path / "Image_01L_1stHO.png") as picture:
        assert picture.mode == "1"
    items = reader.scan().items
    assert [(item.stem, item.group) for item in items] == [
        ("Image_01L", "Image_01"),
        ("Image_01R", "Image_01"),
        ("Image_02L", "Image_02"),
    ]
    sample = reader.read(items[0])
    assert np.array_equal(sample.mask, CROSS.astype(np.uint8))
    assert sample.notes == ()
    second = Reader(tmp_path, annotator="2nd")
    assert second.read(second.scan().items[0]).mask.sum() == CROSS[:, :8].sum()


def test_the_photograph_stays_untouched_and_sub_folders_do_not_matter(tmp_path: Path) -> None:
    root = tmp_path / "CHASEDB1"
    root.mkdir()
    example(root)
    (root / "masks").mkdir()
    for path in root.glob("*HO.png"):
        path.rename(root / "masks" / path.name)
    done = segprep.convert("chase", root, tmp_path / "out")
    assert (done.converted, done.skipped, done.classes) == (3, (), ("_background_", "vessel"))
    assert (tmp_path / "out" / "JPEGImages" / "Image_01L.jpg").read_bytes() == (
        root / "Image_01L.jpg"
    ).read_bytes()
    assert np.array_equal(
        segprep.read_mask(tmp_path / "out" / "SegmentationClass" / "Image_01L.png"), CROSS
    )


def test_other_pictures_beside_the_set_are_no_samples(tmp_path: Path) -> None:
    example(tmp_path)
    other = tmp_path / "DRIVE" / "images"
    other.mkdir(parents=True)
    Image.new("RGB", (12, 9)).save(other / "21_training.tif")
    scan = Reader(tmp_path).scan()
    assert ([item.stem for item in scan.items][:1], scan.skipped) == (["Image_01L"], ())
    (note,) = scan.notes
    assert note.code == "image-unlabelled"
    assert "1 images are in folders without annotations, DRIVE/images first" in note.message


def test_missing_partners_are_named(tmp_path: Path) -> None:
    example(tmp_path)
    (tmp_path / "Image_01L_1stHO.png").unlink()
    (tmp_path / "Image_02L.jpg").unlink()
    scan = Reader(tmp_path).scan()
    assert codes(scan) == {"Image_01L.jpg": "mask-missing", "Image_02L_1stHO.png": "image-missing"}
    (missing,) = (one for one in scan.skipped if one.code == "mask-missing")
    assert "Image_01L_1stHO.png" in missing.reason
    assert missing.hint == "give --annotator 2nd"
    assert [item.stem for item in scan.items] == ["Image_01R"]


def test_two_of_a_name(tmp_path: Path) -> None:
    example(tmp_path)
    Image.new("RGB", (12, 9)).save(tmp_path / "image_01l.png")
    (tmp_path / "more").mkdir()
    draw(tmp_path / "more" / "Image_02L_1stHO.png", CROSS)
    assert codes(Reader(tmp_path).scan()) == {
        "Image_01L.jpg": "image-ambiguous",
        "image_01l.png": "image-ambiguous",
        "Image_02L.jpg": "mask-missing",
    }


@pytest.mark.parametrize(
    ("pixels", "code"),
    [(CROSS.T, "size-mismatch"), (np.full((9, 12, 3), (9, 200, 9), np.uint8), "mask-is-colour")],
)
def test_bad_drawings(tmp_path: Path, pixels: Any, code: str) -> None:
    reader = example(tmp_path)
    draw(tmp_path / "Image_01L_1stHO.png", pixels)
    with pytest.raises(SourceError) as caught:
        reader.read(reader.scan().items[0])
    assert (caught.value.code, caught.value.path.name) == (code, "Image_01L_1stHO.png")


def test_a_smoothed_copy_is_noted(tmp_path: Path) -> None:
    reader = example(tmp_path)
    draw(tmp_path / "Image_01L_1stHO.png", np.where(CROSS, 200, 30).astype(np.uint8))
    sample = reader.read(reader.scan().items[0])
    assert np.array_equal(sample.mask, CROSS)
    assert [note.code for note in sample.notes] == ["intermediate-values"]


def test_recognized_by_its_drawings_or_not_at_all(tmp_path: Path) -> None:
    evidence = Reader.recognize(example(tmp_path).root)
    assert evidence
    assert evidence.score > 0.9
    assert "_1stHO" in evidence.reason
    for path in tmp_path.glob("*HO.png"):
        path.unlink()
    assert Reader.recognize(tmp_path) is None
    (tmp_path / "empty").mkdir()
    with pytest.raises(SegprepError) as caught:
        segprep.convert("chase", tmp_path / "empty", tmp_path / "out")
    assert caught.value.code == "nothing-to-convert"
