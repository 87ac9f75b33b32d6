"""A user's second week: convert, split, predict, add data, convert again, score. What was true
stays true, and what changed is said.
"""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from conftest import annotate, shape
from PIL import Image
from segprep_cli.main import group

from segprep.dataset import manifest
from segprep.errors import SegprepError

TRIANGLE = [[8, 8], [20, 8], [20, 20]]


def run(*words: object) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


def fine(*words: object) -> Result:
    result = run(*words)
    assert result.exit_code == 0, result.output + result.stderr
    return result


def pets(folder: Path, count: int = 6, first: int = 0) -> Path:
    """Annotated images of cats and dogs, no two of them equal."""
    for n in range(first, first + count):
        annotate(folder, f"img{n}", shape("cat"), shape("dog", TRIANGLE), size=(32 + n, 24))
    return folder


def names(out: Path) -> list[str]:
    return (out / "class_names.txt").read_text().split()


def mask(out: Path, stem: str) -> np.ndarray:
    return np.asarray(Image.open(out / "SegmentationClass" / f"{stem}.png"))


# ----------------------------------------------------------------------------
# ids are sticky


def test_a_new_label_moves_no_id_and_last_weeks_predictions_keep_their_score(
    tmp_path: Path,
) -> None:
    source, out = pets(tmp_path / "before"), tmp_path / "out"
    fine("json2mask", source, out)
    shutil.copytree(out / "SegmentationClass", tmp_path / "predictions")
    annotate(source, "new", shape("ant"), shape("dog", TRIANGLE), size=(50, 24))
    result = fine("json2mask", source, out)
    assert "new classes were appended to the tree's list: 3 ant" in result.stderr
    assert "0 _background_, 1 cat, 2 dog, 3 ant" in result.stderr
    assert names(out) == ["_background_", "cat", "dog", "ant"]
    assert set(np.unique(mask(out, "new"))) == {0, 2, 3}
    score = fine("miou", tmp_path / "predictions", "-d", out, "--missing", "skip", "--json")
    assert json.loads(score.stdout)["miou"] == 1.0
    assert "unchanged" in fine("json2mask", source, out).stdout


def test_a_vanished_class_keeps_its_id(tmp_path: Path) -> None:
    source, out = pets(tmp_path / "before"), tmp_path / "out"
    annotate(source, "bee", shape("bee"), size=(60, 24))
    fine("json2mask", source, out)
    assert names(out)[1] == "bee"
    (source / "bee.json").unlink()
    (source / "bee.jpg").unlink()
    result = fine("json2mask", source, out)
    assert "the source no longer has 1 bee; the class keeps its id" in result.stderr
    assert names(out) == ["_background_", "bee", "cat", "dog"]
    assert set(np.unique(mask(out, "img0"))) == {0, 2, 3}


def test_a_class_list_may_be_given_or_left_out_later_as_long_as_it_agrees(tmp_path: Path) -> None:
    source, out = pets(tmp_path / "before"), tmp_path / "out"
    fine("json2mask", source, out)
    before = mask(out, "img0")
    fine("json2mask", source, out, "--classes", "cat,dog")
    result = fine("json2mask", source, out, "--classes", "_background_,cat,dog,cow")
    assert "3 cow" in result.stderr
    assert names(out) == ["_background_", "cat", "dog", "cow"]
    assert "keeps its id" in fine("json2mask", source, out).stderr
    assert names(out) == ["_background_", "cat", "dog", "cow"]
    assert np.array_equal(mask(out, "img0"), before)


def test_another_order_is_refused_and_remap_named(tmp_path: Path) -> None:
    source, out = pets(tmp_path / "before"), tmp_path / "out"
    fine("json2mask", source, out)
    result = run("json2mask", source, out, "--classes", "dog,cat")
    assert result.exit_code == 1
    assert "has the classes 0 _background_, 1 cat, 2 dog; --classes has another order" in (
        result.stderr
    )
    assert f"segprep remap {out} OUT --order _background_,dog,cat" in result.stderr
    fine("remap", out, tmp_path / "other", "--order", "_background_,dog,cat")


