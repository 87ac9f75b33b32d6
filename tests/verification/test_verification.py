"""verify finds every changed, missing and extra file of trees and exports."""

import json
import os
import random
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from segprep_cli.main import group

import segprep
from segprep import verification
from segprep.dataset import manifest
from segprep.errors import TreeError, UsageError

SLOW = pytest.mark.skipif(not os.environ.get("SEGPREP_SLOW"), reason="minutes: make slow")


@pytest.fixture
def tree(source: Path, tmp_path: Path) -> Path:
    segprep.convert("labelme", source, tmp_path / "out", jobs=1)
    segprep.split(tmp_path / "out", seed=1, folds=2)
    return tmp_path / "out"


def kinds(root: Path) -> dict[str, str]:
    """What verify says: path -> kind."""
    return {one.path: one.kind for one in segprep.verify(root).deviations}


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def flipped(path: Path, rng: random.Random) -> bytes:
    """Flip one bit of the file *path*; its former content."""
    before = path.read_bytes()
    data = bytearray(before)
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
    return before


def test_an_untouched_tree_is_intact(tree: Path) -> None:
    found = segprep.verify(tree)
    assert (found.intact, found.checked, found.skipped, found.other) == (True, 24, 0, ())


def test_a_converted_split_and_updated_tree_stays_intact(
    tree: Path, source: Path, tmp_path: Path
) -> None:
    (source / "img3.json").unlink()
    segprep.convert("labelme", source, tree)
    assert kinds(tree) == {}
    segprep.split(tree, update=True)
    assert kinds(tree) == {}
    segprep.remap(tree, tmp_path / "new", map=("cat=dog",))
    assert kinds(tmp_path / "new") == {}


@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=SLOW)])
def test_every_flipped_bit_is_found(tree: Path, count: int) -> None:
    """One bit in any file of the tree; make slow does 2,000."""
    rng, paths = random.Random(count), files(tree)
    missed = []
    for _ in range(count):
        path = rng.choice(paths)
        before = flipped(path, rng)
        if path.relative_to(tree).as_posix() not in kinds(tree):
            missed.append(str(path))
        path.write_bytes(before)
    assert not missed
    assert kinds(tree) == {}


def test_missing_extra_and_linked_files_are_named(tree: Path) -> None:
    image = next((tree / "JPEGImages").iterdir())
    mask = tree / "SegmentationClass" / "img1.png"
    (tree / "elsewhere.png").write_bytes(mask.read_bytes())
    image.unlink()
    mask.unlink()
    mask.symlink_to(tree / "elsewhere.png")
    (tree / "SegmentationClass" / "img1_copy.png").write_bytes(b"x")
    (tree / "labelmap.txt").unlink()
    (tree / "runs").mkdir()
    (tree / "runs" / "log").write_text("no part of the dataset")
    assert kinds(tree) == {
        f"JPEGImages/{image.name}": "missing",
        "SegmentationClass/img1.png": "changed",
        "SegmentationClass/img1_copy.png": "extra",
        "labelmap.txt": "missing",
    }
    assert segprep.verify(tree).other == ("elsewhere.png",)


def test_an_edited_list_is_named_and_a_list_of_ones_own_is_not(tree: Path) -> None:
    lists = tree / "ImageSets" / "Segmentation"
    (lists / "hard.txt").write_text("img1\n")
    (lists / "val.txt").write_text("img1\n")
    assert kinds(tree) == {"ImageSets/Segmentation/val.txt": "changed"}


def test_a_sample_reads_fewer_files_and_still_finds_missing_ones(tree: Path) -> None:
    found = segprep.verify(tree, sample=25)
    assert (found.checked, found.skipped) == (6, 18)
    shutil.rmtree(tree / "SegmentationClass")
    (tree / "SegmentationClass").mkdir()
    missing = [one for one in segprep.verify(tree, sample=25).deviations if one.kind == "missing"]
    assert len(missing) == 12
    for sample in (0, -1, 101, float("nan")):
        with pytest.raises(UsageError):
            segprep.verify(tree, sample=sample)


