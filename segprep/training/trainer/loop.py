"""The epochs of one run: stages, steps, validation, checkpoints, the log; every number a function
of the settings, the data and the seed.
"""

import math
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from blake3 import blake3
from torch.utils.data import DataLoader, Dataset

from segprep.dataset.tree import Tree
from segprep.errors import SegprepError, UsageError, install_hint
from segprep.files import write_atomic
from segprep.metrics import confusion
from segprep.train_config import Config
from segprep.training import checkpoints, losses, models
from segprep.training.checkpoints import Checkpoint
from segprep.training.config import plain, replaced, toml_text
from segprep.training.data.dataset import Lists, prepare
from segprep.training.data.pairs import read_truth
from segprep.training.progress import Moment, Watch
from segprep.training.trainer import artifacts, history, run_folder, schedules
from segprep.training.trainer.border_windows import Bordered
from segprep.training.trainer.config_check import advised
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.trainer.eta import Pace
from segprep.training.trainer.freeze_stages import Numbers, Stage, stages
from segprep.training.trainer.history import EpochScores
from segprep.training.trainer.network import build, options_of
from segprep.training.trainer.result import Run, said
from segprep.training.trainer.resume import differences
from segprep.training.trainer.step import Learner
from segprep.training.trainer.validation import Figures, at_own_size, validate
from segprep.training.trainer.windows import windows

CURVES_EVERY = 20.0  # seconds