@pytest.mark.parametrize(("option", "code"), [((), 0), (("--bad-shape", "skip"), 1)])
def test_an_option_that_a_later_version_has_is_no_other_source(
    tmp_path: Path, option: tuple[str, ...], code: int
) -> None:
    """A tree whose manifest lacks an option is continued as long as that has its default."""
    source, out = pets(tmp_path / "before"), tmp_path / "out"
    fine("json2mask", source, out)
    described = manifest.load(out / "segprep.json")
    assert described
    options = dict(described.source["options"])
    assert options.pop("bad_shape") == "error"
    older = replace(described, source={**described.source, "options": options})
    (out / "segprep.json").write_bytes(manifest.dump(older))
    annotate(source, "new", shape("cat"), size=(50, 24))
    assert run("json2mask", source, out, *option).exit_code == code


# ----------------------------------------------------------------------------
# background first


def cvat(folder: Path) -> Path:
    """A CVAT segmentation export whose label map has the background last."""
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbox:250,50,83::\nleaf:50,183,250::\nbackground:0,0,0::\n"
    )
    for stem in ("a", "b"):
        Image.effect_noise((12, 10), 20).convert("RGB").save(folder / f"JPEGImages/{stem}.jpg")
        drawn = np.zeros((10, 12, 3), np.uint8)
        drawn[2:5, 2:5], drawn[6:8, 6:9] = (250, 50, 83), (50, 183, 250)
        Image.fromarray(drawn).save(folder / f"SegmentationClass/{stem}.png")
    return folder


def test_a_label_map_with_the_background_last_gives_background_0_and_says_so(
    tmp_path: Path,
) -> None:
    source = cvat(tmp_path / "cvat")
    result = fine("convert", "voc", source, tmp_path / "out")
    assert "has background as class 2; the background became 0: 0 background, 1 box, 2 leaf" in (
        result.stderr
    )
    assert names(tmp_path / "out") == ["background", "box", "leaf"]
    drawn = mask(tmp_path / "out", "a")
    assert (drawn[0, 0], drawn[3, 3], drawn[7, 7]) == (0, 1, 2)
    fine("convert", "voc", source, tmp_path / "kept", "--keep-order")
    assert names(tmp_path / "kept") == ["box", "leaf", "background"]
    assert mask(tmp_path / "kept", "a")[0, 0] == 2


# ----------------------------------------------------------------------------
# equal images stay together


def test_one_photo_under_two_names_never_lies_in_train_and_test(tmp_path: Path) -> None:
    source, out = pets(tmp_path / "before", 20), tmp_path / "out"
    for n in range(5):
        shutil.copy(source / f"img{n}.jpg", source / f"second{n}.jpg")
        annotate(source, f"second{n}", shape("cat"), image=False, size=(32 + n, 24))
    fine("json2mask", source, out)
    result = fine("split", out, "--ratio", "50/25/25")
    assert "10 samples share 5 images byte for byte; equal images stay in one list" in result.stderr
    lists = {
        name: set((out / "ImageSets/Segmentation" / f"{name}.txt").read_text().split())
        for name in ("train", "val", "test")
    }
    for n in range(5):
        (home,) = [name for name, stems in lists.items() if f"img{n}" in stems]
        assert f"second{n}" in lists[home]
    shown = fine("info", out).stdout
    assert "equal images: 10 samples share 5: img0 = second0, img1 = second1" in shown


def test_an_update_puts_a_copy_beside_its_twin(tmp_path: Path) -> None:
    source, out = pets(tmp_path / "before", 12), tmp_path / "out"
    fine("json2mask", source, out)
    fine("split", out)
    test = (out / "ImageSets/Segmentation/test.txt").read_text().split()
    shutil.copy(source / f"{test[0]}.jpg", source / "copy.jpg")
    annotate(source, "copy", shape("cat"), image=False, size=(32 + int(test[0][3:]), 24))
    fine("json2mask", source, out)
    fine("split", out, "--update")
    assert "copy" in (out / "ImageSets/Segmentation/test.txt").read_text().split()


