"""A confusion matrix as a picture: pixel counts, and each row as shares of its true class."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from segprep.reports import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 200  # classes in a picture; beyond, those with most pixels
FEW = 6  # classes up to which numbers are written in full
WRITTEN = 24  # classes up to which every cell has its number


def picture(matrix: Any, names: Sequence[str]) -> bytes:
    """A PNG of *matrix* (C, C) of counts, rows truth.

    Classes that occur nowhere are skipped where there are more than 24.
    """
    shown = chosen(matrix)
    cells = _dense(matrix, shown)
    totals = np.asarray(matrix.sum(1)).reshape(-1)[shown][:, None]
    shares = np.divide(cells, totals, out=np.zeros(cells.shape), where=totals > 0)
    size = len(shown)
    side = max(4.2, 0.52 * size if size <= WRITTEN else 0.15 * size)
    chart = figures.figure(2 * side + 3.5, side + (2.6 if size > FEW else 1.6))
    left, right = chart.subplots(1, 2)
    titles = figures.labels(names, shown)
    _panel(
        left,
        np.log10(1 + cells),
        titles,
        "pixels (color: logarithm)",
        [[f"{n:,}" if size <= FEW else short(n) for n in row] for row in cells.tolist()],
    )
    _panel(
        right,
        shares,
        titles,
        "share of the true class",
        [[_share(n, 4 if size <= FEW else 3) for n in row] for row in shares.tolist()],
        1.0,
    )
    if size < len(names):
        chart.suptitle(
            f"{size} of {len(names)} classes"
            + (": those with most pixels" if size == MOST else ": those that occur"),
            fontsize=24 if size > WRITTEN else 12,
        )
    return figures.png_bytes(chart)


def chosen(matrix: Any) -> list[int]:
    """The ids of the classes to draw, in order."""
    pixels = np.asarray(matrix.sum(0)).reshape(-1) + np.asarray(matrix.sum(1)).reshape(-1)
    if len(pixels) <= WRITTEN:
        return list(range(len(pixels)))
    seen = np.flatnonzero(pixels)
    top = seen[np.argsort(-pixels[seen], kind="stable")[:MOST]]
    return sorted(top.tolist()) or [0]


def short(count: int) -> str:
    """A count in at most five characters; nothing for 0.

    >>> short(1234567), short(999), short(0)
    ('1.23M', '999', '')
    """
    if not count:
        return ""
    for unit, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            return (
                f"{count / unit:.3g}{letter}"
                if count < 999.5 * unit
                else f"{count / unit:.0f}{letter}"
            )
    return str(count)


def _share(share: float, digits: int) -> str:
    """A share that is 0 or 1 in text only if it is exactly that."""
    text = f"{share:.{digits}f}"
    if share in (0, 1):
        return "1" if share else "" if digits == 3 else "0"
    least = f"0.{'0' * (digits - 1)}1"
    return (
        f"<{least}"
        if float(text) == 0
        else f">{1 - float(least):.{digits}f}"
        if float(text) == 1
        else text
    )


def _dense(matrix: Any, shown: list[int]) -> Any:
    return (
        matrix[shown][:, shown].toarray()
        if hasattr(matrix, "tocsr")
        else np.asarray(matrix)[np.ix_(shown, shown)]
    )


def _panel(
    axes: "Axes",
    values: Any,
    titles: list[str],
    title: str,
    texts: list[list[str]],
    top: float | None = None,
) -> None:
    size = len(titles)
    highest = top if top is not None else float(values.max()) or 1.0
    axes.imshow(values, cmap="Blues", vmin=0, vmax=highest, interpolation="nearest")
    points = 9 if size <= WRITTEN else 6.5
    axes.set_xticks(range(size), titles, rotation=90 if size > FEW else 0, fontsize=points)
    axes.set_yticks(range(size), titles, fontsize=points)
    axes.tick_params(length=2)
    large = 11 if size <= WRITTEN else 24
    axes.set_xlabel("predicted", fontsize=large)
    axes.set_ylabel("truth", fontsize=large)
    axes.set_title(title, fontsize=large + 1)
    if size > WRITTEN:
        axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="#dddddd", linewidth=0.3)
        axes.tick_params(which="minor", length=0)
        return
    for row in range(size):
        for column in range(size):
            color = "white" if values[row, column] > 0.6 * highest else "black"
            axes.text(
                column,
                row,
                texts[row][column],
                ha="center",
                va="center",
                fontsize=11 if size <= FEW else 8,
                color=color,
            )
