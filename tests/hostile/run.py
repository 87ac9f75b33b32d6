"""Broken and malicious inputs of every kind, one after another, under watch.

    python tests/hostile/run.py                  all of them: make hostile
    python tests/hostile/run.py --sample 60      some of each kind: the gate's share
    python tests/hostile/run.py --case 17        one again, with its traceback
    python tests/hostile/run.py --jobs 16 --max-seconds 400 --table hostile.md

Every file of every format's example, and every file of a finished dataset, is damaged in every way
of DAMAGES; then the format is converted, or the dataset goes through the commands that read one. An
input passes if each command ends in a registered error or a sound result, within five seconds of
CPU time; if no file outside the input, the output and the installation is opened, and nothing
outside the output is written or removed; and if every sample of the undamaged input is either
converted or named.
--jobs processes try them, in an order spread evenly over formats and damages, until --max-seconds
have passed; the limit of memory holds for each process.
Prints one line per violation and one JSON line of figures; exit 1 if there is any.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import segprep
from segprep import conversion, sources
from segprep.codes import CODES
from segprep.errors import BadInputError, SegprepError

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # test modules share makers

from shards import results, spread

SLOWEST, LARGEST = 5.0, 1 << 30  # seconds per input; bytes of memory
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink")
_NETWORK = ("socket.connect", "socket.getaddrinfo", "urllib.Request", "subprocess.Popen")


def png(width: int, height: int, mode: str = "L", **saving: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG", **saving)
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of 20 KB that says 16,000 x 16,000."""
    out = io.BytesIO()
    Image.new("1", (16_000, 16_000)).save(out, "PNG", compress_level=9)
    return out.getvalue()


def pages() -> bytes:
    """A TIFF of three pages."""
    frames = [Image.fromarray(np.full((24, 32), n, np.uint8)) for n in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "TIFF", save_all=True, append_images=frames[1:])
    return out.getvalue()


def _number(data: bytes, new: bytes) -> bytes:
    """*data* with its first number of two digits or more replaced."""
    for start in range(len(data)):
        if data[start : start + 2].isdigit():
            end = start
            while data[end : end + 1].isdigit():
                end += 1
            return data[:start] + new + data[end:]
    return new + data


def _link(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


Damage = Callable[[bytes], bytes]
BYTES: dict[str, Damage] = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "last byte gone": lambda data: data[:-1],
    "one bit": lambda data: data[:-9] + bytes([data[-9] ^ 4]) + data[-8:] if len(data) > 9 else b"",
    "zeros": lambda data: bytes(len(data)),
    "utf-16": lambda data: data.decode("latin-1").encode("utf-16"),
    "byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "nan": lambda data: _number(data, b"NaN"),
    "1e999": lambda data: _number(data, b"1e999"),
    "5,000 digits": lambda data: _number(data, b"9" * 5000),
    "negative": lambda data: _number(data, b"-17"),
    "brackets": lambda data: b"[" * 100_000,
    "null": lambda data: b"null",
    "twice": lambda data: data + data,
    "html": lambda data: b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "git lfs": lambda data: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "postscript": lambda data: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n",
    "another picture": lambda data: png(7, 5),
    "16 bits": lambda data: png(32, 24, "I;16"),
    "colors": lambda data: png(32, 24, "RGB"),
    "bomb": lambda _: bomb(),
    "pages": lambda _: pages(),
    "traversal": lambda data: data.replace(b".png", b"/../../../secret/s.png").replace(
        b".jpg", b"/../../../secret/s.png"
    ),
    "controls": lambda data: data.replace(b"cat", b"c\x1b[31m\xe2\x80\xae"),
    "pickle": lambda data: b"cos\nsystem\n(S'touch pwned'\ntR.",
}
ENTRIES: dict[str, Callable[[Path, Path], None]] = {
    "link out": _link,
    "link to itself": lambda path, secret: _link(path, path),
    "link to a device": lambda path, secret: _link(path, Path("/dev/zero")),
    "pipe": lambda path, secret: _pipe(path),
    "folder": lambda path, secret: _folder(path),
    "gone": lambda path, secret: path.unlink(),
}
DAMAGES = (*BYTES, *ENTRIES)


@dataclass
class Watch:
    """An audit hook: what was opened or changed outside *allowed*, while it is on."""

    allowed: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    wrong: list[str] = field(default_factory=list)
    on: bool = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in _NETWORK:
            self.wrong.append(event)
        elif event == "open" and isinstance(args[0], str | bytes):
            path = os.fsdecode(args[0])
            if not os.path.isabs(path) or f"{path}/" == f"{os.path.dirname(self.written[0])}/":
                return  # a name in an open folder, as rmtree does; OUT's own folder, to sync it
            flags = args[2] if isinstance(args[2], int) else 0
            if not path.startswith(self.written if flags & _WRITES else self.allowed):
                self.wrong.append(f"open {path}")
        elif event in _CHANGES and isinstance(args[-1], int) and args[-1] < 0:
            path = os.path.abspath(os.fsdecode(args[0]))
            if not path.startswith(self.written):
                self.wrong.append(f"{event} {path}")


