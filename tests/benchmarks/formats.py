"""A tree read and written as other formats: segprep against Datumaro."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import tiny
from measuring import SEGPREP, Comparison, Row, Size, measure, of_peer, to_fresh

CONVERT = """
import sys
from datumaro import Dataset
source, kind, out, target = sys.argv[1:]
Dataset.import_from(source, kind).export(out, target, save_media=True)
"""
EXPORTS = {"voc": "voc_segmentation", "coco": "coco_instances", "datumaro": "datumaro"}
PEER = "Datumaro"


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    count = size(300)
    tree, one = str(work / "tree"), ("-j", "1", "-q")
    source = str(tiny.write(work / "source", count, side=256))
    for words in (("convert", "pairs", source, tree, "--classes", "3"), ("split", tree)):
        measure([*SEGPREP, *words])

    def peer(place: str, kind: str, target: str, python: str) -> object:
        out = work / f"{kind}-{target}"
        return to_fresh(out, python, "-c", CONVERT, place, kind, "OUT", target)

    for target, kind in EXPORTS.items():
        ours = to_fresh(work / target, *SEGPREP, "export", target, "OUT", "-d", tree, *one)
        theirs = of_peer("datumaro", partial(peer, tree, "voc_segmentation", kind))
        yield Comparison(
            {"export": ours, PEER: theirs},
            [Row(f"export {target}, {count} images of 256 x 256", "export", PEER)],
        )
    imports = {"voc": ("voc_segmentation", tree), "coco": ("coco", str(work / "exported"))}
    measure([*SEGPREP, "export", "coco", imports["coco"][1], "-d", tree, *one])
    for name, (kind, place) in imports.items():
        ours = to_fresh(work / f"from-{name}", *SEGPREP, "convert", name, place, "OUT", *one)
        theirs = of_peer("datumaro", partial(peer, place, kind, "voc_segmentation"))
        yield Comparison(
            {"convert": ours, PEER: theirs},
            [Row(f"convert {name}, {count} images of 256 x 256", "convert", PEER)],
        )
