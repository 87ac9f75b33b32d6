"""The run of a check: the trainer's steps, which can be stopped anywhere and resume as if they had
not been, with a running mean of the weights.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import astuple, dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from segprep.errors import SegprepError
from segprep.train_config import Config
from segprep.training.augmentation.windows import Windows
from segprep.training.checkpoints import channels_last, fill
from segprep.training.losses import make as make_loss
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.trainer.schedules import make as make_schedule
from segprep.training.trainer.step import Learner
from segprep.training.trainer.steps import Steps
from segprep.worker_processes import keep_memory

WARM_UP, END = 0.05, 0.01  # shares of the steps, and of the learning rate
MEMORY = 0.98  # of the running mean of the weights: about the last 50 steps
# network in evaluation mode -> (loss, score); a larger score is better
Validate = Callable[[nn.Module], tuple[float, float]]


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


@dataclass(eq=False)
class Training:
    """A network on its way through *steps* with loss, batch and peak rate of *config*, validated
    after *every* so many; *state* and *restore* hand over all that the rest of the run depends on.

    What is validated and kept is *average*, the running mean of the weights: single states of a
    short run scatter a good deal (Polyak and Juditsky 1992).
    """

    network: nn.Module
    windows: Windows
    config: Config
    steps: int
    every: int
    validate: Validate
    classes: int = 2
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
        warm = max(1, round(self.steps * WARM_UP))
        self.schedule = make_schedule(
            replace(self.config, schedule="cosine", warm_up=warm, start=1 / warm, end=END),
            self.steps,
            1,
        )
        self.learner = Learner(
            self.network,
            make_loss(self.config.loss, self.classes, self.config.class_weights or None),
            self.config,
            ProcessGroup(0, 1, self.device),
        )

    def run(self, until: int) -> Iterator[float | Epoch]:
        """The loss of each step up to number *until*; an Epoch after *every* so many and the last.

        Raises SegprepError: loss-nan, out-of-memory.
        """
        steps, batch = range(self.step, until), self.config.batch
        source = Steps(self.learner, self.windows, self.workers)
        losses = source.losses(self.step * batch, steps, batch, self.schedule.rate)
        for _ in steps:
            try:
                loss = next(losses)
            except SegprepError as error:
                raise self._located(error, self.windows.view.size) from error
            self._remember()
            self.step += 1
            self.losses.append(loss)
            yield loss
            if self.step % self.every == 0 or self.step == until:
                yield self._epoch()

    def _located(self, error: SegprepError, size: int) -> SegprepError:
        if error.code != "out-of-memory":
            return SegprepError(error.code, f"{error.message} (step {self.step + 1})", error.hint)
        small = f"give a smaller --size, for example {size // 2}"
        hint = small if size >= 64 else "free memory, or choose a smaller model"
        return SegprepError(error.code, error.message, hint)

    @torch.no_grad()
    def _remember(self) -> None:
        """Move the average toward the network; the first steps count little."""
        share = 1 - min(MEMORY, (1 + self.step) / (10 + self.step))
        means, values = (part.state_dict().values() for part in (self.average, self.network))
        for mean, new in zip(means, values, strict=True):
            mean.lerp_(new, share) if mean.is_floating_point() else mean.copy_(new)

    def _epoch(self) -> Epoch:
        val_loss, score = self.validate(self.average)
        best = not self.history or score >= max(epoch.score for epoch in self.history)
        if best:
            weights = self.average.state_dict().items()
            self.best = {name: tensor.detach().cpu().clone() for name, tensor in weights}
        loss = sum(self.losses) / max(1, len(self.losses))
        self.history.append(Epoch(self.step, loss, val_loss, score, best))
        self.losses = []
        return self.history[-1]

    def cut(self) -> None:
        """End here, before the next Epoch is due: score what there is, unless an Epoch has just
        done so.
        """
        if not self.history or self.history[-1].step != self.step:
            self._epoch()

    def state(self) -> dict[str, Any]:
        """Tensors and plain values: network, optimizer, step, history, best weights."""
        history = [list(astuple(epoch)) for epoch in self.history]
        content = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "learner": self.learner.state(),
            "best": self.best,
        }
        plain = {"step": self.step, "history": history, "losses": list(self.losses)}
        return deepcopy(content) | plain

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from *state*. Raises SegprepError (bad-checkpoint) if it is of another network."""
        fill(self.network, state["network"])
        fill(self.average, state["average"])
        self.learner.restore(state["learner"])
        self.step, self.losses, self.best = int(state["step"]), list(state["losses"]), state["best"]
        self.history = [Epoch(*row) for row in state["history"]]
