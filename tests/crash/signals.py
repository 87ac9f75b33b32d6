"""Signals, dying workers and runs that collide: nothing hangs, nothing is lost, no process stays.

    python tests/crash/signals.py                       100 kills, 50 collisions, 100 signals
    python tests/crash/signals.py --kills 2 --runs 1 --signals 2 --within 60     the gate's share
    python tests/crash/signals.py --jobs 4 --max-seconds 100

kills     a random worker process of a conversion gets SIGKILL: the run ends by itself, without a
          traceback, and its tree is byte-identical to an undisturbed one (or the item whose worker
          died twice is named)
runs      two runs into one OUT start together: one converts, the other says that it is locked (11)
          or finds the work done (0); the tree is that of one run
signals   SIGINT or SIGTERM at a random moment: the run ends with 130, within two seconds (on a busy
          machine, say how many by --within), and leaves no process; the same command again ends
          byte-identical

Prints one line per violation and one JSON line of figures; exit 1 if there is any.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))  # test modules share helpers

from folders import content
from shards import results, spread

LONGEST = 600.0  # seconds that a run may take before it counts as hanging
SECONDS = 2.0  # that a run may take to end after a signal


def lay_out(folder: Path, count: int = 240) -> None:
    """*count* annotated images, enough for several workers."""
    folder.mkdir()
    for n in range(count):
        Image.linear_gradient("L").resize((160, 120)).save(folder / f"s{n}.png")
        shape = {
            "label": "cat" if n % 2 else "dog",
            "points": [[4, 4], [90 + n % 9, 8], [60, 100]],
            "shape_type": "polygon",
        }
        content = {"shapes": [shape], "imagePath": f"s{n}.png", "imageData": None}
        (folder / f"s{n}.json").write_text(json.dumps(content))


def started(source: Path, out: Path, jobs: int = 3) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "segprep_cli", "json2mask", str(source), str(out)]
    return subprocess.Popen(
        [*command, "-j", str(jobs), "-q", "--on-error", "skip"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def members(session: int) -> list[int]:
    """The live processes of *session*."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Exit code and output; a run that hangs is killed and counts as -9."""
    try:
        words, _ = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return -9, "hangs"
    return process.returncode, words


def kills(source: Path, work: Path, expected: dict[str, bytes], rng: random.Random) -> str:
    """What went wrong when one random worker was killed, or ""."""
    out = work / "out"
    process = started(source, out)
    until = time.monotonic() + rng.uniform(0.2, 1.6)
    workers: list[int] = []
    while time.monotonic() < until or not workers:
        workers = [pid for pid in members(process.pid) if pid != process.pid]
        if process.poll() is not None:
            break
        time.sleep(0.02)
    for pid in workers[:1] and [rng.choice(workers)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            break
    code, words = ended(process)
    if "Traceback" in words or code not in (0, 3):
        return f"exit {code}: {words[-200:]}"
    same = content(out, ".segprep.lock") == expected
    return "" if same or (code == 3 and "worker-died" in words) else "another tree"


def runs(source: Path, work: Path, expected: dict[str, bytes], rng: random.Random) -> str:
    """What went wrong when two runs started together, or ""."""
    out = work / "out"
    first = started(source, out)
    time.sleep(rng.uniform(0, 0.8))
    second = started(source, out)
    results = [ended(process) for process in (first, second)]
    codes = sorted(code for code, _ in results)
    if codes not in ([0, 11], [0, 0]) or any("Traceback" in words for _, words in results):
        return f"exits {codes}: {results[0][1][-200:]} {results[1][1][-200:]}"
    return "" if content(out, ".segprep.lock") == expected else "another tree"


def signals(
    source: Path,
    work: Path,
    expected: dict[str, bytes],
    rng: random.Random,
    within: float = SECONDS,
) -> str:
    """What went wrong when a run was interrupted, or ""."""
    out, number = work / "out", rng.choice((signal.SIGINT, signal.SIGTERM))
    process = started(source, out)
    time.sleep(rng.uniform(0.5, 2.0))
    if process.poll() is None:
        os.kill(process.pid, number)
    begun = time.monotonic()
    code, words = ended(process)
    seconds = time.monotonic() - begun
    if code == 1 and words.endswith("KeyboardInterrupt\n") and not out.exists():
        code = -number  # of Python itself, while it starts
    if code not in (0, 130, -number):
        return f"exit {code}: {words[-200:]}"
    if "Traceback" in words and code != -number:
        return f"a traceback: {words[-300:]}"
    if seconds > within and code != 0:
        return f"took {seconds:.1f} s to end"
    until = time.monotonic() + within
    while (left := members(process.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    if left:
        return f"processes stay: {left}"
    again, words = ended(started(source, out))
    if again != 0 or content(out, ".segprep.lock") != expected:
        return f"the same command again: exit {again}: {words[-200:]}"
    return ""


TRIALS = {"kills": kills, "runs": runs, "signals": signals}


def attempt(
    base: Path, expected: dict[str, bytes], seed: int, within: float, number: int
) -> Callable[..., str]:
    """The work of process *number*: what went wrong in a trial, given as its name and its own
    number.
    """
    work = base / str(number)
    work.mkdir()

    def tried(case: tuple[str, int]) -> str:
        name, n = case
        shutil.rmtree(work / "out", ignore_errors=True)
        trial = partial(signals, within=within) if name == "signals" else TRIALS[name]
        return trial(base / "src", work, expected, random.Random(f"{seed} {name} {n}"))

    return tried


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--signals", type=int, default=100)
    parser.add_argument("--within", type=float, default=SECONDS, help="seconds after a signal")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="trials at once; each has 4 processes")
    parser.add_argument("--max-seconds", type=float, help="begin no trial after so many seconds")
    given, violations = parser.parse_args(), 0
    begun, done = time.monotonic(), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="segprep-signals-") as folder:
        base = Path(folder).resolve()
        lay_out(base / "src")
        ended(started(base / "src", base / "expected" / "out"))
        expected = content(base / "expected" / "out", ".segprep.lock")
        begin = partial(attempt, base, expected, given.seed, given.within)
        cases = [(name, n) for name in TRIALS for n in range(getattr(given, name))]
        cases = spread(cases, lambda case: case[0], random.Random(given.seed))
        for (name, n), words in results(cases, begin, jobs=given.jobs, seconds=given.max_seconds):
            done[name] += 1
            if words:
                violations += 1
                print(f"{name} {n}: {words}", flush=True)
    seconds = round(time.monotonic() - begun, 1)
    figures = {name: done[name] for name in TRIALS}
    print(json.dumps({**figures, "violations": violations, "seconds": seconds}))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
