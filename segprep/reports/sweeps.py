"""What a sweep came to: rows, a table, and a picture of epochs and score."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from segprep.outputs import OutputFolder
from segprep.reports.figures import figure, png_bytes

TABLE, PLOT = "sweep.csv", "sweep.png"
FINISHED = ("epochs", "patience")


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One training: the *values* of the settings, *epochs* until it *stopped* (epochs, patience, or
    the code of an error), the monitored *score* of its *best* epoch.
    """

    values: tuple[Any, ...]
    epochs: int
    best: int
    score: float
    miou: float
    stopped: str
    seconds: float
    out: Path

    @property
    def value(self) -> Any:
        """The value of the one setting; of several, all in words."""
        return self.values[0] if len(self.values) == 1 else ", ".join(map(str, self.values))


@dataclass(frozen=True, slots=True)
class Swept:
    """All trainings of a sweep over *settings*."""

    settings: tuple[str, ...]
    monitor: str
    out: Path
    rows: tuple[SweepRow, ...]

    @property
    def setting(self) -> str:
        """The settings' names."""
        return ", ".join(self.settings)

    def document(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        rows = [{**asdict(row), "value": row.value, "out": str(row.out)} for row in self.rows]
        return {
            "setting": self.setting,
            "monitor": self.monitor,
            "out": str(self.out),
            "table": str(self.out / TABLE),
            "plot": str(self.out / PLOT),
            "rows": rows,
        }


def write(folder: Path, names: Sequence[str], monitor: str, rows: Sequence[SweepRow]) -> None:
    """sweep.csv and sweep.png into *folder*. Raises SegprepError (write-failed)."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([*names, "epochs", "best_epoch", monitor, "miou", "stopped", "seconds"])
    for row in rows:
        numbers = ["" if math.isnan(score) else f"{score:.6g}" for score in (row.score, row.miou)]
        seconds = "" if math.isnan(row.seconds) else f"{row.seconds:.1f}"
        lines.writerow([*row.values, row.epochs, row.best, *numbers, row.stopped, seconds])
    plot = picture(names, monitor, rows)
    OutputFolder(folder).write_all({TABLE: text.getvalue().encode(), PLOT: plot})


def picture(names: Sequence[str], monitor: str, rows: Sequence[SweepRow]) -> bytes:
    """Epochs and score against the first setting, as PNG: along a line for numbers (logarithmic
    over a factor of ten and more), one by one for words; a line for each value of the others.
    """
    first = [row.values[0] for row in rows]
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in first)
    places = sorted(set(first)) if numeric else list(dict.fromkeys(first))
    chart = figure(9, 3.6)
    for column, title in enumerate(("epochs before the stop", f"best {monitor}")):
        axes = chart.add_subplot(1, 2, column + 1)
        for n, others in enumerate(dict.fromkeys(row.values[1:] for row in rows)):
            own = [row for row in rows if row.values[1:] == others]
            own.sort(key=lambda row: places.index(row.values[0]))
            across = [row.values[0] if numeric else places.index(row.values[0]) for row in own]
            up = [row.score if column else row.epochs for row in own]
            named = ", ".join(f"{a}={b}" for a, b in zip(names[1:], others, strict=True))
            line, color = "-" if numeric else "", f"C{column + 2 * n}"
            axes.plot(across, up, marker="o", label=named, linestyle=line, color=color)
            for x, y, row in zip(across, up, own, strict=True):
                _labeled(axes, x, y, row)
        if numeric and places[0] > 0 and places[-1] >= 10 * places[0]:
            axes.set_xscale("log")
        if not numeric:
            axes.set_xticks(range(len(places)), list(map(str, places)))
        if len(names) > 1:
            axes.legend(fontsize=8)
        axes.margins(y=0.2)
        axes.set(title=title, xlabel=names[0])
        axes.grid(alpha=0.25)
    return png_bytes(chart)


def _labeled(axes: Any, x: float, y: float, row: SweepRow) -> None:
    """The number at a point, or why the training has none."""
    if row.stopped not in FINISHED:
        axes.axvline(x, color="C3", linestyle=":")
        style = {"xycoords": ("data", "axes fraction"), "rotation": 90, "color": "C3"}
        axes.annotate(row.stopped, (x, 0.02), **style)
    elif not math.isnan(y):
        style = {"textcoords": "offset points", "xytext": (0, 6), "ha": "center", "fontsize": 8}
        axes.annotate(f"{y:.4g}", (x, y), **style)
