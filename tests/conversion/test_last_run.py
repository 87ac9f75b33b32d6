"""A call that has nothing to do is answered from the index, and by nothing that looks different."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segprep import convert
from segprep.conversion import last_run
from segprep.conversion.result import Conversion
from segprep.conversion.snapshots import Snapshot, snapshot
from segprep.dataset import index_file
from segprep.files import states
from segprep.sources import labelme, pairs

Call = Callable[..., Conversion]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """A conversion whose tree lies at ``out``; no file counts as touched a moment ago."""
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    for name in ("images", "masks"):
        (tmp_path / "source" / name).mkdir(parents=True)
    random = np.random.default_rng(2)
    for name in ("images/a.png", "masks/a.png", "images/b.png", "masks/b.png", "images/c.png"):
        values = random.integers(0, 3, (8, 9), np.uint8)
        Image.fromarray(values).save(tmp_path / "source" / name)
    (tmp_path / "names.txt").write_text("sky\ncat\ndog\n", "utf-8")

    def run(**options: Any) -> Conversion:
        stated = {"classes": str(tmp_path / "names.txt"), "on_error": "skip"} | options
        return convert("pairs", tmp_path / "source", tmp_path / "out", **stated)

    run()
    return run


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for every scan of the source from here on."""
    counted: list[int] = []
    real = pairs.Reader.scan

    def scan(reader: pairs.Reader, *rest: Any) -> Any:
        counted.append(1)
        return real(reader, *rest)

    monkeypatch.setattr(pairs.Reader, "scan", scan)
    return counted


def test_the_report_is_that_of_a_run_that_reads_everything(call: Call, scans: list[int]) -> None:
    short = call()
    assert not scans
    full = call(verify=True)
    assert scans
    assert short == full
    assert (short.kept, short.written, len(short.skipped)) == (2, False, 1)


def test_the_second_run_teaches_the_third(
    call: Call, scans: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one cannot say what the next will report where the source's ids moved."""
    call(classes="cat,background,dog", overwrite=True)
    second = call(classes="cat,background,dog")
    assert (second.kept, second.written) == (2, False)
    scans.clear()
    assert call(classes="cat,background,dog") == second
    assert not scans


@pytest.mark.parametrize(
    "change", ["input", "names", "option", "output", "list", "index", "added", "verify"]
)
def test_whatever_looks_different_is_looked_at(
    tmp_path: Path, call: Call, scans: list[int], change: str
) -> None:
    options: dict[str, Any] = {}
    if change == "input":
        (tmp_path / "source" / "masks" / "b.png").touch()
    elif change == "names":
        (tmp_path / "names.txt").write_text("sky\ncat\ndog\nant\n", "utf-8")
    elif change == "option":
        options = {"mask_mode": "gray", "overwrite": True}
    elif change == "output":
        (tmp_path / "out" / "SegmentationClass" / "a.png").touch()
    elif change == "list":
        (tmp_path / "out" / "ImageSets" / "Segmentation").mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / "ImageSets" / "Segmentation" / "train.txt").write_text("a\n")
    elif change == "index":
        index_file.index_path(tmp_path / "out").unlink()
    elif change == "added":
        (tmp_path / "source" / "images" / "d.png").write_bytes(b"")
    elif change == "verify":
        options = {"verify": True}
    call(**options)
    assert scans


def test_files_written_a_moment_ago_are_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call, scans: list[int]
) -> None:
    """They could have changed within one tick of the clock, with no other time, size or inode."""
    real = snapshot

    def recent(folder: Path, moment: int, **more: Any) -> Snapshot:
        return real(folder, 0 if folder == tmp_path / "out" else moment, **more)

    monkeypatch.setattr(last_run, "snapshot", recent)
    call(overwrite=True)
    scans.clear()
    assert not call().written
    assert not scans
    monkeypatch.setattr(last_run, "digest_file", lambda path: "0")
    assert not call().written
    assert scans


def test_covered_classes_are_no_news_the_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first run said of them, a run that changes nothing does not say again."""
    monkeypatch.setattr(states, "settled", lambda state, moment, **_: moment > 0)
    folder = tmp_path / "source"
    folder.mkdir()
    Image.new("RGB", (32, 24)).save(folder / "a.jpg")
    corners = [[2, 2], [20, 2], [20, 18]]
    shapes = [{"label": name, "points": corners, "shape_type": "polygon"} for name in "xy"]
    content = {"version": "5.0.1", "imagePath": "a.jpg", "imageData": None, "shapes": shapes}
    (folder / "a.json").write_text(json.dumps(content | {"imageHeight": 24, "imageWidth": 32}))

    def run() -> Conversion:
        return convert("labelme", folder, tmp_path / "out")

    assert run().covered
    monkeypatch.setattr(labelme.Reader, "scan", None)  # must not be called
    assert (run().kept, run().covered) == (1, ())
