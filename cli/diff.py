"""``segprep diff A B``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segprep.errors import TreeError
from segprep.files import write_atomic

from . import formatting, options, output
from .progress import bar

if TYPE_CHECKING:
    from segprep.verification.comparison import Difference

HELP = """Compare two datasets: classes, samples, lists, and the pixels that differ per class.

A and B are any VOC-style trees. Pixels are compared by class name if both have class names. The
exit code is 0 even if they differ, unless --exit-code is given.

\b
Examples:
    segprep diff old/ new/
    segprep diff old/ new/ --sheet differences.png
    segprep diff old/ new/ --exit-code -q
"""
FEW = 20


def _run(
    first: Path,
    second: Path,
    sheet: Path | None,
    overwrite: bool,
    exit_code: bool,
    jobs: int,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
) -> None:
    from segprep.verification.comparison import diff

    if sheet is not None:
        _guard(sheet, (first, second), overwrite)
    difference = diff(first, second, jobs=jobs, progress=bar(not (no_progress or quiet)))
    if sheet is not None:
        from segprep.verification.sheet import sheet as drawn

        write_atomic(sheet, drawn(difference))
    if as_json:
        content = asdict(difference) | {
            "first": str(difference.first),
            "second": str(difference.second),
        }
        output.document(
            content | {"differs": difference.any, "sheet": str(sheet) if sheet else None}
        )
    elif not quiet:
        _show(difference, verbose)
        if sheet is not None:
            output.line(f"sheet: {sheet}")
    click.get_current_context().exit(1 if exit_code and difference.any else 0)


def _guard(sheet: Path, trees: tuple[Path, Path], overwrite: bool) -> None:
    """Raise TreeError where the sheet would lie in a tree, or over another file."""
    inside = [folder for folder in trees if sheet.resolve().is_relative_to(folder.resolve())]
    if inside:
        raise TreeError(
            "output-overlaps-source",
            f"{sheet} lies in the dataset {inside[0]}",
            "choose a file beside it",
        )
    if sheet.exists() and not overwrite:
        raise TreeError(
            "output-exists", f"{sheet} exists", "choose another file, or give --overwrite"
        )


def _show(difference: "Difference", verbose: bool) -> None:
    if not difference.any:
        output.line(
            f"{difference.first} and {difference.second}: no difference in"
            f" {difference.same} samples"
        )
        return
    rows = [
        (
            row.name,
            "-" if row.first_id is None else row.first_id,
            "-" if row.second_id is None else row.second_id,
            f"{row.first_only:,}",
            f"{row.second_only:,}",
        )
        for row in difference.classes
    ]
    title = f"A {difference.first}, B {difference.second}: {difference.same} identical samples"
    output.table(f"{title}, {len(difference.items)} differ", _COLUMNS, rows)
    _names("only in A", difference.first_only, verbose)
    _names("only in B", difference.second_only, verbose)
    items = sorted(difference.items, key=lambda item: -(item.pixels or 0))
    for item in items if verbose else items[:FEW]:
        output.line(f"{item.stem}: {item.reason}")
    if len(items) > FEW and not verbose:
        output.line(f"and {len(items) - FEW} more (--verbose lists them)")
    if difference.lists:
        output.line(f"lists that differ: {', '.join(difference.lists)}")


_COLUMNS = ("class", "id in A", "id in B", "pixels only in A", "pixels only in B")


def _names(title: str, stems: tuple[str, ...], verbose: bool) -> None:
    if stems:
        listed = stems if verbose else stems[:FEW]
        more = f" and {len(stems) - len(listed)} more" if len(listed) < len(stems) else ""
        output.line(f"{title} ({len(stems)}): {', '.join(listed)}{more}")


command = formatting.Command(
    "diff",
    callback=_run,
    help=HELP,
    short_help="Compare two datasets: classes, samples, pixels per class.",
    no_args_is_help=True,
    params=[
        click.Argument(["first"], type=click.Path(path_type=Path), metavar="A"),
        click.Argument(["second"], type=click.Path(path_type=Path), metavar="B"),
        click.Option(
            ["--sheet"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="A PNG of the 12 masks that differ most: image, A, B, difference.",
        ),
        click.Option(["--overwrite"], is_flag=True, help="Overwrite an existing FILE."),
        click.Option(["--exit-code"], is_flag=True, help="Exit with 1 if anything differs."),
        *options.workers(),
        *options.display(),
    ],
)
