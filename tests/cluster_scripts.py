"""Scripts with a cluster of two worker processes, each in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PREAMBLE = """
import os, signal, sys, time
from distributed import Client, LocalCluster
from segprep import engine
from segprep.cluster import Cluster
from segprep.errors import SegprepError, SourceError
from pathlib import Path

def workers():
    return LocalCluster(2, threads_per_worker=1, dashboard_address=None)
"""


def ran(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """*code*, which may use a cluster of two processes."""
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def script(code: str, *arguments: object) -> str:
    """What *code* prints."""
    return ran(code, *arguments).stdout


@contextmanager
def running() -> Iterator[tuple[str, int]]:
    """The address of a scheduler with two worker processes, and the process that it lives in."""
    code = (
        "import sys\nfrom distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:\n"
        "        print(cluster.scheduler_address, flush=True)\n"
        "        sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    assert process.stdin
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.stdin.close()
        process.wait(600)
        process.stdout.close()
