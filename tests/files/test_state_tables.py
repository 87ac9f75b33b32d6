"""A table of states tells what a look at each file would."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from segprep.conversion.snapshots import Looked
from segprep.files import path_keys, state_tables, states
from segprep.files.state_tables import ABSENT, StateTable
from segprep.files.states import UNKNOWN

LONG_AGO = 1_600_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files, a link to one, a link to nothing, an inner folder, and a link to that."""
    home = tmp_path / "home"
    (home / "inner").mkdir(parents=True)
    for name in ("a", "inner/b"):
        (home / name).write_bytes(name.encode())
        os.utime(home / name, (LONG_AGO, LONG_AGO))
    (home / "link").symlink_to("a")
    (home / "dangling").symlink_to("nothing")
    (home / "other").symlink_to("inner")
    return home


def found(table: StateTable, paths: list[Path]) -> list[int]:
    keys = np.array([path_keys.key(os.fsencode(path)) for path in paths], np.uint64)
    folders = np.array([path_keys.folder_key(path.parent) for path in paths], np.uint64)
    numbers: list[int] = table.find(keys, folders, [*map(str, paths)]).tolist()
    return numbers


def look(folder: Path, monkeypatch: pytest.MonkeyPatch) -> StateTable:
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    return Looked.now([folder]).inputs


def test_files_and_links_have_the_numbers_that_a_look_gives(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = look(folder, monkeypatch)
    paths = [folder / name for name in ("a", "inner/b", "link", "other/b", "gone", "dangling")]
    numbers = found(table, paths)
    assert numbers == state_tables.looked_at(map(str, paths), table.moment).tolist()
    assert numbers[0] == numbers[2] != numbers[1] == numbers[3]
    assert numbers[4:] == [ABSENT, ABSENT]


def test_what_is_gone_from_a_folder_that_nobody_listed_may_have_been_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(look(folder, monkeypatch), [folder / "other/gone"]) == [UNKNOWN]


def test_a_table_does_not_notice_what_happens_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, again = look(folder, monkeypatch), [folder / "a", folder / "new"]
    before = found(table, again)
    (folder / "a").write_bytes(b"another")
    (folder / "new").write_bytes(b"new")
    assert found(table, again) == before
    assert found(look(folder, monkeypatch), again) != before


@pytest.mark.parametrize("kind", ["folder", "pipe", "fresh"])
def test_only_files_that_settled_have_a_number(folder: Path, kind: str) -> None:
    path = folder / "thing"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes here")
        os.mkfifo(path)
    else:
        path.write_bytes(b"now")
    moment = time.time_ns()
    numbers = state_tables.looked_at([str(path)], moment).tolist()
    assert numbers == [UNKNOWN]
    table = Looked.now([folder]).inputs
    assert found(table, [path])[0] in ({ABSENT} if kind == "folder" else {UNKNOWN})


@pytest.mark.parametrize("column", range(1, 5))
def test_every_column_counts(column: int) -> None:
    rows = np.array([[0o100644, 5, 7, 7, 9]] * 2, np.int64)
    rows[1, column] += 1
    first, second = state_tables.numbers(rows).tolist()
    assert first != second


@pytest.mark.parametrize("most", [1, 3, 4000])
def test_folders_that_are_added_together_keep_their_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(state_tables, "_AT_ONCE", most)
    home = tmp_path / "home"
    for number in range(7):
        (home / str(number) / "empty").mkdir(parents=True)
        for name in "ab"[: number % 3]:
            (home / str(number) / name).write_bytes(b"content")
            os.utime(home / str(number) / name, (LONG_AGO, LONG_AGO + number))
    table = look(home, monkeypatch)
    paths = [home / str(number) / name for number in range(7) for name in "ab"]
    assert found(table, paths) == state_tables.looked_at(map(str, paths), table.moment).tolist()
    assert found(table, [home / "3/empty/gone"]) == [ABSENT]
