"""``python tests/benchmarks/run.py --only workers``: one worker against two, by wall time and by
CPU time.

Wall time means something only where the second core is free: the first row says how free it was
(.50: all of it). The other figure does not depend on that. It is the least wall time that the CPU
time allows: what one process does alone before, between and after its workers, and half of all
else.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import annotations
import nuclei
import streets
import tiny
from measuring import HERE, SEGPREP, Comparison, Row, Size, passing, to_fresh

sys.path.insert(0, str(HERE.parent / "mutation"))
import scenes

LEAST = """
import os, resource, time
from segprep.worker_processes import WorkerPool
shared, began = [0.0], []
def start(self, start=WorkerPool.start):
    began.append(time.process_time())
    start(self)
def end(self, end=WorkerPool.end):
    if began:
        shared[0] += time.process_time() - began.pop()
    end(self)
WorkerPool.start, WorkerPool.end = start, end
from segprep_cli.main import main
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    alone = time.process_time() - shared[0]
    print()
    print(alone + (shared[0] + used.ru_utime + used.ru_stime) / 2)
"""
MOST = 1 / 1.8


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    spin = (sys.executable, f"sum(range({size(400)}00_000))")
    twice = '"$0" -c "$1" {} "$0" -c "$1"; wait'
    yield Comparison(
        {
            "at once": ["sh", "-c", twice.format("&"), *spin],
            "in turn": ["sh", "-c", twice.format(";"), *spin],
        },
        [Row("the machine: two processes", "at once", "in turn", None, "wall")],
    )
    for title, write, words in commands(work, size):
        write()
        programs, outs = {}, work / f"outs of {title}"
        for jobs in ("1", "2"):
            for kind, start in (("", SEGPREP), (", CPU", (sys.executable, "-c", LEAST))):
                command = passing(*start, *words, "-q", "-j", jobs)
                programs[f"-j {jobs}{kind}"] = to_fresh(outs / f"{jobs}{kind}", *command)
        yield Comparison(
            programs,
            [
                Row(title, "-j 2", "-j 1", MOST, "wall"),
                Row("  as CPU time allows", "-j 2, CPU", "-j 1, CPU", MOST, "printed"),
            ],
        )


def commands(work: Path, size: Size) -> Iterator[tuple[str, Callable[[], object], tuple[str, ...]]]:
    """What is measured: a title, what writes its data, and the words of the command."""
    for full in (300, 1500):
        source, count = work / f"labelme{full}", size(full)
        write = partial(annotations.write, source, count)
        yield f"json2mask, {count} images of 1280 x 720", write, ("json2mask", str(source), "OUT")
    source, count = work / "nuclei", size(120)
    write = partial(nuclei.write, source, count)
    yield f"convert dsb2018, {count} images", write, ("convert", "dsb2018", str(source), "OUT")
    for full, side in ((500, 512), (5000, 32), (20_000, 32)):
        source, count = work / f"pairs{full}", size(full)
        words = ("convert", "pairs", str(source), "OUT", "--classes", "3")
        write = partial(tiny.write, source, count, side)
        yield f"convert pairs, {count} of {side} x {side}", write, words
    for full, height, width in ((200, 1024, 2048), (800, 375, 500), (5000, 64, 64)):
        source, count = work / f"maps{height}", size(full)
        truth, pred = str(source / "truth"), str(source / "pred")
        words = ("miou", pred, "--truth", truth, "--classes", str(streets.CLASSES))
        write = partial(streets.write, source, count, height, width)
        yield f"miou, {count} pairs of {height} x {width}", write, words
    for full, (width, height) in ((600, (500, 375)), (5000, (96, 64))):
        source, count = work / f"scenes{width}", size(full)
        write = partial(scenes.make, source, count, size=(width, height))
        yield f"check, {count} of {width} x {height}", write, ("check", str(source))
