"""The epochs of a training as files: history.csv, results.txt, the losses as text, curves.png.

They are rewritten at each epoch from the whole history, so that a resumed run has neither gaps nor
lines twice.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.reports.figures import figure, png_bytes

HISTORY, RESULTS, CURVES = "history.csv", "results.txt", "curves.png"
SMOOTHED = 5  # values that the smooth curve is the mean of


@dataclass(frozen=True, slots=True)
class EpochScores:
    """One epoch, counted from 1: *lr* is the rate its last *step* was made with, *learning* the
    parameters that were not frozen.

    Scores are of the validation list, NaN without one; *recall* and *iou* have one number per
    class.
    """

    epoch: int
    step: int
    lr: float
    loss: float
    val_loss: float
    val_miou: float
    val_dice: float
    val_accuracy: float
    best: bool
    learning: int
    seconds: float
    recall: tuple[float, ...]
    iou: tuple[float, ...]


COLUMNS = tuple(field.name for field in fields(EpochScores))[:-2]  # those with one number


def files(history: Sequence[EpochScores]) -> dict[str, bytes]:
    """history.csv, results.txt, epoch_loss.txt and epoch_val_loss.txt by name."""
    losses = {
        f"epoch_{name}.txt": "".join(f"{getattr(entry, name):.6g}\n" for entry in history).encode()
        for name in ("loss", "val_loss")
    }
    tables = {HISTORY: table(history).encode(), RESULTS: "".join(map(result, history)).encode()}
    return tables | losses


def table(history: Sequence[EpochScores]) -> str:
    """history.csv: one line per epoch; what is not known is empty."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows([_cell(getattr(entry, column)) for column in COLUMNS] for entry in history)
    return out.getvalue()


def _cell(value: float) -> str:
    if isinstance(value, int):
        return str(int(value))
    return "" if math.isnan(value) else f"{value:.8g}"


def result(entry: EpochScores) -> str:
    """An epoch as pytorch_segmentation's results.txt has it: percent, Dice without background."""
    scores = {
        "train_loss": f"{entry.loss:.4f}",
        "lr": f"{entry.lr:.6f}",
        "dice coefficient": f"{entry.val_dice:.3f}",
        "global correct": f"{entry.val_accuracy * 100:.1f}",
        "average row correct": str([f"{score * 100:.1f}" for score in entry.recall]),
        "IoU": str([f"{score * 100:.1f}" for score in entry.iou]),
        "mean IoU": f"{entry.val_miou * 100:.1f}",
    }
    lines = "".join(f"{name}: {value}\n" for name, value in scores.items())
    return f"[epoch: {entry.epoch}]\n{lines}\n"


def curves(history: Sequence[EpochScores]) -> bytes:
    """curves.png: losses, scores and the learning rate over the epochs."""
    chart = figure(12, 3.6)
    loss, scores, rate = (chart.add_subplot(1, 3, column) for column in (1, 2, 3))
    smoothed = len(history) > 2 * SMOOTHED
    for n, name in enumerate(("loss", "val_loss")):
        if (line := _line(history, name)) is not None:
            faint = 0.45 if smoothed else 1
            loss.plot(*line, color=f"C{n}", alpha=faint, label=name, **_dots(history))
            if smoothed:
                loss.plot(line[0], smooth(line[1]), color=f"C{n}", linewidth=2)
    for name in ("val_miou", "val_dice", "val_accuracy"):
        if (line := _line(history, name)) is not None:
            scores.plot(*line, label=name, **_dots(history))
    if not scores.lines:
        scores.text(0.5, 0.5, "no validation", ha="center", va="center", transform=scores.transAxes)
    best = next(entry.epoch for entry in reversed(history) if entry.best)
    scores.axvline(best, color="0.6", linestyle=":", label="best.pt")
    epochs, rates = zip(*((entry.epoch, entry.lr) for entry in history), strict=True)
    rate.plot(epochs, rates, label="lr", **_dots(history))
    if min(rates) > 0:
        rate.set_yscale("log")
    for axes, title in ((loss, "loss"), (scores, "validation"), (rate, "learning rate")):
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
        axes.grid(alpha=0.25)
        axes.legend()
    return png_bytes(chart)


def _line(
    history: Sequence[EpochScores], name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Epochs and values of *name* where it was measured; None if it never was."""
    points = np.array([(entry.epoch, getattr(entry, name)) for entry in history], np.float64)
    points = points[np.isfinite(points[:, 1])]
    return (points[:, 0], points[:, 1]) if len(points) else None


def _dots(history: Sequence[EpochScores]) -> dict[str, Any]:
    return {"marker": "." if len(history) < 40 else ""}


def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each value and its neighbors, SMOOTHED in all, fewer at the ends.

    >>> smooth(np.array([0.0, 3.0, 6.0, 3.0, 0.0, 0.0])).tolist()
    [3.0, 3.0, 2.4, 2.4, 2.25, 1.0]
    """
    reach = SMOOTHED // 2
    return np.array([values[max(0, n - reach) : n + reach + 1].mean() for n in range(len(values))])
