"""Runs at once, and what the machine refuses: full disks, read-only folders, few file handles."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conversion.interrupted import (
    HANG,
    SEGPREP,
    begun,
    cli,
    content,
    converted,
    ended,
    held,
    let_go,
    sample,
    samples,
)
from PIL import Image


def test_two_runs_at_once_one_wins(many: tuple[Path, dict[str, bytes]], beside: Path) -> None:
    source, expected = many
    with held(source, beside, 3, "1") as first:
        second = cli("json2mask", source, beside, "-j", "1")
        assert second.exit_code == 11
        assert "[locked]" in second.stderr
        assert cli("split", beside).exit_code != 0
        let_go(beside)
        ended(first)
    assert first.returncode == 0
    assert content(beside) == expected


def test_runs_that_start_together(tmp_path: Path) -> None:
    """Whoever comes second is refused, or finds the work done."""
    source = samples(tmp_path / "src", 30)
    runs = [begun(source, tmp_path / "out", "1") for _ in range(4)]
    said = [ended(process) for process in runs]
    assert {process.returncode for process in runs} <= {0, 11}
    assert 0 in {process.returncode for process in runs}
    assert not [one for one in said if "Traceback" in one]
    assert content(tmp_path / "out") == content(converted(source, tmp_path / "clean"))


def test_a_stale_lock_file_is_harmless(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    out.mkdir()
    (out / ".segprep.lock").write_text("4711")
    converted(source, out)
    assert not (out / ".segprep.lock").exists()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte, where mounting is permitted."""
    place = tmp_path / "mount"
    place.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place],
            capture_output=True,
            check=False,
        ).returncode
    ):
        pytest.skip("mounting a tmpfs is not permitted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_out_may_be_a_mount_point(tmp_path: Path, mounted: Path) -> None:
    source = samples(tmp_path / "src", 3)
    converted(source, mounted)
    assert content(mounted) == content(converted(source, tmp_path / "clean"))
    sample(source, "new")
    converted(source, mounted)
    converted(source, mounted, "--overwrite")
    assert content(mounted) == content(converted(source, tmp_path / "clean2"))


def test_a_full_disk_keeps_the_old_tree(tmp_path: Path, mounted: Path) -> None:
    source = samples(tmp_path / "src", 3)
    before = content(converted(source, mounted))
    Image.effect_noise((1500, 1500), 99).save(source / "s001.png")
    result = cli("json2mask", source, mounted, "-j", "1")
    assert result.exit_code == 1
    assert "[write-failed]" in result.stderr
    assert "errno 28" in result.stderr
    assert str(mounted) in result.stderr
    assert {
        name: data
        for name, data in content(mounted).items()
        if not name.startswith(".segprep-incomplete")
    } == before
    sample(source, "s001", 77)
    converted(source, mounted)
    assert content(mounted) == content(converted(source, tmp_path / "clean"))


def test_a_read_only_output(tmp_path: Path, mounted: Path) -> None:
    source = samples(tmp_path / "src", 3)
    before = content(converted(source, mounted))
    sample(source, "new")
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    result = cli("json2mask", source, mounted, "-j", "1")
    assert result.exit_code == 1
    assert "[write-failed]" in result.stderr
    assert content(mounted) == before
    (source / "new.json").unlink()
    assert (
        cli("json2mask", source, mounted, "-j", "1").exit_code == 0
    )  # nothing to do, nothing to write
    assert cli("json2mask", source, mounted / "sub" / "out", "-j", "1").exit_code == 1


def test_no_file_may_grow(tmp_path: Path) -> None:
    """Like a full disk, where nothing can be mounted."""
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    before = content(converted(source, out))
    Image.effect_noise((300, 300), 99).save(source / "s001.png")
    limit = (
        "import resource,sys,os; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000));"
        " os.execv(sys.argv[1], sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", limit, *SEGPREP, "json2mask", source, out, "-j", "1"],
        check=False,
        capture_output=True,
        text=True,
        timeout=HANG,
    )
    assert done.returncode == 1
    assert "[write-failed]" in done.stderr
    assert "Traceback" not in done.stderr
    assert {
        name: data
        for name, data in content(out).items()
        if not name.startswith(".segprep-incomplete")
    } == before
    converted(source, out)
    assert content(out) == content(converted(source, tmp_path / "clean"))


def test_few_file_handles(many: tuple[Path, dict[str, bytes]], beside: Path) -> None:
    source, expected = many
    limit = (
        "import resource,sys,os; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64));"
        " os.execv(sys.argv[1], sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", limit, *SEGPREP, "json2mask", source, beside, "-j", "2"],
        check=False,
        capture_output=True,
        text=True,
        timeout=HANG,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
    assert content(beside) == expected
