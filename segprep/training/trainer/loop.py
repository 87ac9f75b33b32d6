"""The epochs of one run: stages, steps, validation, checkpoints, the log; every number a function
of the settings, the data and the seed.
"""

import math
from collections.abc import Iterator
from functools import partial
from time import monotonic
from typing import Any

import numpy as np
import torch

from segprep.errors import SegprepError, install_hint
from segprep.metrics import confusion
from segprep.outputs import OutputFolder
from segprep.reports import epochs as history
from segprep.reports.epochs import EpochScores
from segprep.train_settings import plain
from segprep.training import checkpoints, models
from segprep.training.data.pairs import read_truth
from segprep.training.devices import peak_memory
from segprep.training.progress import Moment
from segprep.training.trainer import artifacts, run_folder, schedules
from segprep.training.trainer.freeze_stages import Stage, steps_before
from segprep.training.trainer.network import checkpoint_of
from segprep.training.trainer.preparation import Preparation
from segprep.training.trainer.result import Run, said
from segprep.training.trainer.steps import Steps
from segprep.training.trainer.validation import Figures, at_own_size, validate

CURVES_EVERY = 20.0  # seconds


class TrainingLoop(Preparation):
    """The epochs of a prepared run, up to its result."""

    def go(self) -> Run:
        """Every epoch that is left, then the scores of the best.

        Raises SegprepError: loss-nan, out-of-memory.
        """
        self.board: artifacts.Board | None = None
        self.drawn = monotonic()
        try:
            for entry in self._epochs():
                value, measured = getattr(entry, self.config.monitor), self._monitored(entry)
                stop = self.stopping and measured and self.stopping.saw(value)
                self._save(entry)
                if stop:
                    break
        finally:
            if self.board:
                self.board.close()
        return self._finish("epochs" if len(self.history) >= self.config.epochs else "patience")

    def _board(self, step: int) -> artifacts.Board | None:
        """Event files after *step*. Raises TreeError (link-in-output)."""
        OutputFolder(self.out).at(f"{run_folder.BOARD}/events")
        try:
            return artifacts.Board(self.out / run_folder.BOARD, step)
        except ImportError:
            note = f"no event files: TensorBoard is not installed ({install_hint('train')})"
            self.notes += [] if note in self.notes else [note]
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
            steps = Steps(self.learner, self.windows, self.config.workers)
            numbers = range((begin - stage.first) * stage.steps, stage.count)
            start = stage.start(begin, self.group.world)
            source = steps.losses(start, numbers, stage.batch, stage.schedule.rate)
            for epoch in range(begin, stage.last):
                yield self._epoch(stage, epoch, learning, steps, source)

    def _epoch(
        self, stage: Stage, epoch: int, learning: int, steps: Steps, source: Iterator[float]
    ) -> EpochScores:
        start = monotonic()
        draws = np.random.SeedSequence((self.config.seed, epoch, self.group.rank))
        torch.manual_seed(int(draws.generate_state(1)[0]))  # dropout
        self.losses, self.rates = list[float](), list[float]()
        for n in range(stage.steps):
            began, rate = monotonic(), stage.schedule.rate((epoch - stage.first) * stage.steps + n)
            try:
                self.losses.append(next(source))
            except SegprepError as error:
                raise self._located(error, epoch, n) from error
            self.rates.append(rate)
            self._tell(epoch, n + 1, monotonic() - began, steps.waited)
        try:
            self.learner.check()
        except SegprepError as error:
            raise self._located(error, epoch, stage.steps - 1) from error
        due = (epoch + 1) % self.config.validate_every == 0 or epoch + 1 == self.config.epochs
        began = monotonic()
        figures = self._validate() if due else None
        self.pace.validations += [monotonic() - began] if due else []
        entry = self._entry(figures, rate, learning, monotonic() - start, epoch)
        if self._monitored(entry):
            stage.schedule.saw(getattr(entry, self.config.monitor))
        self.plateau = stage.schedule.plateau
        self.history.append(entry)
        return entry

    def _tell(self, epoch: int, step: int, seconds: float, waited: float) -> None:
        """Say how far it is, after *step* steps of *epoch*, the last of which took *seconds*."""
        self.pace.waited += waited if self.pace.steps else 0.0
        self.pace.steps.append(seconds)
        done, total = (steps_before(self.stages, end) for end in (epoch, self.config.epochs))
        done, due = done + step, (self.config.epochs - epoch) / self.config.validate_every
        what = f"epoch {epoch + 1}/{self.config.epochs}, loss {np.mean(self.losses):.4f}"
        self.watch(Moment(what, done, total, self.pace.left(total - done, due)))

    def _monitored(self, entry: EpochScores) -> bool:
        """Whether the number that is monitored was measured in this epoch."""
        return self.config.monitor == "loss" or not math.isnan(entry.val_loss)

    def _located(self, error: SegprepError, epoch: int, step: int) -> SegprepError:
        last = f"{self.out / run_folder.LAST} holds epoch {len(self.history)}"
        kept = f"{step + 1}; {last if self.history else 'no epoch was finished'}"
        reason = f"{error.message} (epoch {epoch + 1}, step {kept})"
        return SegprepError(error.code, reason, error.hint)

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
        best = schedules.better(value, self.best, 0.0, self.mode)
        self.best = value if best else self.best
        # the first epoch is kept until a better one is found, even if nothing was measured
        best = best or not self.history
        step = (self.history[-1].step if self.history else 0) + len(self.losses)
        recall, iou = (
            tuple(map(float, values))
            for values in ((scores.recall, scores.iou) if scores else ("", ""))
        )
        numbers |= {"best": best, "learning": learning, "seconds": seconds}
        return EpochScores(epoch + 1, step, rate, recall=recall, iou=iou, **numbers)

    def _save(self, entry: EpochScores) -> None:
        """Checkpoints and log of the epoch that has just ended; only the first process writes."""
        if not self.group.first:
            return
        weights = self.network.state_dict()
        checkpoint = checkpoint_of(self.config, self.names, self.view, weights)
        training = {
            "config": plain(self.config),
            "fitting": self.learner.state(),
            "best": self.best,
            "digest": self.digest,
            "world": self.group.world,
            "stopping": schedules.state(self.stopping) if self.stopping else None,
            "plateau": schedules.state(self.plateau) if self.plateau else None,
        }
        files = history.files(self.history)
        if monotonic() - self.drawn > CURVES_EVERY:
            files[history.CURVES] = history.curves(self.history)
            self.drawn = monotonic()
        if self.config.pictures and entry.epoch % self.config.pictures == 0:
            name = f"{run_folder.PICTURES}/epoch{entry.epoch:03d}.png"
            shown = self.val if len(self.val) else self.train
            files[name] = artifacts.picture(self.network, shown, self.view, self.group.device)
        with OutputFolder(self.out).batch() as batch:
            for name, content in (files | self.settings("unfinished")).items():
                batch.add(name, content)
            artifacts.save(batch, self.config, checkpoint, self.history, training)
            without = partial(run_folder.clear, self.out) if self.replaces else None
            batch.publish(last=run_folder.RUN, without=without)
        self.replaces = False
        self._log(entry)
        self.watch(Moment(said(entry, self.config), entry.epoch, self.config.epochs))

    def _log(self, entry: EpochScores) -> None:
        """The epoch for TensorBoard, where asked."""
        if self.config.tensorboard and self.board is None:
            self.board = self._board(entry.step - len(self.losses))
        if self.board:
            self.board.add(entry, self.losses, self.rates)

    def _finish(self, stopped: str) -> Run:
        self.notes += self.pace.notes()
        count = models.parameters(self.network)
        scores = None
        if self.group.first and len(self.val):
            best = checkpoints.load(self.out / run_folder.BEST).network().to(self.group.device)
            masks = (read_truth(self.tree, stem, len(self.names)) for stem in self.val.stems)
            scores = at_own_size(best, self.val, masks, self.view, len(self.names))
        names, epochs, notes = self.names, tuple(self.history), tuple(self.notes)
        seconds, memory = monotonic() - self.began, peak_memory(self.group.device)
        result = Run(
            self.out, self.config, count, names, epochs, stopped, seconds, notes, scores, memory
        )
        if not self.group.first:
            return result
        described = run_folder.description(result.document())
        files = {history.CURVES: history.curves(self.history), run_folder.RUN: described}
        OutputFolder(self.out).write_all(files, last=run_folder.RUN)
        return result
