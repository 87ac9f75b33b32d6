"""What a run is made of before its first step: lists, images, network, schedule, or the state it
resumes from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from blake3 import blake3
from torch.utils.data import Dataset

from segprep.dataset.tree import Tree
from segprep.errors import SegprepError
from segprep.outputs import OutputFolder
from segprep.reports.epochs import EpochScores
from segprep.train_config import Config, outputs
from segprep.train_settings import toml_text
from segprep.training import checkpoints, losses
from segprep.training.data.dataset import prepare
from segprep.training.data.lists import Selection
from segprep.training.progress import Moment, Pace, Watch
from segprep.training.trainer import artifacts, run_folder, schedules
from segprep.training.trainer.border_windows import Bordered
from segprep.training.trainer.config_check import advised, fit_classes
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.trainer.freeze_stages import stages
from segprep.training.trainer.network import build
from segprep.training.trainer.resume import differences
from segprep.training.trainer.step import Learner
from segprep.training.trainer.windows import from_original, windows


@dataclass(eq=False)
class Preparation:
    """One training, ready to begin or to resume."""

    out: Path
    config: Config
    group: ProcessGroup
    names: tuple[str, ...]
    chosen: Selection
    began: float
    watch: Watch
    background: int | None

    def __post_init__(self) -> None:
        config, chosen = self.config, self.chosen
        settings = config if chosen.val else replace(config, monitor="loss")
        self.config, notes = advised(settings, self.group, len(chosen.train))
        fit_classes(config, self.names)
        count = outputs(config.head, len(self.names))
        self.loss = losses.make(config.loss, count, config.class_weights or None)
        self.history: list[EpochScores] = []
        self.mode = schedules.mode_of(self.config.monitor)
        stopping = schedules.EarlyStopping(config.patience, config.min_delta, self.mode)
        self.stopping = stopping if config.patience else None
        self.best: float | None = None
        self.pace = Pace()
        self.digest = blake3("\n".join((*chosen.train, "", *chosen.val)).encode()).hexdigest(16)
        self.notes = [*chosen.notes, *notes]

    def read(self, tree: Tree) -> None:
        """The pairs of both lists. Raises SegprepError naming every bad file."""
        self.tree = tree
        self.train, self.val, self.view = prepare(
            tree,
            self.chosen,
            self.names,
            self.config,
            lambda what, done, total: self.watch(Moment(what, done, total)),
            whole=from_original(self.config),
        )
        self.validated = (
            self.val[: self.config.validation_steps] if self.config.validation_steps else self.val
        )
        self.windows: Dataset[Any] = windows(self.train, self.view, self.config)
        if self.config.border:
            self.windows = Bordered(
                self.windows, self.background, self.config.border, self.config.border_sigma
            )

    def build(self, *, fresh: bool) -> None:
        """The network, with pretrained weights where asked if the run is *fresh*.

        Raises UsageError, SegprepError (weights-hash, weights-no-match, other-network …).
        """
        self.network, notes, self.keys = build(
            self.config, len(self.names), self.group, fresh=fresh
        )
        self.notes += notes
        self.learner = Learner(self.network, self.loss, self.config, self.group)
        self.stages = stages(self.config, len(self.train), self.group.world)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from *state*; nothing, if there is none. Raises SegprepError (bad-checkpoint)."""
        if not state:
            return
        try:
            self._restore(state)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            reason = f"{self.out / run_folder.LAST} cannot be resumed from: {reason}"
            raise SegprepError("bad-checkpoint", reason, "start again with --overwrite") from error

    def _restore(self, state: Mapping[str, Any]) -> None:
        checkpoints.fill(self.network, state["weights"])
        kept = state["training"]
        self.history = artifacts.entries(kept)
        self.learner.restore(kept["fitting"])
        self.best = kept["best"]
        if self.stopping and kept["stopping"]:
            now = {"patience": self.config.patience, "min_delta": self.config.min_delta}
            schedules.restore(self.stopping, {**kept["stopping"], **now})
        for stage in self.stages:
            current = stage.first < len(self.history) <= stage.last
            if current and stage.schedule.plateau and kept["plateau"]:
                schedules.restore(stage.schedule.plateau, kept["plateau"])
        self.notes += [
            f"resumed after epoch {len(self.history)}",
            *differences(kept, self.digest, self.group.world, self.config.epochs),
        ]

    def begin(self, *, fresh: bool) -> None:
        """The first files of the run. What a former one left stays until the first epoch of a
        *fresh* run has ended. Raises SegprepError (write-failed).
        """
        self.replaces = fresh and run_folder.described(self.out).get("kind") == run_folder.KIND
        if not self.replaces:
            OutputFolder(self.out).write_all(
                self.settings("unfinished"),
                last=run_folder.CONFIG,  # by run.json the folder is known as ours
            )

    def settings(self, stopped: str) -> dict[str, bytes]:
        """config.toml, run.json and, of a run with pretrained weights, weights.txt by name."""
        best = next((entry.epoch for entry in reversed(self.history) if entry.best), None)
        about = {
            "stopped": stopped,
            "epochs": len(self.history),
            "best_epoch": best,
            "arch": self.config.arch,
            "classes": self.names,
            "notes": self.notes,
        }
        keys = {run_folder.KEYS: self.keys.encode()} if self.keys else {}
        return keys | {
            run_folder.CONFIG: toml_text(self.config).encode("utf-8", "backslashreplace"),
            run_folder.RUN: run_folder.description(about),
        }
