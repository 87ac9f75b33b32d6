"""``segprep train --sweep lr=1e-4,1e-3``: one training per value of one setting; epochs before the
stop and the score against it.
"""

import csv
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from segprep.dataset import tree
from segprep.dataset.tree import RUNS
from segprep.errors import SegprepError, UsageError
from segprep.files import write_atomic
from segprep.reports.figures import figure, png_bytes
from segprep.train_config import Config
from segprep.training.config import canonical, check_key, plain, read_config
from segprep.training.progress import Moment, Watch, unwatched
from segprep.training.trainer import run_folder, windows
from segprep.training.trainer.config_check import settled
from segprep.training.trainer.trainer import train

TABLE, PLOT = "sweep.csv", "sweep.png"
FINISHED = ("epochs", "patience")
FAILED = ("loss-nan", "out-of-memory")  # what one value may come to without ending the sweep


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One training: the *value*, *epochs* until it *stopped* (epochs, patience, or the code of an
    error), the monitored *score* of its *best* epoch.
    """

    value: Any
    epochs: int
    best: int
    score: float
    miou: float
    stopped: str
    seconds: float
    out: Path


@dataclass(frozen=True, slots=True)
class Swept:
    """All trainings of a sweep over *setting*."""

    setting: str
    monitor: str
    out: Path
    rows: tuple[SweepRow, ...]

    def document(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        rows = [{**asdict(row), "out": str(row.out)} for row in self.rows]
        return {
            "setting": self.setting,
            "monitor": self.monitor,
            "out": str(self.out),
            "table": str(self.out / TABLE),
            "plot": str(self.out / PLOT),
            "rows": rows,
        }


def values(spec: str) -> tuple[str, list[Any]]:
    """The setting and its values in ``lr=1e-4,1e-3``; ``options.base=8,16`` is the network's.

    Raises UsageError: unknown-setting, bad-option.
    """
    name, equals, listed = spec.partition("=")
    name, words = (
        name.strip().replace("-", "_"),
        [word.strip() for word in listed.split(",") if word.strip()],
    )
    if not equals or len(words) < 2:
        raise UsageError(
            "bad-option", f"--sweep {spec}", "a setting and at least two values: lr=1e-4,1e-3"
        )
    if len(set(words)) < len(words):
        raise UsageError("bad-option", f"--sweep {spec} names a value twice", "give each once")
    if name.startswith("options."):
        return name, [_word(word) for word in words]
    check_key(name, "--sweep")
    hint = get_type_hints(Config)[name]
    if hint not in (int, float, str, bool) and get_origin(hint) is not Literal:
        raise UsageError(
            "bad-option",
            f"--sweep {name}: this setting is a list itself",
            "sweep a setting that is one number or word",
        )
    return name, [word if hint is str or word in get_args(hint) else _word(word) for word in words]


def _word(word: str) -> Any:
    try:
        return json.loads(word)
    except ValueError:
        pass
    try:
        return float(word)
    except ValueError:
        return word


def sweep(
    dataset: str | Path,
    spec: str,
    config: str | Path | None = None,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    classes: str | None = None,
    watch: Watch = unwatched,
    **settings: Any,
) -> Swept:
    """Train on *dataset* once per value in *spec* (``lr=1e-4,1e-3``), with all else as
    :func:`.trainer.train` has it.

    Writes to *out*, by default runs/sweep-NAME in the dataset: a folder per value, sweep.csv and
    sweep.png. Called again it resumes: finished trainings with the same settings are taken as they
    are. One whose loss is NaN or infinite or that does not fit the memory is a row, not the end.
    Raises UsageError before the first training if any value is wrong; else what train raises.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            "bad-option",
            "--sweep runs in one process",
            "sweep without torchrun, then train the best on all of them",
        )
    name, listed = values(spec)
    base = {**(read_config(Path(config)) if config is not None else {}), **canonical(settings)}
    configs = [settled(_with(base, name, value)) for value in listed]
    for resolved in configs:
        windows.chain(resolved)
    dataset_tree = tree.find(Path(dataset))
    folder = Path(out) if out is not None else dataset_tree.root / RUNS / f"sweep-{name}"
    rows = list[SweepRow]()
    for value, resolved in zip(listed, configs, strict=True):
        sub = folder / f"{name}={value}".replace("/", "_")

        def named(moment: Moment, text: str = f"{name}={value}: ") -> None:
            watch(Moment(text + moment.what, moment.done, moment.total, moment.left))

        rows.append(
            _row(
                dataset_tree.root,
                sub,
                value,
                resolved,
                _with(base, name, value),
                named,
                overwrite=overwrite,
                classes=classes,
            )
        )
        _write(folder, name, configs[0].monitor, rows)
    return Swept(name, configs[0].monitor, folder, tuple(rows))


