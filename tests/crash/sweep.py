"""Crash sweep: stop segprep at every change it makes to its output, re-run the command,
compare with an undisturbed run.

    .venv/bin/python tests/crash/sweep.py                    every point of every scenario: minutes
    .venv/bin/python tests/crash/sweep.py --points 40        a sample spread over all of them: the
    gate's share
    .venv/bin/python tests/crash/sweep.py --scenario update --mode kill --pairs 100

A point is the n-th moment at which the command opens a file of OUT for writing, renames, removes or
makes something there (CPython's audit events; reading does not count). In a forked child, at that
moment:

    kill   the process is killed (SIGKILL)
    torn   the next file that is written ends after 50 bytes, and the process with it
    error  this one operation fails with ENOSPC
    full   this and every later creation, write and rename fails with ENOSPC; removing still works
    rofs   this and every later change fails with EROFS
    eio    this one operation fails with EIO
    denied this and every later change fails with EACCES
    files  this and every later opening fails with EMFILE
    short  from here on no file can grow beyond 50 bytes (EFBIG in the middle of a write)

Folders are listed in a random order that differs from point to point. After each point: no source
byte has changed; a tree with a manifest is whole (every digest holds); failing operations end with
exit 1, the code write-failed, the path and no traceback; the same command again ends as the
undisturbed run did, byte-identical, nothing left over.

--pairs N also disturbs the second run (N random pairs per scenario). Prints one line per violation
and one JSON line of figures
at the end; exit 1 if anything was violated.
"""

import argparse
import errno
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

# imported before forking, so that no child has to import them
from segprep_cli import (  # noqa: F401
    check,
    export,
    json2mask,
    merge,
    miou,
    remap,
    resize,
    split,
    stats,
    tile,
    view,
)
from segprep_cli.main import group

import segprep
from segprep.errors import SegprepError
from segprep.targets import keras, voc  # noqa: F401

MODES = ("kill", "torn", "error", "full", "rofs", "short", "eio", "denied", "files")
_LASTING = {
    "full": errno.ENOSPC,
    "rofs": errno.EROFS,
    "denied": errno.EACCES,
    "files": errno.EMFILE,
}
_CHANGES = (
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
)


def picture(path: Path, shade: int, size: tuple[int, int] = (40, 30), **saving: object) -> None:
    Image.linear_gradient("L").resize(size).point(lambda v: (v + shade) % 256).convert("RGB").save(
        path, **saving
    )


def annotation(path: Path, label: str = "cat", image: str | None = None, at: int = 4) -> None:
    shape = {
        "label": label,
        "points": [[at, at], [at + 15, at], [at + 10, at + 12]],
        "shape_type": "polygon",
        "group_id": None,
    }
    path.write_text(
        json.dumps(
            {
                "shapes": [shape],
                "imagePath": image or f"{path.stem}.png",
                "imageData": None,
                "imageHeight": 30,
                "imageWidth": 40,
            }
        )
    )


