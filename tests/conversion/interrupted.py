"""Small conversions that are interrupted, repeated and compared."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import folders
from click.testing import CliRunner, Result
from PIL import Image
from segprep_cli.main import group

SEGPREP = (sys.executable, "-m", "segprep_cli")


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
    return folders.content(folder, ".segprep.lock")


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
