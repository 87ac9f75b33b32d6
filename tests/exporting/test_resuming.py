"""An interrupted export goes on: nothing finished is made again, and the bytes are the same."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from folders import content

import segprep
from segprep import targets
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, SegprepError
from segprep.exporting.journal import ExportJournal
from segprep.exporting.publish import Outbox
from segprep.imaging.image import read_mask, write_mask

AFTER = 7  # samples


@pytest.fixture
def tree(source: Path, tmp_path: Path) -> Path:
    segprep.convert("labelme", source, tmp_path / "tree", objects=True)
    segprep.split(tmp_path / "tree", seed=5)
    return tmp_path / "tree"


def interrupted(target: str, tree: Path, out: Path, **options: Any) -> None:
    """Export until *AFTER* samples are finished."""

    def stop(elements: Iterable[Any], total: int, what: str) -> Iterable[Any]:
        for number, element in enumerate(elements):
            if number == AFTER:
                raise KeyboardInterrupt
            yield element

    with pytest.raises(KeyboardInterrupt):
        segprep.export(target, tree, out, progress=stop, **options)
    assert not out.exists()


def resumed(target: str, tree: Path, out: Path, **options: Any) -> int:
    """Export to the end; how many samples were made."""
    made: list[int] = []

    def count(elements: Iterable[Any], total: int, what: str) -> Iterable[Any]:
        made.append(total)
        return elements

    done = segprep.export(target, tree, out, progress=count, **options)
    assert [note.code for note in done.notes].count("export-resumed") == (made[-1] < 12)
    assert not [path for path in out.parent.iterdir() if path.name.endswith(".segprep-export")]
    return made[-1]


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("name", targets.names())
def test_nothing_is_made_again_and_the_bytes_are_the_same(
    name: str, archive: bool, tree: Path, tmp_path: Path
) -> None:
    outs = [tmp_path / (f"{n}.zip" if archive else n) for n in ("broken", "whole")]
    interrupted(name, tree, outs[0], archive=archive)
    assert resumed(name, tree, outs[0], archive=archive) == 12 - AFTER
    segprep.export(name, tree, outs[1], archive=archive)
    if archive:
        assert outs[0].read_bytes() == outs[1].read_bytes()
    else:
        assert content(outs[0]) == content(outs[1])


def test_finished_files_are_not_touched(tree: Path, tmp_path: Path) -> None:
    interrupted("ultralytics", tree, tmp_path / "out", link="copy")
    new = Outbox(tmp_path / "out").hidden / "new"
    finished = Tree(tree).stems()[:AFTER]
    before = {
        path.relative_to(new): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in new.rglob("*.*")
        if path.stem in finished
    }
    assert len(before) == 2 * AFTER
    resumed("ultralytics", tree, tmp_path / "out", link="copy")
    for name, state in before.items():
        found = (tmp_path / "out" / name).stat()
        assert (found.st_ino, found.st_mtime_ns) == state


@pytest.mark.parametrize("name", ["coco", "webdataset"])
def test_what_changed_meanwhile_is_made_again(name: str, tree: Path, tmp_path: Path) -> None:
    interrupted(name, tree, tmp_path / "out")
    stem = Tree(tree).stems()[2]
    mask = read_mask(Tree(tree).mask_path(stem))
    mask[:3] = 1
    write_mask(Tree(tree).mask_path(stem), mask)
    made = resumed(name, tree, tmp_path / "out")
    assert made == (10 if name == "webdataset" else 12 - AFTER + 1)
    segprep.export(name, tree, tmp_path / "whole")
    assert content(tmp_path / "out") == content(tmp_path / "whole")


@pytest.mark.parametrize("name", ["voc", "webdataset"])
def test_a_spoiled_file_of_the_interrupted_run_is_made_again(
    name: str, tree: Path, tmp_path: Path
) -> None:
    interrupted(name, tree, tmp_path / "out")
    new = Outbox(tmp_path / "out").hidden / "new"
    spoiled = min((path for path in new.rglob("*") if path.is_file()), key=lambda one: one.name)
    data = bytearray(spoiled.read_bytes())
    data[len(data) // 2] ^= 1
    spoiled.write_bytes(data)
    (new / "left.tmp").write_bytes(b"half a file")
    assert 12 > resumed(name, tree, tmp_path / "out") > 12 - AFTER
    segprep.export(name, tree, tmp_path / "whole")
    assert content(tmp_path / "out") == content(tmp_path / "whole")


@pytest.mark.parametrize("how", ["option", "lists", "damaged"])
def test_another_export_begins_anew(how: str, tree: Path, tmp_path: Path) -> None:
    interrupted("labelme", tree, tmp_path / "out")
    options = {"tolerance": 1.0} if how == "option" else {}
    if how == "lists":
        (tree / "class_names.txt").unlink()
        stem = Tree(tree).stems()[0]
        Tree(tree).mask_path(stem).rename(tree / "SegmentationClass/moved.png")
        for name in ("segprep.json", "records.jsonl"):
            (tree / name).unlink()
        (tree / f"JPEGImages/{stem}.jpg").rename(tree / "JPEGImages/moved.jpg")
    if how == "damaged":
        path = Outbox(tmp_path / "out").hidden / "journal.jsonl"
        path.write_bytes(b"{}\n" + path.read_bytes())
    assert resumed("labelme", tree, tmp_path / "out", **options) == 12
    segprep.export("labelme", tree, tmp_path / "whole", **options)
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_after_a_bad_sample_the_others_are_not_made_again(tree: Path, tmp_path: Path) -> None:
    path = Tree(tree).mask_path(Tree(tree).stems()[4])
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    with pytest.raises(BadInputError):
        segprep.export("coco", tree, tmp_path / "out")
    path.write_bytes(data)
    assert resumed("coco", tree, tmp_path / "out") == 1
    segprep.export("coco", tree, tmp_path / "whole")
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_after_a_fault_of_the_disk_nothing_is_made_again(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("segprep.outputs.sync_file", _full)
        with pytest.raises(SegprepError, match="No space left"):
            segprep.export("voc", tree, tmp_path / "out")
    assert resumed("voc", tree, tmp_path / "out") == 0


def _full(path: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_an_error_before_the_first_sample_leaves_nothing_behind(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"):
        segprep.export("voc", tree, tmp_path / "out", progress=_fails)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".segprep-export")]


def _fails(elements: Iterable[Any], total: int, what: str) -> Iterable[Any]:
    raise OSError("full")


@pytest.mark.skipif(sys.platform != "linux", reason="kills a process group")
def test_killed_it_goes_on(tree: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time, segprep\n"
        "def slowly(elements, total, what):\n"
        "    for number, element in enumerate(elements):\n"
        "        time.sleep(1000 if number == 3 else 0)\n"
        "        yield element\n"
        "segprep.export('nnunet', sys.argv[1], sys.argv[2], progress=slowly)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, tree, tmp_path / "out"], start_new_session=True
    )
    journal = Outbox(tmp_path / "out").hidden / "journal.jsonl"
    while not journal.exists() or journal.read_bytes().count(b"\n") < 3:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out").exists()
    assert ExportJournal(journal.parent, tmp_path / "out").folder.is_dir()
    assert resumed("nnunet", tree, tmp_path / "out") <= 9
    segprep.export("nnunet", tree, tmp_path / "whole")
    assert content(tmp_path / "out") == content(tmp_path / "whole")