def sample(folder: Path, stem: str, number: int, label: str = "cat", suffix: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    picture(folder / f"{stem}{suffix}", 20 * number)
    annotation(folder / f"{stem}.json", label, f"{stem}{suffix}", 3 + number % 5)


@dataclass(frozen=True)
class Scenario:
    """*prepare* lays out src and out below the current folder; *command* is then disturbed; *exit*
    is what it ends with undisturbed.
    """

    prepare: Callable[[], None]
    command: tuple[str, ...]
    exit: int = 0
    apart: str = ""  # what lies below it belongs to each run by itself, and is not compared


CONVERT = ("json2mask", "src", "out", "-j", "1", "--no-progress", "--objects")


def _source() -> None:
    for n in range(4):
        sample(
            Path("src"),
            f"s{n}",
            n,
            "cat" if n % 2 else "dog",
            ".bmp" if n == 2 else ".jpg" if n == 1 else ".png",
        )


def _fresh() -> None:
    _source()


def _skip() -> None:
    _source()
    Path("src/bad.json").write_text("{")


def _update() -> None:
    """One sample is new, one has changed, two have vanished; the tree is split and has runs."""
    for n in range(10):
        sample(Path("src"), f"s{n}", n, "cat" if n % 2 else "dog")
    run(CONVERT)
    run(("split", "out", "--seed", "1"))
    Path("out/runs/one").mkdir(parents=True)
    Path("out/runs/one/log.txt").write_text("keep me")
    held = (
        Path("out/ImageSets/Segmentation/val.txt").read_text().split()[0],
        Path("out/ImageSets/Segmentation/train.txt").read_text().split()[0],
    )
    for stem in held:
        Path(f"src/{stem}.json").unlink()
    changed = next(f"s{n}" for n in range(10) if f"s{n}" not in held)
    annotation(Path(f"src/{changed}.json"), "cat", f"{changed}.png", 9)
    sample(Path("src"), "t0", 3)


def _overwrite() -> None:
    for n in range(3):
        sample(Path("other"), f"o{n}", n, "bird")
    sample(Path("other"), "s1", 9, "bird")
    run(("json2mask", "other", "out", "-j", "1"))
    run(("split", "out", "--seed", "1"))
    _source()


def _mended() -> None:
    _skip()
    run(CONVERT, 1)
    sample(Path("src"), "bad", 7)


def _classes() -> None:
    _source()
    run(CONVERT)
    run(("split", "out", "--seed", "1"))
    sample(Path("src"), "a", 5, "ant")


def _unsplit() -> None:
    _source()
    run(CONVERT)


def _resplit() -> None:
    _unsplit()
    run(("split", "out", "--seed", "1"))
    sample(Path("src"), "t0", 3)
    run(CONVERT)


def _tree(folder: str = "src") -> None:
    """A split dataset at *folder*, whose own source is gone."""
    for n in range(5):
        sample(Path("raw"), f"s{n}", n, "cat" if n % 2 else "dog")
    run(("json2mask", "raw", folder, "-j", "1", "--objects"))
    run(("split", folder, "--seed", "1"))
    shutil.rmtree("raw")


def _exported() -> None:
    _tree("other")
    run(("export", "keras", "out", "-d", "other", "-j", "1"))
    shutil.rmtree("other")
    _tree()


def _folded() -> None:
    _unsplit()
    run(("split", "out", "--seed", "1", "--folds", "3"))


def _merged() -> None:
    _tree()
    for n in range(2):
        sample(Path("raw"), f"m{n}", n + 7, "bird")
    run(("json2mask", "raw", "src/second", "-j", "1"))
    shutil.move("src", "trees")
    shutil.rmtree("raw")
    Path("src").mkdir()
    shutil.move("trees/second", "src/second")
    shutil.move("trees", "src/first")


def _predicted() -> None:
    """A dataset and predictions for it, which are its own masks."""
    _tree()
    shutil.copytree("src/SegmentationClass", "src/pred")


def _untidy() -> None:
    """A dataset that another tool made: a double name in a list, a PNG file called .jpg."""
    _tree("out")
    for name in ("segprep.json", "records.jsonl"):
        Path("out", name).unlink()
    shutil.rmtree("out/SegmentationObject")
    train = Path("out/ImageSets/Segmentation/train.txt")
    train.write_text(train.read_text() * 2)
    image = sorted(Path("out/JPEGImages").glob("*.png"))[0]
    image.rename(image.with_suffix(".jpg"))
    Path("src").mkdir()


def _empty_out() -> None:
    _tree()
    Path("out").mkdir()


REMAP = ("remap", "src", "out", "--map", "cat=dog", "-j", "1", "--no-progress")
EXPORT = ("export", "keras", "out", "-d", "src", "-j", "1", "--no-progress")
SCENARIOS = {
    "fresh": Scenario(_fresh, CONVERT),
    "skip": Scenario(_skip, (*CONVERT, "--on-error", "skip"), 3),
    "update": Scenario(_update, CONVERT),
    "overwrite": Scenario(_overwrite, (*CONVERT, "--overwrite")),
    "mended": Scenario(_mended, CONVERT),
    "classes": Scenario(_classes, CONVERT),
    "split": Scenario(_unsplit, ("split", "out", "--seed", "1")),
    "split-update": Scenario(_resplit, ("split", "out", "--update")),
    "split-overwrite": Scenario(
        _folded, ("split", "out", "--seed", "5", "--overwrite", "--folds", "2")
    ),
    "remap": Scenario(_tree, REMAP),
    "merge": Scenario(
        _merged, ("merge", "src/first", "src/second", "out", "-j", "1", "--no-progress")
    ),
    "tile": Scenario(
        _tree, ("tile", "src", "out", "--size", "32", "--overlap", "8", "-j", "1", "--no-progress")
    ),
    "resize": Scenario(_tree, ("resize", "src", "out", "--size", "24", "-j", "1", "--no-progress")),
    "miou": Scenario(
        _predicted,
        ("miou", "src/pred", "-d", "src", "--out", "out", "--samples", "5", "-j", "1", "-q"),
    ),
    "fix": Scenario(_untidy, ("check", "out", "--fix", "--yes", "-j", "1", "-q"), apart="runs/"),
    "stats": Scenario(
        _empty_out,
        ("stats", "src", "--csv", "out/a.csv", "--plots", "out/plots", "--overwrite", "-q"),
    ),
    "view": Scenario(
        _empty_out, ("view", "src", "--out", "out/view.html", "--overwrite", "-j", "1", "-q")
    ),
    "export": Scenario(_tree, EXPORT),
    "export-overwrite": Scenario(_exported, (*EXPORT, "--overwrite")),
}


@dataclass
class Ended:
    """How a child ended: its exit code (negative: signal), the number of *points* it passed, what
    it said.
    """

    code: int
    points: int
    said: str


def run(command: tuple[str, ...], wanted: int = 0) -> None:
    """Run *command* undisturbed in a child."""
    ended = child(command)
    if ended.code != wanted:
        raise SystemExit(
            f"{' '.join(command)} ended with {ended.code}, not {wanted}:\n{ended.said}"
        )


def child(command: tuple[str, ...], mode: str = "", at: int = 0) -> Ended:
    """Run *command* in a forked child of the current folder, disturbed at point *at*."""
    (counts, report), (told, said) = (
        os.pipe(),
        os.pipe(),
    )  # pipes, as a limit on file sizes does not touch them
    pid = os.fork()
    if not pid:
        _in_child(command, mode, at, report, said)
    os.close(report)
    os.close(said)
    with open(told, "rb") as words, open(counts, "rb") as count:
        text, number = words.read().decode("utf-8", "replace"), int(count.read() or 0)
    return Ended(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), number, text)


