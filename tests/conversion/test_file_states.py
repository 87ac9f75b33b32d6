"""The index beside a tree: files that nobody touched are not read, and whatever was touched is."""

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segprep import convert, kernel
from segprep.dataset import index_file
from segprep.errors import TreeError, UsageError
from segprep.files import states

LONG_AGO = 1_600_000_000


def source(folder: Path, number: int = 6) -> Path:
    random = np.random.default_rng(1)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for at in range(number):
        picture = random.integers(0, 255, (24, 32, 3), np.uint8)
        Image.fromarray(picture).save(folder / "images" / f"s{at}.png")
        mask = random.integers(0, 3, (3, 4), np.uint8).repeat(8, 0).repeat(8, 1)
        Image.fromarray(mask).save(folder / "masks" / f"s{at}.png")
    return folder


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source whose tree ``out`` has an index: no file counts as touched a moment ago."""
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    folder = source(tmp_path / "source")
    run(tmp_path)
    return folder


def run(tmp_path: Path, **options: Any) -> Any:
    return convert("pairs", tmp_path / "source", tmp_path / "out", classes="3", **options)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of sample files that are opened for reading from here on."""
    names: list[str] = []
    real = os.open

    def opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        name = os.path.basename(os.fsdecode(path))
        if name.startswith("s") and name.endswith(".png") and not flags & os.O_WRONLY:
            names.append(name)
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", opened)
    return names


def test_unchanged_files_are_not_read(tmp_path: Path, settled: Path, reads: list[str]) -> None:
    done = run(tmp_path)
    assert (done.kept, done.converted, done.written) == (6, 0, False)
    assert not reads


def test_verify_reads_them(tmp_path: Path, settled: Path, reads: list[str]) -> None:
    done = run(tmp_path, verify=True)
    assert (done.kept, done.written) == (6, False)
    assert min(reads.count(f"s{at}.png") for at in range(6)) >= 4


