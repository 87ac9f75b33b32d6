"""``segprep resize DATASET OUT``."""

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
    from segprep.resizing import Resizing

HELP = """Write a dataset at another size.

DATASET is a VOC-style tree and is only read. Images are resampled with a filter, masks by nearest
neighbor; the bars of a letterbox are gray in the image and 255 (ignored) in the mask. The share of
border pixels before and after, and classes that vanish from masks, are reported. Training does not
need it: segprep train resizes as it reads.

\b
Examples:
    segprep resize out/ small/ --size 512                  letterbox
    segprep resize out/ small/ --size 256 --mode short
    segprep resize out/ small/ --size 640x480 --mode exact --image-format jpg
"""


def _run(
    source: Path,
    out: Path,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
    **given: Any,
) -> None:
    from segprep.resizing import resize

    try:
        done = resize(source, out, progress=bar(not (no_progress or quiet)), **given)
    except BadInputError as error:
        refused(error, out, as_json)
    _show(done, as_json, quiet, verbose, given["dry_run"])
    click.get_current_context().exit(EXIT_SKIPPED if done.conversion.failed else 0)


def _show(done: "Resizing", as_json: bool, quiet: bool, verbose: bool, dry_run: bool) -> None:
    border = {"border_before": done.border.before, "border_after": done.border.after}
    further = {**border, "vanished": done.vanished}
    results(done.conversion, ("resized", dry_run), as_json, quiet, verbose, further)
    if not (as_json or quiet):
        output.line(
            f"{done.border.before:.2%} of the mask pixels were border, {done.border.after:.2%} are"
        )
        for name, count in done.vanished.items():
            output.line(f"{name} vanished from {count} masks: it is too small at this size")


command = formatting.Command(
    "resize",
    callback=_run,
    help=HELP,
    short_help="Write a dataset at another size.",
    params=[
        click.Argument(["source"], type=click.Path(path_type=Path), metavar="DATASET"),
        click.Argument(["out"], type=click.Path(path_type=Path), metavar="OUT"),
        *options.of_fields(declared("segprep.resizing")),
        *tree_options(),
    ],
    no_args_is_help=True,
)
