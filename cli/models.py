"""``segprep models``."""

from typing import Any

import click

from . import formatting, options, output

HELP = """List the networks that segprep train builds, each at its published sizes.

One row per network and preset, counted at the number of classes it was published with, or at
--classes. Parameters are the learned numbers. Nothing is trained and no weights are allocated.
Needs the extra train.

\b
Examples:
    segprep models
    segprep models --classes 3
    segprep models --json
"""
COLUMNS = ("name", "preset", "classes", "in_channels", "parameters", "source")


def _run(classes: int | None, as_json: bool) -> None:
    from segprep.training.models import models

    rows = models(classes)
    if as_json:
        output.document(rows)
    else:
        columns = [key.replace("in_", "") for key in COLUMNS]
        output.table(
            f"{len(rows)} sizes of {len({row['name'] for row in rows})} networks",
            columns,
            map(_cells, rows),
        )


def _cells(row: dict[str, Any]) -> list[str]:
    return [f"{row[key]:,}" if key == "parameters" else str(row[key]) for key in COLUMNS]


command = formatting.Command(
    "models",
    callback=_run,
    help=HELP,
    short_help="List the networks of the trainer and their sizes.",
    params=[
        click.Option(
            ["--classes"],
            type=click.IntRange(1, 255),
            metavar="N",
            help="Count at N classes.  [default: as published]",
        ),
        next(one for one in options.display() if one.name == "as_json"),
    ],
)
