"""Small conversions that are interrupted, repeated and compared."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import folders
from click.testing import CliRunner, Result
from PIL import Image
from segprep_cli.main import group

HANG = 600  # seconds: longer than any run takes on a busy machine
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
    return _started(*SEGPREP, "json2mask", str(source), str(out), "-j", jobs)


HELD = """
import os, sys, time
from pathlib import Path
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as main does: what has one thread forks its workers
from segprep_cli.main import main
from segprep.dataset.journal import Journal

lines, go, add = int(sys.argv.pop(1)), Path(sys.argv.pop(1)), Journal.add

def adding(journal, *record):
    add(journal, *record)
    while Path(journal._file.name).read_bytes().count(b"\\n") >= lines and not go.exists():
        time.sleep(0.01)

Journal.add = adding
sys.argv[0] = "segprep"
sys.exit(main())
"""


@contextmanager
def held(source: Path, out: Path, lines: int, jobs: str = "2") -> Iterator["subprocess.Popen[str]"]:
    """A conversion that has journaled *lines* samples and goes on when :func:`let_go` is called:
    on a busy machine, it might have ended before anybody looks.
    """
    options = ("json2mask", str(source), str(out), "-j", jobs)
    process = _started(sys.executable, "-c", HELD, str(lines), str(_go(out)), *options)
    journal = out / ".segprep-incomplete" / "journal.jsonl"
    try:
        while not journal.is_file() or journal.read_bytes().count(b"\n") < lines:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def let_go(out: Path) -> None:
    """Let the conversion that is held go on."""
    _go(out).touch()


def _go(out: Path) -> Path:
    return out.with_name(f"{out.name}.go")


def _started(*command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(process: "subprocess.Popen[str]", timeout: float = HANG) -> str:
    """What it said on stderr; killed if it does not end."""
    try:
        return process.communicate(timeout=timeout)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
