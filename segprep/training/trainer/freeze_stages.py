"""How the epochs are laid out: with what held, what batch, what schedule."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from segprep.train_config import Config
from segprep.training.trainer import schedules


@dataclass(frozen=True, slots=True)
class Stage:
    """Epochs *first* to *last* - 1 with the same layers *held*; *seen* windows came before."""

    first: int
    last: int
    held: str
    batch: int
    steps: int
    seen: int
    schedule: schedules.Schedule

    @property
    def count(self) -> int:
        """How many steps all of its epochs have."""
        return (self.last - self.first) * self.steps

    def start(self, epoch: int, world: int) -> int:
        """The number of the first window of *epoch*, over *world* processes."""
        return self.seen + (epoch - self.first) * self.steps * self.batch * world


def stages(config: Config, images: int, world: int) -> list[Stage]:
    """One stage, or with ``freeze_epochs`` two, each with its own rate, batch and schedule."""
    frozen = min(config.freeze_epochs, config.epochs) if config.freeze else 0
    batch, lr = config.freeze_batch or config.batch, config.freeze_lr or config.lr
    then = "" if frozen else config.freeze
    parts = (
        (0, frozen, config.freeze, batch, lr),
        (frozen, config.epochs, then, config.batch, config.lr),
    )
    plan, seen = list[Stage](), 0
    for first, last, held, batch, lr in parts:
        if first < last:
            steps = config.steps_per_epoch or math.ceil(images / (batch * world))
            schedule = schedules.make(replace(config, lr=lr), last - first, steps)
            plan.append(Stage(first, last, held, batch, steps, seen, schedule))
            seen += (last - first) * steps * batch * world
    return plan


def steps_before(stages: Sequence[Stage], epoch: int) -> int:
    """How many steps all epochs before *epoch* have."""
    return sum(max(0, min(part.last, epoch) - part.first) * part.steps for part in stages)