def _in_child(command: tuple[str, ...], mode: str, at: int, report: int, said: int) -> None:
    code = 99
    try:
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        os.scandir = Shuffled.scandir(random.Random(at))  # type: ignore[assignment]
        fault = Fault(mode, at, str(Path("out").resolve()))
        signal.signal(
            signal.SIGXFSZ, signal.SIG_DFL if mode == "torn" else signal.SIG_IGN
        )  # at a limit: end, or an error
        sys.addaudithook(fault)
        try:
            group(list(command), prog_name="segprep")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 98
        fault.mode = "over"
        os.write(report, b"%d" % fault.seen)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


class Shuffled:
    """A listing in any order, as file systems give it: what a killed cleaning up leaves depends on
    it.
    """

    def __init__(self, entries: "list[os.DirEntry[str]]") -> None:
        self.entries = iter(entries)

    @classmethod
    def scandir(cls, rng: random.Random, real: Any = os.scandir) -> "Callable[..., Shuffled]":
        """os.scandir in random order."""

        def scandir(path: Any = ".") -> Shuffled:
            with real(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
            rng.shuffle(entries)
            return cls(entries)

        return scandir

    def __enter__(self) -> "Shuffled":
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def __iter__(self) -> "Iterator[os.DirEntry[str]]":
        return self.entries

    def __next__(self) -> "os.DirEntry[str]":
        return next(self.entries)


@dataclass
class Fault:
    """An audit hook that counts changes below *out* and strikes at number *at*."""

    mode: str
    at: int
    out: str
    seen: int = 0
    struck: bool = False
    paths: list[str] = field(default_factory=list)

    def __call__(self, event: str, args: tuple[object, ...]) -> None:
        if self.mode == "over" or not (
            event in _CHANGES
            or (
                event == "open"
                and isinstance(args[2], int)
                and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            )
        ):
            return
        path = str(args[0])
        beside = (
            event != "open" and isinstance(args[-1], int) and args[-1] >= 0
        )  # relative to an open folder, as rmtree does
        absolute = os.path.abspath(path)
        hidden = os.path.join(os.path.dirname(self.out), ".out.")
        if not (beside or absolute.startswith((self.out, hidden))):
            return
        self.seen += 1
        if self.at and (self.seen == self.at or (self.seen > self.at and self.mode in _LASTING)):
            self._strike(event, path)

    def _strike(self, event: str, path: str) -> None:
        if self.mode == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.mode in ("torn", "short"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))
            return
        number = errno.EIO if self.mode == "eio" else _LASTING.get(self.mode, errno.ENOSPC)
        if (self.mode != "full" or event not in ("os.remove", "os.rmdir")) and (
            self.mode != "files" or event == "open"
        ):
            raise OSError(number, os.strerror(number), path)