def test_one_change_of_the_same_size_and_time_is_noticed(tmp_path: Path, settled: Path) -> None:
    """Whoever restores the time of a file changes that of its inode."""
    path = settled / "masks" / "s2.png"
    before, data = path.stat(), bytearray(path.read_bytes())
    picture = np.zeros((24, 32), np.uint8)
    Image.fromarray(picture).save(path)
    path.write_bytes(path.read_bytes().ljust(len(data), b"\0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    done = run(tmp_path)
    assert (done.kept, done.converted) == (5, 1)
    with Image.open(tmp_path / "out" / "SegmentationClass" / "s2.png") as mask:
        assert not np.asarray(mask).any()


@pytest.mark.parametrize("way", ["edited", "swapped", "missing"])
def test_an_output_that_was_touched_is_looked_at(tmp_path: Path, settled: Path, way: str) -> None:
    path = tmp_path / "out" / "SegmentationClass" / "s3.png"
    other = path.with_name("s4.png")
    if way == "edited":
        data = bytearray(path.read_bytes())
        data[-20] ^= 1
        path.write_bytes(data)
    elif way == "swapped":
        path.rename(path.with_name("x"))
        other.rename(path)
        path.with_name("x").rename(other)
    else:
        path.unlink()
    if way == "missing":
        assert run(tmp_path).converted == 1
        assert path.is_file()
    else:
        with pytest.raises(TreeError, match="was changed after segprep wrote it"):
            run(tmp_path)


def test_files_touched_a_moment_ago_are_read_again(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may change again within one tick of the clock, without a trace."""
    for name in ("FINE", "RACY"):
        monkeypatch.setattr(states, name, 3600 * 10**9)  # a moment of a busy machine
    source(tmp_path / "source")
    run(tmp_path)
    numbers = index_file.index_path(tmp_path / "out").read_bytes().partition(b"\n")[2]
    assert numbers[: 6 * 16] == bytes(6 * 16)  # states of outputs, signatures
    reads.clear()
    assert run(tmp_path).kept == 6
    assert min(reads.count(f"s{at}.png") for at in range(6)) >= 4


def test_the_next_run_learns_what_the_first_could_not(tmp_path: Path, reads: list[str]) -> None:
    folder = source(tmp_path / "source")
    run(tmp_path)
    for path in (*folder.rglob("*.png"), *(tmp_path / "out").rglob("*.png")):
        os.utime(path, (LONG_AGO, LONG_AGO))
    time.sleep(2.2)
    assert run(tmp_path).kept == 6
    reads.clear()
    assert run(tmp_path).kept == 6
    assert not reads


@pytest.mark.parametrize("damage", ["bytes", "head", "clock", "records", "moved"])
def test_an_index_that_cannot_be_believed_is_ignored(
    tmp_path: Path, settled: Path, reads: list[str], damage: str
) -> None:
    path = index_file.index_path(tmp_path / "out")
    head, _, body = path.read_bytes().partition(b"\n")
    known = json.loads(head)
    if damage == "bytes":
        body = body[:-1] + bytes([body[-1] ^ 1])
    elif damage == "clock":
        known["time"] += 10**18
    elif damage == "records":
        known["records"] = "0" * 40
    elif damage == "moved":
        known["out"] = str(tmp_path / "other")
    path.write_bytes(b"{" if damage == "head" else json.dumps(known).encode() + b"\n" + body)
    assert run(tmp_path).kept == 6
    assert min(reads.count(f"s{at}.png") for at in range(6)) >= 4


def test_a_change_is_the_same_with_and_without_an_index(tmp_path: Path, settled: Path) -> None:
    Image.fromarray(np.ones((24, 32), np.uint8)).save(settled / "masks" / "s1.png")
    (settled / "images" / "s5.png").unlink()
    (settled / "masks" / "s5.png").unlink()
    done = run(tmp_path)
    assert (done.kept, done.converted, done.removed) == (4, 1, ("s5",))
    convert("pairs", settled, tmp_path / "fresh", classes="3")
    trees = [
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("s*.png")}
        for name in ("out", "fresh")
    ]
    assert trees[0] == trees[1]
    records = [(tmp_path / name / "records.jsonl").read_bytes() for name in ("out", "fresh")]
    assert records[0] == records[1]


def palette_masks(folder: Path, colors: list[tuple[int, int, int]], *, only: str = "") -> None:
    """Masks of 0, 1 and 2 with a palette of these *colors*; those of one length have one size."""
    for path in sorted((folder / "masks").glob(f"{only or '*'}.png")):
        picture = Image.new("P", (32, 24))
        picture.putpalette([part for color in colors for part in color])
        picture.paste(1, (0, 0, 9, 9))
        picture.paste(2, (9, 9, 20, 20))
        picture.save(path)


BLACK, RED, BLUE = (0, 0, 0), (128, 0, 0), (0, 0, 128)


def test_only_changed_masks_are_opened_to_compare_palettes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    folder = source(tmp_path / "source")
    palette_masks(folder, [BLACK, RED, BLUE])
    run(tmp_path)
    reads.clear()
    (folder / "masks" / "s1.png").write_bytes((folder / "masks" / "s2.png").read_bytes())
    (folder / "images" / "s1.png").touch()
    assert run(tmp_path, dry_run=True).kept == 6  # the contents are what they were
    assert set(reads) == {"s1.png"}
    reads.clear()
    palette_masks(folder, [BLACK, BLUE, RED], only="s3")
    with pytest.raises(UsageError, match="palettes are in different orders"):
        run(tmp_path)
    assert Counter(reads)["s3.png"] == 1 + 1  # its palette, and the colors in use


def test_a_palette_that_leaves_no_trace_is_seen_by_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a disk lost the time of a change: size, times and inode are what they were."""
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    folder = source(tmp_path / "source")
    palette_masks(folder, [BLACK, RED, BLUE])
    real = os.stat
    before = {path: real(path) for path in (folder / "masks").iterdir()}
    run(tmp_path)
    palette_masks(folder, [BLACK, BLUE, RED], only="s3")
    path = folder / "masks" / "s3.png"
    assert real(path).st_size == before[path].st_size

    def stat(place: Any, **more: Any) -> os.stat_result:
        same = isinstance(place, str | bytes | Path) and os.fsdecode(place) == str(path)
        return before[path] if same else real(place, **more)

    monkeypatch.setattr(kernel, "compiled", None)  # which asks the system by itself
    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os, "lstat", stat)
    assert run(tmp_path).kept == 6
    with pytest.raises(UsageError, match="palettes are in different orders"):
        run(tmp_path, verify=True)


def test_a_fine_clock_settles_sooner() -> None:
    """Ten ticks after a change, another one cannot have the same time."""
    second = 10**9

    def state(nanoseconds: int) -> os.stat_result:
        times = {"st_mtime_ns": nanoseconds, "st_ctime_ns": nanoseconds}
        return os.stat_result((0,) * 10, times)

    coarse, fine = state(100 * second), state(100 * second + 123_456)
    assert not states.settled(coarse, 101 * second)
    assert states.settled(coarse, 103 * second)
    assert states.settled(fine, 101 * second) == (os.name == "posix")
    assert not states.settled(fine, 100 * second + 50_000_000)
