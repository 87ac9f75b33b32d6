"""Faults of files, links, signals and workers: each folder's own script is run and its
words read.
"""

import io
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from answers import ROOT, Answer, Case, Run, command, mask, segprep, stems
from PIL import Image

REFUSED = re.compile(r"rc=([1-9]\d*)")


def script(judge: Callable[[Run], tuple[str, bool]], *more: str, needs: str = "") -> Case:
    """The folder's repro.sh or repro.py, judged by what it printed."""

    def case(folder: Path) -> Iterator[Answer]:
        if needs and shutil.which(needs) is None:
            return
        path = next(folder.glob("repro.*"))
        words = ["bash", str(path)] if path.suffix == ".sh" else [sys.executable, str(path)]
        run = command(folder, [*words, *more])
        question, right = judge(run)
        yield Answer(question, right, run.seen)

    return case


def rows(run: Run, start: str) -> list[str]:
    """The printed lines that begin with *start*."""
    return [line for line in run.text.splitlines() if line.startswith(start)]


def deleted(run: Run) -> tuple[str, bool]:
    kept = "letter.txt" in run.out and "No such file" not in run.text
    return "a record that names files outside deletes none of them", kept


def replaced(run: Run) -> tuple[str, bool]:
    return "no file outside OUT is replaced", "the user's own" in run.out


def links(run: Run) -> tuple[str, bool]:
    text = run.text
    kept = "left: fold0train.txt" in text and "left: identity.json" in text
    return "nothing is written or deleted through links", kept and bool(
        re.search(r"now there:\s*$", text, re.M)
    )


def killed_split(run: Run) -> tuple[str, bool]:
    clean = all(not row.partition(":")[2].strip() for row in rows(run, "in train and"))
    noticed = all(REFUSED.search(row) for row in rows(run, "export keras rc="))
    return "after a killed split no list overlaps, or the next command notices", clean or noticed


def killed_publish(run: Run) -> tuple[str, bool]:
    codes = [int(code) for code in re.findall(r"^   rc=(\d+)", run.text, re.M)]
    return "no command works on a half-published tree without a word", len(codes) > 5 and all(codes)


def several_pages(run: Run) -> tuple[str, bool]:
    made = [row for row in rows(run, "$ segprep") if "segprep info" not in row]
    right = all("rc 0" not in row for row in made)
    return "a mask file of several pages is refused", bool(made) and right


def long_lists(run: Run) -> tuple[str, bool]:
    right = "json2mask --classes rc=0" in run.text and "File name too long" not in run.text
    return (
        "a long list on the command line is not a file name",
        right and "write-failed" not in run.text,
    )


def killed_worker(run: Run) -> tuple[str, bool]:
    right = "BrokenProcessPool" not in run.text and "wrong" not in run.text
    return (
        "a killed worker ends in an error with a code, or in nothing lost",
        right and run.code == 0,
    )


def unguarded(run: Run) -> tuple[str, bool]:
    text = "\n".join(line for line in run.text.splitlines() if line[:2] not in ("1.", "2.", "3."))
    return (
        "a dataset's own files are opened with guards",
        "SECRET" not in text and "rc=137" not in text,
    )


def flipped_bit(run: Run) -> tuple[str, bool]:
    found = [
        row
        for row in run.text.splitlines()
        if re.match(r"(info|export|miou|remap|json2mask) ", row)
    ]
    right = all("rc=0" not in row for row in found) and "Traceback" not in run.text
    return "a flipped bit in a mask is noticed", bool(found) and right


def formulas(run: Run) -> tuple[str, bool]:
    raw = re.search(r"(^|,)=", run.out, re.M)
    return "cells of CSV files are not formulas", raw is None and bool(run.out.strip())


def tracebacks(run: Run) -> tuple[str, bool]:
    counts = [int(n) for n in re.findall(r"rc=\S+ (\d+) traceback", run.text)]
    silent = re.search(r"stderr closed.*made: 0", run.text)
    right = bool(counts) and not any(counts) and "/dev/full: 0" in run.text and not silent
    return "no input ends in a traceback", right


def interrupted(folder: Path) -> Iterator[Answer]:
    """As 14/repro.sh, but stopped while miou writes: it publishes by one rename, after which
    everything is there.
    """
    if shutil.which("strace") is None:
        return
    segprep(folder, f"json2mask {ROOT / 'examples/shapes'} out -q")
    shutil.copytree(folder / "out/SegmentationClass", folder / "p")
    score = "miou p -d out --out sc --samples 5"
    stop = "strace -f -qq -o /dev/null -e trace=mkdir -e inject=mkdir:signal=TERM:when=2"
    words = [*stop.split(), sys.executable, "-m", "segprep_cli", *score.split()]
    first = command(folder, words)
    absent, again = not (folder / "sc").exists(), segprep(folder, score)
    right = first.code == 130 and absent and again.code == 0
    question = "miou --out can be run again after an interrupt"
    yield Answer(question, right, f"{first.seen}; again: {again.seen}")


def checksum(folder: Path) -> Iterator[Answer]:
    """As 15/repro.py, through the command line: masks with one bit flipped, converted and
    scored.
    """
    rng, labels = np.random.default_rng(1), np.zeros((90, 120), np.uint8)
    for n in range(1, 9):
        top, left = rng.integers(0, 60), rng.integers(0, 80)
        labels[top : top + 30, left : left + 40] = n
    stream = io.BytesIO()
    Image.fromarray(labels).save(stream, "PNG")
    for name in ("images", "masks", "truth"):
        (folder / "s" / name).mkdir(parents=True)
    for n in range(60):
        data = bytearray(stream.getvalue())
        data[int(rng.integers(40, len(data) - 12))] ^= 1 << int(rng.integers(8))
        (folder / "s" / "masks" / f"{n}.png").write_bytes(data)
        Image.fromarray(labels).save(folder / "s" / "truth" / f"{n}.png")
        Image.new("RGB", (120, 90)).save(folder / "s" / "images" / f"{n}.png")
    line = "convert pairs s o --images images --masks masks --classes 9 --on-error skip"
    run = segprep(folder, line)
    wrong = [
        stem for stem in stems(folder / "o") if not np.array_equal(mask(folder / "o", stem), labels)
    ]
    yield Answer(
        "60 masks with a flipped bit: none is read with other pixels",
        not wrong,
        f"{wrong} {run.seen}",
    )


CASES: dict[str, Case] = {
    "01": script(deleted),
    "02": script(replaced),
    "03": script(links),
    "04": script(killed_split, needs="strace"),
    "05": script(killed_publish, needs="strace"),
    "06": script(several_pages),
    "07": script(long_lists),
    "08": script(killed_worker, "15"),
    "09": script(unguarded),
    "10": script(flipped_bit),
    "12": script(formulas),
    "13": script(tracebacks),
    "14": interrupted,
    "15": checksum,
}
