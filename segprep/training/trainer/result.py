"""What a training came to."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.metrics import confusion
from segprep.metrics.confusion import class_rows
from segprep.reports.epochs import EpochScores
from segprep.train_config import Config
from segprep.train_settings import plain
from segprep.training.trainer import run_folder


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a run came to. *matrix* (C, C) is the best checkpoint's on the validation list at the
    images' own size, None without one; *memory* the largest in bytes, of the GPU where one was
    used.
    """

    out: Path
    config: Config
    parameters: int
    classes: tuple[str, ...]
    history: tuple[EpochScores, ...]
    stopped: str
    seconds: float
    notes: tuple[str, ...]
    matrix: NDArray[np.int64] | None
    memory: int = 0

    @property
    def checkpoint(self) -> Path:
        """The checkpoint of the best epoch."""
        return self.out / run_folder.BEST

    @property
    def best(self) -> EpochScores:
        """The epoch of best.pt."""
        return next(entry for entry in reversed(self.history) if entry.best)

    @property
    def miou(self) -> float:
        """Mean IoU at the images' own size; NaN without validation."""
        return math.nan if self.matrix is None else float(confusion.scores(self.matrix).miou)

    def document(self) -> dict[str, Any]:
        """What ``--json`` prints and run.json holds in the end."""
        return {
            "out": str(self.out),
            "checkpoint": str(self.checkpoint),
            "arch": self.config.arch,
            "parameters": self.parameters,
            "epochs": len(self.history),
            "best_epoch": self.best.epoch,
            "monitor": self.config.monitor,
            "best": getattr(self.best, self.config.monitor),
            "stopped": self.stopped,
            "seconds": round(self.seconds, 1),
            "memory_mb": self.memory >> 20,
            "miou": self.miou,
            "notes": list(self.notes),
            "classes": [{"name": name} for name in self.classes]
            if self.matrix is None
            else class_rows(self.matrix, self.classes),
            "confusion_matrix": None if self.matrix is None else self.matrix.tolist(),
            "history": [asdict(entry) for entry in self.history],
            "config": plain(self.config),
        }


def said(entry: EpochScores, config: Config) -> str:
    """One line about an epoch."""
    scores = (
        ""
        if math.isnan(entry.val_loss)
        else f", val loss {entry.val_loss:.4f}, val mIoU {entry.val_miou:.3f}"
    )
    return (
        f"epoch {entry.epoch}/{config.epochs}: loss {entry.loss:.4f}{scores}, lr {entry.lr:.3g},"
        f" {entry.seconds:.1f} s" + (" (best)" if entry.best else "")
    )