def test_twins_that_lie_in_two_lists_already_are_named_and_not_moved(tmp_path: Path) -> None:
    source, out = pets(tmp_path / "before", 12), tmp_path / "out"
    shutil.copy(source / "img0.jpg", source / "copy.jpg")
    annotate(source, "copy", shape("cat"), image=False, size=(32, 24))
    fine("json2mask", source, out)
    fine("split", out, "--equal", "free")
    folder = out / "ImageSets/Segmentation"
    lists = {name: (folder / f"{name}.txt").read_text().split() for name in ("train", "test")}
    for stems in lists.values():
        stems[:] = [stem for stem in stems if stem not in ("img0", "copy")]
    (folder / "train.txt").write_text("\n".join([*lists["train"], "img0"]) + "\n")
    (folder / "test.txt").write_text("\n".join([*lists["test"], "copy"]) + "\n")
    result = fine("split", out, "--update", "--equal", "together")
    assert "1 images lie in two lists under different names: copy = img0" in result.stderr
    assert "copy" in (folder / "test.txt").read_text().split()


def test_a_tree_of_others_is_looked_at_too(tmp_path: Path) -> None:
    for name in ("JPEGImages", "SegmentationClass"):
        (tmp_path / name).mkdir()
    for n in range(8):
        Image.effect_noise((9, 8), 10 + n % 4).resize((9 + n % 4, 8)).convert("RGB").save(
            tmp_path / f"JPEGImages/{n}.jpg"
        )
        Image.new("L", (9 + n % 4, 8), n % 2).save(tmp_path / f"SegmentationClass/{n}.png")
    shutil.copy(tmp_path / "JPEGImages/0.jpg", tmp_path / "JPEGImages/4.jpg")
    assert "0 = 4" in fine("split", tmp_path).stderr


# ----------------------------------------------------------------------------
# info tells what is


def damage(out: Path, kind: str) -> str:
    """One fault; what info must say of it."""
    lists = out / "ImageSets/Segmentation"
    drawn = out / "SegmentationClass/img1.png"
    match kind:
        case "mask edited":
            Image.new("L", (33, 24), 2).save(drawn)
            return "changed since conversion: 1 file: SegmentationClass/img1.png"
        case "mask with a strange id":
            Image.new("L", (33, 24), 9).save(drawn)
            return "values that are not in the class list of 3: 9 (792 pixels)"
        case "image replaced":
            Image.new("RGB", (33, 24)).save(out / "JPEGImages/img1.jpg")
            return "changed since conversion: 1 file: JPEGImages/img1.jpg"
        case "mask removed":
            drawn.unlink()
            return "missing: 1 file: SegmentationClass/img1.png"
        case "image added":
            shutil.copy(out / "JPEGImages/img1.jpg", out / "JPEGImages/more.jpg")
            return "in no record: 1 file: JPEGImages/more.jpg"
        case "two lists":
            (lists / "test.txt").write_text((lists / "train.txt").read_text())
            return "in train.txt and test.txt"
        case "unknown name":
            (lists / "val.txt").write_text("nobody\n")
            return "val.txt names 1 samples that are not here: nobody"
        case "class list edited":
            (out / "class_names.txt").write_text("_background_\ndog\ncat\n")
            return "changed since conversion: class_names.txt"
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "mask edited",
        "mask with a strange id",
        "image replaced",
        "mask removed",
        "image added",
        "two lists",
        "unknown name",
        "class list edited",
    ],
)
def test_info_names_every_fault_and_exits_1(tmp_path: Path, kind: str) -> None:
    source, out = pets(tmp_path / "before"), tmp_path / "out"
    fine("json2mask", source, out)
    fine("split", out)
    clean = fine("info", out).stdout
    message = damage(out, kind)
    result = run("info", out)
    assert result.exit_code == 1
    assert f"fault: {message}" in result.stdout
    assert "fault:" not in clean
    assert json.loads(run("info", out, "--json").stdout)["faults"]


