"""The epochs of one run: stages, steps, validation, checkpoints, the log; every number a function of the settings, the data and the seed."""

import math
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from blake3 import blake3
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader

from .. import metrics, settings
from ..errors import SegprepError
from ..files import write_atomic
from ..settings import Config
from ..tree import Tree
from . import checkpoints, criteria, models, runfolder, runlog, schedules
from .checkpoints import Checkpoint, channels_last
from .data import Batch, read_truth
from .distributed import Group
from .fitting import Fitting
from .judging import Moment, Watch
from .material import Lists, prepare
from .outcome import class_rows
from .pretrained import pretrained
from .runlog import Entry
from .validating import Figures, at_own_size, validate
from .windowing import windows

CURVES_EVERY = 20.0  # seconds


@dataclass(frozen=True, slots=True)
class Stage:
    """Epochs *first* up to *last* (not with it), all of *steps* steps, with the same layers held; *seen* windows came before."""

    first: int
    last: int
    held: str
    batch: int
    steps: int
    seen: int
    schedule: schedules.Schedule


def stages(config: Config, images: int, world: int) -> list[Stage]:
    """One stage, or with ``freeze_epochs`` two: each has its own learning rate, batch and schedule."""
    frozen = min(config.freeze_epochs, config.epochs) if config.freeze else 0
    parts = [(0, frozen, config.freeze, config.freeze_batch or config.batch, config.freeze_lr or config.lr)] if frozen else []
    if frozen < config.epochs:
        parts.append((frozen, config.epochs, "" if frozen else config.freeze, config.batch, config.lr))
    found, seen = list[Stage](), 0
    for first, last, held, batch, lr in parts:
        steps = config.steps_per_epoch or math.ceil(images / (batch * world))
        found.append(Stage(first, last, held, batch, steps, seen, _schedule(config, lr, last - first, steps)))
        seen += (last - first) * steps * batch * world
    return found


