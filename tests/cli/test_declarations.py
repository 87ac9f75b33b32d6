"""Declarations read from text are what the imported classes declare."""

from dataclasses import fields
from importlib import import_module
from inspect import getdoc
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from segprep_cli.declarations import DeclaredOption, declared

from segprep import sources, targets

MODULES = [
    *(f"segprep.sources.{name.replace('-', '_')}" for name in sources.names()),
    *(f"segprep.targets.{name.replace('-', '_')}" for name in targets.names()),
    *("segprep.merging", "segprep.remapping.reader", "segprep.resizing", "segprep.tiling"),
]


def accepts(option: DeclaredOption, hint: Any) -> bool:
    """Whether the option takes what the field annotated with *hint* holds."""
    kind = hint.__origin__
    if option.many:
        kind, repeated = get_args(kind)
        assert repeated is Ellipsis
    kinds = get_args(kind) if isinstance(kind, UnionType) or get_origin(kind) is Union else (kind,)
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    if option.choices:
        return [get_args(kind) for kind in kinds] == [option.choices]
    return kinds == (option.kind,)


@pytest.mark.parametrize("module", MODULES)
def test_the_text_declares_what_the_module_does(module: str) -> None:
    loaded = import_module(module)
    declaring = getattr(loaded, "Writer" if ".targets." in module else "Reader")
    hints = get_type_hints(declaring, include_extras=True)
    annotated = [field for field in fields(declaring) if hasattr(hints[field.name], "__metadata__")]
    told = declared(module)
    assert (loaded.__doc__ or "").startswith(told.summary[:20])
    assert told.description == (getdoc(declaring) or "")
    assert told.examples == getattr(loaded, "EXAMPLES", ())
    assert [option.name for option in told.options] == [field.name for field in annotated]
    for option, field in zip(told.options, annotated, strict=True):
        assert option.help == hints[field.name].__metadata__[-1]
        assert accepts(option, hints[field.name]), option
        default = () if option.many else None
        assert option.required or field.default == (
            default if option.default is None else option.default
        )
