"""labelme annotations of 1280 x 720: ``segprep json2mask`` against labelme's own steps."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import annotations
from measuring import (
    HERE,
    SEGPREP,
    WITHOUT_KERNEL,
    Comparison,
    Row,
    Size,
    measure,
    of_peer,
    to_fresh,
)

PEER = "labelme's own steps"


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    count = size(300)
    annotations.write(work / "source", count)
    shutil.copytree(work / "source", work / "inferred")
    (work / "inferred" / "labels.txt").unlink()
    programs = {
        f"{kind} {name}": to_fresh(
            work / f"{kind}-{name}", *program, "json2mask", str(work / kind), "OUT", "-q", "-j", "1"
        )
        for kind in ("source", "inferred")
        for name, program in (("kernel", SEGPREP), ("plain", WITHOUT_KERNEL))
    }
    peer = str(HERE / "labelme_peer.py")
    theirs = of_peer(
        "labelme", lambda python: to_fresh(work / "peer", python, peer, str(work / "source"), "OUT")
    )
    yield Comparison(
        {**programs, PEER: theirs},
        [
            Row(f"json2mask, {count} images", "source kernel", PEER, 1 / 12),
            Row("  without the kernel", "source plain", PEER, 1 / 8.5),
            Row("  classes inferred", "inferred kernel", PEER, 1 / 12),
            Row("  classes inferred, without the kernel", "inferred plain", PEER, 1 / 8.5),
        ],
    )
    again = [*SEGPREP, "json2mask", str(work / "source"), str(work / "again"), "-q", "-j", "1"]
    first = to_fresh(work / "first", *[word.replace(str(work / "again"), "OUT") for word in again])
    measure(again)
    yield Comparison(
        {"again": again, "the first run": first},
        [Row("  again, nothing changed", "again", "the first run", 0.1)],
    )
