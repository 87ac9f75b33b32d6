"""Options that commands share, spelled the same everywhere, and options made from the
fields of a Reader or Writer.
"""

import re
from pathlib import Path
from typing import Any

import click

from .declarations import Declared, DeclaredOption


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
            show_default="3/4 of the available memory",
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
            help="Seconds of computing time per file; 0 = no limit. Files that take longer are"
            " refused.",
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
            help="Print one JSON document on stdout instead of a table.",
        ),
        click.Option(["--quiet", "-q"], is_flag=True, help="Print only errors."),
        click.Option(
            ["--verbose", "-v"], is_flag=True, help="Print every note, not only their counts."
        ),
        click.Option(["--no-progress"], is_flag=True, help="Show no progress bar."),
    ]


def no_lock() -> click.Option:
    """--no-lock, of every command that holds its output for itself."""
    return click.Option(
        ["--no-lock"],
        is_flag=True,
        expose_value=False,
        callback=_unlock,
        help="Do not lock OUT, for file systems without locks. Make sure that only one run writes"
        " there.",
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


def shard(*, inherited: bool = False) -> click.Option:
    """--shard, of every command that writes a dataset; *inherited*: by default as its input."""
    return click.Option(
        ["--shard"],
        type=click.IntRange(0),
        default=None if inherited else 0,
        show_default="as DATASET has it" if inherited else False,
        metavar="N",
        help="At most N samples per folder: JPEGImages/000/…, 001/…; for datasets too large for one"
        " folder." + (" 0 = one folder." if inherited else ""),
    )


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


def of_fields(declared: Declared) -> list[click.Option]:
    """One option per annotated field: type, default and help text are the field's."""
    return [_option(option) for option in declared.options]


def _option(option: DeclaredOption) -> click.Option:
    flags = [f"--{option.name.replace('_', '-')}", option.name]
    if option.kind is bool:
        return click.Option(flags, is_flag=True, help=option.help)
    kind = click.Path(path_type=Path) if option.kind is Path else option.kind
    default: dict[str, Any] = {}
    if option.default is not None:
        default = {"default": option.default, "show_default": option.default != ""}
    return click.Option(
        flags,
        type=click.Choice(option.choices) if option.choices else kind,
        multiple=option.many,
        help=option.help + (" Repeatable." if option.many else ""),
        required=option.required,
        **default,
    )
