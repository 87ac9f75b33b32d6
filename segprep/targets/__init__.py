"""Export targets: one module each, found by its file name, imported on first use."""

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
    return cast("type[Writer]", import_module(f"{__name__}.{name.replace('-', '_')}").Writer)
