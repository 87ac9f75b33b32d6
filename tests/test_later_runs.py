"""A dataset over time: convert, split, predict, add data, convert again, score. What was true
stays true, and what changed is said.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import TRIANGLE, fine, pets, run
from conftest import annotate, shape
from PIL import Image

from segprep.dataset import manifest


def names(out: Path) -> list[str]:
    return (out / "class_names.txt").read_text().split()


def mask(out: Path, stem: str) -> np.ndarray:
    return np.asarray(Image.open(out / "SegmentationClass" / f"{stem}.png"))


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