def test_info_counts_a_changed_mask_again(tmp_path: Path) -> None:
    source, out = pets(tmp_path / "before", 1), tmp_path / "out"
    fine("json2mask", source, out)
    Image.new("L", (32, 24), 2).save(out / "SegmentationClass/img0.png")
    shares = json.loads(run("info", out, "--json").stdout)["classes"]
    assert [row["pixels"] for row in shares] == [0, 0, 32 * 24]


def test_a_change_that_keeps_the_times_is_found_with_check(tmp_path: Path) -> None:
    source, out = pets(tmp_path / "before"), tmp_path / "out"
    fine("json2mask", source, out)
    path = out / "SegmentationClass/img1.png"
    Image.new("L", (33, 24), 2).save(path)
    os.utime(out / "records.jsonl")  # newer than the change, as after another conversion
    os.utime(path, (0, 0))
    assert run("info", out, "--check").exit_code == 1


# ----------------------------------------------------------------------------
# 0 and 255


def black_and_white(root: Path, values: tuple[int, int] = (0, 255)) -> Path:
    for name in ("JPEGImages", "SegmentationClass"):
        (root / name).mkdir(parents=True)
    for n in range(6):
        Image.effect_noise((20, 16), 10 + n).convert("RGB").save(root / f"JPEGImages/{n}.jpg")
        drawn = np.full((16, 20), values[0], np.uint8)
        drawn[4:8, 4 : 8 + n] = values[1]
        Image.fromarray(drawn).save(root / f"SegmentationClass/{n}.png")
    (root / "class_names.txt").write_text("_background_\ncell\n")
    return root


def test_masks_of_0_and_255_are_named_by_info_and_split(tmp_path: Path) -> None:
    root = black_and_white(tmp_path / "theirs")
    for result in (run("info", root), run("split", root)):
        text = result.stdout + result.stderr
        assert "the masks hold 0 and 255 only: 255 covers 8.1% of the pixels and means" in text
        assert "no pixel is of class 1 cell" in text
        assert f"segprep remap {root} OUT --ids 0=background,255=NAME" in text
    fine("remap", root, tmp_path / "out", "--ids", "0=background,255=cell")
    assert "doubtful" not in fine("info", tmp_path / "out").stdout


def test_masks_of_0_and_255_are_not_trained_on(tmp_path: Path) -> None:
    """train-check says why nothing can be learned; train, which would learn the background only,
    refuses and names the repair.
    """
    pytest.importorskip("torch")
    from segprep.dataset.tree import Tree
    from segprep.train_config import Config
    from segprep.training.check.sampling import select
    from segprep.training.data.dataset import select_lists

    home = Tree(black_and_white(tmp_path / "theirs"))
    notes = select(home, 0).notes
    assert any("the masks hold 0 and 255 only" in note for note in notes)
    with pytest.raises(SegprepError, match="hold 0 and 255 only") as refused:
        select_lists(home, Config())
    assert refused.value.code == "values-unclear"
    assert "segprep remap" in refused.value.hint
    fine("remap", home.root, tmp_path / "out", "--ids", "0=background,255=cell")
    assert select_lists(Tree(tmp_path / "out"), Config()).notes


def test_masks_of_background_only_are_named(tmp_path: Path) -> None:
    root = black_and_white(tmp_path / "theirs", (0, 0))
    assert "every pixel of the masks is 0, the background" in fine("info", root).stdout
    assert "every pixel of the masks is 0, the background" in fine("split", root).stderr


# ----------------------------------------------------------------------------
# what was not painted is counted


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
