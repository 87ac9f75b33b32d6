"""A dataset that somebody manipulated, or that a killed run left, harms nothing outside it and is
refused with the address of what is wrong.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import segprep
from segprep.dataset import lists, manifest
from segprep.dataset.tree import LISTS, PENDING_SPLIT
from segprep.errors import SegprepError, TreeError
from segprep.files import digest


@pytest.fixture
def tree(source: Path, tmp_path: Path) -> Path:
    segprep.convert("labelme", source, tmp_path / "out")
    segprep.split(tmp_path / "out", seed=1, folds=2)
    return tmp_path / "out"


def records(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "records.jsonl").read_bytes().splitlines()]


def write_records(root: Path, content: list[dict[str, Any]]) -> None:
    """Write *content*, and the digest of it into the manifest: a careful forger does."""
    data = "".join(json.dumps(one) + "\n" for one in content).encode()
    (root / "records.jsonl").write_bytes(data)
    described = json.loads((root / "segprep.json").read_bytes())
    described["records"] = digest(data)
    (root / "segprep.json").write_bytes(manifest.sealed(described))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(SegprepError) as caught:
        call()
    return caught.value.code


NAMES = (
    "../victim/letter.txt",
    "/victim/letter.txt",
    "JPEGImages/../../victim/letter.txt",
    "JPEGImages/img0.jpg/../../../victim/letter.txt",
    "JPEGImages/other.jpg",
    "SegmentationClass/img0.jpg",
    "JPEGImages/img0",
    "JPEGImages/img0.",
    "JPEGImages/img0.a/b",
    "segprep.json",
    "",
    5,
    None,
)


@pytest.mark.parametrize("name", NAMES)
def test_a_record_names_exactly_the_files_of_its_stem(
    tree: Path, source: Path, tmp_path: Path, name: object
) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "letter.txt").write_text("precious")
    (first, *rest) = records(tree)
    forged = {**first, "image": name, "digests": {str(name): "0" * 40}}
    write_records(tree, [forged, *rest])
    (source / "img5.json").unlink()
    assert code_of(lambda: segprep.convert("labelme", source, tree)) == "bad-manifest"
    assert code_of(lambda: segprep.info(tree)) == "bad-manifest"
    assert (tmp_path / "victim" / "letter.txt").read_text() == "precious"


def test_a_forged_journal_publishes_nothing_outside(
    tree: Path, source: Path, tmp_path: Path
) -> None:
    evil = b"owned"
    (tmp_path / "rc").write_text("the user's own")
    (tree / "rc").write_bytes(evil)
    staging = tree / ".segprep-incomplete"
    staging.mkdir()
    (first, *_) = records(tree)
    old = first["image"]
    first["image"], first["digests"] = "../rc", {**first["digests"], "../rc": digest(evil)}
    del first["digests"][old]
    (staging / "journal.jsonl").write_text(json.dumps(first) + "\n")
    described = json.loads((tree / "segprep.json").read_bytes())
    identity = {
        "segprep": described["versions"]["segprep"],
        "source": described["source"],
        "classes": described["classes"]["names"],
        "background": 0,
    }
    (staging / "identity.json").write_text(json.dumps(identity, indent=1) + "\n")
    segprep.convert("labelme", source, tree)
    assert (tmp_path / "rc").read_text() == "the user's own"


MANIFESTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "names": lambda content: content["classes"].update(names=["a", 5]),
    "twice": lambda content: content["classes"].update(names=["a", "a"]),
    "ignore": lambda content: content["classes"].update(ignore="x"),
    "background": lambda content: content["classes"].update(background=-1),
    "classes": lambda content: content.update(classes=[]),
    "source": lambda content: content.update(source=5),
    "empty source": lambda content: content.update(source={}),
    "versions": lambda content: content.update(versions=None),
    "counts": lambda content: content.update(counts=[]),
    "records": lambda content: content.update(records="../x"),
    "split": lambda content: content.update(split=[1]),
    "seed": lambda content: content["split"].update(seed="one"),
    "vanished": lambda content: content["split"].update(vanished=[1]),
    "skipped": lambda content: content.update(skipped=[5]),
    "lists": lambda content: content.update(lists={"train": "short"}),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_types_of_the_manifest_are_checked_once(tree: Path, source: Path, name: str) -> None:
    content = json.loads((tree / "segprep.json").read_bytes())
    MANIFESTS[name](content)
    (tree / "segprep.json").write_text(json.dumps(content))
    for call in (
        lambda: segprep.info(tree),
        lambda: segprep.split(tree, update=True),
        lambda: segprep.export("voc", tree, tree.parent / "export"),
        lambda: segprep.convert("labelme", source, tree),
    ):
        assert code_of(call) == "bad-manifest"


def test_records_that_do_not_fit_the_manifest(tree: Path) -> None:
    with open(tree / "records.jsonl", "ab") as file:
        file.write((tree / "records.jsonl").read_bytes().splitlines(keepends=True)[0])
    assert code_of(lambda: segprep.info(tree)) == "bad-manifest"
    (tree / "records.jsonl").write_text("[" * 200_000)
    assert code_of(lambda: segprep.info(tree)) == "bad-manifest"


def test_a_half_written_split_is_refused_and_finished(tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree, tmp_path / "clean")
    segprep.split(tmp_path / "clean", seed=5, overwrite=True)
    pending = {
        "lists": {
            name: list(stems) for name, stems in segprep.Tree(tmp_path / "clean").lists().items()
        },
        "split": json.loads((tmp_path / "clean" / "segprep.json").read_bytes())["split"],
    }
    (tree / PENDING_SPLIT).write_bytes(manifest.sealed(pending))
    (tree / LISTS / "train.txt").write_bytes(
        (tmp_path / "clean" / LISTS / "train.txt").read_bytes()
    )
    for call in (
        lambda: segprep.info(tree),
        lambda: segprep.verify(tree),
        lambda: segprep.export("voc", tree, tmp_path / "export"),
    ):
        assert code_of(call) == "unfinished-run"
    segprep.split(tree, seed=5, overwrite=True)
    assert not segprep.diff(tree, tmp_path / "clean").any
    assert segprep.verify(tree).intact


@pytest.mark.parametrize(
    "content",
    [
        {"lists": {"../../x": ["a"]}, "split": None},
        {"lists": {"train": ["a\nb"]}, "split": None},
        {"lists": {"train": ["\ud800"]}, "split": None},
        {"lists": {"train": 5}, "split": None},
        {"lists": {"train": []}, "split": 5},
        [],
    ],
)
def test_a_forged_pending_split_is_refused(tree: Path, content: object) -> None:
    data = manifest.sealed(content) if isinstance(content, dict) else b"[]"
    (tree / PENDING_SPLIT).write_bytes(data)
    with pytest.raises(TreeError) as caught:
        lists.finish_split(tree)
    assert caught.value.code == "bad-list"


def test_lists_that_overlap_are_refused(tree: Path) -> None:
    val = tree / LISTS / "val.txt"
    val.write_text(val.read_text() + (tree / LISTS / "train.txt").read_text())
    assert any("train" in fault for fault in segprep.info(tree).faults)
    for call in (
        lambda: segprep.export("voc", tree, tree.parent / "export"),
        lambda: segprep.split(tree, update=True),
    ):
        assert code_of(call) == "bad-list"
    segprep.split(tree, overwrite=True)
    assert segprep.verify(tree).intact


@pytest.mark.parametrize("marked", [True, False])
def test_a_half_published_tree_is_refused_by_all_but_its_command(
    tree: Path, source: Path, marked: bool
) -> None:
    """Also where the run was stopped after the manifest was moved aside, before it said so."""
    staging = tree / ".segprep-incomplete"
    (staging / "previous").mkdir(parents=True)
    described = json.loads((tree / "segprep.json").read_bytes())
    identity = {
        "segprep": described["versions"]["segprep"],
        "source": described["source"],
        "classes": described["classes"]["names"],
        "background": 0,
    }
    (staging / "identity.json").write_text(json.dumps(identity, indent=1) + "\n")
    if marked:
        (staging / "publishing").write_bytes(b"")
    for name in ("segprep.json", "records.jsonl"):
        (tree / name).rename(staging / "previous" / name)
    for call in (
        lambda: segprep.info(tree),
        lambda: segprep.split(tree, overwrite=True),
        lambda: segprep.remap(tree, tree.parent / "new", map=("cat=x",)),
        lambda: segprep.verify(tree),
    ):
        assert code_of(call) == "unfinished-run"
    segprep.convert("labelme", source, tree)
    assert segprep.verify(tree).intact


def test_a_relative_source_is_looked_up_in_the_current_folder(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(source, tmp_path / "one" / "src")
    shutil.copytree(source, tmp_path / "two" / "src")
    (tmp_path / "two" / "src" / "img0.json").unlink()
    for folder, count in (("one", 12), ("two", 11)):
        monkeypatch.chdir(tmp_path / folder)
        assert segprep.convert("labelme", "src", "out").converted == count


def test_records_that_are_gone_or_a_loop_are_named(tree: Path) -> None:
    (tree / "records.jsonl").unlink()
    with pytest.raises(TreeError, match=r"records\.jsonl"):
        segprep.info(tree)
    if os.name == "posix":
        (tree / "records.jsonl").symlink_to(tree / "records.jsonl")
        with pytest.raises(TreeError, match=r"records\.jsonl"):
            segprep.info(tree)


def test_info_tells_of_lists_that_are_not_those_of_the_split(tree: Path) -> None:
    (tree / LISTS / "val.txt").write_bytes(b"")
    (tree / LISTS / "test.txt").unlink()
    faults = segprep.info(tree).faults
    assert f"changed since it was written: {LISTS}/val.txt" in faults
    assert f"missing: {LISTS}/test.txt" in faults


def test_a_line_without_end_in_the_records_is_not_read_to_its_end(tree: Path) -> None:
    with open(tree / "records.jsonl", "wb") as file:
        file.truncate(1 << 40)  # takes no space on the disk
    with pytest.raises(TreeError, match="a line has"):
        segprep.info(tree)
    code_of(lambda: segprep.export("voc", tree, tree.parent / "export"))


@pytest.mark.parametrize("name", ["train", "val", "test"])
def test_a_list_of_the_split_that_is_gone_is_noticed_by_every_reader(tree: Path, name: str) -> None:
    (tree / LISTS / f"{name}.txt").unlink()
    for call in (
        lambda: segprep.export("keras", tree, tree.parent / "export"),
        lambda: segprep.remap(tree, tree.parent / "new", map=("cat=x",)),
        lambda: segprep.stats(tree),
    ):
        assert code_of(call) == "bad-list"
    segprep.split(tree, overwrite=True)
    assert segprep.verify(tree).intact
