"""How the learning rate goes: warm-up, then constant, polynomial, cosine, step, exponential, or
lower whenever a score stands still; and when to stop.

Rates are a pure function of the step (counted from 0, before the step is made), so that a resumed
run continues exactly; only :class:`Plateau` and :class:`EarlyStopping` remember anything, and their
``state`` belongs into a checkpoint.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from segprep.errors import UsageError
from segprep.names import unknown
from segprep.train_config import Config

Shape = Callable[[int], float]  # steps after the warm-up -> share of the learning rate
Mode = Literal["min", "max"]
NAMES = ("constant", "polynomial", "cosine", "step", "exponential", "plateau")


def polynomial(steps: int, power: float = 0.9, end: float = 0.0) -> Shape:
    """(1 - t)**power from 1 down to *end* at *steps*, and *end* from then on."""
    return lambda step: float(end + (1 - end) * (1 - _part(step, steps)) ** power)


def cosine(steps: int, end: float = 0.0) -> Shape:
    """Half a cosine from 1 down to *end* at *steps*, and *end* from then on (Loshchilov and Hutter
    2016, arXiv:1608.03983, without restarts).
    """
    return lambda step: end + (1 - end) * 0.5 * (1 + math.cos(math.pi * _part(step, steps)))


def stairs(every: int, factor: float, end: float = 0.0) -> Shape:
    """Times *factor* after each *every* steps, never below *end*."""
    return lambda step: max(end, factor ** (step // every))


def _part(step: int, steps: int) -> float:
    return min(1.0, step / steps) if steps > 0 else float(step > 0)


def better(value: float, best: float | None, min_delta: float, mode: Mode) -> bool:
    """Whether *value* beats *best* by more than *min_delta*, in absolute terms; NaN never does."""
    if best is None or math.isnan(value):
        return not math.isnan(value)
    gain = best - value if mode == "min" else value - best
    # .501 - .5 is no more than .001, whatever binary fractions say
    return gain > min_delta and not math.isclose(gain, min_delta, rel_tol=1e-9)


@dataclass
class Plateau:
    """Times *factor* once more than *patience* values in a row were no better."""

    factor: float = 0.1
    patience: int = 10
    min_delta: float = 1e-4
    mode: Mode = "min"
    end: float = 0.0
    share: float = field(default=1.0, init=False)
    best: float | None = field(default=None, init=False)
    waited: int = field(default=0, init=False)

    def saw(self, value: float) -> None:
        """Take the score of one evaluation."""
        if better(value, self.best, self.min_delta, self.mode):
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            self.share, self.waited = max(self.end, self.share * self.factor), 0


@dataclass
class EarlyStopping:
    """Stop after *patience* evaluations in a row that were not better than the best by more than
    *min_delta*, as Keras does.
    """

    patience: int = 3
    min_delta: float = 0.001
    mode: Mode = "min"
    best: float | None = field(default=None, init=False)
    waited: int = field(default=0, init=False)
    count: int = field(default=0, init=False)

    def saw(self, value: float) -> bool:
        """Take the score of one evaluation; True if it was time to stop.

        A value that is not a number is never better, also as the first.
        """
        improved = better(value, self.best, self.min_delta, self.mode)
        self.best, self.waited = (value, 0) if improved else (self.best, self.waited + 1)
        self.count += 1
        return not improved and self.count > 1 and self.waited >= self.patience


def state(tracker: Plateau | EarlyStopping) -> dict[str, Any]:
    """What *tracker* remembers, as plain values."""
    return asdict(tracker)


def restore(tracker: Plateau | EarlyStopping, values: Mapping[str, Any]) -> None:
    """Put back what :func:`state` gave."""
    for name in asdict(tracker):  # checkpoints of earlier versions hold more
        setattr(tracker, name, values[name])


@dataclass
class Schedule:
    """The rate of every step: *lr* times the shares of warm-up, *shape* and plateau."""

    lr: float
    shape: Shape
    warm_up: int = 0
    start: float = 1e-3
    rise: float = 1.0
    plateau: Plateau | None = None

    def rate(self, step: int) -> float:
        """The learning rate that step number *step* is made with."""
        if step < self.warm_up:
            risen: float = (step / self.warm_up) ** self.rise
            return self.lr * self.shape(0) * (self.start + (1 - self.start) * risen)
        share = self.plateau.share if self.plateau else 1.0
        return self.lr * self.shape(step - self.warm_up) * share

    def saw(self, value: float) -> None:
        """Take the score of one evaluation; only a plateau heeds it."""
        if self.plateau:
            self.plateau.saw(value)


def make(config: Config, epochs: int, per_epoch: int) -> Schedule:
    """The schedule of *config* over *epochs* of *per_epoch* steps; warm-up and flat end are cut to
    them. Raises UsageError (bad-option) for an unknown name.
    """
    name = config.schedule
    if name not in NAMES:
        raise UsageError("bad-option", *unknown("schedule", name, NAMES))
    warm_up = min(config.warm_up, epochs)
    flat, end = min(config.flat, epochs - warm_up), config.end
    factor = config.factor or (0.96 if name == "exponential" else 0.1)
    steps = round((epochs - warm_up - flat) * per_epoch)
    stair = max(1, round(config.every * per_epoch))
    shapes = {
        "polynomial": polynomial(steps, config.power, end),
        "cosine": cosine(steps, end),
        "step": stairs(stair, factor, end),
        "exponential": stairs(stair, factor, end),
    }
    mode, patience = mode_of(config.monitor), round(config.every)
    plateau = Plateau(factor, patience, config.min_delta, mode, end) if name == "plateau" else None
    shape = shapes.get(name, lambda step: 1.0)
    rising = round(warm_up * per_epoch)
    return Schedule(config.lr, shape, rising, config.start, config.rise, plateau)


def mode_of(monitor: str) -> Mode:
    """Whether *monitor*, one of train_config.MONITORS, is better when smaller or larger."""
    return "min" if monitor.endswith("loss") else "max"
