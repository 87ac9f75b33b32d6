"""One train-check of a small set, with a network narrow enough for a test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import segprep

STEPS = 40


FILES = {
    "checkpoint.pt",
    "config.toml",
    "history.csv",
    "predictions",
    "report.html",
    "scored.txt",
    "scores.json",
}


Discs = Callable[..., Path]


def check(root: Path, **more: Any) -> Any:
    return segprep.train_check(root, **{"steps": STEPS, "size": 32, "device": "cpu"} | more)
