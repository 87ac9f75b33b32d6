"""Links and pipes in place of a dataset's files are refused; nothing behind them is read."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import segprep
from segprep.dataset.tree import LISTS, PENDING_SPLIT
from segprep.errors import SegprepError

PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")


@pytest.fixture
def tree(source: Path, tmp_path: Path) -> Path:
    segprep.convert("labelme", source, tmp_path / "out")
    segprep.split(tmp_path / "out", seed=1, folds=2)
    return tmp_path / "out"


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(SegprepError) as caught:
        call()
    return caught.value.code


@pytest.mark.parametrize(
    "name",
    ["ImageSets", LISTS, ".segprep-incomplete", "runs", ".segprep.lock", PENDING_SPLIT],
)
def test_links_are_refused_before_anything_is_changed(
    tree: Path, source: Path, tmp_path: Path, name: str
) -> None:
    victim = tmp_path / "victim"
    if name in (".segprep.lock", PENDING_SPLIT):
        victim.write_text("{}")
    else:
        shutil.copytree(tree / LISTS, victim / "Segmentation")
        (victim / "identity.json").write_text('{"mine": 1}')
        (victim / "fold0train.txt").write_text("mine")
    before = [victim.read_bytes()] if victim.is_file() else sorted(victim.rglob("*"))
    if (tree / name).is_dir():
        shutil.rmtree(tree / name)
    (tree / name).symlink_to(victim)
    refused = ("link-in-output", "bad-list", "unfinished-run")
    assert code_of(lambda: segprep.split(tree, overwrite=True)) in refused
    assert code_of(lambda: segprep.convert("labelme", source, tree, overwrite=True)) in refused
    after = [victim.read_bytes()] if victim.is_file() else sorted(victim.rglob("*"))
    assert after == before


TEXTS = ("class_names.txt", "labelmap.txt", f"{LISTS}/val.txt", "segprep.json", "records.jsonl")


@pytest.mark.parametrize("name", TEXTS)
def test_a_link_to_a_private_file_is_not_read(tree: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("SECRETWORD\n")
    if not name.endswith((".json", ".jsonl")):
        for own in ("segprep.json", "records.jsonl"):
            (tree / own).unlink()
    for path in (name, *(["class_names.txt"] if name == "labelmap.txt" else [])):
        (tree / path).unlink()
    (tree / name).symlink_to(tmp_path / "secret")
    code_of(lambda: segprep.info(tree))
    code_of(lambda: segprep.export("voc", tree, tmp_path / "export"))
    assert not (tmp_path / "export").exists()


@PIPES
@pytest.mark.parametrize("name", [*TEXTS, "SegmentationClass/img1.png"])
def test_a_pipe_does_not_hang(tree: Path, tmp_path: Path, name: str) -> None:
    if name not in ("segprep.json", "records.jsonl"):
        for own in ("segprep.json", "records.jsonl"):
            (tree / own).unlink()
    if name == "labelmap.txt":
        (tree / "class_names.txt").unlink()
    (tree / name).unlink()
    os.mkfifo(tree / name)
    if name.endswith(".png"):
        assert segprep.info(tree).faults
    else:
        code_of(lambda: segprep.info(tree))
    code_of(lambda: segprep.export("voc", tree, tmp_path / "export"))


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_linked_class_list_is_not_opened_outside(tree: Path, tmp_path: Path) -> None:
    (tree / "class_names.txt").rename(tmp_path / "same.txt")
    (tree / "class_names.txt").symlink_to(tmp_path / "same.txt")
    assert any("class_names.txt" in fault for fault in segprep.info(tree).faults)


@pytest.mark.skipif(os.name != "posix", reason="links")
@pytest.mark.parametrize("name", ["class_names.txt", "labelmap.txt", f"{LISTS}/val.txt"])
def test_check_quotes_no_file_that_a_link_leads_to(tree: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("SECRETWORD\n")
    (tree / name).unlink()
    (tree / name).symlink_to(tmp_path / "secret")
    findings = segprep.check(tree).findings
    assert any(name.endswith(finding.path.rpartition("/")[2]) for finding in findings)
    assert not any("SECRETWORD" in str(finding) for finding in findings)


@pytest.mark.skipif(os.name != "posix", reason="links")
@pytest.mark.parametrize("name", ["JPEGImages/img0.jpg", "SegmentationClass/img0.png"])
def test_a_linked_file_is_never_as_recorded(tree: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "old").write_bytes(b"another")
    os.utime(tmp_path / "old", (0, 0))
    (tree / name).unlink()
    (tree / name).symlink_to(tmp_path / "old")
    os.utime(tree / "records.jsonl")  # newer than what the link leads to, by its change time, too
    assert any(name in fault for fault in segprep.info(tree).faults)


@pytest.mark.parametrize("name", ["val.txt", ".hidden.txt"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_conversion_copies_no_endless_list(
    tree: Path, source: Path, name: str, overwrite: bool
) -> None:
    with open(tree / LISTS / name, "wb") as file:
        file.truncate(1 << 40)
    (source / "img5.json").unlink()
    if overwrite or name.startswith("."):
        segprep.convert("labelme", source, tree, overwrite=overwrite)
    else:
        assert code_of(lambda: segprep.convert("labelme", source, tree)) == "bad-list"


@PIPES
@pytest.mark.parametrize("name", [".segprep-incomplete", "runs", ".segprep.lock"])
def test_a_pipe_in_the_place_of_a_folder_of_ours_does_not_hang(
    tree: Path, source: Path, name: str
) -> None:
    os.mkfifo(tree / name)
    (source / "img5.json").unlink()
    command = [sys.executable, "-m", "segprep_cli", "json2mask", str(source), str(tree)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if name == ".segprep-incomplete" else 0), done.stderr
