"""Folders called train, val and test become lists in every format whose annotator made them."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sources.region_files import HEIGHT, SQUARE, WIDTH, photo, png, write

import segprep
from segprep import sources
from segprep.errors import UsageError
from segprep.sources.labelme import Reader as Labelme
from segprep.sources.via import Reader as Via

WITHOUT = {  # the lists are the format's own, or its files lie in no folders of the annotator's
    *("chase", "cityscapes", "coco", "drive", "dsb2018", "pet", "stare", "voc"),
}


def via(folder: Path) -> None:
    shape = {
        "name": "polygon",
        "all_points_x": [x for x, _ in SQUARE],
        "all_points_y": [y for _, y in SQUARE],
    }
    regions = [{"shape_attributes": shape, "region_attributes": {"class": "cat"}}]
    entries = {f"{n}": {"filename": f"{n}.png", "regions": regions} for n in range(3)}
    write(folder / "via.json", entries)
    for n, part in enumerate(("train", "train", "validation")):
        photo(folder / part / f"{n}.png", n)


def labelme(folder: Path) -> None:
    for n, part in enumerate(("train", "train", "validation")):
        photo(folder / part / f"{n}.png", n)
        shapes = [{"label": "cat", "points": SQUARE, "shape_type": "polygon"}]
        write(folder / part / f"{n}.json", {"shapes": shapes, "imagePath": f"{n}.png"})
    write(folder / "train.json", {"images": [], "annotations": [], "categories": []})


def arrays(folder: Path) -> None:
    for n, part in enumerate(("train", "train", "validation")):
        photo(folder / "images" / f"{n}.png", n)
        (folder / "masks" / part).mkdir(parents=True, exist_ok=True)
        np.save(folder / "masks" / part / f"{n}.npy", np.eye(HEIGHT, WIDTH, dtype=np.uint8))


def alpha(folder: Path) -> None:
    for n, part in enumerate(("train", "train", "validation")):
        pixels = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
        pixels[: n + 1, :, 3] = 0
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / f"{n}.png").write_bytes(png(pixels))


@pytest.mark.parametrize("lay", [via, labelme, arrays, alpha], ids=lambda lay: lay.__name__)
def test_folders_become_lists(tmp_path: Path, lay: Any) -> None:
    lay(tmp_path / "in")
    segprep.convert(lay.__name__, tmp_path / "in", tmp_path / "out")
    lists = tmp_path / "out" / "ImageSets" / "Segmentation"
    assert (lists / "train.txt").read_text() == "0\n1\n"
    assert (lists / "val.txt").read_text() == "2\n"
    segprep.convert(lay.__name__, tmp_path / "in", tmp_path / "no", lists_from_folders="no")
    assert not (tmp_path / "no" / "ImageSets" / "Segmentation" / "val.txt").exists()


def test_folders_of_more_words_become_lists(tmp_path: Path) -> None:
    """A public set of seaweed: data/train_images, data/val_images, one file of annotations."""
    via(tmp_path / "in")
    for part in ("train", "validation"):
        (tmp_path / "in" / part).rename(tmp_path / "in" / f"{part}_images")
    assert Via(tmp_path / "in").scan().lists == {
        "train": ("0", "1"),
        "val": ("2",),
    }


def test_of_copies_the_one_in_the_folder_of_a_list_counts(tmp_path: Path) -> None:
    via(tmp_path / "in")
    for n in range(3):
        photo(tmp_path / "in" / "all" / f"{n}.png", n)
    scan = Via(tmp_path / "in").scan()
    assert scan.lists == {"train": ("0", "1"), "val": ("2",)}
    photo(tmp_path / "in" / "test" / "0.png", 0)
    (skipped,) = Via(tmp_path / "in").scan().skipped
    assert skipped.code == "image-ambiguous"


def test_annotations_in_no_such_folder_are_said(tmp_path: Path) -> None:
    labelme(tmp_path / "in")
    for end in ("png", "json"):
        (tmp_path / f"in/train/0.{end}").rename(tmp_path / f"in/0.{end}")
    scan = Labelme(tmp_path / "in").scan()
    assert scan.lists == {"train": ("1",), "val": ("2",)}
    (note,) = [note for note in scan.notes if note.code == "listed-missing"]
    assert note.message.startswith("1 annotations lie in no folder called train, val or test")


def test_images_in_no_such_folder_are_said(tmp_path: Path) -> None:
    via(tmp_path / "in")
    photo(tmp_path / "in" / "test" / "9.png", 9)
    (tmp_path / "in" / "train" / "0.png").rename(tmp_path / "in" / "0.png")
    done = segprep.convert("via", tmp_path / "in", tmp_path / "out")
    assert any("1 images lie in no folder" in note.message for note in done.notes)
    lists = tmp_path / "out" / "ImageSets" / "Segmentation"
    assert (lists / "train.txt").read_text() == "1\n"


@pytest.mark.parametrize("name", sorted({*sources.names()} - WITHOUT))
def test_every_other_format_has_the_option(name: str) -> None:
    assert "lists_from_folders" in {field.name for field in fields(sources.load(name))}  # type: ignore[arg-type]


def test_folders_of_stated_names_are_found_in_each_split(tmp_path: Path) -> None:
    """A public set of clouds: train/cloudshadow, train/labels, val/cloudshadow, val/labels."""
    for split, stem in (("train", "a"), ("val", "b")):
        for folder, picture in (("scene", "RGB"), ("drawn", "L")):
            (tmp_path / "in" / split / folder).mkdir(parents=True)
            mark = Image.new(picture, (4, 3))
            mark.putpixel((1, 1), (9, 9, 9) if picture == "RGB" else 1)
            mark.save(tmp_path / "in" / split / folder / f"{stem}.png")
    with pytest.raises(UsageError) as caught:
        segprep.convert("auto", tmp_path / "in", tmp_path / "out")
    assert caught.value.hint.endswith("there are drawn, scene")
    out = tmp_path / "out"
    segprep.convert("pairs", tmp_path / "in", out, images="scene", masks="drawn")
    lists = {path.name: path.read_text() for path in (out / "ImageSets/Segmentation").iterdir()}
    assert (lists["train.txt"], lists["val.txt"]) == ("a\n", "b\n")
    assert segprep.read_mask(out / "SegmentationClass/b.png").sum() == 1
