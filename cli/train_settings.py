"""One option per setting of a training run."""

import math
from dataclasses import MISSING, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from segprep.train_config import FORMER, TABLES, Config


def settings() -> list[click.Option]:
    """An option for every setting that is one value; earlier spellings are hidden."""
    named = {field.name: field for field in fields(Config) if field.name not in TABLES}
    former = [_option(named[name], spelling) for spelling, name in FORMER.items()]
    return [*map(_option, named.values()), *former]


def _option(field: Any, former: str = "") -> click.Option:
    """The option of a setting. Without it, the setting is the file's, or the default."""
    kind, text = get_args(get_type_hints(Config, include_extras=True)[field.name])
    name, flag = former or field.name, f"--{(former or field.name).replace('_', '-')}"
    if kind is bool:
        return click.Option(
            [f"{flag}/--no-{flag[2:]}", name],
            default=None,
            help=f"{text}  [default: {'yes' if field.default else 'no'}]",
        )
    default = (
        ""
        if field.default in (MISSING, "", ())
        else (
            f"  [default: {field.default:g}]"
            if isinstance(field.default, float)
            else f"  [default: {field.default}]"
        )
    )
    parser = (
        click.Choice(get_args(kind))
        if get_origin(kind) is Literal
        else _Numbers()
        if get_origin(kind) is tuple
        else kind
    )
    return click.Option(
        [flag, name], type=parser, default=None, help=text + default, hidden=bool(former)
    )


class _Numbers(click.ParamType[tuple[float, ...]]):
    """1,2.5,3"""

    name = "A,B,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers: for example 1,2", param, ctx)
        if not all(map(math.isfinite, numbers)):
            self.fail(f"{value!r} holds a number that is not finite", param, ctx)
        return numbers
