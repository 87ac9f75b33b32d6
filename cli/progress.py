"""A progress bar on stderr for everything that can last; nothing where stderr is no terminal."""

import sys
from collections.abc import Callable, Iterable
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
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        yield from display.track(elements, total=total, description=what)