def _with(base: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    if name.startswith("options."):
        return {
            **base,
            "options": {**base.get("options", {}), name.removeprefix("options."): value},
        }
    return {**base, name: value}


def _row(
    root: Path,
    out: Path,
    value: Any,
    config: Config,
    settings: Mapping[str, Any],
    watch: Watch,
    *,
    overwrite: bool,
    classes: str | None,
) -> SweepRow:
    previous = run_folder.described(out)
    exists = previous.get("kind") == run_folder.KIND and not overwrite
    if exists and previous.get("stopped") in FINISHED and previous.get("config") == plain(config):
        result = previous
    else:
        resume = (
            exists and previous.get("stopped") == "unfinished" and (out / run_folder.LAST).is_file()
        )
        try:
            result = train(
                root,
                out=out,
                resume=resume,
                overwrite=overwrite,
                classes=classes,
                watch=watch,
                **settings,
            ).document()
        except SegprepError as error:
            if error.code not in FAILED:
                raise
            return SweepRow(
                value,
                int(run_folder.described(out).get("epochs", 0)),
                0,
                math.nan,
                math.nan,
                error.code,
                math.nan,
                out,
            )
    miou = result["miou"] if result["miou"] is not None else math.nan
    return SweepRow(
        value,
        result["epochs"],
        result["best_epoch"],
        float(result["best"]),
        miou,
        result["stopped"],
        result["seconds"],
        out,
    )


def _write(folder: Path, name: str, monitor: str, rows: Sequence[SweepRow]) -> None:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([name, "epochs", "best_epoch", monitor, "miou", "stopped", "seconds"])
    for row in rows:
        numbers = ["" if math.isnan(score) else f"{score:.6g}" for score in (row.score, row.miou)]
        lines.writerow(
            [
                row.value,
                row.epochs,
                row.best,
                *numbers,
                row.stopped,
                "" if math.isnan(row.seconds) else f"{row.seconds:.1f}",
            ]
        )
    write_atomic(folder / TABLE, text.getvalue().encode())
    write_atomic(folder / PLOT, picture(name, monitor, rows))


def picture(name: str, monitor: str, rows: Sequence[SweepRow]) -> bytes:
    """Epochs and score against the setting, as PNG: along a line for numbers (logarithmic over a
    factor of ten and more), one by one for words.
    """
    numeric = all(
        isinstance(row.value, int | float) and not isinstance(row.value, bool) for row in rows
    )
    ordered = sorted(rows, key=lambda row: row.value) if numeric else list(rows)
    across: list[Any] = [row.value for row in ordered] if numeric else list(range(len(ordered)))
    chart = figure(9, 3.6)
    heights: dict[str, list[float]] = {
        "epochs before the stop": [row.epochs for row in ordered],
        f"best {monitor}": [row.score for row in ordered],
    }
    for column, (title, up) in enumerate(heights.items()):
        axes = chart.add_subplot(1, 2, column + 1)
        axes.plot(across, up, marker="o", linestyle="-" if numeric else "", color=f"C{column}")
        for x, y, row in zip(across, up, ordered, strict=True):
            if row.stopped not in FINISHED:
                axes.axvline(x, color="C3", linestyle=":")
                axes.annotate(
                    row.stopped,
                    (x, 0.02),
                    xycoords=("data", "axes fraction"),
                    rotation=90,
                    color="C3",
                )
            elif not math.isnan(y):
                axes.annotate(
                    f"{y:.4g}",
                    (x, y),
                    textcoords="offset points",
                    xytext=(0, 6),
                    ha="center",
                    fontsize=8,
                )
        if numeric and min(across) > 0 and max(across) >= 10 * min(across):
            axes.set_xscale("log")
        if not numeric:
            axes.set_xticks(across, [str(row.value) for row in ordered])
        axes.margins(y=0.2)
        axes.set(title=title, xlabel=name)
        axes.grid(alpha=0.25)
    return png_bytes(chart)
