"""``segprep merge A B… OUT``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segprep.errors import BadInputError

from . import formatting, options, output
from .declarations import declared
from .main import EXIT_SKIPPED
from .progress import bar
from .rewriting import refused, results, tree_options

if TYPE_CHECKING:
    from segprep.merging import Merging

HELP = """Merge several datasets into a new one.

The datasets are VOC-style trees and are only read. Classes are united by name, in the order they
appear; all backgrounds become one class. Names that differ only in case or blanks stay separate
and are reported. Lists of the same name are joined if every dataset has lists. If several datasets
use the same sample name, the dataset's folder name is put in front. If an image is in two datasets,
the agreement of its masks is reported per class. With a single dataset, images that it contains
twice are written once.

\b
Examples:
    segprep merge first/ second/ all/
    segprep merge anna/ ben/ both/ --same-image first      anna's mask if both annotated an image
    segprep merge anna/ ben/ both/ --same-image keep --json
    segprep merge data/ once/ --same-image first           each image once
"""


def _run(
    datasets: tuple[Path, ...],
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
    **given: Any,
) -> None:
    from segprep.merging import merge

    *trees, out = datasets
    try:
        done = merge(*trees, out=out, progress=bar(not (no_progress or quiet)), **given)
    except BadInputError as error:
        refused(error, out, as_json)
    _show(done, as_json, quiet, verbose, given["dry_run"])
    click.get_current_context().exit(EXIT_SKIPPED if done.conversion.failed else 0)


def _show(done: "Merging", as_json: bool, quiet: bool, verbose: bool, dry_run: bool) -> None:
    rows = [
        {
            "first": row.first,
            "second": row.second,
            "class": row.name,
            "images": row.images,
            "iou": row.iou,
        }
        for row in done.agreement
    ]
    results(done.conversion, ("merged", dry_run), as_json, quiet, verbose, {"agreement": rows})
    if rows and not (as_json or quiet):
        output.table(
            "agreement on images that datasets share",
            ("datasets", "class", "images", "IoU"),
            [
                (f"{row.first}, {row.second}", row.name, row.images, f"{row.iou:.4f}")
                for row in done.agreement
            ],
        )


command = formatting.Command(
    "merge",
    callback=_run,
    help=HELP,
    short_help="Merge several datasets into a new one.",
    params=[
        click.Argument(
            ["datasets"],
            type=click.Path(path_type=Path),
            nargs=-1,
            required=True,
            metavar="DATASET... OUT",
        ),
        *options.of_fields(declared("segprep.merging")),
        *tree_options(image_format=False),
    ],
    no_args_is_help=True,
)
