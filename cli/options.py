"""Options that commands share, spelled the same everywhere, and options made from a Reader's
fields.
"""

import re
from dataclasses import MISSING, fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click


def usable_cores() -> int:
    """The default of --jobs on the command line."""
    from segprep.worker_processes import usable_cores as cores

    return cores()


def workers() -> list[click.Option]:
    """--jobs, --max-memory, --max-seconds: of every command that hands items to workers."""
    return [
        click.Option(
            ["--jobs", "-j"],
            type=click.IntRange(1, 256),
            default=usable_cores,
            show_default="usable cores",
            help="Worker processes.",
        ),
        click.Option(
            ["--max-memory"],
            type=Size(),
            expose_value=False,
            callback=_limit_memory,
            show_default="3/4 of what is there",
            help="Memory for all workers together, such as 8G; 0 = no limit. Files that need"
            " more are refused.",
        ),
        click.Option(
            ["--max-seconds"],
            type=click.FloatRange(0),
            default=SECONDS,
            show_default=True,
            expose_value=False,
            callback=_limit_seconds,
            help="Seconds of computing time for one file; 0 = no limit. Files that take longer"
            " are refused.",
        ),
    ]


SECONDS = 120


class Size(click.ParamType[int]):
    """A number of bytes: 500M, 8G, or plain."""

    name = "SIZE"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,3})?)([KMGT]?)(?:I?B)?", value.strip().upper())
        if match is None:
            self.fail(f"{value!r} is not a size such as 500M or 8G", param, ctx)
        return int(float(match[1]) * 1024 ** " KMGT".index(match[2] or " "))


def _limit_memory(ctx: click.Context, _: click.Parameter, value: int | None) -> None:
    from segprep import limits

    amount = limits.default_memory() if value is None else value
    if 0 < amount < limits.LEAST:
        raise click.BadParameter(f"at least {limits.LEAST >> 20}M are needed", ctx)
    ctx.with_resource(limits.limited(memory=amount))


def _limit_seconds(ctx: click.Context, _: click.Parameter, value: float) -> None:
    from segprep import limits

    ctx.with_resource(limits.limited(seconds=value))


def display() -> list[click.Option]:
    """--json, --quiet, --verbose, --no-progress."""
    return [
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            help="One JSON document on stdout instead of a table.",
        ),
        click.Option(["--quiet", "-q"], is_flag=True, help="No table and no notes, errors only."),
        click.Option(["--verbose", "-v"], is_flag=True, help="Every note, not only their counts."),
        click.Option(["--no-progress"], is_flag=True, help="No progress bar."),
    ]


def no_lock() -> click.Option:
    """--no-lock, of every command that holds its output for itself."""
    return click.Option(
        ["--no-lock"],
        is_flag=True,
        expose_value=False,
        callback=_unlock,
        help="Take no lock on OUT, for file systems without locks. Make sure that only one run"
        " writes there.",
    )


def _unlock(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from segprep.dataset.staging import unlocked

        ctx.with_resource(unlocked())


def writing() -> list[click.Option]:
    """--overwrite, --dry-run, --no-lock."""
    return [
        no_lock(),
        click.Option(["--overwrite"], is_flag=True, help="Overwrite existing output."),
        click.Option(["--dry-run", "-n"], is_flag=True, help="Run without writing anything."),
    ]


def hidden(flag: str, name: str, kind: click.ParamType[Any] | None = None) -> click.Option:
    """An earlier spelling of the option *name*: it works as before and is not in the help."""

    def store(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value is not None:
            ctx.params[name] = value

    return click.Option(
        [flag, f"_{name}"], type=kind, hidden=True, expose_value=False, callback=store
    )


def dataset() -> click.Argument:
    return click.Argument(["dataset"], type=click.Path(path_type=Path), default=".", required=False)


def from_reader(reader: type) -> list[click.Option]:
    """One option per annotated field of *reader*: type, default and help text are the field's."""
    hints = get_type_hints(reader, include_extras=True)
    return [
        _option(field.name, hints[field.name], field.default)
        for field in fields(reader)
        if hasattr(hints[field.name], "__metadata__")
    ]


def _option(name: str, hint: Any, default: Any) -> click.Option:
    kind, help_text = hint.__origin__, hint.__metadata__[-1]
    many = get_origin(kind) is tuple
    kind = get_args(kind)[0] if many else kind
    kind = (
        next((part for part in get_args(kind) if part is not NoneType), kind)
        if get_origin(kind) is not Literal
        else kind
    )
    common = {"help": help_text + (" Repeatable." if many else ""), "required": default is MISSING}
    if kind is bool:
        return click.Option([f"--{name.replace('_', '-')}", name], is_flag=True, help=help_text)
    parser = (
        click.Choice(get_args(kind))
        if get_origin(kind) is Literal
        else click.Path(path_type=Path)
        if kind is Path
        else kind
    )
    defaults = (
        {}
        if default in (MISSING, None, ())
        else {"default": default, "show_default": default != ""}
    )
    return click.Option(
        [f"--{name.replace('_', '-')}", name], type=parser, multiple=many, **common, **defaults
    )
