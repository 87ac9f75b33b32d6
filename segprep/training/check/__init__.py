"""train-check: a small network, a few minutes, and a verdict whether the dataset can be learned
from.

    outcome = segprep.train_check("out")
    outcome.verdict, [suspect.stem for suspect in outcome.wrong]
"""

from contextlib import suppress
from pathlib import Path
from time import monotonic

from segprep.dataset import tree, tree_files
from segprep.dataset.staging import lock
from segprep.dataset.tree import RUNS
from segprep.errors import UsageError
from segprep.files import remove_folder
from segprep.train_settings import read_config
from segprep.training import models
from segprep.training.check import outcome
from segprep.training.check.budget import ARCH
from segprep.training.check.outcome import Outcome
from segprep.training.check.run import CheckRun
from segprep.training.check.sampling import select
from segprep.training.data.lists import class_names
from segprep.training.devices import pick_device
from segprep.training.progress import Watch, unwatched
from segprep.training.trainer.config_check import settled

NAME = "train-check"


def train_check(
    dataset: str | Path = ".",
    *,
    steps: int | None = None,
    size: int | None = None,
    arch: str | None = None,
    seed: int = 0,
    device: str = "auto",
    max_time: float | None = None,
    classes: str | None = None,
    out: str | Path | None = None,
    workers: int = 0,
    like: str | Path | None = None,
    watch: Watch = unwatched,
) -> Outcome:
    """Train a small network on the train list of *dataset* and judge by its val list whether the
    labels can be learned.

    Writes report.html, scores.json, history.csv, checkpoint.pt, scored.txt and predictions/ to
    *out*, by default runs/train-check in the dataset; a former check's folder is replaced. *steps*
    (600) are counted, so that a seed gives the same numbers on slow and fast machines; *arch* is a
    model ("unet"), *size* the window's side; *max_time* in seconds cuts. *like* is the config.toml
    of a training whose network, input and loss are to be checked. An interrupted check, called
    again with the same arguments, resumes.

    Raises UsageError, TreeError, LockedError; SegprepError: empty-list, no-val-images,
    unknown-value, size-mismatch, out-of-memory, loss-nan …
    """
    began = monotonic()
    data = tree.find(Path(dataset))
    if out is None:
        tree_files.guard_links(data.root)
    folder = Path(out) if out is not None else data.root / RUNS / NAME
    chosen = select(data, seed)
    names = class_names(data, classes, (*chosen.train, *chosen.val))
    chip = pick_device(device)
    config = settled(read_config(Path(like))) if like is not None else None
    if arch and like is not None:
        raise UsageError("bad-option", "--like and --arch both name a model", "give one of them")
    models.load(arch or ARCH)
    work = outcome.claim(folder)
    try:
        with lock(work):
            outcome.restore_former(folder)
            check = CheckRun(
                data, chosen, names, seed, chip, workers, work, folder, watch, began, max_time
            )
            result = check.run(arch, steps, size, config)
            outcome.publish(work / outcome.NEW, folder)
        remove_folder(work)
    finally:
        with suppress(OSError):
            work.rmdir()  # goes if it is empty: where a state was saved, the same command resumes
    return result