def test_a_damaged_manifest_does_not_hide_the_rest(tree: Path) -> None:
    (tree / "segprep.json").write_text("{")
    (tree / "SegmentationClass" / "img2.png").write_bytes(b"")
    assert kinds(tree) == {"segprep.json": "changed", "SegmentationClass/img2.png": "changed"}
    lines = (tree / "records.jsonl").read_bytes().split(b"\n")
    (tree / "records.jsonl").write_bytes(b"\n".join([b"{", *lines[1:]]))
    assert kinds(tree)["segprep.json"] == "changed"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_in_the_place_of_a_file_does_not_hang(tree: Path) -> None:
    for name in ("labelmap.txt", "SegmentationClass/img2.png", "ImageSets/Segmentation/val.txt"):
        (tree / name).unlink()
        os.mkfifo(tree / name)
        assert kinds(tree)[name] == "changed"


def test_without_a_manifest_there_is_nothing_to_compare(tree: Path) -> None:
    (tree / "segprep.json").unlink()
    with pytest.raises(TreeError) as caught:
        segprep.verify(tree)
    assert caught.value.code == "no-manifest"


@pytest.mark.parametrize("link", ["copy", "hard", "sym"])
def test_exports_are_verified_too(tree: Path, tmp_path: Path, link: str) -> None:
    out = tmp_path / "export"
    segprep.export("keras", tree, out, link=link)
    assert kinds(out) == {}
    mask = sorted(out.rglob("*masks*/**/*.png"))[0]
    name = mask.relative_to(out).as_posix()
    data = mask.read_bytes()
    mask.unlink()
    (out / "new.txt").write_text("x")
    assert kinds(out) == {name: "missing", "new.txt": "extra"}
    mask.write_bytes(data[:-1])
    (out / "new.txt").unlink()
    assert kinds(out) == {name: "changed"}


def test_every_flipped_bit_of_an_export_is_found(tree: Path, tmp_path: Path) -> None:
    out, rng = tmp_path / "export", random.Random(2)
    segprep.export("keras", tree, out)
    for _ in range(40):
        path = rng.choice(files(out))
        before = flipped(path, rng)
        try:
            names = {*kinds(out)}
        except TreeError as error:  # its manifest cannot be read at all
            names = {path.name for _ in [error.code] if error.code.endswith("-manifest")}
        assert path.relative_to(out).as_posix() in names
        path.write_bytes(before)
    assert kinds(out) == {}


def test_a_file_of_another_size_is_not_read(tree: Path, tmp_path: Path) -> None:
    """It may be a terabyte of nothing: this took as long as reading it, for half an hour."""
    segprep.export("monai", tree, tmp_path / "export")
    path = next((tmp_path / "export/labels").iterdir())
    with open(path, "r+b") as file:
        file.truncate(1 << 40)
    (deviation,) = segprep.verify(tmp_path / "export").deviations
    assert (deviation.kind, f"has {1 << 40} bytes" in deviation.reason) == ("changed", True)


def test_an_export_without_sizes_is_verified_by_its_digests(tree: Path, tmp_path: Path) -> None:
    """As earlier versions wrote it."""
    segprep.export("monai", tree, tmp_path / "export")
    path = tmp_path / "export/segprep-export.json"
    content = json.loads(path.read_bytes())
    del content["sizes"], content["digest"]
    path.write_bytes(manifest.sealed(content))
    assert segprep.verify(tmp_path / "export").intact


def test_a_large_file_is_hashed_in_parts(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "_AT_ONCE", 100)
    assert segprep.verify(tree).intact
    path = next((tree / "JPEGImages").iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert [one.kind for one in segprep.verify(tree).deviations] == ["changed"]


def test_an_export_cannot_make_verify_open_files_elsewhere(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "export"
    segprep.export("voc", tree, out)
    content = json.loads((out / "segprep-export.json").read_bytes())
    content["digests"]["../secret"] = "0" * 40
    (out / "segprep-export.json").write_text(json.dumps(content))
    with pytest.raises(TreeError, match="outside"):
        segprep.verify(out)


def test_the_command_names_files_and_exits_with_1(tree: Path) -> None:
    done = CliRunner().invoke(group, ["verify", str(tree)])
    assert (done.exit_code, "every file is as it was written" in done.output) == (0, True)
    (tree / "SegmentationClass" / "img2.png").write_bytes(b"\1")
    done = CliRunner().invoke(group, ["verify", str(tree)])
    assert (done.exit_code, "changed: SegmentationClass/img2.png" in done.output) == (1, True)
    document = json.loads(CliRunner().invoke(group, ["verify", str(tree), "--json"]).stdout)
    assert document["intact"] is False
    assert [one["path"] for one in document["deviations"]] == ["SegmentationClass/img2.png"]
