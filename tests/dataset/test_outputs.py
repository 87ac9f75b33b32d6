"""One way to write below a folder: no link is followed, nothing lands outside, files are whole."""

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.dataset import tree_files
from segprep.errors import SegprepError, TreeError, UsageError
from segprep.outputs import OutputFolder, restore, swap
from segprep.tiling.grid import TILES, Grid

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="links, pipes and locks")


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", "", "a\0b", "..\\a"])
def test_names_that_lead_out_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SegprepError, match="outside"):
        OutputFolder(tmp_path / "out").write(name, b"x")
    assert list(tmp_path.iterdir()) == []


@LINUX
def test_no_link_on_the_way_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TreeError, match="symbolic link"):
        OutputFolder(tmp_path / "out").write("sub/a.png", b"x")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@LINUX
def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    OutputFolder(tmp_path).write("a", b"new")
    OutputFolder(tmp_path).write("b/c", b"more")
    assert (tmp_path / "victim").read_text() == "mine"
    assert (tmp_path / "a").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "victim"]


def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/full").write_bytes(b"")
    with pytest.raises(SegprepError, match="errno"):
        OutputFolder(tmp_path).write("b", b"new")
    assert [path.name for path in tmp_path.rglob("*")] == ["b", "full"]


def voc(root: Path) -> None:
    """Two samples of two classes, as another tool would leave them; a list with a double name."""
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for stem in ("a", "b"):
        Image.new("RGB", (32, 32), "red").save(root / f"JPEGImages/{stem}.png")
        mask = np.zeros((32, 32), np.uint8)
        mask[:9] = 1
        segprep.write_mask(root / f"SegmentationClass/{stem}.png", mask)
    (root / "class_names.txt").write_text("_background_\ncat\n")
    (root / "ImageSets/Segmentation/train.txt").write_text("a\na\nb\n")


def fixed(root: Path) -> Path:
    voc(root)
    done = CliRunner().invoke(group, ["check", str(root), "--fix", "--yes", "-q"])
    assert done.exit_code in (0, 1), done.output
    assert (root / "ImageSets/Segmentation/train.txt").read_text() == "a\nb\n"
    return root / "runs/fix-1"


def test_repairs_are_taken_back(tmp_path: Path) -> None:
    folder = fixed(tmp_path / "t")
    from segprep.checking import undoing

    assert undoing.undo(folder) == 1
    assert (tmp_path / "t/ImageSets/Segmentation/train.txt").read_text() == "a\na\nb\n"


@pytest.mark.parametrize("key", ["path", "target"])
@pytest.mark.parametrize("name", ["../victim.txt", "JPEGImages/../../victim.txt", "ABSOLUTE"])
def test_a_manipulated_record_of_repairs_reaches_no_file_outside(
    key: str, name: str, tmp_path: Path
) -> None:
    folder, victim = fixed(tmp_path / "t"), tmp_path / "victim.txt"
    victim.write_text("mine")
    record = json.loads((folder / "undo.json").read_bytes())
    change = record["changes"][0]
    change[key] = str(victim) if name == "ABSOLUTE" else name
    change["after"] = segprep.files.digest(b"mine")
    (folder / "undo.json").write_text(json.dumps(record))
    done = CliRunner().invoke(group, ["check", str(tmp_path / "t"), "--undo", str(folder)])
    assert done.exit_code in (1, 2)
    assert victim.read_text() == "mine"


@LINUX
@pytest.mark.parametrize("name", ["SegmentationClass", "ImageSets/Segmentation", "runs"])
def test_repairs_go_through_no_link(name: str, tmp_path: Path) -> None:
    voc(tmp_path / "t")
    (tmp_path / "elsewhere").mkdir()
    if (tmp_path / "t" / name).exists():
        shutil.move(tmp_path / "t" / name, tmp_path / "elsewhere/moved")
    place = tmp_path / "elsewhere/moved"
    place.mkdir(exist_ok=True)
    (tmp_path / "t" / name).symlink_to(place)
    before = {path: path.read_bytes() for path in place.iterdir()}
    done = CliRunner().invoke(group, ["check", str(tmp_path / "t"), "--fix", "--yes", "-q"])
    assert done.exit_code == 1
    assert {path: path.read_bytes() for path in place.iterdir()} == before


