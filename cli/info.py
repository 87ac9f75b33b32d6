"""``segprep info [DATASET]``."""

from dataclasses import asdict
from pathlib import Path

import click

from segprep.description import Info, info

from . import options, output

HELP = """Show what a dataset holds: samples, classes with their pixels, sizes, lists, origin.

Works on every VOC-style tree, made by segprep or not.

\b
Examples:
    segprep info out/
    segprep info out/ --json
"""


def _run(
    dataset: Path, jobs: int, as_json: bool, quiet: bool, verbose: bool, no_progress: bool
) -> None:
    found = info(dataset, jobs=jobs)
    if as_json:
        content = asdict(found) | {
            "root": str(found.root),
            "sizes": {f"{width}x{height}": count for (width, height), count in found.sizes.items()},
        }
        output.document(content)
    elif not quiet:
        _show(found, verbose)


def _show(found: Info, verbose: bool) -> None:
    origin = (
        f"from {found.source['format']} {found.source['path']}"
        if found.source
        else "not made by segprep"
    )
    rows = [
        (one.value, one.name, f"{one.pixels:,}", f"{100 * one.share:.2f} %", one.images)
        for one in found.classes
        if verbose or one.pixels or len(found.classes) <= 30
    ]
    output.table(
        f"{found.root}: {found.images} images, {origin}",
        ("id", "class", "pixels", "share", "images"),
        rows,
    )
    if left := len(found.classes) - len(rows):
        output.line(f"{left} classes without a pixel (--verbose lists them)")
    if found.ignored:
        output.line(f"ignored (255): {100 * found.ignored:.2f} % of all pixels")
    sizes = [f"{width}x{height} ({count})" for (width, height), count in found.sizes.items()]
    output.line(
        f"sizes: {', '.join(sizes[:5])}" + (f" and {len(sizes) - 5} more" if len(sizes) > 5 else "")
    )
    output.line(
        "lists: "
        + (
            ", ".join(f"{name} {count}" for name, count in found.lists.items())
            or "none yet (segprep split)"
        )
    )
    if found.split:
        output.line(f"split: seed {found.split.get('seed')}, ratio {found.split.get('ratio')}")
    if found.unlisted:
        output.line(f"{found.unlisted} samples are in no list (segprep split --update)")
    if found.notes:
        output.line(
            "notes: " + ", ".join(f"{code} ({count})" for code, count in found.notes.items())
        )
    for fault in found.faults[:20]:
        output.line(f"fault: {fault}")


command = click.Command(
    "info",
    callback=_run,
    help=HELP,
    short_help="Show what a dataset holds.",
    params=[options.dataset(), options.jobs(), *options.display()],
)
