"""How the epochs are laid out: with what held, what batch, what schedule; and which windows each
step of each process takes.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from segprep.train_config import Config
from segprep.training.trainer import schedules
from segprep.training.trainer.distributed import ProcessGroup


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


class Numbers:
    """The windows of this process from *start* on: its part of every batch, in order."""

    def __init__(self, start: int, steps: int, batch: int, group: ProcessGroup) -> None:
        self.start, self.steps, self.batch, self.group = start, steps, batch, group

    def __iter__(self) -> Iterator[int]:
        for step in range(self.steps):
            first = self.start + (step * self.group.world + self.group.rank) * self.batch
            yield from range(first, first + self.batch)

    def __len__(self) -> int:
        return self.steps * self.batch
