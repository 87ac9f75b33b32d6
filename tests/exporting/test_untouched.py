"""Files that nobody touched since segprep recorded them are exported unread."""

import errno
import os
import shutil
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import content
from PIL import Image

import segprep
from segprep.dataset import index_file
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, SegprepError, SourceError
from segprep.exporting import stored
from segprep.exporting.publish import MARKER, Outbox
from segprep.exporting.stored import StoredFile
from segprep.files import copy_staged, digest, probe_below, states
from segprep.imaging.image import read_mask, write_mask
from segprep.types import Skipped
from segprep.verification import verify
from segprep.writer import Product


@pytest.fixture
def tree(source: Path, tmp_path: Path) -> Path:
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.split(tmp_path / "tree", seed=1)
    settle(tmp_path / "tree")
    return tmp_path / "tree"


def settle(tree: Path) -> None:
    """The files of *tree*, as they are, count as recorded: as where a disk lost a change's time."""
    header, body = index_file.read(tree)
    keys, rest = array("Q"), array("B")
    for record in Tree(tree).records():
        keys.append(states.key(os.stat(tree / name) for name in record.digests))
    rest.frombytes(body[len(keys.tobytes()) :])
    index_file.write(tree, {key: header[key] for key in header if key != "digest"}, (keys, rest))


def spoil(tree: Path, stem: str) -> None:
    """A value that no class has."""
    path = Tree(tree).mask_path(stem)
    mask = read_mask(path)
    mask[0, 0] = 77
    write_mask(path, mask)


def refusals(tree: Path, out: Path, **options: Any) -> dict[str, str]:
    with pytest.raises(BadInputError) as caught:
        segprep.export("ultralytics", tree, out, **options)
    return {
        skipped.stem: skipped.code
        for skipped in caught.value.skipped
        if isinstance(skipped, Skipped)
    }


@pytest.mark.parametrize("link", ["copy", "hard", "sym"])
def test_the_same_bytes_unread(
    link: str, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(stored, "read_below", None)  # nothing may be read whole
        segprep.export("ultralytics", tree, tmp_path / "out/yolo", link=link)
    segprep.export("ultralytics", tree, tmp_path / "read/yolo", link=link, verify=True)
    assert content(tmp_path / "out") == content(tmp_path / "read")
    assert verify(tmp_path / "out/yolo").intact
    assert len(content(tmp_path / "out")) == 12 * 2 + 6


def test_a_file_that_was_written_again_is_read(tree: Path, tmp_path: Path) -> None:
    path = Tree(tree).mask_path("img4")
    before = path.stat()
    spoil(tree, "img4")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as rsync and cp -p do
    assert refusals(tree, tmp_path / "out") == {"img4": "unknown-value"}


def test_a_copy_of_the_tree_is_read(tree: Path, tmp_path: Path) -> None:
    spoil(tree, "img4")
    shutil.copytree(tree, tmp_path / "copy")
    shutil.copy(index_file.index_path(tree), index_file.index_path(tmp_path / "copy"))
    os.utime(tmp_path / "copy/records.jsonl")
    assert refusals(tmp_path / "copy", tmp_path / "out") == {"img4": "unknown-value"}


def test_verify_reads_what_changed_without_a_trace(tree: Path, tmp_path: Path) -> None:
    spoil(tree, "img4")
    settle(tree)
    segprep.export("ultralytics", tree, tmp_path / "out")
    assert not verify(tmp_path / "out").intact
    assert refusals(tree, tmp_path / "again", verify=True) == {"img4": "unknown-value"}


def test_an_index_of_other_records_tells_nothing(tree: Path) -> None:
    records = Tree(tree).manifest.records  # type: ignore[union-attr]
    assert len(index_file.output_keys(tree, records)) == 12
    assert not index_file.output_keys(tree, digest(b""))
    index = index_file.index_path(tree)
    index.write_bytes(index.read_bytes().replace(b'"time": 1', b'"time": 2'))
    assert not index_file.output_keys(tree, records)


@pytest.mark.parametrize("size", [40, 70_000])
def test_the_header_of_a_photograph_with_exif(size: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "x" * min(size, 60_000)
    icc = b"\0" * max(0, size - 60_000) * 40  # 400 kB: the header is longer than what is read first
    path = tmp_path / "a.jpg"
    Image.new("RGB", (30, 20)).save(path, exif=exif, icc_profile=icc)
    file = StoredFile(
        path, (tmp_path,), digest(path.read_bytes()), *probe_below(path, (tmp_path,), 4096)
    )
    head = file.header(10**6)
    assert file.untouched
    assert (head.width, head.height, head.orientation) == (30, 20, 6)
    with pytest.raises(SourceError) as caught:
        file.header(599)
    assert caught.value.code == "image-too-large"


@pytest.mark.parametrize("code", [0, errno.EXDEV, errno.ENOSYS])
def test_a_copy_by_the_system_or_by_hand(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = np.random.default_rng(1).bytes(2_500_000)
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "b").symlink_to("mine")

    def refuse(*_: Any) -> int:
        raise OSError(code, os.strerror(code))

    if code:
        monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    state = copy_staged(tmp_path / "a", (tmp_path,), tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == data
    assert (state.st_size, (tmp_path / "mine").read_bytes()) == (len(data), b"mine")


def test_a_copy_on_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "a").write_bytes(b"x")
    monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    with pytest.raises(SegprepError) as caught:
        copy_staged(tmp_path / "a", (tmp_path,), tmp_path / "b")
    assert caught.value.code == "write-failed"
    assert not (tmp_path / "b").exists()


def test_a_file_that_is_replaced_meanwhile_is_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "in/a.jpg"
    path.parent.mkdir()
    path.write_bytes(b"old")
    _, state = probe_below(path, (path.parent,), 9)
    (tmp_path / "other").write_bytes(b"new")
    os.utime(tmp_path / "other", ns=(state.st_atime_ns, state.st_mtime_ns))
    os.replace(tmp_path / "other", path)
    box = Outbox(tmp_path / "out")
    with box.opened(), pytest.raises(SourceError) as caught:
        box.put(Product("a.jpg", None, path), (path.parent,), state)
    assert caught.value.reason == "changed during the export"
    assert not (tmp_path / "out" / MARKER).exists()
