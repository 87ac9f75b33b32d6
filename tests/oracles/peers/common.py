"""What the programs that ask a checker share: folders on the command line, a line of JSON each."""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

IMAGES, MASKS = "JPEGImages", "SegmentationClass"


def answer(ask: Callable[[Path], Iterable[tuple[str, str]]]) -> None:
    """Print the issues, (what, stem), of every folder; a checker that fails has said so."""
    for folder in sys.argv[1:]:
        try:
            issues = sorted(set(ask(Path(folder))))
        except (Exception, SystemExit) as error:
            issues = [(f"failed: {type(error).__name__}", "")]
        print("\nISSUES", json.dumps(issues), flush=True)


def stems(folder: Path) -> list[str]:
    return sorted(path.stem for path in (folder / MASKS).iterdir())


def image_of(folder: Path, stem: str) -> Path | None:
    return next(iter(sorted((folder / IMAGES).glob(f"{stem}.*"))), None)


def ids_as_gray(source: Path, target: Path) -> None:
    """A palette mask as its indices, which all readers take for ids; others as they are."""
    try:
        with Image.open(source) as picture:
            if picture.mode == "P":
                Image.fromarray(np.asarray(picture)).save(target)
                return
    except (OSError, SyntaxError):
        pass
    target.write_bytes(source.read_bytes())


def names(folder: Path) -> list[str]:
    return (folder / "class_names.txt").read_text().splitlines()
