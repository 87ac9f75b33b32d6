"""What made a folder of predictions: ``predictions.json``, which segprep predict writes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segprep.errors import SegprepError, SourceError
from segprep.files import read_below
from segprep.types import Note

ACCOUNT, KIND = "predictions.json", "segprep predict"


@dataclass(frozen=True, slots=True)
class Origin:
    """The account at *path*: the checkpoint's *classes*, and whether the run was *complete*."""

    path: Path
    classes: tuple[str, ...]
    complete: bool


def origin(pred: Path) -> Origin | None:
    """The account of the predictions in *pred*; None where there is none that can be read. Where a
    run wrote several kinds of files, the account lies one folder above.
    """
    for folder in (pred, pred.parent):
        path = folder / ACCOUNT
        if not path.is_file():
            continue
        try:
            content = json.loads(read_below(folder.resolve() / ACCOUNT, (folder.resolve(),)))
        except (SourceError, ValueError, RecursionError):
            return None
        if not isinstance(content, dict):
            return None  # another tool's list of results
        classes = content.get("classes")
        if content.get("kind") == KIND and isinstance(classes, list) and classes:
            return Origin(path, tuple(map(str, classes)), bool(content.get("complete")))
    return None


def compared(pred: Path, names: Sequence[str]) -> tuple[Note, ...]:
    """Compare what was predicted in *pred* with the classes *names* of the truth.

    Classes that only the truth has, after all others, are a note: their ids are not in doubt.
    Raises SegprepError (other-classes) where ids mean other things.
    """
    account = origin(pred)
    if account is None:
        return ()
    notes = []
    if not account.complete:
        notes.append(Note("prediction-missing", f"{account.path}: this run was not finished"))
    if account.classes == tuple(names):
        return tuple(notes)
    if account.classes != tuple(names[: len(account.classes)]):
        raise SegprepError(
            "other-classes",
            f"{account.path}: the predictions are of the classes {', '.join(account.classes)};"
            f" the truth has {', '.join(names)}",
            "predict with the dataset's own checkpoint, rename its classes with segprep remap, or"
            " state them with --classes",
        )
    new = ", ".join(names[len(account.classes) :])
    notes.append(
        Note("other-classes", f"the predictions do not know {new}; these pixels count as errors")
    )
    return tuple(notes)
