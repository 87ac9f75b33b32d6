"""What one input may cost: pixels, shapes, classes, bytes, memory."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile.makers import (
    plain,
    shape,
    zeros_png,
)
from hostile.runs import SEGPREP, measured, run


@pytest.mark.parametrize(("image", "side", "count"), [(0, 13_000, 20), (5_000, 5_000, 60)])
def test_mask_shapes_may_be_no_bomb(tmp_path: Path, image: int, side: int, count: int) -> None:
    """Embedded masks, a few KB each in the JSON: larger than the image (169 MB each as pixels), or
    many as large as it (25 MB each).
    """
    mask = base64.b64encode(zeros_png(side)).decode()
    listed = [shape(points=[[0, 0], [side - 1, side - 1]], kind="mask", mask=mask)] * count
    plain(tmp_path / "src", "bomb", zeros_png(image) if image else None, shapes=listed)
    plain(tmp_path / "src", "good")
    done = measured(
        "json2mask", tmp_path / "src", tmp_path / "out", "-j", "1", "--on-error", "skip"
    )
    assert done.code in (0, 3)
    assert done.memory <= 2**30
    assert done.seconds <= 60  # a hang, not a speed


@pytest.mark.parametrize(("limit", "code"), [("1199", 1), ("1200", 0)])
def test_max_pixels_both_ways(tmp_path: Path, limit: str, code: int) -> None:
    plain(tmp_path / "src", "a")
    done = run("json2mask", tmp_path / "src", tmp_path / "out", "--max-pixels", limit)
    assert done.code == code
    if code:
        (entry,) = done.document["skipped"]
        assert entry["code"] == "image-too-large"
        assert "40x30" in entry["reason"]
        assert "--max-pixels" in entry["hint"]


def test_max_pixels_lets_a_large_image_through(tmp_path: Path) -> None:
    """Above Pillow's own limit for warnings."""
    plain(tmp_path / "src", "a", zeros_png(13_400))
    assert run("json2mask", tmp_path / "src", tmp_path / "no").code == 1
    done = run("json2mask", tmp_path / "src", tmp_path / "out", "--max-pixels", "180000000")
    assert done.code == 0
    assert json.loads((tmp_path / "out" / "records.jsonl").read_bytes())["width"] == 13_400


def test_more_than_255_classes_are_refused(tmp_path: Path) -> None:
    """H12."""
    plain(tmp_path / "src", "a", shapes=[shape(f"c{n}") for n in range(255)])
    done = run("json2mask", tmp_path / "src", tmp_path / "out")
    assert done.code == 1
    assert "[too-many-classes]" in done.said
    assert not (tmp_path / "out" / "segprep.json").exists()
    plain(tmp_path / "src", "a", shapes=[shape(f"c{n}") for n in range(254)])
    assert run("json2mask", tmp_path / "src", tmp_path / "out").code == 0


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """H15: 256 MB and one byte, sparse."""
    plain(tmp_path / "src", "good")
    with open(tmp_path / "src" / "big.json", "wb") as file:
        file.truncate(256 * 1024 * 1024 + 1)
    done = measured("json2mask", tmp_path / "src", tmp_path / "out", "--on-error", "skip")
    assert done.code == 3
    (entry,) = done.document["skipped"]
    assert entry["code"] == "file-too-large"
    assert done.memory < 200 * 2**20


def test_memory_is_bounded_by_the_system_too(tmp_path: Path) -> None:
    """A MemoryError is a refusal of that file with a hint, not a crash: 100 Mpx under 700 MB of
    address space.
    """
    plain(tmp_path / "src", "a", zeros_png(10_000))
    plain(tmp_path / "src", "good")
    limit = (
        "import resource,sys,os; resource.setrlimit(resource.RLIMIT_AS, (700 << 20,) * 2);"
        " os.execv(sys.argv[1], sys.argv[1:])"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-c",
        limit,
        *SEGPREP,
        "json2mask",
        str(tmp_path / "src"),
        str(tmp_path / "out"),
        "-j",
        "1",
        "--on-error",
        "skip",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, env=environment, check=False
    )
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 3)