@dataclass(frozen=True)
class Case:
    """One input: *kind* is a format or "dataset", *file* the damaged file, relative."""

    kind: str
    file: str
    damage: str


def example(name: str, folder: Path) -> Any:
    """The reader that the test module of format *name* lays out in *folder*."""
    path = ROOT / "tests" / "sources" / f"test_{name.replace('-', '_')}.py"
    spec = importlib.util.spec_from_file_location(f"hostile_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.example(folder)


@dataclass
class Arena:
    """The undamaged inputs, and what comes of each."""

    base: Path
    readers: dict[str, Any] = field(default_factory=dict)
    stems: dict[str, set[str]] = field(default_factory=dict)

    def lay_out(self) -> None:
        (self.base / "secret").mkdir()
        (self.base / "secret" / "s.png").write_bytes(png(9, 9))
        for name in sources.names():
            folder = self.base / "clean" / name
            folder.mkdir(parents=True)
            self.readers[name] = example(name, folder)
            out = self.base / "out"
            conversion.convert_with(self.readers[name], name, out, on_error="skip")
            self.stems[name] = set(segprep.Tree(out).stems())
            shutil.rmtree(out)
        source = self.base / "clean" / "labelme"
        segprep.convert("labelme", source, self.base / "clean" / "dataset", on_error="skip")
        with contextlib.suppress(SegprepError):
            segprep.split(self.base / "clean" / "dataset", folds=0)

    def cases(self) -> Iterator[Case]:
        """Every file of every kind, damaged in every way."""
        for kind in (*self.readers, "dataset"):
            root = self.base / "clean" / kind
            files = sorted(path for path in root.rglob("*") if path.is_file())
            by_type: dict[tuple[str, str], list[Path]] = {}
            for path in files:  # two of each folder and type tell as much as all
                by_type.setdefault((str(path.parent), path.suffix), []).append(path)
            for path in sorted(path for paths in by_type.values() for path in paths[:2]):
                for damage in DAMAGES:
                    yield Case(kind, path.relative_to(root).as_posix(), damage)


def spoil(path: Path, damage: str, secret: Path) -> None:
    if damage in BYTES:
        path.write_bytes(BYTES[damage](path.read_bytes()))
    else:
        ENTRIES[damage](path, secret)


def attempts(arena: Arena, case: Case, root: Path, out: Path) -> Iterator[Callable[[], Any]]:
    """What is tried with the input at *root*."""
    if case.kind != "dataset":
        reader = arena.readers[case.kind]
        moved = {
            name: Path(str(value).replace(str(arena.base / "clean" / case.kind), str(root)))
            for name in ("root",)
            if isinstance(value := getattr(reader, name), Path)
        }
        reader = replace(reader, **moved)
        yield lambda: sources.recognize(root)
        yield lambda: conversion.convert_with(reader, case.kind, out, on_error="skip")
        return
    yield lambda: segprep.info(root)
    yield lambda: segprep.verify(root)
    yield lambda: segprep.split(root, seed=3, overwrite=True, dry_run=True, stratify="pixels")
    yield lambda: segprep.export("voc", root, out, on_error="skip")
    yield lambda: segprep.diff(arena.base / "clean" / "dataset", root)
    yield lambda: segprep.remap(root, Path(f"{out}-2"), map=("cat=bird",), on_error="skip")


def judge(arena: Arena, case: Case, watch: Watch) -> list[str]:
    """What is wrong with the way in which segprep takes *case*."""
    root, out = arena.base / "input" / case.kind, arena.base / "out"
    for path in (root, out, Path(f"{out}-2")):
        shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(arena.base / "clean" / case.kind, root, symlinks=True)
    spoil(root / case.file, case.damage, arena.base / "secret" / "s.png")
    watch.allowed = (
        *_installation(),
        str(arena.base / "input"),
        str(arena.base / "clean"),
        str(out),
        str(arena.base / ".out"),
    )
    watch.written, watch.wrong = (str(out), str(arena.base / ".out")), []
    started, wrong, ended = time.process_time(), list[str](), None
    for attempt in attempts(arena, case, root, out):
        watch.on = True
        try:
            ended = attempt()
        except SegprepError as error:
            ended = error
            if error.code not in CODES or not str(error):
                wrong.append(f"an error without a registered code: {error!r}")
        except Exception:  # what is looked for
            wrong.append(traceback.format_exc(limit=-3))
        finally:
            watch.on = False
    if case.kind != "dataset":
        wrong += _lost(arena, case, ended, out)
    if (seconds := time.process_time() - started) > SLOWEST:
        wrong.append(f"took {seconds:.1f} s of CPU time")
    return wrong + watch.wrong[:3]


def _lost(arena: Arena, case: Case, ended: Any, out: Path) -> list[str]:
    """Samples that are neither in the tree nor named."""
    if isinstance(ended, BadInputError) or not isinstance(ended, conversion.Conversion):
        return []
    damage = segprep.verify(out).deviations
    named = " ".join(f"{one.stem} {one.path}" for one in ended.skipped)
    named += " ".join(note.message + note.stem for note in ended.notes)
    lost = arena.stems[case.kind] - set(segprep.Tree(out).stems())
    if case.damage in ("gone", "folder"):  # then it may be as if there had been no such sample
        lost -= {Path(case.file).name.rsplit(".", 1)[0]}
    silent = sorted(stem for stem in lost if stem not in named)
    return [f"not as written: {one}" for one in damage[:1]] + [
        f"{stem} is neither converted nor named" for stem in silent
    ]


def _installation() -> tuple[str, ...]:
    return (
        sys.prefix,
        sys.base_prefix,
        str(ROOT),
        os.path.dirname(os.path.dirname(os.path.realpath(segprep.__file__))),
        *(path for path in sys.path if path),
        "/usr",
        "/lib",
        "/proc/self",
        "/dev/null",
        "/sys",
    )


def peak_memory() -> int:
    """The most memory that this process held, in bytes. getrusage would count what its parent held
    when it started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def trial(base: Path, number: int) -> Callable[[tuple[int, Case]], tuple[list[str], int]]:
    """The work of process *number*: what is wrong with a case, and the memory held so far."""
    watch = Watch()
    sys.dont_write_bytecode = True  # what Python keeps of its modules is not a file of the run
    sys.addaudithook(watch)
    arena = Arena(base / str(number))
    arena.base.mkdir()
    arena.lay_out()
    os.chdir(arena.base)
    return lambda numbered: (judge(arena, numbered[1], watch), peak_memory())


def numbered_cases(base: Path) -> list[tuple[int, Case]]:
    """Every case with its number."""
    base.mkdir()
    arena = Arena(base)
    arena.lay_out()
    return list(enumerate(arena.cases()))


def table(planned: list[tuple[int, Case]], tried: list[Case], faulty: list[Case]) -> str:
    """Cases tried of those planned, per kind of input; violated ones behind a "!"."""
    of = Counter(case.kind for _, case in planned)
    done, bad = (Counter(case.kind for case in chosen) for chosen in (tried, faulty))
    rows = [
        f"| {kind} | {done[kind]} of {of[kind]}{f' !{bad[kind]}' if bad[kind] else ''} |"
        for kind in sorted(of)
    ]
    return "\n".join(["| input | tried |", "| --- | --- |", *rows]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--sample", type=int, help="so many cases, spread over all")
    parser.add_argument("--case", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--max-seconds", type=float, help="begin no case after so many seconds")
    parser.add_argument("--table", type=Path, help="a Markdown table of the cases is written here")
    given, started = parser.parse_args(), time.monotonic()
    rng = random.Random(given.seed)
    violations, peak = 0, 0
    tried, faulty = list[Case](), list[Case]()
    with tempfile.TemporaryDirectory(prefix="segprep-hostile-") as folder:
        base = Path(folder).resolve()
        cases = numbered_cases(base / "all")
        total = len(cases)
        cases = spread(cases, lambda numbered: (numbered[1].kind, numbered[1].damage), rng)
        if given.case is not None:
            cases = [numbered for numbered in cases if numbered[0] == given.case]
        cases = cases[: given.sample]
        left = given.max_seconds and max(1.0, given.max_seconds - (time.monotonic() - started))
        begin = partial(trial, base)
        for (number, case), answer in results(cases, begin, jobs=given.jobs, seconds=left):
            wrong, memory = answer if isinstance(answer, tuple) else ([str(answer)], 0)
            tried.append(case)
            faulty += [case] if wrong else []
            peak = max(peak, memory)
            violations += len(wrong)
            for words in wrong:
                print(f"{number} {case.kind} {case.file} {case.damage}: {words}", flush=True)
        os.chdir("/")
    if given.table:
        given.table.write_text(table(cases, tried, faulty))
    if peak > LARGEST:
        violations += 1
        print(f"memory: {peak} bytes")
    figures = {
        "inputs": len(tried),
        "of": total,
        "violations": violations,
        "seconds": round(time.monotonic() - started, 1),
        "memory_mb": peak >> 20,
    }
    print(json.dumps(figures))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
