"""What the cases share: run a command, look at its masks, judge."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
Case = Callable[[Path], Iterator["Answer"]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One *question*, whether the tool's answer is *right*, and what was *seen*."""

    question: str
    right: bool
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What a command did: exit *code*, all that it printed (*text*), stdout alone (*out*)."""

    code: int
    text: str
    out: str

    def says(self, *words: str) -> bool:
        """Whether every one of *words* was printed, in whatever case."""
        return all(word.lower() in self.text.lower() for word in words)

    @property
    def seen(self) -> str:
        """Exit code and text in one line."""
        return f"exit {self.code}: " + " | ".join(self.text.split("\n"))


def segprep(folder: Path, line: str) -> Run:
    """``segprep LINE`` in *folder*."""
    return command(folder, [sys.executable, "-m", "segprep_cli", *line.split()])


def command(folder: Path, words: list[str]) -> Run:
    """Any command in *folder*, with segprep, python and the examples in its environment."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "EXAMPLES": str(ROOT / "examples"),
        "COLUMNS": "200",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, check=False, timeout=600
    )
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    return Run(done.returncode, err + out, out)


def mask(tree: Path, stem: str) -> "np.ndarray":
    """The mask of a sample, (H, W); empty where there is none."""
    path = tree / "SegmentationClass" / f"{stem}.png"
    if not path.is_file():
        return np.zeros((0, 0), np.uint8)
    with Image.open(path) as picture:
        return np.asarray(picture)


def pixels(tree: Path, stem: str) -> int:
    """How many pixels of a mask are of a class other than 0."""
    return int((mask(tree, stem) > 0).sum())


def stems(tree: Path) -> list[str]:
    """The samples of a tree."""
    return sorted(path.stem for path in tree.glob("SegmentationClass/*.png"))


def names(tree: Path) -> list[str]:
    """The class names of a tree."""
    path = tree / "class_names.txt"
    return path.read_text("utf-8").split("\n")[:-1] if path.is_file() else []


def lists(tree: Path) -> set[str]:
    """The lists of a tree."""
    return {path.stem for path in tree.glob("ImageSets/Segmentation/*.txt")}
