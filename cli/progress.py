"""A progress bar on stderr for everything that can last; nothing where stderr is no terminal."""

import sys
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any


def bar(wanted: bool) -> Callable[[Iterable[Any], int, str], Iterable[Any]]:
    """What to give the library as *progress*."""
    return _shown if wanted and sys.stderr.isatty() else _silent


def _silent(elements: Iterable[Any], total: int, what: str) -> Iterable[Any]:
    return elements


def _shown(elements: Iterable[Any], total: int, what: str) -> Iterable[Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as display:  # no thread, so that workers can be forked
        task, shown = display.add_task(what, total=total), 0.0
        for element in elements:
            display.advance(task)
            if (now := monotonic()) > shown + 0.1:
                display.refresh()
                shown = now
            yield element
