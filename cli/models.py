"""``segprep models``."""

from typing import Any

import click

from . import options, output

HELP = """The networks that segprep train builds, each at its published sizes.

A row is a network and a preset, counted at the number of classes it was published with, or at --classes. Parameters are the
numbers that are learned. Nothing is trained, nothing of the networks' size is allocated. Needs the extra train.

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


command = click.Command(
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
