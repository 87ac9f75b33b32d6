"""What a long run tells while it works, and how long it will take."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

RECENT, LEAST = 50, 3  # steps
SCORING = 10.0  # steps that a validation takes, until one was measured
# share of the steps' time, and seconds, from which waiting for data is worth a word
WAITING, WORTH_SAYING = (0.3, 30.0)


@dataclass(frozen=True, slots=True)
class Moment:
    """What is done, how far it is, and the seconds likely *left* (None: not known yet)."""

    what: str
    done: int
    total: int
    left: float | None = None


Watch = Callable[[Moment], None]


def unwatched(moment: Moment) -> None:
    """Default callback: does nothing."""


@dataclass(eq=False)
class Pace:
    """Seconds of every step and validation so far, with all that is done between two of them;
    *waited*: of those of all steps but the first, how long they waited for data.
    """

    steps: list[float] = field(default_factory=list)
    validations: list[float] = field(default_factory=list)
    waited: float = 0.0

    def left(self, steps: int, validations: float) -> float | None:
        """Seconds that so many more take; None while nothing is known."""
        if len(self.steps) < LEAST:
            return None
        step = float(np.median(self.steps[-RECENT:]))
        scoring = float(np.mean(self.validations)) if self.validations else SCORING * step
        return step * steps + scoring * validations

    def notes(self) -> list[str]:
        """What a person should know of it."""
        worked = sum(self.steps[1:])
        if worked <= WORTH_SAYING or self.waited <= WAITING * worked:
            return []
        share = f"{self.waited / worked:.0%} of the steps' time was spent waiting for data"
        return [f"{share}: give more --workers"]
