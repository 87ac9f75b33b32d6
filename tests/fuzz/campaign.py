"""Case after case, each with a time limit; a failure is told with the case that repeats it."""

import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class HangError(Exception):
    """A case took too long."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise HangError after *seconds* (POSIX)."""

    def late(number: int, frame: FrameType | None) -> None:
        raise HangError(f"longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check(holds: bool, otherwise: str) -> None:
    """Raise AssertionError unless *holds*."""
    if not holds:
        raise AssertionError(otherwise)


def campaign(
    attempt: Callable[[int], str],
    seed: int,
    until: Callable[[int], bool],
    report: Callable[[str], None],
    first: int = 0,
) -> tuple[int, int, Counter[str]]:
    """The number after the last case, failures, and outcomes of *attempt*, case after case from
    number *first* on; each failure is reported with the case of *seed* that repeats it.
    """
    number, failures, outcomes = first, 0, Counter[str]()
    while until(number):
        try:
            outcomes[attempt(number)] += 1
        except Exception:  # what is looked for
            failures += 1
            report(f"case {seed}:{number}\n{traceback.format_exc()}")
        number += 1
    return number, failures, outcomes
