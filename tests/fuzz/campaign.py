"""Case after case, each with a time limit; a failure is told with the case that repeats it."""

import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

FOREVER = 600  # seconds: longer than a case takes on a busy machine


class HangError(Exception):
    """A case took too long."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise HangError after *seconds* of computing, or when a case waits for ever (POSIX)."""

    def late(number: int, frame: FrameType | None) -> None:
        raise HangError(f"longer than {seconds if number == signal.SIGVTALRM else FOREVER} s")

    before = {number: signal.signal(number, late) for number in (signal.SIGVTALRM, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    signal.alarm(FOREVER)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.alarm(0)
        for number, handler in before.items():
            signal.signal(number, handler)


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
