"""What ``segprep train`` tells a person in the end."""

from typing import Any

from . import output
from .progress import clock


def run(result: Any) -> None:
    best = result.best
    how = {"epochs": "all epochs done", "patience": "stopped early"}[result.stopped]
    output.line(
        f"{result.out}: {result.config.arch}, {result.parameters:,} parameters,"
        f" {len(result.history)} epochs in {clock(result.seconds)} ({how}),"
        f" {result.memory >> 20:,} MB"
    )
    monitor = result.config.monitor
    output.line(f"best epoch {best.epoch}: {monitor} {getattr(best, monitor):.4f}")
    if result.matrix is not None:
        rows = [
            (
                row["name"],
                *(output.share(row[key]) for key in ("iou", "dice", "precision", "recall")),
                f"{row['pixels']:,}",
            )
            for row in result.document()["classes"]
        ]
        output.table(
            f"mIoU {result.miou:.3f} on the validation list, at the images' own size",
            ("class", "IoU", "Dice", "precision", "recall", "pixels"),
            rows,
        )
    output.line(f"checkpoint: {result.out / 'best.pt'}")


def sweep(result: Any) -> None:
    rows = [
        (
            str(row.value),
            str(row.epochs),
            str(row.best),
            output.share(row.score),
            output.share(row.miou),
            row.stopped,
            f"{row.seconds:.1f}",
        )
        for row in result.rows
    ]
    output.table(
        f"{result.setting}: {len(rows)} trainings",
        (result.setting, "epochs", "best epoch", result.monitor, "mIoU", "stopped", "seconds"),
        rows,
    )
    output.line(f"plot: {result.out / 'sweep.png'}")
