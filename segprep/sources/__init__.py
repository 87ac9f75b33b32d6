"""Source formats: one module each, found by its file name, imported on first use."""

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from ..errors import UsageError
from ..names import nearest
from ..types import Reader


def names() -> tuple[str, ...]:
    """The formats there are, without importing any of them; ``_`` in a file name is ``-`` in the format's."""
    return tuple(sorted(module.name.replace("_", "-") for module in iter_modules(__path__)))


def load(name: str) -> type[Reader]:
    """The ``Reader`` class of format *name*. Raises UsageError for an unknown one."""
    if name not in names():
        like = nearest(name, names())
        raise UsageError("unknown-format", f"there is no source format {name!r}", f"did you mean {like}?" if like else f"there are: {', '.join(names())}")
    return cast("type[Reader]", import_module(f"{__name__}.{name.replace('-', '_')}").Reader)


def summary(name: str) -> str:
    """The first line of the format's docstring."""
    load(name)
    return (sys.modules[f"{__name__}.{name.replace('-', '_')}"].__doc__ or "").strip().split("\n")[0]


def examples(name: str) -> tuple[str, ...]:
    """Commands that show the format in use: the module's EXAMPLES."""
    load(name)
    return cast("tuple[str, ...]", sys.modules[f"{__name__}.{name.replace('-', '_')}"].EXAMPLES)
