"""A small disk that fills up: a real one, where sweep.py raises the errors itself.

    python tests/crash/small_disk.py                           every size of every scenario
    python tests/crash/small_disk.py --points 60 --max-seconds 300
    python tests/crash/small_disk.py --scenario split

For each scenario the undisturbed run says how many pages it takes; then the command runs in a tmpfs
that has fewer of them free. The run ends with 1, write-failed, the path and errno, or as if
undisturbed; no file under a final name is torn; no source byte has changed; with room again, the
same command ends byte-identical to the undisturbed run. Mounting needs root on Linux.

Prints one line per violation and one JSON line of figures; exit 1 if anything was violated, 75
(EX_TEMPFAIL) where no tmpfs can be mounted.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # test modules share helpers

from crash.faults import child
from crash.points import content, judged, unsound
from crash.scenarios import SCENARIOS, Scenario
from shards import spread

NAMES = ("fresh", "split", "export", "miou", "train", "predict")
ROOM = 64 << 20  # bytes for undisturbed runs
PAGE = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def disk(folder: Path) -> Iterator[None]:
    """A tmpfs at *folder*."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        print(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
        sys.exit(os.EX_TEMPFAIL)
    try:
        yield
    finally:
        os.chdir("/")
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def sized(folder: Path, size: int) -> None:
    """Give the disk at *folder* so many bytes."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)


def taken(folder: Path) -> int:
    """The bytes that the disk at *folder* holds."""
    status = os.statvfs(folder)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def emptied(folder: Path, template: Path) -> None:
    """The disk at *folder* with what *template* holds; the current folder."""
    os.chdir("/")
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    sized(folder, ROOM)
    shutil.copytree(template, folder, symlinks=True, dirs_exist_ok=True)
    os.chdir(folder)


def torn(out: Path, scenario: Scenario, whole: tuple[dict[str, bytes], ...]) -> list[str]:
    """The files under a final name that are none of the *whole* ones. Of trainings, whose files
    change from epoch to epoch, and of accounts of a run, those that cannot be read.
    """
    try:
        written = content(out, scenario)
    except Exception as error:  # torch and json have many
        return [f"a torn file: {error}"]
    if scenario.command[0] == "train":
        return []
    return [
        f"{name} is torn"
        for name, data in written.items()
        if not any(part.startswith(".") for part in Path(name).parts)
        and name != "predictions.json"
        and not any(files.get(name) == data for files in whole)
    ]


class Small:
    """The scenario *name* on the disk at *folder*; its files lie in *work* meanwhile."""

    def __init__(self, name: str, work: Path, folder: Path) -> None:
        self.scenario, self.folder, self.template = SCENARIOS[name], folder, work / name
        self.template.mkdir()
        os.chdir(self.template)
        self.scenario.prepare()
        emptied(folder, self.template)
        before = taken(folder)
        clean = child(self.scenario.command)
        if clean.code != self.scenario.exit:
            raise SystemExit(f"{name}, undisturbed: exit {clean.code}: {clean.said}")
        self.pages = (taken(folder) - before) // PAGE
        self.expected = content(folder / "out", self.scenario)

    def violations(self, pages: int) -> tuple[bool, list[str]]:
        """Whether the disk was full with so many free pages, and what went wrong."""
        scenario, out = self.scenario, self.folder / "out"
        emptied(self.folder, self.template)
        sources, before = content(self.folder / "src"), content(out, scenario)
        sized(self.folder, taken(self.folder) + pages * PAGE)
        ended = child(scenario.command)
        full = ended.code != scenario.exit
        wrong = judged(ended, "full", scenario)
        wrong += torn(out, scenario, (before, self.expected))
        wrong += filter(None, [unsound(out)])
        finished = content(out, scenario) == self.expected
        sized(self.folder, ROOM)
        again = child(scenario.again() if scenario.again else scenario.command)
        if again.code != scenario.exit and not finished:
            wrong.append(f"the same command again: exit {again.code}: {again.said.strip()[-300:]}")
        elif content(out, scenario) != self.expected:
            wrong.append("the same command again: not identical")
        if content(self.folder / "src") != sources:
            wrong.append("a source was changed")
        return full, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--scenario", action="append", choices=NAMES)
    parser.add_argument("--points", type=int, help="about so many altogether, not all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-seconds", type=float, help="begin no point after so many seconds")
    given, violations, full = parser.parse_args(), 0, Counter[str]()
    rng, started, done = random.Random(given.seed), time.monotonic(), Counter[str]()
    names = given.scenario or NAMES
    with tempfile.TemporaryDirectory(prefix="segprep-disk-") as folder:
        work = Path(folder).resolve()
        with disk(work / "disk"):
            small = {name: Small(name, work, work / "disk") for name in names}
            points = list[tuple[str, int]]()
            for name in names:
                every = range(small[name].pages)
                each = max(1, given.points // len(names)) if given.points else len(every)
                points += [(name, n) for n in rng.sample(every, min(each, len(every)))]
            for name, pages in spread(points, lambda point: point[0], rng):
                if given.max_seconds and time.monotonic() - started > given.max_seconds:
                    break
                was_full, wrong = small[name].violations(pages)
                done[name] += 1
                full[name] += was_full
                violations += len(wrong)
                for words in wrong:
                    print(f"{name}, {pages} pages free: {words}", flush=True)
    seconds = round(time.monotonic() - started, 1)
    figures = {"points": done, "of": len(points), "full": full, "violations": violations}
    print(json.dumps({**figures, "seconds": seconds}))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
