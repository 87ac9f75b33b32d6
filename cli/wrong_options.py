"""What is said of an option that is missing, or that the command does not have."""

from typing import Any

import click

from segprep import sources
from segprep.errors import UsageError


def fault(error: click.UsageError) -> UsageError | None:
    """What to say instead of click's *error*; None where its own words will do."""
    if isinstance(error, click.MissingParameter) and isinstance(error.param, click.Option):
        option = error.param
        takes = (
            f"{option.opts[0]} {option.make_metavar(error.ctx)}" if error.ctx else option.opts[0]
        )
        return UsageError("bad-option", f"{option.opts[0]} is missing", f"{takes}: {option.help}")
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        return _unknown(error, error.ctx)
    return None


def _unknown(error: click.NoSuchOption, ctx: click.Context) -> UsageError | None:
    """What to say of an option that other formats of ``convert`` have."""
    name, parent = ctx.info_name or "", ctx.parent
    if parent is None or parent.info_name != "convert" or name not in sources.names():
        return None
    field = error.option_name.lstrip("-").replace("-", "_")
    reader: Any = sources.load(name)
    owners = [other for other in sources.names() if field in _fields(sources.load(other))]
    message = f"{name} has no option {error.option_name}"
    if instead := getattr(reader, "INSTEAD", {}).get(field):
        return UsageError("bad-option", message, instead)
    if not owners:
        return None
    likely = f"did you mean {' or '.join(error.possibilities)}? " if error.possibilities else ""
    hint = f"{likely}{error.option_name} is an option of {', '.join(owners)}"
    return UsageError("bad-option", message, hint)


def _fields(reader: Any) -> frozenset[str]:
    return frozenset(reader.__dataclass_fields__)
