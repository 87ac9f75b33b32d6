"""Optimizer steps over windows, one after the other: what a training and a check are made of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

from torch.utils.data import DataLoader, Dataset

from segprep.errors import SegprepError
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.trainer.step import Learner


@dataclass(frozen=True, slots=True)
class Numbers:
    """The windows of this process from *start* on: its part of each of *steps*, in order."""

    start: int
    steps: int
    batch: int
    group: ProcessGroup

    def __iter__(self) -> Iterator[int]:
        for step in range(self.steps):
            first = self.start + (step * self.group.world + self.group.rank) * self.batch
            yield from range(first, first + self.batch)

    def __len__(self) -> int:
        return self.steps * self.batch


@dataclass(eq=False)
class Steps:
    """Steps of *learner* on *windows*, which so many *workers* load; *waited*: how many seconds the
    last one waited for its batch.
    """

    learner: Learner
    windows: Dataset[Any]
    workers: int
    waited: float = 0.0

    def losses(
        self, start: int, steps: range, batch: int, rate: Callable[[int], float]
    ) -> Iterator[float]:
        """The loss of each of *steps*, whose learning *rate* goes by its number; the windows are
        those from *start* on. What loads them is started at once.

        Raises SegprepError: worker-died, and what a step raises.
        """
        group = self.learner.group
        loader: DataLoader[Any] = DataLoader(
            self.windows,
            batch,
            sampler=Numbers(start, len(steps), batch, group),
            num_workers=self.workers,
            pin_memory=group.device.startswith("cuda"),
        )
        return self._losses(iter(loader), start, steps, batch, rate)

    def _losses(
        self,
        source: Iterator[Any],
        start: int,
        steps: range,
        batch: int,
        rate: Callable[[int], float],
    ) -> Iterator[float]:
        group = self.learner.group
        for n, number in enumerate(steps):
            began = monotonic()
            own = Numbers(start + n * batch * group.world, 1, batch, group)
            images, truth, *pixels = self._batch(source, own)
            self.waited = monotonic() - began
            yield self.learner.step(images, truth, pixels[0] if pixels else None, rate(number))

    def _batch(self, source: Iterator[Any], numbers: Numbers) -> Any:
        """The next batch; a worker's error comes as text, so the batch is read again here."""
        try:
            return next(source)
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            for number in numbers:
                self.windows[number]
            hint = "give fewer --workers, or 0; in a container, more shared memory (--shm-size)"
            reason = f"a process that loads data ended: {str(error).splitlines()[0]}"
            raise SegprepError("worker-died", reason, hint) from error
