"""The page that a person opens after a check."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .data import Pair
from .outcome import REPORT, Outcome

Predict = Callable[[Pair], NDArray[Any]]


def write(folder: Path, found: Outcome, pairs: Mapping[str, Pair], predict: Predict | None) -> None:
    """Write report.html to *folder*. *pairs* are those that pictures are made of."""
    (folder / REPORT).write_text(f"<title>{found.verdict}</title>", "utf-8")
