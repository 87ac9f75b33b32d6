"""A file that somebody edits while ``convert`` runs is not taken for what the records say later."""

import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import content
from PIL import Image

import segprep
from segprep.conversion.result import Conversion
from segprep.dataset.staging import Staging
from segprep.errors import TreeError
from segprep.sources.pairs import Reader

LATER = 0.15  # seconds: after them, a file has settled


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder, random = tmp_path / "source", np.random.default_rng(3)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
        for at in range(5):
            values = random.integers(0, 3, (24, 32), np.uint8)
            Image.fromarray(values).save(folder / name / f"s{at}.png")
    time.sleep(LATER)
    return folder


def convert(tmp_path: Path, **options: Any) -> Conversion:
    return segprep.convert("pairs", tmp_path / "source", tmp_path / "out", classes="3", **options)


def edit(path: Path) -> None:
    """Another picture of the same size in pixels, and then nothing for a while."""
    values = np.random.default_rng(9).integers(0, 3, (24, 32), np.uint8)
    Image.fromarray(values).save(path)
    time.sleep(LATER)


def edit_with_its_times(path: Path) -> None:
    """Other bytes; size and time of modification stay."""
    before = path.stat()
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(path)
    with open(path, "ab") as file:
        file.write(bytes(before.st_size - path.stat().st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    time.sleep(LATER)


def assert_noticed(tmp_path: Path, name: str) -> None:
    tree = tmp_path / "out"
    assert segprep.info(tree).faults == (f"changed since conversion: 1 file: {name}",)
    segprep.export("ultralytics", tree, tmp_path / "yolo")
    segprep.export("ultralytics", tree, tmp_path / "read", verify=True)
    assert content(tmp_path / "yolo") == content(tmp_path / "read")
    with pytest.raises(TreeError, match="was changed after segprep wrote it"):
        convert(tmp_path)


@pytest.mark.parametrize("moment", ["staged", "published"])
@pytest.mark.parametrize("change", [edit, edit_with_its_times])
def test_an_output_is_edited_before_the_run_ends(
    tmp_path: Path,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    change: Callable[[Path], None],
) -> None:
    name, publish = "SegmentationClass/s2.png", Staging.publish

    def edited(staging: Staging, *rest: Any, **more: Any) -> bool:
        if moment == "staged":
            change(staging.folder / name)
        whole = publish(staging, *rest, **more)
        if moment == "published":
            change(staging.root / name)
        return whole

    with monkeypatch.context() as patch:
        patch.setattr(Staging, "publish", edited)
        convert(tmp_path)
    assert_noticed(tmp_path, name)


@pytest.mark.parametrize("change", [edit, edit_with_its_times])
def test_a_kept_output_is_edited_while_others_are_converted(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    name, publish = "SegmentationClass/s2.png", Staging.publish
    convert(tmp_path)
    edit(source / "masks/s4.png")

    def edited(staging: Staging, *rest: Any, **more: Any) -> bool:
        change(staging.root / name)
        return publish(staging, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Staging, "publish", edited)
        assert convert(tmp_path).converted == 1
    assert_noticed(tmp_path, name)


@pytest.mark.parametrize("change", [edit, edit_with_its_times])
def test_a_source_is_edited_after_it_was_read(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    read = Reader.read

    def edited(reader: Reader, item: Any) -> Any:
        sample = read(reader, item)
        if item.stem == "s3":
            change(source / "images/s3.png")
        return sample

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "read", edited)
        convert(tmp_path)
    after = (source / "images/s3.png").read_bytes()
    assert (tmp_path / "out/JPEGImages/s3.png").read_bytes() != after
    assert convert(tmp_path).converted == 1
    assert (tmp_path / "out/JPEGImages/s3.png").read_bytes() == after


def copied(tree: Path, way: str, to: Path) -> None:
    """A copy of *tree*, its records last."""
    match way:
        case "new times":
            shutil.copytree(tree, to, copy_function=shutil.copyfile)
            os.utime(to / "records.jsonl")
        case "same times":
            shutil.copytree(tree, to)
        case "records touched":
            shutil.copytree(tree, to)
            os.utime(to / "records.jsonl")
        case "same times and index":
            shutil.copytree(tree.parent, to.parent)
        case "unzipped":
            archive = Path(shutil.make_archive(str(tree.parent / "packed"), "zip", tree))
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(to)
            os.utime(to / "records.jsonl")
        case "cloned":
            who = ["-c", "user.name=a", "-c", "user.email=a@b"]
            for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "a"]):
                subprocess.run(["git", "-C", str(tree), *words], check=True, timeout=600)
            subprocess.run(["git", "clone", "-q", str(tree), str(to)], check=True, timeout=600)
            os.utime(to / "records.jsonl")


@pytest.mark.parametrize("place", ["elsewhere", "in its place"])
@pytest.mark.parametrize(
    "way",
    ["new times", "same times", "records touched", "same times and index", "unzipped", "cloned"],
)
def test_a_copy_of_an_edited_tree_is_read(
    tmp_path: Path, source: Path, way: str, place: str
) -> None:
    """Whatever times the copy of an edited file has, and whatever lay there before."""
    if way == "cloned" and not shutil.which("git"):
        pytest.skip("no git")
    segprep.convert("pairs", source, tmp_path / "home/out", classes="3")
    tree, to, name = tmp_path / "home/out", tmp_path / "copy/out", "SegmentationClass/s2.png"
    before = (tree / name).read_bytes()
    edit_with_its_times(tree / name)
    copied(tree, way, to)
    if place == "in its place":
        (tree / name).write_bytes(before)
        shutil.rmtree(tree) if way == "new times" else tree.rename(tree.with_name("old"))
        to.rename(tree)
        to = tree
    assert segprep.info(to).faults == (f"changed since conversion: 1 file: {name}",)
    for at, verify in enumerate((False, True)):
        segprep.export("ultralytics", to, tmp_path / f"yolo{at}", verify=verify)
    assert content(tmp_path / "yolo0") == content(tmp_path / "yolo1")
    assert not segprep.verify(to).intact


def test_a_source_is_edited_before_it_is_read(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the run looked at all files: it converts the new content, which it does not know."""
    scan = Reader.scan

    def edited(reader: Reader, *rest: Any) -> Any:
        scanned = scan(reader, *rest)
        edit_with_its_times(source / "masks/s3.png")
        return scanned

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "scan", edited)
        convert(tmp_path)
    new = segprep.read_mask(tmp_path / "out/SegmentationClass/s3.png")
    assert not new.any()
    Image.fromarray(np.ones((24, 32), np.uint8)).save(source / "masks/s3.png")
    assert convert(tmp_path).converted == 1
    assert segprep.read_mask(tmp_path / "out/SegmentationClass/s3.png").all()


def test_a_link_that_led_out_of_the_tree_is_followed_when_files_are_compared(
    tmp_path: Path, source: Path
) -> None:
    """What it leads to is edited; the link is as it was."""
    (source / "store").mkdir()
    (source / "masks/s3.png").rename(source / "store/mask.png")
    (source / "masks/s3.png").symlink_to("../store/mask.png")
    time.sleep(LATER)
    options = {"images": "images", "masks": "masks"}
    assert convert(tmp_path, **options).converted == 5
    assert convert(tmp_path, **options).kept == 5
    edit(source / "store/mask.png")
    assert convert(tmp_path, **options).converted == 1
