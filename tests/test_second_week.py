"""A user's second week: convert, split, predict, add data, convert again, score. What was true stays
true, and what changed is said.
"""

import json
import shutil
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result
from conftest import annotate, shape
from PIL import Image
from segprep_cli.main import group

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
