"""Lists of train, val and test: ``segprep split`` against split-folders, which copies the files."""

from collections.abc import Iterator
from pathlib import Path

import tiny
from measuring import SEGPREP, Comparison, Row, Size, measure, of_peer, to_fresh

SPLIT = """
import sys
import splitfolders
splitfolders.ratio(sys.argv[1], sys.argv[2], seed=1, ratio=(.7, .2, .1), group="stem", {})
"""


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    count = size(5000)
    source, tree = str(tiny.write(work / "source", count)), str(work / "tree")
    measure([*SEGPREP, "convert", "pairs", source, tree, "--classes", "3"])
    export = to_fresh(work / "ours", *SEGPREP, "export", "ultralytics", "OUT", "-d", tree)
    programs = {"split": [*SEGPREP, "split", tree, "--overwrite"], "export": export}
    ways = {"split-folders, copies": "move=False", "split-folders, links": "move='symlink'"}
    for name, way in ways.items():
        programs[name] = of_peer(
            "metrics",
            lambda python, name=name, way=way: to_fresh(
                work / name, python, "-c", SPLIT.format(way), source, "OUT"
            ),
        )
    first, second = ways
    yield Comparison(
        programs,
        [
            Row(f"split, {count} pairs", "split", first),
            Row("  and the export of links", "export", second),
        ],
    )
