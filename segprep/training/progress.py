"""What a long run tells while it works."""

from collections.abc import Callable
from dataclasses import dataclass


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
