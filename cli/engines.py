"""``--engine`` and ``--scheduler``, for commands that map over many files."""

from collections.abc import Callable
from typing import Any

import click

ENGINES = ("local", "dask")
_ENGINE = (
    "Where to run: local = processes on this machine, dask = the workers of --scheduler (extra"
    " dask)."
)
_SCHEDULER = (
    "With --engine dask: the scheduler's address, tcp://HOST:8786. [default: --jobs workers on this"
    " machine]"
)


def on_engines(command: click.Command) -> click.Command:
    """*command* with both options; whatever it maps over files runs on the engine chosen."""
    run: Callable[..., Any] | None = command.callback
    at = next(n for n, option in enumerate(command.params) if option.name == "jobs")
    command.params[at + 1 : at + 1] = [
        click.Option(
            ["--engine"],
            type=click.Choice(ENGINES),
            default="local",
            show_default=True,
            help=_ENGINE,
        ),
        click.Option(["--scheduler"], metavar="ADDRESS", help=_SCHEDULER),
    ]

    def chosen(*, engine: str, scheduler: str | None, **given: Any) -> Any:
        if scheduler and engine != "dask":
            raise click.UsageError("--scheduler goes with --engine dask")
        if run is None or engine == "local":
            return run(**given) if run else None
        from segprep import cluster
        from segprep.engine import using

        with cluster.connected(scheduler, jobs=given["jobs"]) as workers, using(workers):
            return run(**given)

    command.callback = chosen
    return command
