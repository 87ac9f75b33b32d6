"""ADE20K in full: classes from red and green, objects from blue, names from either release."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sources.region_files import HEIGHT, WIDTH, only, photo, write

from segprep.errors import SegprepError, SourceError
from segprep.sources import recognize
from segprep.sources.ade20k import Reader

WALL, SKY = 2978, 2420
ATR = """001 # 0 # 0 # sky # sky # ""
002 # 0 # 1 # wall # wall # "painted"
003 # 0 # 0 # wall # wall # ""
001 # 1 # 0 # brick # brick # ""
"""


def numbers() -> np.ndarray[Any, Any]:
    pixels = np.zeros((HEIGHT, WIDTH), np.int64)
    pixels[:3], pixels[5:8, 2:4], pixels[5:8, 6:9] = SKY, WALL, WALL
    return pixels


def segments(path: Path, blues: tuple[int, int, int] = (40, 90, 200)) -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = numbers() // 256 * 10, numbers() % 256
    pixels[:3, :, 2], pixels[5:8, 2:4, 2], pixels[5:8, 6:9, 2] = blues
    Image.fromarray(pixels).save(path)


def described() -> dict[str, Any]:
    listed = [
        {"id": 0, "name": "sky", "name_ndx": SKY},
        {"id": 1, "name": "wall", "name_ndx": WALL},
        {"id": 2, "name": "wall", "name_ndx": WALL},
    ]
    return {"annotation": {"filename": "a.jpg", "object": listed}}


def put(folder: Path, release: int = 2021, **options: Any) -> Reader:
    home = folder / "training" / "street"
    photo(home / "ADE_train_1.jpg")
    segments(home / "ADE_train_1_seg.png")
    photo(home / "ADE_train_1_parts_1.png")
    if release == 2021:
        write(home / "ADE_train_1.json", described())
    elif release == 2016:
        write(home / "ADE_train_1_atr.txt", ATR)
    return Reader(folder, **options)


def example(folder: Path) -> Reader:
    return put(folder)


@pytest.mark.parametrize("release", [2016, 2021])
def test_classes_by_number_and_name(tmp_path: Path, release: int) -> None:
    reader = put(tmp_path, release)
    scan = reader.scan()
    assert scan.classes.names == ("_background_", "sky", "wall")
    expected = np.select([numbers() == SKY, numbers() == WALL], [1, 2], 0)
    assert (only(reader) == expected).all()
    assert recognize(tmp_path)[0] == "ade20k"


def test_classes_without_names_keep_their_numbers(tmp_path: Path) -> None:
    assert put(tmp_path, 0).scan().classes.names == (
        "_background_",
        f"class_{SKY}",
        f"class_{WALL}",
    )


def test_objects_are_those_of_blue(tmp_path: Path) -> None:
    reader = put(tmp_path, objects=True)
    (item,) = reader.scan().items
    objects = reader.read(item).objects
    assert objects is not None
    assert [objects[0, 0], objects[4, 0], objects[6, 2], objects[6, 7]] == [1, 0, 2, 3]


def test_the_largest_classes(tmp_path: Path) -> None:
    reader = put(tmp_path, most=1, unknown="ignore")
    assert reader.scan().classes.names == ("_background_", "sky")
    assert (only(reader) == np.select([numbers() == SKY, numbers() == WALL], [1, 255], 0)).all()
    (note,) = reader.scan().notes
    assert note.message == "1 of 2 classes, 70.6% of the labeled pixels"


def test_a_class_that_was_not_chosen(tmp_path: Path) -> None:
    reader = put(tmp_path, classes="background,wall")
    (item,) = reader.scan().items
    with pytest.raises(SourceError, match=f"{SKY} \\(36 px\\)") as caught:
        reader.read(item)
    assert caught.value.code == "unknown-label"
    assert (only(put(tmp_path, classes="wall", unknown="background")) == (numbers() == WALL)).all()


def test_a_chosen_class_that_occurs_nowhere_is_said(tmp_path: Path) -> None:
    (note,) = put(tmp_path, classes="sky,wal", unknown="ignore").scan().notes
    assert "wal" in note.message


def test_more_classes_than_a_mask_holds(tmp_path: Path) -> None:
    home = put(tmp_path).root / "training" / "street"
    pixels = np.zeros((HEIGHT, 30, 3), np.uint8)
    flat = np.arange(1, HEIGHT * 30 + 1).reshape(HEIGHT, 30)
    pixels[..., 0], pixels[..., 1] = flat // 256 * 10, flat % 256
    Image.fromarray(pixels).save(home / "ADE_train_1_seg.png")
    with pytest.raises(SegprepError, match="there are 300 classes") as caught:
        Reader(tmp_path).scan()
    assert "--most" in caught.value.hint


def test_pictures_of_other_colors_are_refused(tmp_path: Path) -> None:
    home = put(tmp_path).root / "training" / "street"
    photo(home / "ADE_train_1_seg.png")
    (skipped,) = Reader(tmp_path).scan().skipped
    assert skipped.code == "mask-is-colour"
