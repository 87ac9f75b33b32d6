"""How often a conversion asks the system for something, for each sample: for tiny images, that is
much of what it costs.
"""

import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep import limits
from segprep.files import states

SYSTEM = {"posix", "nt", "signal", "_signal"}
WORDS = {"_path_normpath", "fspath", "getpid", "getsignal"}  # answered without the system
MOST = {
    **{"open": 7, "close": 7, "fstat": 5, "read": 3},  # image; mask; mask before, for its palette
    **{"write": 2, "fsync": 2},
    **{"lstat": 4},  # for the index: before and after the run
}


@contextmanager
def calls() -> Iterator[Counter[str]]:
    """The functions of the system that are called in here, in any thread."""
    counts = Counter[str]()

    def count(frame: object, event: str, function: Any) -> None:
        if event == "c_call" and function.__module__ in SYSTEM:
            counts[function.__name__] += 1

    before = sys.getprofile()
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        yield counts
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


@pytest.mark.parametrize("shard", [0, 100])
def test_every_file_is_on_the_disk_before_it_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard: int
) -> None:
    synced, sync = set[int](), os.fsync

    def noted(handle: int) -> None:
        sync(handle)
        synced.add(os.fstat(handle).st_ino)

    monkeypatch.setattr(os, "fsync", noted)
    converted(tmp_path / "in", 300, shard=shard)
    files = [path for path in (tmp_path / "in-out").rglob("*") if not path.name.startswith(".")]
    assert len(files) > 600
    assert {path.name for path in files if path.stat().st_ino not in synced} <= {"ImageSets"}


def converted(folder: Path, count: int, *, shard: int = 0) -> Counter[str]:
    """What converting *count* pairs of tiny images and masks calls."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
        for n in range(count):
            picture = Image.fromarray(np.full((8, 8), n % 3, np.uint8))
            picture.save(folder / kind / f"t{n:03}.png")
    with calls() as counts, limits.limited(seconds=100):
        out = folder.parent / f"{folder.name}-out"
        segprep.convert("pairs", folder, out, classes="a,b,c", shard=shard)
    return counts


def test_each_sample_asks_the_system_for_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    converted(tmp_path / "first", 50)  # which imports what all need
    few, many = converted(tmp_path / "few", 50), converted(tmp_path / "many", 100)
    many &= converted(tmp_path / "again", 100)  # a module that one of them imports late is no part
    each = {name: (many[name] - few[name]) / 50 for name in many.keys() - WORDS}
    assert each["open"] >= 6
    assert {name: share for name, share in each.items() if share > MOST.get(name, 0) + 0.1} == {}
