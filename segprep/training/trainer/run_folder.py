"""The folder of a training run: who may write there, and what lies in it.

run.json      what it is, how it stands, the scores; written last of each epoch's files
config.toml   its settings, for ``segprep train --config``
best.pt       the checkpoint with the best monitored number
last.pt       the last epoch's, with all that resuming needs
epoch*.pt     every k epochs, where asked
weights.txt   the name of each pretrained tensor, and what became of it
history.csv, results.txt, epoch_loss.txt, epoch_val_loss.txt, curves.png, tensorboard/, pictures/
"""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segprep import jsontext
from segprep.errors import SegprepError, TreeError
from segprep.files import read_plain, write_error

RUN = "run.json"
CONFIG = "config.toml"
BEST = "best.pt"
LAST = "last.pt"
BOARD = "tensorboard"
PICTURES = "pictures"
KEYS = "weights.txt"
KIND = "segprep train"
LOGS = ("history.csv", "results.txt", "epoch_loss.txt", "epoch_val_loss.txt", "curves.png")
OURS = (RUN, CONFIG, "*.pt", *LOGS, BOARD, "sweep.csv", "sweep.png", PICTURES, KEYS)
LOCK = ".segprep.lock"
_PART = re.compile(r"\.(run\.json|config\.toml)\.part")


def make(out: Path) -> None:
    """The folder *out*, which may be there already. Raises as :func:`refuse` does; SegprepError
    (write-failed).
    """
    refuse(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"{out}: {error.strerror} (errno {error.errno})"
        hint = "give a folder that can be written with --out DIR"
        raise SegprepError("write-failed", reason, hint) from error


def refuse(out: Path) -> None:
    """Raise TreeError (link-in-output, output-not-ours) where *out* is a link or a file."""
    if out.is_symlink():
        reason = f"{out} is a symbolic link; files would land where it points"
        raise TreeError("link-in-output", reason, "remove the link, or give --out")
    if out.exists() and not out.is_dir():
        raise TreeError("output-not-ours", f"{out} is a file", "give another --out")


def claim(out: Path, *, resume: bool, overwrite: bool) -> None:
    """Make sure that a run may write to *out*: it is empty, or resumes (*resume*), or may be
    replaced (*overwrite*). Nothing is changed yet.

    Raises TreeError: nothing-to-resume, output-exists (another run), output-not-ours.
    """
    if resume:
        if not (out / LAST).is_file():
            reason = f"{out} holds no {LAST}"
            hint = "start again without --resume, or give the run's folder with --out"
            raise TreeError("nothing-to-resume", reason, hint)
        return
    if all(path.name == LOCK or _PART.fullmatch(path.name) for path in out.iterdir()):
        return  # what a run that was killed at its first file leaves
    if described(out).get("kind") != KIND:
        reason = f"{out} holds files that no training wrote; nothing was changed"
        raise TreeError("output-not-ours", reason, "give an empty or new folder with --out")
    if (out / LAST).exists() and not overwrite:  # stopped in its first epoch it has nothing to lose
        reason = f"{out} holds another run; nothing was changed"
        hint = "continue it: --resume; replace it: --overwrite; or give --out DIR"
        raise TreeError("output-exists", reason, hint)


def clear(out: Path) -> None:
    """Take away the files of a former run, and nothing else: last.pt first, without which the rest
    is not a run. run.json stays, to be replaced: by it the folder is known as ours.

    Raises SegprepError (write-failed).
    """
    for pattern in (LAST, *(pattern for pattern in OURS if pattern != RUN)):
        for path in out.glob(pattern):
            try:
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            except OSError as error:
                raise write_error(path, error) from error


def described(out: Path, name: str = RUN) -> dict[str, Any]:
    """What run.json, or the file *name*, says; nothing if there is none, or it is damaged."""
    try:
        content = json.loads(read_plain(out / name))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def description(content: Mapping[str, Any]) -> bytes:
    """run.json."""
    return jsontext.encoded({"kind": KIND, **content})
