"""Resuming a run: whether it is the same one, and what a person should know if it differs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segprep.errors import SegprepError
from segprep.train_config import Config
from segprep.train_settings import canonical, plain
from segprep.training.trainer import run_folder
from segprep.training.trainer.config_check import settled

# may differ when a run is resumed
FREE = (
    "epochs",
    "patience",
    "min_delta",
    "save_every",
    "pictures",
    "workers",
    "device",
    "tensorboard",
    "compile",
)


def going_on(state: Mapping[str, Any], overrides: Mapping[str, Any]) -> Config:
    """The settings of the run that *state* is of; of those that are *overrides*, only FREE ones may
    differ.

    Raises SegprepError: other-network, other-settings (both values named), bad-checkpoint.
    """
    training = state.get("training")
    old = training.get("config") if isinstance(training, dict) else None
    if not isinstance(old, dict):
        reason = f"{run_folder.LAST} is not a checkpoint of a training run"
        raise SegprepError("bad-checkpoint", reason, "start again with --overwrite")
    old = canonical(old)
    new = {**old, **canonical(overrides)}
    settings, before = plain(settled(new)), plain(settled(old))
    for key in ("arch", *settings):
        if settings[key] != before[key] and key not in FREE:
            code = "other-network" if key in ("arch", "preset", "options") else "other-settings"
            reason = f"the run began with {key} = {before[key]!r}, now it is {settings[key]!r}"
            raise SegprepError(code, reason, "omit it to resume, or start again with --overwrite")
    return settled(new)


def same_network(
    state: Mapping[str, Any], config: Config, names: tuple[str, ...], folder: Path
) -> None:
    """Raise SegprepError unless *state* is of *config*'s network and of the classes *names*."""
    if state.get("arch") != config.arch:
        raise SegprepError(
            "other-network",
            f"{folder / run_folder.LAST} is of the model {state.get('arch')}, the run of"
            f" {config.arch}",
            "give the other --arch",
        )
    classes = tuple(map(str, state.get("classes", ())))
    if classes != names:
        raise SegprepError(
            "other-classes",
            f"{folder / run_folder.LAST} has the classes {', '.join(classes)}; the dataset has"
            f" {', '.join(names)}",
            "train again, or map the dataset's classes with segprep remap",
        )


def differences(kept: Mapping[str, Any], digest: str, world: int, epochs: int) -> list[str]:
    """Notes on what the rest of the run differs by: lists (*digest*), processes, *epochs*."""
    notes = []
    if kept["digest"] != digest:
        notes.append(
            "the lists have changed since the run began: from here on, results differ from those of"
            " an uninterrupted run"
        )
    if kept["world"] != world:
        notes.append(
            f"the run was started with {kept['world']} processes: from here on, results differ from"
            " those of an uninterrupted run"
        )
    if kept["config"]["epochs"] != epochs:
        notes.append(
            f"{kept['config']['epochs']} epochs were planned, now {epochs}: the schedule was"
            " recomputed"
        )
    return notes
