"""The call behind ``segprep train``."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from segprep.dataset import tree, tree_files
from segprep.dataset.staging import lock
from segprep.dataset.tree import RUNS
from segprep.errors import SegprepError
from segprep.train_settings import merged
from segprep.training import checkpoints
from segprep.training.data.dataset import select_lists
from segprep.training.data.lists import class_names
from segprep.training.devices import pick_device, repeatable
from segprep.training.progress import Watch, unwatched
from segprep.training.trainer import config_check, distributed, run_folder, windows
from segprep.training.trainer.loop import TrainingLoop
from segprep.training.trainer.result import Run
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
    **settings: Any,
) -> Run:
    """Train on the train list of *dataset* with the settings of the TOML file *config*, and those
    *settings* over them (see :class:`.settings.Config`).

    Writes to *out*, by default runs/train in the dataset (:mod:`.runfolder` says what). *resume*
    continues the run that lies there from its last epoch, exactly as if it had not been
    interrupted; *overwrite* replaces it.

    Raises UsageError, TreeError, LockedError; SegprepError: empty-list, unknown-value, loss-nan,
    out-of-memory, other-network, other-classes …
    """
    began = monotonic()
    settings = merged(config, settings)
    resolved = config_check.settled(settings)
    windows.chain(resolved)
    dataset_tree = tree.find(Path(dataset))
    if out is None:
        tree_files.guard_links(dataset_tree.root)
    folder = Path(out) if out is not None else dataset_tree.root / RUNS / NAME
    group = distributed.join(pick_device(resolved.device))
    try:
        group.decided(lambda: run_folder.make(folder))
        with lock(folder) if group.first else nullcontext():
            group.decided(lambda: run_folder.claim(folder, resume=resume, overwrite=overwrite))
            state = checkpoints.read(folder / run_folder.LAST) if resume else {}
            resolved = going_on(state, settings) if resume else resolved
            selection = select_lists(dataset_tree, resolved)
            names = class_names(dataset_tree, classes, (*selection.train, *selection.val))
            if resume:
                same_network(state, resolved, names, folder)
            watch = watch if group.first else unwatched
            loop = partial(TrainingLoop, folder, resolved, group, names, selection, began, watch)
            return _trained(loop, dataset_tree, state)
    except (RuntimeError, MemoryError) as error:
        raise explained(error, resolved.batch, resolved.size) from error
    except SegprepError:
        if group.first:
            with suppress(OSError):  # it goes only if nothing lies in it
                folder.rmdir()
        raise
    finally:
        distributed.leave(group)


def _trained(
    prepared: Callable[..., TrainingLoop], dataset_tree: tree.Tree, state: dict[str, Any]
) -> Run:
    """The run of a *prepared* loop from *state* ({}: from the beginning). The loop ends with this
    call, as it holds the communication, which is ended next.
    """
    class_list = dataset_tree.classes()
    loop = prepared(background=class_list.background if class_list else 0)
    with repeatable(loop.config.deterministic):  # a resumed run's own setting
        loop.read(dataset_tree)
        loop.build(fresh=not state)
        loop.restore(state)
        loop.group.decided(lambda: loop.begin(fresh=not state))
        return loop.go()
