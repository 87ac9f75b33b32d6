"""What a source has and the masks have not is counted: shapes, images and pixels per label."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import fine, pets
from conftest import annotate, shape
from PIL import Image


def coco(folder: Path) -> Path:
    """Two images, three categories; one annotation of "tree" lies over another."""
    folder.mkdir()
    boxes = {1: (2, 2, 6, 4), 2: (10, 2, 5, 5), 3: (0, 10, 4, 4)}
    annotations = []
    for image in (1, 2):
        Image.effect_noise((30, 20), 10 + image).convert("RGB").save(folder / f"{image}.jpg")
        for category, (x, y, w, h) in boxes.items():
            for shift in range(2 if category == 3 else 1):
                points = [x + shift, y, x + w + shift, y, x + w + shift, y + h, x + shift, y + h]
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image,
                        "category_id": category,
                        "segmentation": [points],
                        "iscrowd": 0,
                    }
                )
    content = {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": 30, "height": 20} for n in (1, 2)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(("cat", "dog", "tree"), 1)],
        "annotations": annotations,
    }
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("options", "outcome", "words"),
    [
        (("--exclude", "tree"), "skipped", "were skipped"),
        (("--classes", "cat,dog", "--unknown", "skip"), "skipped", "were skipped"),
        (("--classes", "cat,dog", "--unknown", "ignore"), "ignored", "painted as ignored (255)"),
        (("--classes", "cat,dog", "--unknown", "background"), "background", "as background"),
    ],
)
def test_what_a_coco_file_has_and_the_masks_have_not_is_counted(
    tmp_path: Path, options: tuple[str, ...], outcome: str, words: str
) -> None:
    pytest.importorskip("pycocotools")
    out = tmp_path / "out"
    result = fine("convert", "coco", coco(tmp_path / "src"), out, *options)
    assert "label 'tree': 4 shapes in 2 images, 40 pixels, " in result.stderr
    assert words in result.stderr
    row = {"label": "tree", "outcome": outcome, "shapes": 4, "pixels": 40, "images": 2}
    assert json.loads((out / "segprep.json").read_text())["unpainted"] == [row]
    assert json.loads(fine("info", out, "--json").stdout)["unpainted"] == [row]
    again = json.loads(fine("convert", "coco", tmp_path / "src", out, *options, "--json").stdout)
    assert again["unpainted"] == [row]


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        (("--exclude", "tree"), "skipped"),
        (("--classes", "cat,dog", "--unknown", "skip"), "skipped"),
        (("--classes", "cat,dog", "--unknown", "ignore"), "ignored"),
        (("--classes", "cat,dog", "--unknown", "background"), "background"),
    ],
)
def test_what_labelme_files_have_and_the_masks_have_not_is_counted(
    tmp_path: Path, options: tuple[str, ...], outcome: str
) -> None:
    source, out = pets(tmp_path / "before", 3), tmp_path / "out"
    boxes = ([[2, 10], [5, 12]], [[4, 10], [9, 12]])
    annotate(
        source,
        "t",
        shape("cat"),
        *(shape("tree", box, "rectangle") for box in boxes),
        size=(50, 24),
    )
    result = fine("json2mask", source, out, *options)
    assert "label 'tree': 2 shapes in 1 image, 24 pixels, were " in result.stderr
    row = {"label": "tree", "outcome": outcome, "shapes": 2, "pixels": 24, "images": 1}
    assert json.loads((out / "segprep.json").read_text())["unpainted"] == [row]
    unchanged = json.loads(fine("json2mask", source, out, *options, "--json").stdout)
    assert unchanged["unpainted"] == [row]


@pytest.mark.parametrize(
    ("unknown", "outcome", "words"),
    [
        ("ignore", "ignored", "were painted as ignored (255)"),
        ("nearest", "nearest", "became the class of the nearest color"),
    ],
)
def test_colors_that_are_no_class_are_counted(
    tmp_path: Path, unknown: str, outcome: str, words: str
) -> None:
    source, out = tmp_path / "src", tmp_path / "out"
    for n in range(2):
        drawn = np.zeros((10, 12, 3), np.uint8)
        drawn[2:5, 2:5], drawn[7:9, 4:10] = (250, 0, 0), (0, 200, 9)
        for folder, pixels in (("images", drawn + n), ("masks", drawn)):
            (source / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(source / folder / f"{n}.png")
    table = ("--table", "0 0 0 background; 250 0 0 cat;", "--unknown", unknown)
    result = fine("convert", "colormap", source, out, *table)
    assert f"color 0,200,9: 24 pixels in 2 images {words}" in result.stderr
    row = {"label": "color 0,200,9", "outcome": outcome, "shapes": 0, "pixels": 24, "images": 2}
    assert json.loads((out / "segprep.json").read_text())["unpainted"] == [row]
    again = json.loads(fine("convert", "colormap", source, out, *table, "--json").stdout)
    assert again["unpainted"] == [row]
    assert f"not painted: color 0,200,9: 24 pixels in 2 images {words}" in fine("info", out).stdout


def test_what_regions_have_and_the_masks_have_not_is_counted(tmp_path: Path) -> None:
    """One image of a YOLO set: a quarter of it is a cat, a twelfth a dog that --exclude skips."""
    source, out = tmp_path / "src", tmp_path / "out"
    for folder in ("images", "labels"):
        (source / folder).mkdir(parents=True)
    Image.effect_noise((24, 20), 20).convert("RGB").save(source / "images/a.png")
    (source / "labels/a.txt").write_text("0 0 0 .5 0 .5 .5 0 .5\n1 .6 .6 .8 .6 .8 .9 .6 .9\n")
    (source / "data.yaml").write_text("names: [cat, dog]\n")
    result = fine("convert", "yolo-seg", source, out, "--exclude", "dog")
    (row,) = json.loads((out / "segprep.json").read_text())["unpainted"]
    assert (row["label"], row["shapes"], row["images"]) == ("dog", 1, 1)
    assert row["pixels"] == 6 * 7  # 14.4 to 19.2 by 12 to 18, as Pillow fills a polygon
    assert "label 'dog': 1 shape in 1 image, 42 pixels, were skipped" in result.stderr
