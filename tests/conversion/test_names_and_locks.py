"""Names that not every system can store, runs without locks, and what --quiet still says."""

import json
import sys
from pathlib import Path

import filelock
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

from segprep.dataset import staging
from segprep.errors import LockedError, SegprepError
from segprep.names import stem_fault

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="names that Windows cannot store")


def sample(folder: Path, stem: str) -> None:
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (20, 20)).save(folder / f"{stem}.png")
    shape = {"label": "cat", "points": [[1, 1], [9, 1], [5, 9]], "shape_type": "polygon"}
    content = {"shapes": [shape], "imagePath": f"{stem}.png", "imageData": None}
    (folder / f"{stem}.json").write_text(json.dumps(content))


@pytest.mark.parametrize("sign", list(':*?"<>|'))
def test_signs_that_windows_cannot_store_are_no_part_of_a_name(sign: str) -> None:
    assert "Windows" in str(stem_fault(f"a{sign}b"))
    assert stem_fault(f"a{sign}b", portable=False) is None  # in a tree that has it already


@POSIX
@pytest.mark.parametrize("sign", list(':*?"<>|'))
def test_such_a_name_is_refused_by_its_code(sign: str, tmp_path: Path) -> None:
    sample(tmp_path / "s", f"a{sign}b")
    sample(tmp_path / "s", "good")
    words = ["json2mask", str(tmp_path / "s"), str(tmp_path / "o")]
    done = CliRunner().invoke(group, words)
    assert done.exit_code == 1
    assert "[bad-stem]" in done.output
    quiet = CliRunner().invoke(group, [*words, "-q", "--on-error", "skip"])
    assert quiet.exit_code == 3
    assert "1 inputs skipped" in quiet.stderr
    assert quiet.stdout == ""
    assert [path.stem for path in (tmp_path / "o/JPEGImages").iterdir()] == ["good"]


def test_a_run_without_locks_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object, **_: object) -> None:
        raise NotImplementedError

    sample(tmp_path / "s", "a")
    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    words = ["json2mask", str(tmp_path / "s"), str(tmp_path / "o"), "-q"]
    done = CliRunner().invoke(group, words)
    assert done.exit_code == 1
    assert "[locks-unsupported]" in done.stderr
    assert "--no-lock" in done.stderr
    assert CliRunner().invoke(group, [*words, "--no-lock"]).exit_code == 0


def test_without_locks_nothing_is_locked(tmp_path: Path) -> None:
    with staging.lock(tmp_path):
        with pytest.raises(LockedError), staging.lock(tmp_path):
            pass
        with staging.unlocked(), staging.lock(tmp_path):
            pass
    with pytest.raises(SegprepError), staging.lock(tmp_path), staging.lock(tmp_path):
        pass


@pytest.mark.parametrize("command", ["check", "miou", "predict", "train", "train-check", "split"])
def test_every_command_that_locks_can_do_without(command: str) -> None:
    assert "--no-lock" in CliRunner().invoke(group, [command, "--help"]).output
