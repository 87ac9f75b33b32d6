"""``segprep train``: a network, a loss and a schedule by name on the lists of a dataset, epoch by
epoch, so that it can be stopped and gone on with.
"""

from contextlib import nullcontext, suppress
from pathlib import Path
from time import monotonic
from typing import Any

from segprep import train_config
from segprep.dataset import tree
from segprep.dataset.staging import lock
from segprep.dataset.tree import RUNS
from segprep.errors import SegprepError
from segprep.training import checkpoints
from segprep.training.data import dataset as material
from segprep.training.data.lists import class_names
from segprep.training.devices import pick_device
from segprep.training.progress import Watch, unwatched
from segprep.training.trainer import config_check, distributed, run_folder, windows
from segprep.training.trainer.loop import Run
from segprep.training.trainer.result import Trained
from segprep.training.trainer.resume import going_on, same_network
from segprep.training.trainer.step import explained

NAME = "train"


def train(
    dataset: str | Path = ".",
    config: str | Path | None = None,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    classes: str | None = None,
    watch: Watch = unwatched,
    **given: Any,
) -> Trained:
    """Train on the train list of *dataset* with the settings of the TOML file *config*, and those
    *given* over them (see :class:`.settings.Config`).

    Writes to *out*, by default runs/train in the dataset (:mod:`.runfolder` says what). *resume*
    goes on with the run that lies there from its last epoch, exactly as if it had not been
    interrupted; *overwrite* replaces it.

    Raises UsageError, TreeError, LockedError; SegprepError: empty-list, unknown-value, loss-nan,
    out-of-memory, other-network, other-classes …
    """
    began = monotonic()
    given = {**(train_config.read(Path(config)) if config is not None else {}), **given}
    wanted = config_check.settled(given)
    windows.chain(wanted)
    place = tree.find(Path(dataset))
    folder = Path(out) if out is not None else place.root / RUNS / NAME
    group = distributed.join(pick_device(wanted.device))
    try:
        group.decided(lambda: run_folder.make(folder))
        with lock(folder) if group.first else nullcontext():
            group.decided(lambda: run_folder.claim(folder, resume=resume, overwrite=overwrite))
            state = checkpoints.read(folder / run_folder.LAST) if resume else {}
            wanted = going_on(state, given) if resume else wanted
            chosen = material.lists(place, wanted)
            names = class_names(place, classes, (*chosen.train, *chosen.val))
            known = place.classes()
            if resume:
                same_network(state, wanted, names, folder)
            run = Run(
                folder,
                wanted,
                group,
                names,
                chosen,
                began,
                watch if group.first else unwatched,
                background=known.background if known else 0,
            )
            run.read(place)
            run.build(fresh=not resume)
            run.restore(state)
            group.decided(lambda: run.begin(fresh=not resume))
            return run.go()
    except (RuntimeError, MemoryError) as error:
        raise explained(error, wanted.batch, wanted.size) from error
    except SegprepError:
        if group.first:
            with suppress(OSError):  # it goes only if nothing lies in it
                folder.rmdir()
        raise
    finally:
        distributed.leave(group)
