"""What one sample was made from: the files that were read while it was made."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path


class Mark(str):
    """The digest of a file's content."""

    __slots__ = ()


@dataclass
class Inputs:
    """The files that were looked for while watching: path -> content, or its digest where it was
    not read at once, or None where there was no such file; *folders* known to be no links;
    *states* of the files before they were read, where somebody looked.
    """

    contents: dict[Path, bytes | Mark | None] = field(default_factory=dict)
    states: dict[Path, os.stat_result] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)


_watching: ContextVar[Inputs | None] = ContextVar("segprep_inputs", default=None)


@contextmanager
def watch() -> Iterator[Inputs]:
    """Record what is read through :func:`read_below` and :func:`find_below`, so that a later run
    can tell what changed.
    """
    inputs = Inputs()
    token = _watching.set(inputs)
    try:
        yield inputs
    finally:
        _watching.reset(token)


def watched() -> Inputs | None:
    """The record of the :func:`watch` that is under way, or None."""
    return _watching.get()


def saw(path: Path, content: bytes | Mark | None, state: os.stat_result | None = None) -> None:
    """Note for :func:`watch` that *path*, in this *state*, was read, or looked for in vain
    (None).
    """
    if (inputs := _watching.get()) is not None:
        inputs.contents[path] = content
        if state is not None:
            inputs.states[path] = state
