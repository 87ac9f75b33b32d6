"""Run the command line in a process of its own, with a time limit."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEGPREP = (sys.executable, "-m", "segprep_cli")


@dataclass
class Run:
    """How a run of the command line ended; *memory* is the most that any of its processes held, in
    bytes.
    """

    code: int
    document: dict[str, Any]
    said: str
    seconds: float
    memory: int


def run(*arguments: str | Path, prefix: tuple[str, ...] = (), timeout: float = 600) -> Run:
    """Run segprep with --json, never longer than *timeout*."""
    started = time.monotonic()
    with subprocess.Popen(
        [*prefix, *SEGPREP, *map(os.fspath, arguments), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            out, said = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            raise
    return Run(
        process.returncode,
        json.loads(out or b"{}"),
        said.decode("utf-8", "replace"),
        time.monotonic() - started,
        0,
    )


def measured(*arguments: str | Path) -> Run:
    """Like run, in a process of its own that tells the peak memory of all below it."""
    program = (
        "import resource, subprocess, sys\ncode ="
        " subprocess.run(sys.argv[1:]).returncode\nprint('PEAK',"
        " resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,"
        " file=sys.stderr)\nsys.exit(code)"
    )
    done = run(*arguments, prefix=(sys.executable, "-c", program))
    done.memory = int(done.said.rsplit("PEAK ", 1)[1])
    return done
