"""YOLO segmentation: layouts, class files, boxes, and lines that lie."""

import os
from pathlib import Path

import numpy as np
import pytest
from sources.region_files import HEIGHT, SQUARE, WIDTH, masks, only, photo, square, write

from segprep.errors import SegprepError, SourceError, UsageError
from segprep.sources import guesses, recognize
from segprep.sources.yolo_seg import Reader

REAL = Path(os.environ.get("SEGPREP_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
LINE = "0 " + " ".join(f"{x / WIDTH} {y / HEIGHT}" for x, y in SQUARE)
NAMES = "names:\n  0: cat\n  1: dog\n"


def example(folder: Path) -> Reader:
    photo(folder / "images" / "a.png")
    write(folder / "labels" / "a.txt", LINE + "\n")
    write(folder / "data.yaml", f"path: .\ntrain: images\n{NAMES}")
    return Reader(folder)


def test_class_0_is_pixel_value_1(tmp_path: Path) -> None:
    reader = example(tmp_path)
    scan = reader.scan()
    assert scan.classes.names == ("_background_", "cat", "dog")
    assert any(note.code == "classes-found" and "1 cat" in note.message for note in scan.notes)
    assert (only(reader) == square()).all()


@pytest.mark.parametrize("layout", ["images/{0}/{1}", "{0}/images/{1}"])
def test_folders_are_lists(tmp_path: Path, layout: str) -> None:
    for n, name in enumerate(("train", "val")):
        photo(tmp_path / layout.format(name, f"{n}.png"), n)
        label = layout.replace("images", "labels").format(name, f"{n}.txt")
        write(tmp_path / label, LINE.replace("0 ", f"{n} ", 1))
    write(tmp_path / "data.yaml", "names: [cat, dog]\ntrain: ../train/images\nval: images/val\n")
    scan = Reader(tmp_path).scan()
    assert scan.lists == {"train": ("0",), "val": ("1",)}
    assert {stem: int(mask.max()) for stem, mask in masks(Reader(tmp_path)).items()} == {
        "0": 1,
        "1": 2,
    }


def test_lists_of_images(tmp_path: Path) -> None:
    for name in "ab":
        photo(tmp_path / "images" / f"{name}.png", ord(name))
        write(tmp_path / "labels" / f"{name}.txt", LINE)
    write(tmp_path / "train.txt", "./images/a.png\n")
    write(tmp_path / "val.txt", "./images/b.png\n")
    write(tmp_path / "data.yaml", f"train: train.txt\nval: val.txt\n{NAMES}")
    scan = Reader(tmp_path).scan()
    assert not scan.skipped
    assert scan.lists == {"train": ("a",), "val": ("b",)}


def test_images_without_a_label_file_and_with_an_empty_one_are_background(tmp_path: Path) -> None:
    reader = example(tmp_path)
    photo(tmp_path / "images" / "b.png", 1)
    photo(tmp_path / "images" / "c.png", 2)
    (tmp_path / "labels" / "c.txt").write_bytes(b"")
    found = masks(reader)
    assert not found["b"].any()
    assert not found["c"].any()
    notes = [note.code for item in reader.scan().items for note in reader.read(item).notes]
    assert "label-file-missing" in notes


def test_boxes_are_refused_filled_or_skipped(tmp_path: Path) -> None:
    reader = example(tmp_path)
    write(tmp_path / "labels" / "a.txt", "1 0.5 0.5 0.5 0.4\n")
    with pytest.raises(SourceError) as caught:
        only(reader)
    assert caught.value.code == "bad-shape"
    assert "--boxes" in caught.value.hint
    filled = only(Reader(tmp_path, boxes="fill"))
    assert filled[5, 6] == 2
    with pytest.raises(UsageError, match="hold only 1 boxes"):
        Reader(tmp_path, boxes="skip").scan()
    write(tmp_path / "labels" / "a.txt", f"1 0.5 0.5 0.5 0.4\n{LINE}\n")
    assert (only(Reader(tmp_path, boxes="skip")) == square()).all()


def test_a_confidence_at_the_end_is_dropped(tmp_path: Path) -> None:
    reader = example(tmp_path)
    write(tmp_path / "labels" / "a.txt", LINE + " 0.93\n")
    assert (only(reader) == square()).all()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (LINE.replace("0 ", "7 ", 1), "unknown-label"),
        ("0 120 40 300 40 300 200", "bad-shape"),
        ("cat 0.1 0.1 0.5 0.5 0.1 0.5", "bad-shape"),
        ("0 0.1 nan 0.5 0.5 0.1 0.5", "bad-shape"),
        ("0 0.1 0.2 0.3", "bad-shape"),
    ],
)
def test_lines_that_cannot_be_right(tmp_path: Path, line: str, code: str) -> None:
    reader = example(tmp_path)
    write(tmp_path / "labels" / "a.txt", line)
    (skipped,) = reader.scan().skipped
    assert skipped.code == code
    assert "line 1" in skipped.reason


def test_two_class_files_are_named(tmp_path: Path) -> None:
    reader = example(tmp_path)
    write(tmp_path / "other.yaml", "names: [dog, cat]\n")
    with pytest.raises(SegprepError, match=r"data\.yaml, other\.yaml"):
        reader.scan()


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "yolo-seg"