def tiles(root: Path, pictures: object) -> None:
    voc(root)
    (root / TILES).write_text(json.dumps({"size": 32, "overlap": 0, "pictures": pictures}))


@pytest.mark.parametrize(
    "pictures",
    [
        {"../x": [32, 32]},
        {"a/../../x": [32, 32]},
        {"a": [1 << 40, 1 << 40]},
        {"a": [32]},
        {"a": [-1, -1]},
        {"a": "32"},
        ["a"],
        {"": [32, 32]},
    ],
)
def test_a_manipulated_account_of_tiles_is_refused(pictures: object, tmp_path: Path) -> None:
    tiles(tmp_path / "t", pictures)
    with pytest.raises(TreeError) as refused:
        Grid.load(tmp_path / "t")
    assert refused.value.code == "bad-tiles"


@LINUX
def test_a_pipe_is_no_account_of_tiles(tmp_path: Path) -> None:
    voc(tmp_path / "t")
    os.mkfifo(tmp_path / "t" / TILES)
    with pytest.raises(TreeError):
        Grid.load(tmp_path / "t")


@LINUX
@pytest.mark.parametrize("name", ["ImageSets/Segmentation/train.txt", "class_names.txt"])
@pytest.mark.parametrize("command", ["check", "view", "stats", "info", "diff"])
def test_a_pipe_in_a_dataset_hangs_no_command(command: str, name: str, tmp_path: Path) -> None:
    voc(tmp_path / "t")
    (tmp_path / "t" / name).unlink()
    os.mkfifo(tmp_path / "t" / name)
    words = [command, str(tmp_path / "t")]
    words += [str(tmp_path / "t")] if command == "diff" else []
    done = CliRunner().invoke(group, [*words, "-q"])  # the test is that it ends
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output


@pytest.mark.parametrize("command", ["info", "stats", "view", "check", "verify", "split"])
def test_quiet_commands_end_without_an_exception(command: str, tmp_path: Path) -> None:
    """With --quiet, stats and view forgot to take --no-progress out of their options."""
    voc(tmp_path / "t")
    for words in ([command, str(tmp_path / "t"), "-q"], [command, str(tmp_path / "t"), "--json"]):
        done = CliRunner().invoke(group, words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output


@LINUX
def test_diff_reads_the_files_and_not_the_records(tmp_path: Path) -> None:
    voc(tmp_path / "s")
    (tmp_path / "s/ImageSets/Segmentation/train.txt").write_text("a\nb\n")
    segprep.convert("voc", tmp_path / "s", tmp_path / "t")
    shutil.copytree(tmp_path / "t", tmp_path / "u")
    assert not segprep.diff(tmp_path / "t", tmp_path / "u").any
    segprep.write_mask(
        tmp_path / "u/SegmentationClass/a.png", np.ones((32, 32), np.uint8)
    )  # edited, and no record says so
    found = segprep.diff(tmp_path / "t", tmp_path / "u")
    assert [(one.stem, one.pixels) for one in found.items] == [("a", 23 * 32)]


def test_the_guard_names_the_link(tmp_path: Path) -> None:
    tree_files.guard_links(tmp_path)
    with pytest.raises(UsageError):
        segprep.verify(tmp_path)


def test_a_batch_gets_its_names_together(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path)
    folder.write_all({"run.json": b"1", "a/b.txt": b"1", "c.txt": b"1"}, last="run.json")
    with pytest.raises(SegprepError):  # the second lies below a file
        folder.write_all({"c.txt": b"2", "a/b.txt/d.txt": b"2"})
    files = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"run.json": b"1", "b.txt": b"1", "c.txt": b"1"}


def test_a_swap_that_was_killed_between_its_renames_is_undone(tmp_path: Path) -> None:
    new, out, old = (tmp_path / name for name in ("new", "out", ".out-old"))
    for folder in (new, out):
        folder.mkdir()
        (folder / "name").write_text(folder.name)
    swap(new, out, old)
    assert ((out / "name").read_text(), (old / "name").read_text()) == ("new", "out")
    restore(out, old)
    assert (out / "name").read_text() == "new"
    shutil.rmtree(out)
    restore(out, old)
    assert (out / "name").read_text() == "out"
