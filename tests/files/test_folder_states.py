"""The states of many files at once are those that the system gives of each."""

import os
from pathlib import Path

import numpy as np
import pytest
from twins import both, built

from segprep import kernel
from segprep.files import folder_states


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    for size, name in enumerate(("a.png", "ä ö", "-", "n" * 250)):
        (tmp_path / name).write_bytes(bytes(size))
    os.utime(tmp_path / "a.png", ns=(-5_000_000_001, -5_000_000_001))  # before 1970
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "link").symlink_to("a.png")
    return tmp_path


def test_the_kernel_sees_what_python_sees(folder: Path) -> None:
    home, names = os.fsencode(folder), [os.fsencode(name) for name in sorted(os.listdir(folder))]
    mine, plain = both(lambda: folder_states.rows(home, names))
    expected = [
        (state.st_mode, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
        for state in (os.lstat(os.path.join(home, name)) for name in names)
    ]
    assert mine.tolist() == plain.tolist() == [list(row) for row in expected]
    assert mine.dtype == plain.dtype == np.int64
    for rows in both(lambda: folder_states.rows(home, [])):
        assert rows.shape == (0, 5)


def test_an_inode_of_more_bits_keeps_the_last_64() -> None:
    numbers = (5, 2**63, 2**64 - 1, 2**64 + 7)
    assert [*map(folder_states.in_64, numbers)] == [5, -(2**63), -1, 7]


def test_a_time_of_more_bits_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    seconds = 60 * 60 * 24 * 365 * 400
    try:
        os.utime(tmp_path / "a", (seconds, seconds))
    except (OSError, OverflowError):
        pytest.skip("the file system holds no such time")
    mine, plain = both(lambda: folder_states.rows(os.fsencode(tmp_path), [b"a"]))
    assert mine.tolist() == plain.tolist()
    assert mine[0, 2] == folder_states.in_64((tmp_path / "a").stat().st_mtime_ns)


def test_what_is_not_there_is_told(folder: Path) -> None:
    def told(home: Path, name: bytes) -> type:
        with pytest.raises(OSError, match=r"a\.png|gone") as error:
            folder_states.rows(os.fsencode(home), [name])
        return error.type

    for home, name, kind in (
        (folder, b"gone", FileNotFoundError),
        (folder / "gone", b"a.png", FileNotFoundError),
        (folder / "a.png", b"gone", NotADirectoryError),
    ):
        assert both(lambda: told(home, name)) == (kind, kind)  # noqa: B023


@built
@pytest.mark.parametrize(
    "arguments", [(b"/", ["text"]), (b"/", (b"tmp",)), (b"/\0", []), ("/", [1])]
)
def test_what_is_no_name_is_refused(arguments: tuple[object, object]) -> None:
    assert kernel.compiled is not None
    with pytest.raises((TypeError, ValueError)):
        kernel.compiled.states(*arguments)  # type: ignore[arg-type]