def content(folder: Path, apart: str = "") -> dict[str, bytes]:
    """Every file below *folder* by name, and every folder (as b"/"), less what lies *apart*.

    A lock file means nothing: the lock is the kernel's.
    """
    found = sorted(path for path in folder.rglob("*") if path.name != ".segprep.lock")
    return {
        name: b"/" if path.is_dir() else path.read_bytes()
        for path in found
        if (name := str(path.relative_to(folder))) and not (apart and f"{name}/".startswith(apart))
    }


def whole(out: Path) -> str:
    """What is wrong with a dataset or export that the next command would use as it is, or ""."""
    if not any((out / name).exists() for name in ("segprep.json", "segprep-export.json")):
        return ""
    try:
        found = segprep.verify(out)
    except SegprepError as error:  # the next command says so, too
        return "" if error.code == "unfinished-run" else f"{error.code}: {error}"
    wrong = [one for one in found.deviations if one.kind != "extra"]
    return f"{wrong[0].path} is {wrong[0].kind}, and nothing says so" if wrong else ""


@dataclass
class Sweep:
    """Runs points and collects violations. *work* is an empty folder to work in."""

    work: Path
    points: int = 0
    violations: list[str] = field(default_factory=list)

    def scenario(
        self,
        name: str,
        modes: tuple[str, ...],
        share: "Callable[[int], list[int]]",
        pairs: int,
        rng: random.Random,
    ) -> int:
        """All points that *share* chooses of 1..N, and *pairs* random pairs; N."""
        made, template, place = SCENARIOS[name], self.work / f"{name}.template", self.work / name
        template.mkdir()
        os.chdir(template)
        made.prepare()
        clean = self._undisturbed(template, place, made)
        expected, total = content(place / "out", made.apart), clean.points
        if clean.code != made.exit or not total:
            self.violations.append(
                f"{name}: undisturbed, exit {clean.code} instead of {made.exit}, {total} points:"
                f" {clean.said}"
            )
            return 0
        for mode in modes:
            for at in share(total):
                self._point(template, place, made, expected, f"{name} {mode}", [(mode, at)])
        for _ in range(pairs):
            first, second = ((rng.choice(modes), rng.randint(1, total)) for _ in range(2))
            self._point(template, place, made, expected, f"{name} pair", [first, second])
        os.chdir(self.work)
        return total

    def _undisturbed(self, template: Path, place: Path, made: Scenario) -> Ended:
        self._lay_out(template, place)
        return child(made.command)

    @staticmethod
    def _lay_out(template: Path, place: Path) -> None:
        os.chdir(template)
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(template, place, symlinks=True)
        os.chdir(place)

    def _point(
        self,
        template: Path,
        place: Path,
        made: Scenario,
        expected: dict[str, bytes],
        name: str,
        faults: list[tuple[str, int]],
    ) -> None:
        self.points += 1
        self._lay_out(template, place)
        sources = content(place / "src")
        wrong = []
        for mode, at in faults:
            if content(place / "out", made.apart) == expected:
                break  # the first fault came after the work was done
            ended = child(made.command, mode, at)
            wrong += [f"{mode}@{at}: {one}" for one in self._judge(ended, mode, made)]
            if fault := whole(place / "out"):
                wrong.append(f"{mode}@{at}: {fault}")
        finished = (
            content(place / "out", made.apart) == expected
        )  # split refuses to do finished work again
        again = child(made.command)
        if again.code != made.exit and not finished:
            wrong.append(f"the same command again: exit {again.code}: {again.said.strip()[-300:]}")
        elif (found := content(place / "out", made.apart)) != expected:
            differ = sorted(
                name
                for name in found.keys() | expected.keys()
                if found.get(name) != expected.get(name)
            )
            wrong.append(f"the same command again: not identical: {', '.join(differ[:6])}")
        if content(place / "src") != sources:
            wrong.append("a source was changed")
        self.violations += [f"{name} {faults}: {one}" for one in wrong]

    @staticmethod
    def _judge(ended: Ended, mode: str, made: Scenario) -> list[str]:
        """What is wrong with how a disturbed run ended."""
        wrong = ["a traceback"] if "Traceback" in ended.said or ended.code == 99 else []
        if mode in ("kill", "torn"):
            return wrong
        if ended.code not in (
            1,
            made.exit,
        ):  # the disturbed operation may have been no necessary one
            wrong.append(f"exit {ended.code}")
        if (
            ended.code == 1
            and made.exit != 1
            and not (
                "[write-failed]" in ended.said
                and "out" in ended.said
                and "errno" in ended.said.lower()
            )
        ):
            wrong.append(f"the message lacks code, path or errno: {ended.said.strip()[-200:]}")
        return wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--points", type=int, help="about so many points altogether instead of all of them"
    )
    parser.add_argument(
        "--pairs", type=int, default=0, help="so many random pairs of faults per scenario"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mode", action="append", choices=MODES)
    parser.add_argument("--scenario", action="append", choices=SCENARIOS)
    parser.add_argument(
        "--last",
        type=int,
        default=0,
        help="only so many points at the end, where publishing and cleaning up are",
    )
    parser.add_argument("--at", type=int, help="this point only")
    given = parser.parse_args()
    names, modes, rng = (
        given.scenario or list(SCENARIOS),
        tuple(given.mode or MODES),
        random.Random(given.seed),
    )
    each = max(1, given.points // (len(names) * len(modes))) if given.points else 0

    def share(total: int) -> list[int]:
        if given.at:
            return [given.at]
        every = range(max(1, total + 1 - given.last) if given.last else 1, total + 1)
        return sorted(rng.sample(every, min(each, len(every)))) if each else list(every)

    started, totals = time.monotonic(), {}
    with tempfile.TemporaryDirectory(prefix="segprep-sweep-") as work:
        sweep = Sweep(Path(work).resolve())
        for name in names:
            totals[name] = sweep.scenario(name, modes, share, given.pairs, rng)
        os.chdir("/")
    for one in sweep.violations:
        print(one)
    print(
        json.dumps(
            {
                "points": sweep.points,
                "violations": len(sweep.violations),
                "reachable": totals,
                "seconds": round(time.monotonic() - started, 1),
            }
        )
    )
    return 1 if sweep.violations else 0


if __name__ == "__main__":
    sys.exit(main())
