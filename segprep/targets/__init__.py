"""Export targets: one module each, found by its file name, imported on first use."""

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from segprep.errors import UsageError
from segprep.names import unknown
from segprep.writer import Writer


def names() -> tuple[str, ...]:
    """The targets there are, without importing any of them; ``_`` in a file name is ``-`` in the
    target's.
    """
    return tuple(
        sorted(
            module.name.replace("_", "-")
            for module in iter_modules(__path__)
            if not module.name.startswith("_")
        )
    )


def load(name: str) -> type[Writer]:
    """The ``Writer`` class of target *name*. Raises UsageError for an unknown one."""
    if name not in names():
        raise UsageError("unknown-target", *unknown("export target", name, names()))
    return cast("type[Writer]", import_module(_module(name)).Writer)


def summary(name: str) -> str:
    """The first paragraph of the target's docstring, in one line."""
    load(name)
    return " ".join((sys.modules[_module(name)].__doc__ or "").split("\n\n")[0].split())


def examples(name: str) -> tuple[str, ...]:
    """Commands that show the target in use: the module's EXAMPLES."""
    load(name)
    return cast("tuple[str, ...]", sys.modules[_module(name)].EXAMPLES)


def _module(name: str) -> str:
    return f"{__name__}.{name.replace('-', '_')}"
