"""The training loop of a check: an iterator of StepRecord and Epoch records that can be stopped
anywhere and resumes as if it had not been. Its steps are the trainer's.
"""

import ctypes
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import torch
from torch import Tensor, nn

from segprep.errors import SegprepError
from segprep.train_config import Config
from segprep.training.augmentation.windows import Windows, batches
from segprep.training.checkpoints import channels_last, fill
from segprep.training.losses import make as make_loss
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.trainer.schedules import Schedule
from segprep.training.trainer.schedules import make as make_schedule
from segprep.training.trainer.step import Learner

WARM_UP, END = 0.05, 0.01  # shares of the steps, and of the learning rate
MEMORY = 0.98  # of the running mean of the weights: about the last 50 steps
# network in evaluation mode -> (loss, score); a larger score is better
Validate = Callable[[nn.Module], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One optimizer step: *loss* of its batch, learning *rate*, *seconds* it took, of which
    *waited* for data.
    """

    number: int
    loss: float
    rate: float
    seconds: float
    waited: float


@dataclass(frozen=True, slots=True)
class Epoch:
    """The state at step *step*: mean training *loss* since the last one, loss and score on the val
    list, whether it is the *best* so far.
    """

    step: int
    loss: float
    val_loss: float
    score: float
    best: bool


@dataclass(frozen=True, slots=True)
class Course:
    """*steps* the learning rate is laid out for; batch size; peak *rate*; steps from one Epoch to
    the next; epochs without gain after which it ends (0: never).
    """

    steps: int
    batch: int
    rate: float
    every: int
    patience: int = 0

    def rates(self) -> Schedule:
        """The trainer's schedule: linear warm-up, then half a cosine down to a hundredth."""
        warm = max(1, round(self.steps * WARM_UP))
        return make_schedule(
            "cosine", self.rate, self.steps, 1, warm_up=warm, start=1 / warm, end=END
        )


@dataclass(eq=False)
class Training:
    """A network on its way. *state* and *restore* hand everything over that the rest of the run
    depends on.

    What is validated and kept is *average*, the running mean of the weights: single states of a
    short run scatter a good deal (Polyak and Juditsky 1992).
    """

    network: nn.Module
    windows: Windows
    schedule: Course
    validate: Validate
    classes: int = 2
    config: Config = field(default_factory=Config)
    device: str = "cpu"
    workers: int = 0
    step: int = 0
    history: list[Epoch] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)  # of every step since the last Epoch
    best: dict[str, Tensor] | None = None

    def __post_init__(self) -> None:
        if self.device == "cpu":
            keep_memory()
        channels_last(self.network, self.device)
        self.average = deepcopy(self.network).eval()
        self.rates = self.schedule.rates()
        self.learner = Learner(
            self.network,
            make_loss(self.config.loss, self.classes, self.config.class_weights or None),
            self.config,
            ProcessGroup(0, 1, self.device),
        )

    def run(self, until: int) -> Iterator[StepRecord | Epoch]:
        """Train up to step *until*; an Epoch comes every ``schedule.every`` steps and at *until*.

        Raises SegprepError: loss-nan, out-of-memory.
        """
        source = batches(self.windows, self.schedule.batch, self.step, until, self.workers)
        start = monotonic()
        for images, truth in source:
            waited = monotonic() - start
            rate = self.rates.rate(self.step)
            loss = self._advance(images, truth, rate)
            self.step += 1
            self.losses.append(loss)
            yield StepRecord(self.step, loss, rate, monotonic() - start, waited)
            if self.step % self.schedule.every == 0 or self.step == until:
                yield self._epoch()
                if self.exhausted:
                    return
            start = monotonic()

    def _advance(self, images: Tensor, truth: Tensor, rate: float) -> float:
        """One step of the trainer, then of the average."""
        try:
            value = self.learner.step(images, truth, None, rate)
        except SegprepError as error:
            raise self._located(error, images.shape[-1]) from error
        self._remember()
        return value

    def _located(self, error: SegprepError, size: int) -> SegprepError:
        if error.code != "out-of-memory":
            return SegprepError(error.code, f"{error.message} (step {self.step + 1})", error.hint)
        small = f"give a smaller --size, for example {size // 2}"
        hint = small if size >= 64 else "free memory, or choose a smaller network"
        return SegprepError(error.code, error.message, hint)

    @torch.no_grad()
    def _remember(self) -> None:
        """Move the average toward the network; the first steps count little."""
        share = 1 - min(MEMORY, (1 + self.step) / (10 + self.step))
        pairs = list(
            zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True)
        )
        for mean, new in pairs:
            if not mean.is_floating_point():
                mean.copy_(new)
        floats = [(mean, new) for mean, new in pairs if mean.is_floating_point()]
        torch._foreach_lerp_([mean for mean, _ in floats], [new for _, new in floats], share)

    def _epoch(self) -> Epoch:
        val_loss, score = self.validate(self.average)
        best = not self.history or score >= max(epoch.score for epoch in self.history)
        if best:
            self.best = {
                name: tensor.detach().cpu().clone()
                for name, tensor in self.average.state_dict().items()
            }
        self.history.append(
            Epoch(self.step, sum(self.losses) / max(1, len(self.losses)), val_loss, score, best)
        )
        self.losses = []
        return self.history[-1]

    def cut(self) -> None:
        """End here, before the next Epoch is due: score what there is, unless an Epoch has just
        done so.
        """
        if not self.history or self.history[-1].step != self.step:
            self._epoch()

    @property
    def exhausted(self) -> bool:
        """Whether *patience* epochs have passed without a better score."""
        since = next((n for n, epoch in enumerate(reversed(self.history)) if epoch.best), 0)
        return 0 < self.schedule.patience <= since

    def state(self) -> dict[str, Any]:
        """Tensors and plain values: network, optimizer, step, history, best weights."""
        history = [[e.step, e.loss, e.val_loss, e.score, e.best] for e in self.history]
        content = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "learner": self.learner.state(),
            "best": self.best,
        }
        return deepcopy(content) | {
            "step": self.step,
            "history": history,
            "losses": list(self.losses),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from *state*. Raises SegprepError (bad-checkpoint) if it is of another network."""
        fill(self.network, state["network"])
        fill(self.average, state["average"])
        self.learner.restore(state["learner"])
        self.step, self.losses, self.best = int(state["step"]), list(state["losses"]), state["best"]
        self.history = [Epoch(*row) for row in state["history"]]


def keep_memory() -> None:
    """Let the C library keep the blocks of one step for the next, however large: fetching them from
    the system again, page by page, was a sixth of a step.

    glibc only (mallopt's M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_MAX); elsewhere nothing happens.
    """
    if (
        sys.platform == "linux"
        and (tune := getattr(ctypes.CDLL(None), "mallopt", None)) is not None
    ):
        for option, value in ((-1, 2_000_000_000), (-2, 256 << 20), (-4, 0)):
            tune(option, value)