def test_real_sample_equals_a_drawing_by_hand() -> None:
    folder = REAL / "formats" / "yolo_seg_labelformat"
    if not folder.is_dir():
        pytest.skip(f"no real data at {REAL}")
    from PIL import Image, ImageDraw

    names = ("_background_", "kite", "person", "elephant", "sports ball")
    assert Reader(folder).scan().classes.names == names
    for stem, mask in masks(Reader(folder)).items():
        with Image.open(folder / "images" / f"{stem}.jpg") as picture:
            canvas = Image.new("L", picture.size)
        for line in (folder / "labels" / f"{stem}.txt").read_text().splitlines():
            number, *rest = line.split()
            points = [float(v) * canvas.size[n % 2] for n, v in enumerate(rest)]
            value = int(number) + 1
            ImageDraw.Draw(canvas).polygon(points, fill=value, outline=value)
        assert (np.asarray(canvas) == mask).all()


def test_brackets_within_brackets_end_at_once(tmp_path: Path) -> None:
    reader = example(tmp_path)
    (tmp_path / "data.yaml").write_bytes(b"[" * 100_000)
    with pytest.raises(SegprepError, match="nests more than 100 brackets") as caught:
        reader.scan()
    assert caught.value.code == "bad-yaml"


@pytest.mark.parametrize(("corner", "told"), [("0.5 0.4", True), ("0.5 0.5", False)])
def test_oriented_boxes_are_told(tmp_path: Path, corner: str, told: bool) -> None:
    """A label of an oriented box has the form of a polygon: a class and four corners."""
    photo(tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    line = f"0 0.2 0.2 0.4 0.2 {corner} 0.3 0.4\n"
    (tmp_path / "labels" / "a.txt").write_text(line * 10)
    assert ("boxes-alone" in {note.code for note in Reader(tmp_path).scan().notes}) == told


@pytest.mark.parametrize("values", ["2 ", ""])
def test_key_points_are_no_outlines(tmp_path: Path, values: str) -> None:
    """YOLO pose: with two values per point, its lines look like those of polygons."""
    example(tmp_path)
    points = f"0.2 0.2 {values}0.4 0.4 {values}0.5 0.6 {values}"
    write(tmp_path / "labels" / "a.txt", f"0 0.5 0.5 0.8 0.8 {points}\n")
    shape = 3 if values else 2
    write(tmp_path / "data.yaml", f"kpt_shape: [3, {shape}]\ntrain: images\n{NAMES}")
    with pytest.raises(SourceError, match="key points") as caught:
        Reader(tmp_path).scan()
    assert caught.value.code == "shape-without-area"
    with pytest.raises(UsageError, match="of YOLO pose") as refused:
        recognize(tmp_path)
    assert "outlines or masks" in refused.value.hint


def test_a_broken_yaml_beside_is_not_what_tells_pose(tmp_path: Path) -> None:
    reader = example(tmp_path)
    write(tmp_path / "data.yaml", "kpt_shape: [")
    assert guesses(tmp_path)[0][0] == "yolo-seg"
    with pytest.raises(SourceError) as caught:
        reader.scan()
    assert caught.value.code == "bad-yaml"


def nested(folder: Path) -> Reader:
    """A repository with its dataset in a folder, between files of other kinds."""
    example(folder / "set one")
    write(folder / "requirements.txt", "ultralytics==8.1\n")
    write(folder / "docs" / "notes.txt", "three of the images are blurred\n")
    return Reader(folder)


def test_a_dataset_within_a_repository_has_its_names(tmp_path: Path) -> None:
    reader = nested(tmp_path)
    assert guesses(tmp_path)[0][0] == "yolo-seg"
    scan = reader.scan()
    assert scan.classes.names == ("_background_", "cat", "dog")
    assert not scan.skipped
    assert any("read from set one/data.yaml" in note.message for note in scan.notes)
    write(tmp_path / "set one" / "data.yaml", "names: [cat, dog]\nval: images\n")
    for name in "bc":
        photo(tmp_path / "set one" / "train" / "images" / f"{name}.png", ord(name))
        write(tmp_path / "set one" / "train" / "labels" / f"{name}.txt", LINE)
    assert reader.scan().lists == {"val": ("a",), "train": ("b", "c")}


def test_each_dataset_of_a_folder_has_its_own_names(tmp_path: Path) -> None:
    """Number 0 means another class in each."""
    reader = nested(tmp_path)
    photo(tmp_path / "two" / "images" / "b.png", 1)
    write(tmp_path / "two" / "labels" / "b.txt", LINE)
    write(tmp_path / "two" / "labels" / "classes.txt", "dog\nbird\n")
    scan = reader.scan()
    assert scan.classes.names == ("_background_", "cat", "dog", "bird")
    assert {stem: int(mask.max()) for stem, mask in masks(reader).items()} == {"a": 1, "b": 2}
    (tmp_path / "two" / "labels" / "classes.txt").unlink()
    with pytest.raises(SourceError, match="class_0") as caught:
        masks(reader)
    assert caught.value.code == "unknown-label"


def test_labels_of_images_elsewhere_are_not_taken_for_notes(tmp_path: Path) -> None:
    photo(tmp_path / "images" / "a.png")
    write(tmp_path / "texts" / "a.txt", LINE)
    write(tmp_path / "texts" / "b.txt", f"cat {LINE[2:]}")
    write(tmp_path / "texts" / "c.txt", "")
    reader = Reader(tmp_path / "texts", image_root=(tmp_path / "images",))
    scan = reader.scan()
    assert [item.stem for item in scan.items] == ["a"]
    assert {one.stem: one.code for one in scan.skipped} == {"b": "bad-shape", "c": "image-missing"}
