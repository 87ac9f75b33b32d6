"""Where train-check writes, and what it refuses: bad input, held results, damaged states."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training.check.discs_check import FILES, Discs, check

import segprep
from segprep.dataset.staging import lock
from segprep.errors import SegprepError

pytestmark = pytest.mark.usefixtures("narrow")


def code(root: Path, **more: Any) -> str:
    with pytest.raises(SegprepError) as caught:
        check(root, **{"steps": 1} | more)
    return caught.value.code


def test_bad_lists_and_masks(discs: Discs) -> None:
    root = discs(8)
    lists = root / "ImageSets/Segmentation"
    (lists / "val.txt").write_text("")
    assert code(root) == "no-val-images"
    (lists / "test.txt").write_text("i6\n")  # an official one: the way out keeps it
    with pytest.raises(SegprepError) as caught:
        check(root, steps=1)
    assert caught.value.hint == "split again: segprep split --overwrite --ratio 80/20 --keep test"
    (lists / "val.txt").write_text("i7\n")
    (lists / "train.txt").write_text("")
    assert code(root) == "empty-list"
    (lists / "train.txt").write_text("i0\ni7\n")
    assert code(root) == "bad-list"
    (lists / "train.txt").write_text("i0\ni1\ni2\nelsewhere\n")
    assert code(root) == "no-mask-for-stem"
    (lists / "train.txt").write_text("i0\ni1\ni2\n")
    segprep.write_mask(root / "SegmentationClass/i1.png", np.full((44, 49), 9, np.uint8))
    assert code(root) == "unknown-value"


def test_bad_options(discs: Discs) -> None:
    root = discs(8)
    assert code(root, arch="nonet") == "unknown-model"
    assert code(root, device="warp") == "bad-option"
    assert code(root, size=8) == "bad-option"
    assert code(root, steps=0) == "bad-option"
    assert code(root / "JPEGImages") == "no-tree"


def test_results_go_nowhere_else(discs: Discs, tmp_path: Path) -> None:
    root, strange = discs(8), tmp_path / "strange"
    strange.mkdir()
    (strange / "thesis.txt").write_text("mine")
    assert code(root, out=strange) == "output-not-ours"
    assert (strange / "thesis.txt").read_text() == "mine"
    assert code(root, out=strange / "thesis.txt") == "output-not-ours"
    (tmp_path / "link").symlink_to(strange)
    assert code(root, out=tmp_path / "link") == "link-in-output"
    found = check(root, steps=1, out=tmp_path / "new/deep")
    assert {path.name for path in found.out.iterdir()} == FILES
    assert not (root / "runs").exists()
    check(root, steps=1, out=tmp_path / "new/deep")


def test_a_failure_leaves_the_former_results(discs: Discs) -> None:
    root = discs(8)
    check(root, steps=2)
    before = {
        path.name: path.read_bytes()
        for path in (root / "runs/train-check").iterdir()
        if path.is_file()
    }
    (root / "JPEGImages/i2.png").write_bytes(b"rubbish")
    assert code(root) == "image-unsupported"
    assert [path.name for path in (root / "runs").iterdir()] == ["train-check"]
    assert {
        path.name: path.read_bytes()
        for path in (root / "runs/train-check").iterdir()
        if path.is_file()
    } == before


def test_two_checks_of_one_dataset_do_not_meet(discs: Discs) -> None:
    root = discs(8)
    work = root / "runs/.train-check-unfinished"
    work.mkdir(parents=True)
    with lock(work):
        assert code(root) == "locked"
    assert check(root, steps=1).report.is_file()


def test_a_damaged_state_is_no_loss(discs: Discs) -> None:
    root = discs(8)
    work = root / "runs/.train-check-unfinished"
    work.mkdir(parents=True)
    (work / "state.pt").write_bytes(b"half a file")
    assert check(root, steps=2).report.is_file()
    assert not work.exists()


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="needs a folder that nobody can write to"
)
def test_where_nothing_can_be_written_out_is_asked_for_before_training(discs: Discs) -> None:
    with pytest.raises(SegprepError) as caught:
        check(discs(8), out="/proc/segprep/check")
    assert caught.value.code == "write-failed"
    assert "--out" in caught.value.hint


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_dataset_asks_for_out(discs: Discs, tmp_path: Path) -> None:
    root = discs(8)
    root.chmod(0o555)
    try:
        assert code(root) == "write-failed"
        assert check(root, steps=1, out=tmp_path / "elsewhere").report.is_file()
    finally:
        root.chmod(0o755)
