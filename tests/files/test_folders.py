"""Folders of very many files are listed in little memory."""

import tracemalloc
from pathlib import Path

from segprep.files.folders import listed_by_folder


def test_a_listed_file_takes_little_more_than_its_name(tmp_path: Path) -> None:
    """An entry of os.scandir, which knows its whole path, takes four times as much."""
    count = 4000
    for number in range(count):
        (tmp_path / f"t{number:07}.jpg").touch()
    tracemalloc.start()
    try:
        ((_, names),) = listed_by_folder(str(tmp_path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert names == [f"t{number:07}.jpg" for number in range(count)]
    assert peak / count < 110


def test_folders_among_files_come_in_their_place(tmp_path: Path) -> None:
    for name in ("a.txt", "b/c.txt", "b/.hidden", "d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    inner = tmp_path / "b"
    assert [*listed_by_folder(str(tmp_path))] == [
        (str(tmp_path), ["a.txt"]),
        (str(inner), ["c.txt"]),
        (str(tmp_path), ["d.txt"]),
    ]
