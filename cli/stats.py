"""``segprep stats [DATASET]``."""

import csv
import io
from pathlib import Path
from typing import Any

import click

from segprep.names import csv_cell

from . import formatting, options, output
from .engines import on_engines
from .main import EXIT_SKIPPED
from .progress import bar

HELP = """A dataset in numbers: pixels, images and components per class and split, sizes, colors.

Also the drift between splits, mean and standard deviation of the pixels that are not ignored (of
the train list, if there is one), and class weights for a loss. Samples that cannot be read are
skipped and listed, and the exit code is 3.

\b
Examples:
    segprep stats out/
    segprep stats out/ --json
    segprep stats out/ --csv classes.csv --plots charts/
    segprep stats out/ --mean-std                 as options of segprep train
    segprep stats out/ --quick                    from the manifest's counts, no image is opened
"""


def _run(dataset: Path, as_json: bool, quiet: bool, verbose: bool, **given: Any) -> None:
    from segprep import statistics
    from segprep.files import write_atomic

    table, plots, only = given.pop("csv"), given.pop("plots"), given.pop("mean_std")
    if only and given["quick"]:
        raise click.UsageError("--mean-std opens the images; omit --quick")
    if not given.pop("overwrite"):
        _guard(table, plots)
    shown = bar(not (given.pop("no_progress") or quiet))
    result = statistics.stats(dataset, **given, progress=shown)
    if table:
        write_atomic(table, _csv(statistics.rows(result)))
    if plots:
        from segprep.statistics.plots import charts

        pictures = charts(result)
        plots.mkdir(parents=True, exist_ok=True)
        for name, data in pictures.items():
            write_atomic(plots / name, data)
    if not quiet:
        output.notes(result.notes, verbose)
    if as_json:
        output.document(statistics.document(result))
    elif only:
        _options(result)
    elif not quiet:
        _show(result)
    click.get_current_context().exit(EXIT_SKIPPED if result.notes else 0)


def _guard(table: Path | None, plots: Path | None) -> None:
    """Raise UsageError (output-exists) for a file or a folder of charts that is there already."""
    from segprep.errors import UsageError

    there = [table] if table and table.exists() else []
    there += [plots] if plots and plots.is_dir() and any(plots.iterdir()) else []
    if there:
        hint = "choose another name, or give --overwrite"
        raise UsageError("output-exists", f"{there[0]} already exists", hint)


def _options(result: Any) -> None:
    """Mean over the images of each one's own mean, and the same of the deviation, as the DRIVE
    tutorial takes them: the options that segprep train has for them.
    """
    parts = ((name, getattr(result.colors, f"image_{name}")) for name in ("mean", "std"))
    output.line(
        " ".join(f"--{name} {','.join(f'{v:.5f}' for v in values)}" for name, values in parts)
    )


def _csv(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    cells = ([csv_cell(cell) for cell in row] for row in rows)
    csv.writer(text, lineterminator="\n").writerows(cells)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _show(result: Any) -> None:
    splits = list(result.splits)
    columns = ("id", "class", "pixels", "share", "images", "parts")
    rows = [
        (
            str(row.value),
            row.name,
            f"{row.pixels:,}",
            f"{100 * row.share:.2f} %",
            str(row.images),
            "" if row.components is None else f"{row.components:,}",
            *(str(row.splits[name][1]) for name in splits),
        )
        for row in result.classes
    ]
    output.table(
        f"{result.root}: {result.images} images", (*columns, *(name for name in splits)), rows
    )
    output.line(f"ignored (255): {100 * result.ignored:.2f} % of all pixels")
    sizes = [f"{width}x{height} ({count})" for (width, height), count in result.sizes.items()]
    more = f" and {len(sizes) - 5} more" if len(sizes) > 5 else ""
    output.line(f"sizes: {', '.join(sizes[:5])}{more}")
    if result.drift:
        drift = ", ".join(f"{name} {100 * value:.1f} %" for name, value in result.drift.items())
        output.line(f"drift of class shares against all: {drift}")
    if result.colors:
        for kind in ("image", "pooled"):
            mean, std = (getattr(result.colors, f"{kind}_{what}") for what in ("mean", "std"))
            output.line(f"{kind} mean {_numbers(mean)} std {_numbers(std)} ({result.colors_of})")
    names = list(result.weights)
    weighted = [
        (row.name, *(f"{result.weights[name][n]:.3f}" for name in names))
        for n, row in enumerate(result.classes)
    ]
    output.table("class weights for a loss", ("class", *names), weighted)


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.4f}" for value in values)


command = formatting.Command(
    "stats",
    callback=_run,
    help=HELP,
    short_help="A dataset in numbers: classes, splits, sizes, colors, weights.",
    params=[
        options.dataset(),
        click.Option(
            ["--classes"],
            metavar="FILE|a,b,c|N",
            help="Class names, or their number, where the dataset has none.",
        ),
        click.Option(
            ["--quick"], is_flag=True, help="Skip components and mean: no image is opened."
        ),
        click.Option(
            ["--mean-std"],
            is_flag=True,
            help="Print only mean and standard deviation, as options of segprep train.",
        ),
        click.Option(
            ["--csv"],
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write one row per class to this file.",
        ),
        click.Option(
            ["--plots"],
            type=click.Path(path_type=Path, file_okay=False),
            help="Write charts into this folder (extra report).",
        ),
        click.Option(["--overwrite"], is_flag=True, help="Overwrite existing output."),
        *options.workers(),
        *options.display(),
    ],
)
on_engines(command)
