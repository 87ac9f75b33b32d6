"""A run of segprep in a forked child, disturbed at one moment: see sweep.py for the modes."""

import errno
import os
import random
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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

from segprep.targets import keras, voc  # noqa: F401

LONGEST = 120  # seconds that a run may take
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
    text, until = b"", time.monotonic() + LONGEST
    with open(told, "rb", buffering=0) as words, open(counts, "rb") as count:
        while select.select([words], [], [], max(0.0, until - time.monotonic()))[0]:
            if not (more := words.read(1 << 16)):
                break
            text += more
        else:
            os.kill(pid, signal.SIGKILL)
            text += b"Traceback: killed, as it had not ended after %d seconds" % LONGEST
        number = int(count.read() or 0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return Ended(code, number, text.decode("utf-8", "replace"))


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
        hidden = os.path.join(os.path.dirname(self.out), ".out")
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
