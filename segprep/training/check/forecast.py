"""How long a check will take: the pace of this machine, steps and scoring apart."""

from dataclasses import dataclass, field

import numpy as np

RECENT, LEAST = 50, 3  # steps
SCORING = 10.0  # steps that a validation takes, until one was measured


@dataclass(eq=False)
class Forecast:
    """Seconds of every step and validation so far, with all that is done between two of them.

    *images* is how many are scored at the end, in units of those of a validation.
    """

    images: float = 0.0
    steps: list[float] = field(default_factory=list)
    validations: list[float] = field(default_factory=list)

    def left(self, steps: int, every: int) -> float | None:
        """Seconds that *steps* more take, with a validation after *every* of them and the scores at
        the end; None while nothing is known.
        """
        if len(self.steps) < LEAST:
            return None
        step = float(np.median(self.steps[-RECENT:]))
        scoring = float(np.mean(self.validations)) if self.validations else SCORING * step
        return step * steps + scoring * (steps / every + self.images)
