"""From where on the masks of a dataset are those of a neighbor: names that are off by one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MovedOn:
    """From sample *number* on, or from one after sample *last*, which has its own, the masks are
    those of the sample *side* (before, after) it, as a *share* of a few images says.
    """

    last: int
    number: int
    side: str
    share: float
