"""`segprep info` names what has changed since a tree was converted, and impossible masks."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from command_line import fine, pets, run
from PIL import Image

from segprep.errors import SegprepError


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
