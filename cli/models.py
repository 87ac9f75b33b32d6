"""``segprep models``."""

from typing import Any

import click

from segprep import network_sizes

from . import formatting, options, output

HELP = """List the models that segprep train builds, each at its published sizes.

One row per model and preset, with the parameter count for the number of classes it was published
with, or for --classes. Nothing is trained and no weights are allocated. With NAME, list the layers
of that model: shapes, parameters, multiplications. NAME and --classes need the extra train.

\b
Examples:
    segprep models
    segprep models unet --size 480
    segprep models unetpp --preset l2 --classes 2
    segprep models --classes 3
    segprep models --json
"""
COLUMNS = ("name", "preset", "classes", "in_channels", "parameters", "source")


def _run(
    name: str | None, preset: str | None, size: int, classes: int | None, as_json: bool
) -> None:
    if name:
        _layers(name, preset, size, classes, as_json)
        return
    if preset:
        raise click.UsageError("--preset needs the NAME of a model")
    if classes is None:
        rows = network_sizes.published()
    else:
        from segprep.training.models import models

        rows = models(classes)
    if as_json:
        output.document(rows)
    else:
        columns = [key.replace("in_", "") for key in COLUMNS]
        output.table(
            f"{len(rows)} sizes of {len({row['name'] for row in rows})} models",
            columns,
            map(_cells, rows),
        )


def _layers(name: str, preset: str | None, size: int, classes: int | None, as_json: bool) -> None:
    """The layers of one network."""
    from dataclasses import asdict

    from segprep.training.models import layers

    table = layers(name, preset, size=size, classes=classes)
    learned, products = (
        sum(getattr(layer, key) for layer in table) for key in ("parameters", "multiplications")
    )
    if as_json:
        rows = [asdict(layer) for layer in table]
        output.document({"parameters": learned, "multiplications": products, "layers": rows})
        return
    cells = [
        (
            layer.name,
            layer.kind,
            " x ".join(map(str, layer.shape)),
            f"{layer.parameters:,}",
            f"{layer.multiplications / 1e9:.3f}" if layer.multiplications else "",
        )
        for layer in table
    ]
    columns = ("layer", "kind", "output", "parameters", "10^9 multiplications")
    output.table(f"{name} at {size}x{size}", columns, cells)
    output.line(f"{learned:,} parameters, {products / 1e9:.2f} billion multiplications per image")


def _cells(row: dict[str, Any]) -> list[str]:
    return [f"{row[key]:,}" if key == "parameters" else str(row[key]) for key in COLUMNS]


command = formatting.Command(
    "models",
    callback=_run,
    help=HELP,
    short_help="List the models of the trainer and their sizes.",
    params=[
        click.Argument(["name"], required=False),
        click.Option(["--preset"], help="One of its published sizes.  [default: the usual one]"),
        click.Option(
            ["--size"],
            type=click.IntRange(16, 8192),
            default=256,
            show_default=True,
            help="Side of the image in pixels.",
        ),
        click.Option(
            ["--classes"],
            type=click.IntRange(1, 255),
            metavar="N",
            help="Count at N classes.  [default: as published]",
        ),
        next(option for option in options.display() if option.name == "as_json"),
    ],
)
