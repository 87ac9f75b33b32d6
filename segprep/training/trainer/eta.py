"""How long it will take, and whether the data keeps up."""

from collections.abc import Sequence

import numpy as np

from segprep.training.trainer.freeze_stages import Stage

RECENT, LEAST = 50, 3  # steps
# share of the steps' time, and seconds, from which waiting for data is worth a word
WAITING, WORTH_SAYING = (0.3, 30.0)


class Pace:
    """Seconds of recent steps, and how long they *waited* for data, without the first one."""

    def __init__(self) -> None:
        self.recent: list[float] = []
        self.waited = self.worked = 0.0

    def took(self, seconds: float, waited: float) -> None:
        """Take one step."""
        if self.recent:
            self.waited, self.worked = self.waited + waited, self.worked + seconds
        self.recent = [*self.recent[1 - RECENT :], seconds]

    def left(
        self, laid: Sequence[Stage], epoch: int, step: int, before: float
    ) -> tuple[int, int, float | None]:
        """Steps done, steps in all, and the seconds that are likely left: the median of recent
        steps times what is to come, plus validation.

        *step* steps of *epoch* are done; the epochs before it took *before* seconds, which tells
        what comes on top of the steps.
        """
        total = sum((stage.last - stage.first) * stage.steps for stage in laid)
        past = sum(
            (min(stage.last, epoch) - stage.first) * stage.steps
            for stage in laid
            if stage.first <= epoch
        )
        if len(self.recent) < LEAST:
            return past + step, total, None
        each = float(np.median(self.recent))
        share = before / (each * past) if past and before else 1.0
        return past + step, total, each * (total - past - step) * min(max(1.0, share), 10.0)

    def note(self) -> list[str]:
        """What a person should know."""
        if self.worked > WORTH_SAYING and self.waited > WAITING * self.worked:
            return [
                f"{self.waited / self.worked:.0%} of the steps' time was spent waiting for data:"
                " give more --workers"
            ]
        return []
