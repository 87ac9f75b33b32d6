"""A progress bar on stderr for everything that can last; nothing where stderr is not a terminal.

Training tells its own moments.
"""

import sys
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, Self


def clock(seconds: float) -> str:
    """A duration as people say it: 47 s, 3 min 05 s."""
    return (
        f"{seconds:.0f} s" if seconds < 100 else f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"
    )


class TrainingBar:
    """A bar of training steps with the time left, started by its first moment and cleared on
    leaving.
    """

    def __init__(self, quiet: bool, no_progress: bool) -> None:
        self.silent, self.terminal = quiet, sys.stderr.isatty() and not no_progress and not quiet
        self.bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def draw(self, moment: Any) -> None:
        """Show *moment*: what is done, how far, and the seconds left if they are known."""
        if self.bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[left]}"),
            )
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.bar.start()
            self.task = self.bar.add_task("", left="")
        left = f"about {clock(moment.left)} to go" if moment.left is not None else ""
        self.bar.update(
            self.task, description=moment.what, completed=moment.done, total=moment.total, left=left
        )


def bar(wanted: bool) -> Callable[[Iterable[Any], int, str], Iterable[Any]]:
    """What to give the library as *progress*."""
    return _shown if wanted and sys.stderr.isatty() else _silent


def _silent(elements: Iterable[Any], total: int, what: str) -> Iterable[Any]:
    return elements


def _shown(elements: Iterable[Any], total: int, what: str) -> Iterable[Any]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=Console(stderr=True), transient=True, auto_refresh=False
    ) as display:  # no thread, so that workers can be forked
        task, shown = display.add_task(what, total=total), 0.0
        for element in elements:
            display.advance(task)
            if (now := monotonic()) > shown + 0.1:
                display.refresh()
                shown = now
            yield element
