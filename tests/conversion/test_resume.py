"""Killed, failed, repeated, extended and concurrent conversions: the tree is whole or absent, and
the same command goes on.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image
from segprep_cli.main import group

SEGPREP = (sys.executable, "-m", "segprep_cli")
SWEEP = Path(__file__).parents[1] / "crash" / "sweep.py"


def sample(
    folder: Path, stem: str, shade: int = 0, label: str = "cat", size: tuple[int, int] = (40, 30)
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").resize(size).point(lambda v: (v + shade) % 256).convert("RGB").save(
        folder / f"{stem}.png"
    )
    shape = {
        "label": label,
        "points": [[4, 4], [30, 4], [20, 4 + shade % 20 + 1]],
        "shape_type": "polygon",
    }
    (folder / f"{stem}.json").write_text(
        json.dumps({"shapes": [shape], "imagePath": f"{stem}.png", "imageData": None})
    )


def samples(folder: Path, count: int, **given: Any) -> Path:
    for n in range(count):
        sample(folder, f"s{n:03}", n, **given)
    return folder


def cli(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, [os.fspath(one) for one in arguments])


def converted(source: Path, out: Path, *more: str) -> Path:
    result = cli("json2mask", source, out, "-j", "1", *more)
    assert result.exit_code == 0, result.stderr
    return out


def content(folder: Path) -> dict[str, bytes]:
    """Every file by name; a lock file means nothing, as the lock is the kernel's."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".segprep.lock"
    }


def times(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


def lists(out: Path) -> dict[str, list[str]]:
    return {
        path.stem: path.read_text().split("\n")[:-1]
        for path in (out / "ImageSets" / "Segmentation").glob("*.txt")
    }


# ----------------------------------------------------------------------------
# kills


@pytest.mark.parametrize(
    "points",
    [
        ("--points", "144", "--pairs", "3", "--seed", "1"),
        (
            "--scenario",
            "overwrite",
            "--scenario",
            "update",
            "--mode",
            "kill",
            "--last",
            "45",
        ),  # publishing and cleaning up
    ],
)
def test_any_crash_point(points: tuple[str, ...]) -> None:
    """A sample of tests/crash/sweep.py; `make crash` runs all points."""
    done = subprocess.run(
        [sys.executable, SWEEP, *points], check=False, capture_output=True, text=True, timeout=120
    )
    assert not done.stdout.splitlines()[:-1]
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A source that keeps two workers busy for a second, and what becomes of it."""
    base = tmp_path_factory.mktemp("many")
    samples(base / "src", 160, size=(300, 200))
    return base / "src", content(converted(base / "src", base / "clean"))


@pytest.fixture
def beside(many: tuple[Path, dict[str, bytes]], request: pytest.FixtureRequest) -> Path:
    """A new output beside the shared source: a manifest holds the source's path from the tree."""
    return many[0].parent / "".join(c if c.isalnum() else "-" for c in request.node.name)


def begun(source: Path, out: Path, jobs: str = "2") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*SEGPREP, "json2mask", str(source), str(out), "-j", jobs],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(process: "subprocess.Popen[str]", timeout: float = 30) -> str:
    """What it said on stderr; killed if it does not end."""
    try:
        return process.communicate(timeout=timeout)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise


def await_journal(process: "subprocess.Popen[str]", out: Path, lines: int) -> None:
    """Wait until *lines* samples are journalled, or the process has ended."""
    journal, limit = out / ".segprep-incomplete" / "journal.jsonl", time.monotonic() + 20
    while process.poll() is None and time.monotonic() < limit:
        try:
            if journal.read_bytes().count(b"\n") >= lines:
                return
        except OSError:
            pass
        time.sleep(0.002)


