"""What a check found, and its folder: written beside the old one, then put in its place, so that a
failure leaves the old one whole.
"""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep import jsontext
from segprep.dataset.tree_files import list_bytes
from segprep.errors import TreeError
from segprep.files import remove_folder, write_error, write_staged
from segprep.imaging import image
from segprep.metrics.confusion import class_rows
from segprep.outputs import OutputFolder, force, restore, swap
from segprep.train_settings import toml_text
from segprep.training.check.budget import Budget
from segprep.training.check.loop import Epoch
from segprep.training.check.suspects import Suspect, outliers
from segprep.training.check.verdict import Gap, Level, Reason
from segprep.training.trainer import run_folder

SCORES = "scores.json"
SCORED = "scored.txt"
PREDICTIONS = "predictions"
CHECKPOINT = "checkpoint.pt"
HISTORY = "history.csv"
REPORT = "report.html"
CONFIG = "config.toml"
KIND = "segprep train-check"
NEW = "new"  # the finished folder, inside the folder of unfinished work


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The result of a check. *counts* (N, C, C) are the confusion matrices of *stems*, at the
    images' own size; *gaps* by name: control, baseline, own.
    """

    root: Path
    out: Path
    verdict: Level
    reasons: tuple[Reason, ...]
    classes: tuple[str, ...]
    seconds: float
    notes: tuple[str, ...] = ()
    plan: Budget | None = None
    trained: int = 0
    stems: tuple[str, ...] = ()
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0, 0), np.int64))
    miou: float = math.nan
    control_miou: float = math.nan
    baseline_miou: float = math.nan
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    history: tuple[Epoch, ...] = ()
    control_history: tuple[Epoch, ...] = ()
    suspects: tuple[Suspect, ...] = ()

    @property
    def report(self) -> Path:
        """The page to open."""
        return self.out / REPORT

    @property
    def wrong(self) -> tuple[Suspect, ...]:
        """The masks that look wrong: suspects that stand out from the rest."""
        return outliers(self.suspects)

    @property
    def headline(self) -> str:
        """The verdict in words, with the masks that look wrong."""
        words = self.verdict.replace("_", " ")
        if self.verdict != "learnable" or not self.wrong:
            return words
        count = len(self.wrong)
        return (
            f"{words}, but {'one mask looks' if count == 1 else f'about {count} masks look'} wrong"
        )

    def document(self) -> dict[str, Any]:
        """What ``--json`` prints and scores.json holds."""
        matrix = self.counts.sum(0)
        return {
            "kind": KIND,
            "verdict": self.verdict,
            "headline": self.headline,
            "reasons": [{"cause": item.cause, "message": item.message} for item in self.reasons],
            "miou": self.miou,
            "control_miou": self.control_miou,
            "baseline_miou": self.baseline_miou,
            "seconds": round(self.seconds, 1),
            "report": str(self.report),
            "classes": class_rows(matrix, self.classes) if self.stems else [],
            "confusion_matrix": matrix.tolist(),
            "gaps": {name: asdict(gap) for name, gap in self.gaps.items()},
            "notes": list(self.notes),
            "trained": self.trained,
            "scored": len(self.stems),
            "plan": self.plan.document() if self.plan else None,
            "suspects": len(self.wrong),
            "ranking": [asdict(item) for item in self.suspects],
        }


def claim(out: Path) -> Path:
    """Make sure that results can be put at *out*, and give the folder for unfinished work.

    Raises TreeError, SegprepError (write-failed).
    """
    run_folder.refuse(out)
    own = run_folder.described(out, SCORES).get("kind") == KIND
    if out.is_dir() and any(out.iterdir()) and not own:
        reason = f"{out} holds files that no train-check wrote; nothing was changed"
        raise TreeError("output-not-ours", reason, "give an empty or new folder with --out")
    work = out.with_name(f".{out.name}-unfinished")
    try:
        if work.is_symlink():
            work.unlink()
    except OSError as error:
        raise write_error(work, error) from error
    run_folder.make(work)
    return work


def renew(work: Path) -> Path:
    """The empty folder in *work* that results are written to."""
    new = work / NEW
    try:
        remove_folder(new)
        new.mkdir()
    except OSError as error:
        raise write_error(new, error) from error
    return new


def write_scores(folder: Path, outcome: Outcome) -> None:
    """scores.json, history.csv, scored.txt, and config.toml, which ``train --from-check`` takes."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["run", "step", "loss", "val_loss", "val_miou", "best"])
    for name, history in (("main", outcome.history), ("control", outcome.control_history)):
        rows.writerows(
            [name, e.step, f"{e.loss:.6f}", f"{e.val_loss:.6f}", f"{e.score:.6f}", int(e.best)]
            for e in history
        )
    config = toml_text(outcome.plan.config) if outcome.plan else ""
    files = {CONFIG: config.encode("utf-8", "backslashreplace")} if config else {}
    files |= {
        SCORES: jsontext.encoded(outcome.document()),
        SCORED: list_bytes(outcome.stems),
        HISTORY: table.getvalue().encode(),
    }
    OutputFolder(folder).write_all(files, last=SCORES)


def write_prediction(folder: Path, stem: str, mask: NDArray[np.uint8]) -> None:
    """predictions/STEM.png, an indexed PNG with VOC's colors; it is forced to the disk later.

    Raises as OutputFolder.place does.
    """
    path = OutputFolder(folder).place(f"{PREDICTIONS}/{stem}.png")
    write_staged(path, image.encode_mask(mask))


def publish(new: Path, out: Path) -> None:
    """Put the finished folder *new* at *out*; what a former check left there goes.

    Raises SegprepError (write-failed).
    """
    old = _old(out)
    try:
        force(new)
        swap(new, out, old)
    except OSError as error:
        raise write_error(Path(error.filename or out), error) from error
    remove_folder(old)


def restore_former(out: Path) -> None:
    """Put a former check back at *out* where a run was killed while it took its place.

    Raises SegprepError (write-failed).
    """
    try:
        restore(out, _old(out))
    except OSError as error:
        raise write_error(out, error) from error


def _old(out: Path) -> Path:
    """Where a former check lies while the new one takes its place."""
    return out.with_name(f".{out.name}-old")
