"""``segprep info [DATASET]``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import formatting, options, output

if TYPE_CHECKING:
    from segprep.description import Info

HELP = """Show what a dataset contains: samples, classes with their pixels, sizes, lists, origin.

Works on any VOC-style tree. A tree made by segprep is compared with its records: missing, added and
changed files are faults, and the exit code is 1. Files whose size, times and inode have not changed
are not read for this, unless the tree was copied or moved; --check reads every file.

\b
Examples:
    segprep info out/
    segprep info out/ --check        read every file
    segprep info out/ --json
"""
FEW = 20


def _run(
    dataset: Path,
    jobs: int,
    check: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
) -> None:
    from segprep.description import info

    summary = info(dataset, check=check, jobs=jobs)
    if as_json:
        content = asdict(summary) | {
            "root": str(summary.root),
            "sizes": {
                f"{width}x{height}": count for (width, height), count in summary.sizes.items()
            },
        }
        output.document(content)
    elif not quiet:
        _show(summary, verbose)
    if summary.faults:
        if quiet or as_json:
            output.aside(f"{len(summary.faults)} faults: segprep info {summary.root}")
        click.get_current_context().exit(1)


def _show(summary: "Info", verbose: bool) -> None:
    from segprep.conversion.unpainted import in_words

    origin = (
        f"from {summary.source['format']} {summary.source['path']}"
        if summary.source
        else "not made by segprep"
    )
    rows = [
        (row.value, row.name, f"{row.pixels:,}", f"{100 * row.share:.2f} %", row.images)
        for row in summary.classes
        if verbose or row.pixels or len(summary.classes) <= 30
    ]
    output.table(
        f"{summary.root}: {summary.images} images, {origin}",
        ("id", "class", "pixels", "share", "images"),
        rows,
    )
    if left := len(summary.classes) - len(rows):
        output.line(f"{left} classes without a pixel (--verbose lists them)")
    if summary.ignored:
        output.line(f"ignored (255): {100 * summary.ignored:.2f} % of all pixels")
    sizes = [f"{width}x{height} ({count})" for (width, height), count in summary.sizes.items()]
    output.line(
        f"sizes: {', '.join(sizes[:5])}" + (f" and {len(sizes) - 5} more" if len(sizes) > 5 else "")
    )
    _show_lists(summary)
    if summary.notes:
        output.line(
            "notes: " + ", ".join(f"{code} ({count})" for code, count in summary.notes.items())
        )
    for row in summary.unpainted[: None if verbose else FEW]:
        output.line(f"not painted: {in_words(row)}")
    _show_doubts(summary, verbose)


def _show_lists(summary: "Info") -> None:
    lists = ", ".join(f"{name} {count}" for name, count in summary.lists.items())
    output.line(f"lists: {lists or 'none yet (segprep split)'}")
    if summary.split:
        output.line(f"split: seed {summary.split.get('seed')}, ratio {summary.split.get('ratio')}")
    if summary.unlisted:
        output.line(f"{summary.unlisted} samples are in no list (segprep split --update)")


def _show_doubts(summary: "Info", verbose: bool) -> None:
    if summary.equal:
        from segprep.dataset.equal_images import listed

        count = sum(map(len, summary.equal))
        output.line(
            f"equal images: {count} samples share {len(summary.equal)}: {listed(summary.equal)}"
        )
    for doubt in summary.doubts:
        output.line(f"doubtful: {doubt}")
    shown = summary.faults if verbose else summary.faults[:FEW]
    for fault in shown:
        output.line(f"fault: {fault}")
    if left := len(summary.faults) - len(shown):
        output.line(f"and {left} more faults (--verbose lists them)")


command = formatting.Command(
    "info",
    callback=_run,
    help=HELP,
    short_help="Show what a dataset contains.",
    params=[
        options.dataset(),
        click.Option(["--check"], is_flag=True, help="Read every file, even if unchanged."),
        *options.workers(),
        *options.display(),
    ],
)
