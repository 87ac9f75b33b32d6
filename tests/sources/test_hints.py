"""Hints lead to commands that work."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from command_line import fine, run
from conftest import annotate, shape
from PIL import Image

import segprep
from segprep.errors import BadInputError

IDS = np.repeat(np.arange(3, dtype=np.uint8), 8)[:, None].repeat(20, 1)


def lay_out(root: Path, *names: str) -> Path:
    """Masks where the name has mask or label, else photographs."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        is_mask = "mask" in name or "label" in name
        photo = np.random.default_rng(1).integers(0, 256, (24, 20, 3)).astype(np.uint8)
        Image.fromarray(IDS if is_mask else photo).save(root / name)
    return root


def followed(root: Path, out: Path) -> str:
    """The message of auto, whose hint is followed to the letter."""
    shown = run("convert", "auto", root, out)
    assert shown.exit_code == 2
    command = re.search(
        r"segprep convert (pairs SRC OUT --pair '[^']+'(?: --stem path)?)", shown.stderr
    )
    assert command
    words = shlex.split(command[1])
    fine("convert", *(root if w == "SRC" else out if w == "OUT" else w for w in words))
    return shown.stderr


def test_a_folder_for_each_sample(tmp_path: Path) -> None:
    names = [f"x/{n}/{kind}" for n in range(3) for kind in ("image.jpg", "label.png")]
    root = lay_out(tmp_path / "in", *names)
    followed(root, tmp_path / "out")
    assert len(list((tmp_path / "out/SegmentationClass").iterdir())) == 3


@pytest.mark.parametrize("double", ["images", "masks"])
def test_images_or_masks_with_two_extensions(tmp_path: Path, double: str) -> None:
    names = ["images/0.png", "images/1.png", "masks/0.png", "masks/1.png"]
    names += [f"{double}/{n}.bmp" for n in range(2)]
    said = followed(lay_out(tmp_path / "in", *names), tmp_path / "out")
    assert f"{double}/ holds files of one name as .bmp and as .png" in said


def test_linked_folders_are_named(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "real", "images/0.png", "masks/0.png")
    (tmp_path / "in").mkdir()
    for name in ("images", "masks"):
        (tmp_path / "in" / name).symlink_to(root / name)
    shown = run("convert", "auto", tmp_path / "in", tmp_path / "out")
    assert "holds only links: images, masks" in shown.stderr


def test_shapes_that_all_lie_outside_are_refused(tmp_path: Path) -> None:
    far = [[800, 900], [900, 900], [900, 950]]
    annotate(tmp_path / "in", "a", shape("cat", far), shape("cat", far[::-1]))
    with pytest.raises(BadInputError) as caught:
        segprep.convert("labelme", tmp_path / "in", tmp_path / "out")
    assert "2 of 2 shapes lie outside" in str(caught.value.skipped[0])
    assert "--bad-shape skip" in str(caught.value.skipped[0])
    done = segprep.convert("labelme", tmp_path / "in", tmp_path / "out", bad_shape="skip")
    assert done.converted == 1


@pytest.mark.parametrize("value", [0, 1])
def test_a_truth_of_one_class_and_255_is_asked_for(tmp_path: Path, value: int) -> None:
    for folder, array in (("truth", np.where(IDS > 1, 255, value)), ("pred", IDS > 1)):
        (tmp_path / folder).mkdir()
        Image.fromarray(array.astype(np.uint8)).save(tmp_path / folder / "a.png")
    words = ("miou", tmp_path / "pred", "--truth", tmp_path / "truth")
    shown = run(*words, "--classes", "2")
    assert shown.exit_code == 1
    assert f"holds {value} and 255 only" in shown.stderr
    fine(*words, "--classes", "2", "--ignore-index", "255")
    fine(*words, "--truth-ids", f"{value}=sky,255=cell")