class TrainingLoop:
    """One training from reading to the last checkpoint."""

    def __init__(
        self,
        out: Path,
        config: Config,
        group: ProcessGroup,
        names: tuple[str, ...],
        chosen: Lists,
        began: float,
        watch: Watch,
        background: int | None,
    ) -> None:
        self.out, self.group, self.names, self.chosen, self.began, self.watch, self.background = (
            out,
            group,
            names,
            chosen,
            began,
            watch,
            background,
        )
        settings = config if chosen.val else replaced(config, monitor="loss")
        self.config, notes = advised(settings, group, len(chosen.train))
        if wrong := [
            class_id for class_id in config.skip_classes if class_id not in range(len(names))
        ]:
            raise UsageError(
                "bad-option",
                f"skip_classes names {wrong[0]:g}, which is not a class",
                f"0 to {len(names) - 1} are: {', '.join(names)}",
            )
        self.loss = losses.make(config.loss, len(names), config.class_weights or None)
        self.history: list[EpochScores] = []
        self.mode = schedules.mode_of(self.config.monitor)
        self.stopping = (
            schedules.EarlyStopping(config.patience, config.min_delta, self.mode)
            if config.patience
            else None
        )
        self.best: float | None = None
        self.pace = Pace()
        self.digest = blake3("\n".join((*chosen.train, "", *chosen.val)).encode()).hexdigest(16)
        self.notes = [*chosen.notes, *notes]

    def read(self, tree: Tree) -> None:
        """The pairs of both lists. Raises SegprepError naming every bad file."""
        self.place = tree
        self.train, self.val, self.view = prepare(
            tree,
            self.chosen,
            self.names,
            self.config,
            lambda what, done, total: self.watch(Moment(what, done, total)),
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
        self.network, notes = build(self.config, len(self.names), self.group, fresh=fresh)
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
            raise SegprepError(
                "bad-checkpoint",
                f"{self.out / run_folder.LAST} cannot be resumed from: {reason}",
                "start again with --overwrite",
            ) from error

    def _restore(self, state: Mapping[str, Any]) -> None:
        checkpoints.fill(self.network, state["weights"])
        kept = state["training"]
        self.history = artifacts.entries(kept)
        self.learner.restore(kept["fitting"])
        self.best = kept["best"]
        if self.stopping and kept["stopping"]:
            schedules.restore(
                self.stopping,
                {
                    **kept["stopping"],
                    "patience": self.config.patience,
                    "min_delta": self.config.min_delta,
                },
            )
        stage = next(
            (stage for stage in self.stages if stage.first < len(self.history) <= stage.last), None
        )
        if stage and stage.schedule.plateau and kept["plateau"]:
            schedules.restore(stage.schedule.plateau, kept["plateau"])
        self.notes += [
            f"resumed after epoch {len(self.history)}",
            *differences(kept, self.digest, self.group.world, self.config.epochs),
        ]

    def begin(self, *, fresh: bool) -> None:
        """The first files of the run; what a former one left goes if this one is *fresh*.

        Raises SegprepError (write-failed).
        """
        if fresh:
            run_folder.clear(self.out)
        self._describe("unfinished")
        write_atomic(
            self.out / run_folder.CONFIG,
            toml_text(self.config).encode("utf-8", "backslashreplace"),
        )

    def go(self) -> Run:
        """Every epoch that is left, then the scores of the best.

        Raises SegprepError: loss-nan, out-of-memory.
        """
        self.board = self._board()
        self.drawn = monotonic()
        try:
            for entry in self._epochs():
                if (
                    self.stopping
                    and self._monitored(entry)
                    and self.stopping.saw(getattr(entry, self.config.monitor))
                ):
                    self._save(entry)
                    break
                self._save(entry)
        finally:
            if self.board:
                self.board.close()
        return self._finish("epochs" if len(self.history) >= self.config.epochs else "patience")

    def _board(self) -> history.Board | None:
        if not self.config.tensorboard or not self.group.first:
            return None
        try:
            return history.Board(
                self.out / run_folder.BOARD, self.history[-1].step if self.history else 0
            )
        except ImportError:
            self.notes.append(
                f"no event files: TensorBoard is not installed ({install_hint('train')})"
            )
            return None

    def _epochs(self) -> Iterator[EpochScores]:
        for stage in self.stages:
            begin = max(stage.first, len(self.history))
            if begin >= stage.last or (
                self.stopping
                and self.stopping.count > 1
                and self.stopping.waited >= self.stopping.patience
            ):
                continue
            learning = self.learner.hold(stage.held)
            numbers = Numbers(
                stage.start(begin, self.group.world),
                (stage.last - begin) * stage.steps,
                stage.batch,
                self.group,
            )
            loader: DataLoader[Any] = DataLoader(
                self.windows,
                stage.batch,
                sampler=numbers,
                num_workers=self.config.workers,
                pin_memory=self.group.device.startswith("cuda"),
            )
            source = iter(loader)
            for epoch in range(begin, stage.last):
                yield self._epoch(stage, epoch, source, learning)

    def _epoch(self, stage: Stage, epoch: int, source: Iterator[Any], learning: int) -> EpochScores:
        start = monotonic()
        torch.manual_seed(
            int(
                np.random.SeedSequence((self.config.seed, epoch, self.group.rank)).generate_state(
                    1
                )[0]
            )
        )  # dropout
        self.losses, self.rates = list[float](), list[float]()
        for n in range(stage.steps):
            began = monotonic()
            rate = stage.schedule.rate((epoch - stage.first) * stage.steps + n)
            try:
                images, truth, *pixels = self._batch(source, stage, epoch, n)
                came = monotonic()
                self.losses.append(
                    self.learner.step(images, truth, pixels[0] if pixels else None, rate)
                )
            except SegprepError as error:
                raise self._located(error, epoch, n) from error
            self.rates.append(rate)
            self.pace.took(monotonic() - began, came - began)
            done, total, left = self.pace.left(
                self.stages, epoch, n + 1, sum(entry.seconds for entry in self.history)
            )
            self.watch(
                Moment(
                    f"epoch {epoch + 1}/{self.config.epochs}, loss {np.mean(self.losses):.4f}",
                    done,
                    total,
                    left,
                )
            )
        try:
            self.learner.check()
        except SegprepError as error:
            raise self._located(error, epoch, stage.steps - 1) from error
        due = (epoch + 1) % self.config.validate_every == 0 or epoch + 1 == self.config.epochs
        figures = self._validate() if due else None
        entry = self._entry(figures, rate, learning, monotonic() - start, epoch)
        if self._monitored(entry):
            stage.schedule.saw(getattr(entry, self.config.monitor))
        self.plateau = stage.schedule.plateau
        self.history.append(entry)
        return entry

    def _batch(self, source: Iterator[Any], stage: Stage, epoch: int, step: int) -> Any:
        """The next batch. An error in a worker process comes as text only: what it was is found by
        reading the batch here.
        """
        try:
            return next(source)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            for number in Numbers(
                stage.start(epoch, self.group.world) + step * stage.batch * self.group.world,
                1,
                stage.batch,
                self.group,
            ):
                self.windows[number]
            hint = (
                "give fewer --workers, or 0; in a container, more shared memory (docker run"
                " --shm-size)"
            )
            raise SegprepError(
                "worker-died",
                f"a process that loads data ended: {str(error).splitlines()[0]}",
                hint,
            ) from error

    def _monitored(self, entry: EpochScores) -> bool:
        """Whether the number that is monitored was measured in this epoch."""
        return self.config.monitor == "loss" or not math.isnan(entry.val_loss)

    def _located(self, error: SegprepError, epoch: int, step: int) -> SegprepError:
        kept = (
            f"; {self.out / run_folder.LAST} holds epoch {len(self.history)}"
            if self.history
            else "; no epoch was finished"
        )
        return SegprepError(
            error.code, f"{error.message} (epoch {epoch + 1}, step {step + 1}{kept})", error.hint
        )

    def _validate(self) -> Figures | None:
        if not len(self.validated):
            return None
        self.group.alike(self.network)
        self.network.eval()
        with self.learner.precision():
            return validate(
                self.network,
                self.validated,
                self.view,
                self.loss,
                len(self.names),
                self.group,
                batch=self.config.batch,
                background=self.background,
            )

    def _entry(
        self, figures: Figures | None, rate: float, learning: int, seconds: float, epoch: int
    ) -> EpochScores:
        scores = confusion.scores(figures.matrix) if figures else None
        numbers: dict[str, Any] = {
            "loss": float(np.mean(self.losses)),
            "val_loss": figures.loss if figures else math.nan,
            "val_miou": figures.miou if figures else math.nan,
            "val_dice": figures.dice if figures else math.nan,
            "val_accuracy": figures.accuracy if figures else math.nan,
        }
        value = numbers[self.config.monitor]
        best = not math.isnan(value) and (
            self.best is None or schedules.better(value, self.best, 0.0, self.mode)
        )
        self.best = value if best else self.best
        best = (
            best or not self.history
        )  # the first epoch is kept until a better one is found, even if nothing was measured
        step = (self.history[-1].step if self.history else 0) + len(self.losses)
        recall, iou = (
            (tuple(map(float, values)) for values in (scores.recall, scores.iou))
            if scores
            else ((), ())
        )
        return EpochScores(
            epoch + 1,
            step,
            rate,
            best=best,
            learning=learning,
            seconds=seconds,
            recall=recall,
            iou=iou,
            **numbers,
        )

    def _save(self, entry: EpochScores) -> None:
        """Checkpoints and log of the epoch that has just ended; only the first process writes."""
        if not self.group.first:
            return
        checkpoint = Checkpoint(
            self.config.arch,
            options_of(self.config),
            self.names,
            self.view,
            self.network.state_dict(),
        )
        training = {
            "config": plain(self.config),
            "fitting": self.learner.state(),
            "best": self.best,
            "digest": self.digest,
            "world": self.group.world,
            "stopping": schedules.state(self.stopping) if self.stopping else None,
            "plateau": schedules.state(self.plateau) if self.plateau else None,
        }
        artifacts.save(self.out, self.config, checkpoint, self.history, training)
        history.write(self.out, self.history)
        if self.board:
            self.board.add(entry, self.losses, self.rates)
        if monotonic() - self.drawn > CURVES_EVERY:
            history.curves(self.out, self.history)
            self.drawn = monotonic()
        if self.config.pictures and entry.epoch % self.config.pictures == 0:
            artifacts.picture(
                self.out,
                entry.epoch,
                self.network,
                self.val if len(self.val) else self.train,
                self.view,
                self.group.device,
            )
        self._describe("unfinished")
        self.watch(Moment(said(entry, self.config), entry.epoch, self.config.epochs))

    def _describe(self, stopped: str) -> None:
        if self.group.first:
            best = next((entry.epoch for entry in reversed(self.history) if entry.best), None)
            about = {
                "stopped": stopped,
                "epochs": len(self.history),
                "best_epoch": best,
                "arch": self.config.arch,
                "classes": self.names,
                "notes": self.notes,
            }
            run_folder.describe(self.out, about)

    def _finish(self, stopped: str) -> Run:
        self.notes += self.pace.note()
        parameters = models.parameters(self.network)
        trained = partial(
            Run, self.out, self.config, parameters, self.names, tuple(self.history), stopped
        )
        result = trained(monotonic() - self.began, tuple(self.notes), None)
        if not self.group.first:
            return result
        if len(self.val):
            best = checkpoints.load(self.out / run_folder.BEST).network().to(self.group.device)
            masks = (read_truth(self.place, stem, len(self.names)) for stem in self.val.stems)
            result = trained(
                monotonic() - self.began,
                tuple(self.notes),
                at_own_size(best, self.val, masks, self.view, len(self.names)),
            )
        history.curves(self.out, self.history)
        run_folder.describe(self.out, result.document())
        return result
