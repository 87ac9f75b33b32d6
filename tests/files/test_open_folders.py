"""Folders that stay open while their files are read: the same files, the same refusals."""

import os
from pathlib import Path

import pytest

from segprep.errors import SourceError
from segprep.files import find_below, open_folders, read_below


def roots(tmp_path: Path) -> tuple[Path, ...]:
    (tmp_path / "source" / "inner").mkdir(parents=True)
    (tmp_path / "source" / "inner" / "a.txt").write_bytes(b"inside")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return ((tmp_path / "source").resolve(),)


def test_reading_is_the_same_with_and_without_open_folders(tmp_path: Path) -> None:
    below = roots(tmp_path)
    path = below[0] / "inner" / "a.txt"
    assert open_folders.placed(path, below) is None
    with open_folders.remembered():
        entry = open_folders.placed(path, below)
        assert entry is not None
        assert entry[0] == "a.txt"
        assert read_below(path, below) == b"inside"
        assert find_below(path, below)
        assert not find_below(path.with_name("b.txt"), below)
    assert open_folders.placed(path, below) is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(entry[1])


def test_a_folder_that_is_known_is_open_to_its_own_roots_and_names_only(tmp_path: Path) -> None:
    below = roots(tmp_path)
    inner = below[0] / "inner"
    with open_folders.remembered():
        for name in ("a.txt", "..", ".", "a\0.txt", "a.txt"):
            entry = open_folders.placed(Path(f"{inner}/{name}"), below)
            assert (entry is not None) == (name in ("a.txt", ".")), name
            assert entry is None or entry[0] != ".."
        assert open_folders.placed(inner / "a.txt", (tmp_path / "other",)) is None


@pytest.mark.parametrize("way", ["file", "folder", "dots", "outside"])
def test_no_way_leads_out(tmp_path: Path, way: str) -> None:
    below = roots(tmp_path)
    link = below[0] / "link"
    link.symlink_to(tmp_path if way == "folder" else tmp_path / "secret.txt")
    path = {
        "file": link,
        "folder": link / "secret.txt",
        "dots": below[0] / "inner" / ".." / ".." / "secret.txt",
        "outside": tmp_path / "secret.txt",
    }[way]
    with open_folders.remembered(), pytest.raises(SourceError) as caught:
        read_below(path, below)
    assert caught.value.code in ("link-outside-root", "path-outside-root")


def test_a_folder_exchanged_for_a_link_is_not_followed(tmp_path: Path) -> None:
    below = roots(tmp_path)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.txt").write_bytes(b"secret")
    path = below[0] / "inner" / "a.txt"
    with open_folders.remembered():
        assert read_below(path, below) == b"inside"
        (below[0] / "inner").rename(below[0] / "moved")
        (below[0] / "inner").symlink_to(tmp_path / "secret")
        assert read_below(path, below) == b"inside"


def test_a_link_inside_is_followed(tmp_path: Path) -> None:
    below = roots(tmp_path)
    (below[0] / "link").symlink_to(below[0] / "inner")
    with open_folders.remembered():
        assert read_below(below[0] / "link" / "a.txt", below) == b"inside"


def test_many_folders_do_not_stay_open(tmp_path: Path) -> None:
    source = tmp_path.resolve()
    for number in range(2 * open_folders.MOST):
        (source / str(number)).mkdir()
        (source / str(number) / "a.txt").write_bytes(b"%d" % number)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with open_folders.remembered():
        for number in range(2 * open_folders.MOST):
            path = source / str(number) / "a.txt"
            assert read_below(path, (source,)) == b"%d" % number
        if before:
            assert len(os.listdir("/proc/self/fd")) <= before + open_folders.MOST
    if before:
        assert len(os.listdir("/proc/self/fd")) == before
