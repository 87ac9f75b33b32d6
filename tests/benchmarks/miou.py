"""Scores: ``segprep miou`` against decoding alone, and against packages that count as well."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import streets
from measuring import HERE, SEGPREP, WITHOUT_KERNEL, Comparison, Row, Size, of_peer
from PIL import Image

SIZES = (  # pairs, height, width, goals with the kernel and without
    (200, 1024, 2048, 0.35, 0.48),
    (800, 375, 500, 0.6, 0.8),
    (5000, 64, 64, 1.5, 1.5),
)
PEERS = {  # ways of miou_peers.py -> what they are called in the table
    "bincount": "Pillow, numpy.bincount",
    "huggingface": "counted as in HF evaluate",
    "evaluate": "HF evaluate",
    "sklearn": "scikit-learn",
    "torchmetrics": "torchmetrics",
    "mmseg": "counted as in mmseg",
    "cityscapes": "cityscapesScripts",
}
FLOOR = "Pillow decodes"


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    for pairs, height, width, least, most in SIZES:
        count, folder = size(pairs), work / f"{height}x{width}"
        streets.write(folder, count, height, width)
        words = score(folder)
        yield Comparison(
            {
                "kernel": [*SEGPREP, *words],
                "plain": [*WITHOUT_KERNEL, *words],
                FLOOR: peer("decode", folder, sys.executable),
            },
            [
                Row(f"miou, {count} pairs of {height} x {width}", "kernel", FLOOR, least),
                Row("  without the kernel", "plain", FLOOR, most),
            ],
        )
    count, folder = size(20), work / "few"
    streets.write(folder, count)
    by_label(folder)
    programs = {name: of_peer("metrics", partial(peer, way, folder)) for way, name in PEERS.items()}
    title = f"miou, {count} pairs of 1024 x 2048"
    yield Comparison(
        {"miou": [*SEGPREP, *score(folder)], **programs},
        [Row(title, "miou", name) for name in programs],
    )


def score(folder: Path) -> tuple[str, ...]:
    truth, pred = str(folder / "truth"), str(folder / "pred")
    return ("miou", pred, "--truth", truth, "--classes", str(streets.CLASSES), "-j", "1", "--json")


def peer(way: str, folder: Path, python: str) -> list[str]:
    return [python, str(HERE / "miou_peers.py"), way, str(folder)]


def by_label(folder: Path) -> None:
    """The same maps with Cityscapes' label ids, in *folder*/labels: 7 to 25, 0 where ignored."""
    for name in ("truth", "pred"):
        (folder / "labels" / name).mkdir(parents=True)
        for path in (folder / name).iterdir():
            with Image.open(path) as picture:
                ids = np.asarray(picture)
            ids = np.where(ids == streets.IGNORE, 0, ids + 7).astype(np.uint8)
            Image.fromarray(ids).save(folder / "labels" / name / path.name)