def group_members(pid: int) -> list[int]:
    """Live processes of the session that *pid* leads."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            fields = (
                (folder / "stat").read_text().rpartition(")")[2].split()
                if folder.name.isdecimal()
                else []
            )
        except OSError:
            continue
        if fields and int(fields[3]) == pid and fields[0] not in "ZX":
            found.append(int(folder.name))
    return found


def test_kill_at_random_moments_and_go_on(
    many: tuple[Path, dict[str, bytes]], beside: Path
) -> None:
    """Several kills of one conversion, workers and all, the same command each time."""
    source, expected = many
    rng = random.Random(5)
    for at in (1, 40, 90, 130):
        process = begun(source, beside)
        await_journal(process, beside, at + rng.randrange(10))
        os.killpg(process.pid, signal.SIGKILL)
        ended(process)
        assert not (beside / "segprep.json").exists()
    converted(source, beside)
    assert content(beside) == expected


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts processes in /proc")
def test_a_killed_parent_leaves_no_workers(
    many: tuple[Path, dict[str, bytes]], beside: Path
) -> None:
    source, expected = many
    process = begun(source, beside)
    await_journal(process, beside, 5)
    process.kill()
    limit = time.monotonic() + 5
    process.wait()
    while group_members(process.pid) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not group_members(process.pid)
    process.communicate()
    converted(source, beside)
    assert content(beside) == expected


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts processes in /proc")
def test_a_killed_worker_loses_nothing(many: tuple[Path, dict[str, bytes]], beside: Path) -> None:
    source, expected = many
    process = begun(source, beside)
    await_journal(process, beside, 5)
    workers = [
        pid
        for pid in group_members(process.pid)
        if pid != process.pid and b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    for pid in workers[:1]:
        os.kill(pid, signal.SIGKILL)
    said = ended(process)
    assert "Traceback" not in said
    assert process.returncode == 0
    assert content(beside) == expected


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts processes in /proc")
@pytest.mark.parametrize(
    ("sign", "at", "whole_group"),
    [
        (signal.SIGINT, 1, True),
        (signal.SIGINT, 60, True),
        (signal.SIGINT, 20, False),
        (signal.SIGTERM, 30, False),
    ],
)
def test_interrupted_and_resumed(
    many: tuple[Path, dict[str, bytes]],
    beside: Path,
    sign: signal.Signals,
    at: int,
    whole_group: bool,
) -> None:
    """Ctrl-C reaches the workers too (*whole_group*)."""
    source, expected = many
    process = begun(source, beside)
    await_journal(process, beside, at)
    started = time.monotonic()
    if whole_group:
        os.killpg(process.pid, sign)
    else:
        process.send_signal(sign)
    said = ended(process)
    assert time.monotonic() - started <= 3
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "re-run the command" in said
    while (
        group_members(process.pid) and time.monotonic() - started <= 5
    ):  # multiprocessing's resource tracker outlives us by a moment
        time.sleep(0.05)
    assert not group_members(process.pid)
    assert not (beside / "segprep.json").exists()
    converted(source, beside)
    assert content(beside) == expected


# ----------------------------------------------------------------------------
# stop and go on


def test_errors_stop_then_mended_then_on(tmp_path: Path) -> None:
    source = samples(tmp_path / "src", 6)
    good = (source / "s003.json").read_bytes()
    (source / "s003.json").write_bytes(good[:-9])
    result = cli("json2mask", source, tmp_path / "out", "-j", "1")
    assert result.exit_code == 1
    assert "s003.json" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".segprep-incomplete"]
    staged = times(tmp_path / "out" / ".segprep-incomplete" / "SegmentationClass")
    (source / "s003.json").write_bytes(good)
    assert converted(source, tmp_path / "out") == tmp_path / "out"
    kept = times(tmp_path / "out" / "SegmentationClass")
    assert all(
        kept[path.replace(".segprep-incomplete/", "")] == when
        for path, when in staged.items()
        if path.endswith(".png")
    )
    assert content(tmp_path / "out") == content(converted(source, tmp_path / "clean"))


def test_nothing_changed_nothing_written(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 4), tmp_path / "out"
    converted(source, out)
    cli("split", out, "--seed", "1")
    before = times(out)
    for jobs in ("1", "2"):
        result = cli("json2mask", source, out, "-j", jobs)
        assert result.exit_code == 0
        assert "unchanged" in result.stdout
    for path in source.iterdir():
        os.utime(path, (0, 0))  # a time is no change
    assert cli("json2mask", source, out, "-j", "1").exit_code == 0
    assert times(out) == before


def test_skipped_inputs_do_not_make_every_run_write(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    (source / "coco.json").write_text('{"images": []}')
    converted(source, out)
    before = times(out)
    assert cli("json2mask", source, out, "-j", "1").exit_code == 0
    assert times(out) == before


def test_skipping_again_exits_3_and_keeps_the_bytes(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    (source / "bad.json").write_text("{")
    for _ in range(2):
        assert cli("json2mask", source, out, "-j", "1", "--on-error", "skip").exit_code == 3
        first = content(out)
    assert content(out) == first
    before = content(out)
    assert (
        cli("json2mask", source, out, "-j", "1").exit_code == 1
    )  # stop publishes nothing, and harms nothing
    assert {
        name: data
        for name, data in content(out).items()
        if not name.startswith(".segprep-incomplete")
    } == before


def test_new_and_changed_files_then_split_update(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 20), tmp_path / "out"
    converted(source, out)
    assert cli("split", out, "--seed", "1").exit_code == 0
    (out / "runs" / "one").mkdir(parents=True)
    (out / "runs" / "one" / "log.txt").write_text("mine")
    old, images = lists(out), times(out / "JPEGImages")
    sample(source, "new", 3)
    sample(source, "s007", 99)
    converted(source, out)
    assert lists(out) == old
    assert (out / "runs" / "one" / "log.txt").read_text() == "mine"
    changed = {
        Path(path).name
        for path, when in times(out / "JPEGImages").items()
        if images.get(path) != when
    }
    assert changed == {"JPEGImages", "new.png", "s007.png"}
    assert json.loads((out / "segprep.json").read_bytes())["split"]["seed"] == 1
    assert cli("split", out, "--update").exit_code == 0
    for name, stems in old.items():
        assert [stem for stem in lists(out)[name] if stem != "new"] == stems
    assert sum("new" in lists(out)[name] for name in ("train", "val", "test")) == 1
    clean = converted(source, tmp_path / "clean")
    same = [name for name in content(clean) if name != "segprep.json"]
    assert [content(out)[name] for name in same] == [content(clean)[name] for name in same]


def test_a_vanished_source_is_named_and_taken_out(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 10), tmp_path / "out"
    converted(source, out)
    cli("split", out, "--seed", "1")
    home = next(name for name in ("train", "val", "test") if "s004" in lists(out)[name])
    (source / "s004.json").unlink()
    result = cli("json2mask", source, out, "-j", "1")
    assert result.exit_code == 0
    assert "[source-vanished]" in result.stderr
    assert "s004" in result.stderr
    assert not [name for name in content(out) if "s004" in name]
    assert not [name for name, stems in lists(out).items() if "s004" in stems]
    assert b"s004" not in (out / "records.jsonl").read_bytes()
    sample(source, "s004", 4)  # back again: to the list it was in
    converted(source, out)
    assert cli("split", out, "--update").exit_code == 0
    assert "s004" in lists(out)[home]


def test_an_input_that_turned_bad_keeps_the_old_tree(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 4), tmp_path / "out"
    before = content(converted(source, out))
    (source / "s001.json").write_text("{")
    assert cli("json2mask", source, out, "-j", "1").exit_code == 1
    assert {
        name: data
        for name, data in content(out).items()
        if not name.startswith(".segprep-incomplete")
    } == before


def test_a_new_class_is_appended_and_a_fresh_tree_of_that_list_is_the_same(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 4), tmp_path / "out"
    converted(source, out)
    cli("split", out, "--seed", "1")
    old = lists(out)
    sample(source, "a", label="ant")
    result = cli("json2mask", source, out, "-j", "1")
    assert "[classes-changed]" in result.stderr
    clean = content(converted(source, tmp_path / "clean", "--classes", "_background_,cat,ant"))
    described = ("segprep.json", "records.jsonl")
    assert {
        name: data for name, data in content(out).items() if name in clean and name not in described
    } == {name: data for name, data in clean.items() if name not in described}
    assert lists(out) == old


# ----------------------------------------------------------------------------
# what lies at OUT


def test_an_empty_folder_and_foreign_files_are_fine(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    out.mkdir()
    for name in ("notes.txt", "Annotations/a.xml"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("mine")
    converted(source, out)
    assert (out / "notes.txt").read_text() == (out / "Annotations" / "a.xml").read_text() == "mine"
    assert {
        name for name in content(out) if "mine" not in content(out)[name].decode("latin-1")
    } == set(content(converted(source, tmp_path / "clean")))


@pytest.mark.parametrize(
    "name",
    [
        "JPEGImages/s001.png",
        "JPEGImages/s001.jpg",
        "class_names.txt",
        "ImageSets/Segmentation/train.txt",
    ],
)
def test_files_of_others_are_not_overwritten_unasked(tmp_path: Path, name: str) -> None:
    """A folder with images or a class list that segprep did not write, and no masks yet."""
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text("mine\n")
    cli("json2mask", source, out, "-j", "1")
    assert (out / name).read_text() == "mine\n"


def test_a_foreign_tree_needs_overwrite(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    for name in ("JPEGImages/x.jpg", "SegmentationClass/x.png", "ImageSets/Segmentation/train.txt"):
        (out / name).parent.mkdir(parents=True)
        (out / name).write_text("x\n")
    before = content(out)
    result = cli("json2mask", source, out, "-j", "1")
    assert result.exit_code == 1
    assert "[tree-exists]" in result.stderr
    assert "--overwrite" in result.stderr
    assert content(out) == before
    converted(source, out, "--overwrite")
    assert content(out) == content(converted(source, tmp_path / "clean"))


@pytest.mark.parametrize(
    "more",
    [
        ("--mask-mode", "gray"),
        ("--objects",),
        ("--classes", "dog,cat"),
        ("--image-format", "jpg"),
        ("other source",),
    ],
)
def test_other_source_or_options_need_overwrite(tmp_path: Path, more: tuple[str, ...]) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    before = content(converted(source, out))
    if more == ("other source",):
        source, more = samples(tmp_path / "src2", 2), ()
    result = cli("json2mask", source, out, "-j", "1", *more)
    assert result.exit_code == 1
    assert "[tree-exists]" in result.stderr
    assert content(out) == before
    converted(source, out, "--overwrite", *more)
    assert content(out) == content(converted(source, tmp_path / "clean", *more))


def test_unfinished_work_of_another_command_needs_overwrite(tmp_path: Path) -> None:
    source, other, out = (
        samples(tmp_path / "src", 3),
        samples(tmp_path / "other", 2),
        tmp_path / "out",
    )
    (source / "bad.json").write_text("{")
    assert cli("json2mask", source, out, "-j", "1").exit_code == 1
    result = cli("json2mask", other, out, "-j", "1")
    assert result.exit_code == 1
    assert "[unfinished-run]" in result.stderr
    converted(other, out, "--overwrite")
    assert content(out) == content(converted(other, tmp_path / "clean"))


@pytest.mark.parametrize("name", ["SegmentationClass/s001.png", "JPEGImages/s001.png"])
def test_an_output_changed_by_hand_is_not_touched(tmp_path: Path, name: str) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    converted(source, out)
    (out / name).write_bytes(b"mine")
    sample(source, "new")
    result = cli("json2mask", source, out, "-j", "1")
    assert result.exit_code == 1
    assert "[output-changed]" in result.stderr
    assert (out / name).read_bytes() == b"mine"
    converted(source, out, "--overwrite")
    assert content(out) == content(converted(source, tmp_path / "clean"))


def test_an_output_changed_by_hand_whose_source_changed_too(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    converted(source, out)
    (out / "SegmentationClass" / "s001.png").write_bytes(b"mine")
    sample(source, "s001", 50)
    result = cli("json2mask", source, out, "-j", "1")
    assert (result.exit_code, "[output-changed]" in result.stderr) == (1, True)
    assert (out / "SegmentationClass" / "s001.png").read_bytes() == b"mine"


def test_an_output_that_is_missing_is_made_again(tmp_path: Path) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    before = content(converted(source, out))
    (out / "SegmentationClass" / "s001.png").unlink()
    converted(source, out)
    assert content(out) == before


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"schema": 99}', b'{"schema": 1}'])
def test_a_damaged_manifest(tmp_path: Path, damage: bytes) -> None:
    source, out = samples(tmp_path / "src", 3), tmp_path / "out"
    before = content(converted(source, out))
    (out / "segprep.json").write_bytes(damage)
    result = cli("json2mask", source, out, "-j", "1")
    assert result.exit_code == 1
    assert "[bad-manifest]" in result.stderr
    converted(source, out, "--overwrite")
    assert content(out) == before


# ----------------------------------------------------------------------------
# determinism


def test_jobs_and_listing_order_do_not_matter(
    many: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    source, expected = many
    reordered = tmp_path / "src"
    reordered.mkdir()
    for path in sorted(source.iterdir(), key=lambda one: one.name[::-1], reverse=True):
        shutil.copy(path, reordered / path.name)
    result = cli("json2mask", reordered, tmp_path / "clean", "-j", "4")
    assert result.exit_code == 0
    found = content(tmp_path / "clean")
    assert {name for name in found if found[name] != expected.get(name)} <= {
        "segprep.json"
    }  # its source path is another
    os.rename(tmp_path / "clean", tmp_path / "moved")
    assert cli("json2mask", source, source.parent / "four", "-j", "4").exit_code == 0
    assert content(source.parent / "four") == expected


# ----------------------------------------------------------------------------
# locks and limits


def test_two_runs_at_once_one_wins(many: tuple[Path, dict[str, bytes]], beside: Path) -> None:
    source, expected = many
    first = begun(source, beside, "1")
    await_journal(first, beside, 3)
    started = time.monotonic()
    second = cli("json2mask", source, beside, "-j", "1")
    assert second.exit_code == 11
    assert "[locked]" in second.stderr
    assert time.monotonic() - started < 5
    assert cli("split", beside).exit_code != 0
    assert ended(first) is not None
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
        timeout=30,
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
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
    assert content(beside) == expected