def _schedule(config: Config, lr: float, epochs: int, steps: int) -> schedules.Schedule:
    return schedules.make(
        config.schedule, lr, epochs, steps, warm_up=min(config.warm_up, epochs), end=config.end, power=config.power, factor=config.factor or None,
        every=config.every, patience=round(config.every), min_delta=config.min_delta, mode=schedules.mode_of(config.monitor),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a run came to. *matrix* (C, C) is the best checkpoint's on the validation list at the images' own size, None without one."""

    out: Path
    config: Config
    parameters: int
    classes: tuple[str, ...]
    history: tuple[Entry, ...]
    stopped: str
    seconds: float
    notes: tuple[str, ...]
    matrix: NDArray[np.int64] | None

    @property
    def best(self) -> Entry:
        """The epoch of best.pt."""
        return next(entry for entry in reversed(self.history) if entry.best)

    @property
    def miou(self) -> float:
        """Mean IoU at the images' own size; NaN without validation."""
        return math.nan if self.matrix is None else float(metrics.scores(self.matrix).miou)

    def document(self) -> dict[str, Any]:
        """What ``--json`` prints and run.json holds in the end."""
        return {
            "out": str(self.out), "checkpoint": str(self.out / runfolder.BEST), "arch": self.config.arch, "parameters": self.parameters,
            "epochs": len(self.history), "best_epoch": self.best.epoch, "monitor": self.config.monitor, "best": getattr(self.best, self.config.monitor),
            "stopped": self.stopped, "seconds": round(self.seconds, 1), "miou": self.miou, "notes": list(self.notes),
            "classes": [{"name": name} for name in self.classes] if self.matrix is None else class_rows(self.matrix, self.classes),
            "confusion_matrix": None if self.matrix is None else self.matrix.tolist(),
            "history": [asdict(entry) for entry in self.history], "config": settings.plain(self.config),
        }  # fmt: skip


class Numbers:
    """The numbers of the windows that this process takes: of every batch of all processes its part, in order, from *start* on."""

    def __init__(self, start: int, steps: int, batch: int, group: Group) -> None:
        self.start, self.steps, self.batch, self.group = start, steps, batch, group

    def __iter__(self) -> Iterator[int]:
        for step in range(self.steps):
            first = self.start + (step * self.group.world + self.group.rank) * self.batch
            yield from range(first, first + self.batch)

    def __len__(self) -> int:
        return self.steps * self.batch


class Run:
    """One training from reading to the last checkpoint."""

    def __init__(
        self, out: Path, config: Config, group: Group, names: tuple[str, ...], chosen: Lists, began: float, watch: Watch, background: int | None
    ) -> None:
        self.out, self.group, self.names, self.chosen, self.began, self.watch, self.background = out, group, names, chosen, began, watch, background
        self.notes = list(chosen.notes)
        self.config = config if chosen.val else settings.replaced(config, monitor="loss")
        self.loss = criteria.make(config.loss, len(names), config.class_weights or None)
        self.history: list[Entry] = []
        self.mode = schedules.mode_of(self.config.monitor)
        self.stopping = schedules.EarlyStopping(config.patience, config.min_delta, self.mode) if config.patience else None
        self.best: float | None = None
        self.pace: list[float] = []
        self.digest = blake3("\n".join((*chosen.train, "", *chosen.val)).encode()).hexdigest(16)
        self._advise()

    def _advise(self) -> None:
        """Settings that do not do what they may be meant for."""
        config, cpu = self.config, self.group.device == "cpu"
        if cpu and config.amp == "float16":
            raise SegprepError("bad-option", "amp float16 needs a GPU", "leave it out; on a CPU it would be slower")
        if cpu and config.amp == "bfloat16":
            self.notes.append("mixed precision on a CPU without hardware for it takes about twice as long as amp none")
        if cpu and config.compile:
            self.notes.append("compile was left out: on a CPU it takes longer than it saves")
        if cpu and config.sync_bn:
            self.notes.append("sync_bn was left out: PyTorch has it on GPUs only")
        if cpu:
            self.config = settings.replaced(config, compile=False, sync_bn=False)
        if config.batch * self.group.world > len(self.chosen.train):
            self.notes.append(
                f"a batch of {config.batch * self.group.world} is more than the {len(self.chosen.train)} images: some come several times in a step, augmented anew"
            )
        if self.group.world > 1:
            self.notes.append(f"{self.group.world} processes, {config.batch} windows each; lr is taken as given, not multiplied")

    def read(self, place: Tree) -> None:
        """The pairs of both lists. Raises SegprepError naming every bad file."""
        self.place = place
        self.train, self.val, self.view = prepare(place, self.chosen, self.names, self.config, lambda what, done, total: self.watch(Moment(what, done, total)))
        if self.config.validation_steps:
            self.val = self.val[: self.config.validation_steps]
        self.windows = windows(self.train, self.view, self.config)

    def build(self) -> None:
        """The network, with pretrained weights where asked. Raises UsageError, SegprepError (weights-hash, weights-no-match, other-network …)."""
        config = self.config
        preset = models.presets(config.arch)[config.preset].options if config.preset else {}
        self.options = {**preset, **config.options}
        torch.manual_seed(config.seed)
        network = models.build(config.arch, 3, len(self.names), **self.options)
        if config.weights:
            self.notes += self.group.decided(lambda: pretrained(network, config))
        if config.sync_bn and self.group.world > 1:
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        self.network = channels_last(network, self.group.device) if config.channels_last else network.to(self.group.device)
        if config.batch == 1 and not config.freeze_norm and any(isinstance(one, nn.BatchNorm2d) for one in network.modules()):
            self.notes.append("batch normalisation sees one image at a time: its statistics are noisy; a larger --batch or --freeze-norm is steadier")
        self.fitting = Fitting(self.network, self.loss, config, self.group)
        self.stages = stages(config, len(self.train), self.group.world)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from *state*; nothing, if there is none. Raises SegprepError (bad-checkpoint)."""
        if not state:
            return
        checkpoints.fill(self.network, state["weights"])
        kept = state["training"]
        self.history = [Entry(**{**row, "recall": tuple(row["recall"]), "iou": tuple(row["iou"])}) for row in kept["history"]]
        self.fitting.restore(kept["fitting"])
        self.best = kept["best"]
        if self.stopping and kept["stopping"]:
            schedules.restore(self.stopping, {**kept["stopping"], "patience": self.config.patience, "min_delta": self.config.min_delta})
        stage = next((one for one in self.stages if one.first < len(self.history) <= one.last), None)
        if stage and stage.schedule.plateau and kept["plateau"]:
            schedules.restore(stage.schedule.plateau, kept["plateau"])
        self.notes.append(f"went on after epoch {len(self.history)}")
        if kept["digest"] != self.digest:
            self.notes.append("the lists have changed since the run began: from here on it is another run than an uninterrupted one")
        if kept["world"] != self.group.world:
            self.notes.append(f"the run was begun with {kept['world']} processes: from here on it is another run than an uninterrupted one")
        if kept["config"]["epochs"] != self.config.epochs:
            self.notes.append(f"{kept['config']['epochs']} epochs were planned, now {self.config.epochs}: the schedule is laid out anew")

    def begin(self, *, fresh: bool) -> None:
        """The first files of the run; what a former one left goes if this one is *fresh*. Raises SegprepError (write-failed)."""
        if fresh:
            runfolder.clear(self.out)
        self._describe("unfinished")
        write_atomic(self.out / runfolder.CONFIG, settings.text(self.config).encode("utf-8", "backslashreplace"))

    def go(self) -> Trained:
        """Every epoch that is left, then the scores of the best. Raises SegprepError: loss-nan, out-of-memory."""
        self.board = runlog.Board(self.out / runfolder.BOARD, self.history[-1].step if self.history else 0) if self._writes_board else None
        self.drawn = monotonic()
        stopped = "epochs"
        try:
            for entry in self._epochs():
                if self.stopping and self.stopping.saw(getattr(entry, self.config.monitor)):
                    stopped = "patience"
                self._save(entry)
                if stopped == "patience":
                    break
        finally:
            if self.board:
                self.board.close()
        return self._finish(stopped)

    @property
    def _writes_board(self) -> bool:
        return self.config.tensorboard and self.group.first

    def _epochs(self) -> Iterator[Entry]:
        for stage in self.stages:
            begin = max(stage.first, len(self.history))
            if begin >= stage.last or (self.stopping and self.stopping.count > 1 and self.stopping.waited >= self.stopping.patience):
                continue
            learning = self.fitting.hold(stage.held)
            done = begin - stage.first
            numbers = Numbers(stage.seen + done * stage.steps * stage.batch * self.group.world, (stage.last - begin) * stage.steps, stage.batch, self.group)
            loader: DataLoader[Batch] = DataLoader(
                self.windows, stage.batch, sampler=numbers, num_workers=self.config.workers, pin_memory=self.group.device.startswith("cuda")
            )
            source = iter(loader)
            for epoch in range(begin, stage.last):
                yield self._epoch(stage, epoch, source, learning)

    def _epoch(self, stage: Stage, epoch: int, source: Iterator[Batch], learning: int) -> Entry:
        start = monotonic()
        torch.manual_seed(int(np.random.SeedSequence((self.config.seed, epoch, self.group.rank)).generate_state(1)[0]))  # dropout
        self.losses, self.rates = list[float](), list[float]()
        for n in range(stage.steps):
            began = monotonic()
            rate = stage.schedule.rate((epoch - stage.first) * stage.steps + n)
            try:
                self.losses.append(self.fitting.step(*next(source), rate))
            except SegprepError as error:
                raise self._located(error, epoch, n) from error
            self.rates.append(rate)
            self._tell(stage, epoch, n, monotonic() - began)
        try:
            self.fitting.check()
        except SegprepError as error:
            raise self._located(error, epoch, stage.steps - 1) from error
        found = self._validate()
        entry = self._entry(found, rate, learning, monotonic() - start, epoch)
        stage.schedule.saw(getattr(entry, self.config.monitor))
        self.plateau = stage.schedule.plateau
        self.history.append(entry)
        return entry

    def _located(self, error: SegprepError, epoch: int, step: int) -> SegprepError:
        kept = f"; {self.out / runfolder.LAST} holds epoch {len(self.history)}" if self.history else "; no epoch was finished"
        return SegprepError(error.code, f"{error.message} (epoch {epoch + 1}, step {step + 1}{kept})", error.hint)

    def _tell(self, stage: Stage, epoch: int, step: int, seconds: float) -> None:
        """How far it is; the time left is the median of recent steps times what is to come, with the share that validation took so far."""
        self.pace = [*self.pace[-49:], seconds]
        total = sum((one.last - one.first) * one.steps for one in self.stages)
        done = sum((min(one.last, epoch) - one.first) * one.steps for one in self.stages if one.first <= epoch) + step + 1
        share = sum(entry.seconds for entry in self.history) / max(1e-9, float(np.median(self.pace)) * max(1, done - step - 1)) if self.history else 1.0
        left = float(np.median(self.pace)) * (total - done) * max(1.0, min(share, 10.0)) if len(self.pace) >= 3 else None
        self.watch(Moment(f"epoch {epoch + 1}/{self.config.epochs}, loss {np.mean(self.losses):.4f}", done, total, left))

    def _validate(self) -> Figures | None:
        if not len(self.val):
            return None
        self.group.alike(self.network)
        self.network.eval()
        with self.fitting.precision():
            return validate(self.network, self.val, self.view, self.loss, len(self.names), self.group, batch=self.config.batch, background=self.background)

    def _entry(self, found: Figures | None, rate: float, learning: int, seconds: float, epoch: int) -> Entry:
        scores = metrics.scores(found.matrix) if found else None
        numbers: dict[str, Any] = {
            "loss": float(np.mean(self.losses)), "val_loss": found.loss if found else math.nan, "val_miou": found.miou if found else math.nan,
            "val_dice": found.dice if found else math.nan, "val_accuracy": found.accuracy if found else math.nan,
        }  # fmt: skip
        value = numbers[self.config.monitor]
        best = not math.isnan(value) and (self.best is None or schedules.better(value, self.best, 0.0, self.mode))
        best = best or epoch == 0
        self.best = value if best else self.best
        step = (self.history[-1].step if self.history else 0) + len(self.losses)
        recall, iou = (tuple(map(float, values)) for values in (scores.recall, scores.iou)) if scores else ((), ())
        return Entry(epoch + 1, step, rate, best=best, learning=learning, seconds=seconds, recall=recall, iou=iou, **numbers)

    def _save(self, entry: Entry) -> None:
        """Checkpoints and log of the epoch that has just ended; only the first process writes."""
        if not self.group.first:
            return
        made = Checkpoint(self.config.arch, self.options, self.names, self.view, self.network.state_dict())
        training = {
            "config": settings.plain(self.config), "history": [{**asdict(one), "recall": list(one.recall), "iou": list(one.iou)} for one in self.history],
            "fitting": deepcopy(self.fitting.state()), "best": self.best, "stopping": schedules.state(self.stopping) if self.stopping else None,
            "plateau": schedules.state(self.plateau) if self.plateau else None, "digest": self.digest, "world": self.group.world,
        }  # fmt: skip
        if entry.best:
            checkpoints.save(self.out / runfolder.BEST, made)
        if self.config.save_every and entry.epoch % self.config.save_every == 0:
            losses = f"loss{entry.loss:.3f}" + ("" if math.isnan(entry.val_loss) else f"-val_loss{entry.val_loss:.3f}")
            checkpoints.save(self.out / f"epoch{entry.epoch:03d}-{losses}.pt", made)
        checkpoints.save(self.out / runfolder.LAST, made, training=training)
        runlog.write(self.out, self.history)
        if self.board:
            self.board.add(entry, self.losses, self.rates)
        if monotonic() - self.drawn > CURVES_EVERY:
            runlog.curves(self.out, self.history)
            self.drawn = monotonic()
        self._describe("unfinished")
        self.watch(Moment(said(entry, self.config), entry.epoch, self.config.epochs))

    def _describe(self, stopped: str) -> None:
        if self.group.first:
            best = next((entry.epoch for entry in reversed(self.history) if entry.best), None)
            runfolder.describe(
                self.out,
                {"stopped": stopped, "epochs": len(self.history), "best_epoch": best, "arch": self.config.arch, "classes": self.names, "notes": self.notes},
            )

    def _finish(self, stopped: str) -> Trained:
        parameters = models.parameters(self.network)
        trained = partial(Trained, self.out, self.config, parameters, self.names, tuple(self.history), stopped)
        found = trained(monotonic() - self.began, tuple(self.notes), None)
        if not self.group.first:
            return found
        if len(self.val):
            best = checkpoints.load(self.out / runfolder.BEST).network().to(self.group.device)
            masks = (read_truth(self.place, stem, len(self.names)) for stem in self.val.stems)
            found = trained(monotonic() - self.began, tuple(self.notes), at_own_size(best, self.val, masks, self.view, len(self.names)))
        runlog.curves(self.out, self.history)
        runfolder.describe(self.out, found.document())
        return found


def said(entry: Entry, config: Config) -> str:
    """One line about an epoch."""
    scores = "" if math.isnan(entry.val_loss) else f", val loss {entry.val_loss:.4f}, val mIoU {entry.val_miou:.3f}"
    return f"epoch {entry.epoch}/{config.epochs}: loss {entry.loss:.4f}{scores}, lr {entry.lr:.3g}, {entry.seconds:.1f} s" + (" (best)" if entry.best else "")
