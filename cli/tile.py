"""``segprep tile DATASET OUT``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segprep.errors import BadInputError

from . import formatting, options, output
from .declarations import declared
from .engines import on_engines
from .main import EXIT_SKIPPED
from .progress import bar
from .rewriting import refused, results, tree_options

if TYPE_CHECKING:
    from segprep.tiling.assembly import Assembly

HELP = """Cut the pictures of a dataset into tiles; put predictions of tiles together again.

DATASET is a VOC-style tree and is only read. A tile inherits its picture's lists; what lies
beyond the picture's edge is black, and ignored (255) in the mask. Tiles that show only
background are dropped.

With --undo DATASET is the dataset of tiles, and OUT gets one mask per picture. Where tiles
overlap, a pixel comes from the tile in which it lies farther from the edge.

PNG and TIFF (not compressed, LZW, deflate, PackBits, JPEG within TIFF) are read a band of rows at a
time, at least a strip of a TIFF, so that memory does not grow with the picture (see --max-pixels);
of other pictures (JPEG files, TIFF with ZSTD) each worker holds one, decoded, and of a TIFF that is
one strip that strip: save those that need more than --max-memory as PNG, or as TIFF in tiles. Where
a picture lies on the ground, by its GeoTIFF tags or a world file beside it, is kept in tiles.json;
tiles have a world file and a .aux.xml beside them, and so have the masks of --undo.

\b
Examples:
    segprep tile big/ tiles/ --size 512 --overlap 64
    segprep tile big/ tiles/ --size 1024 --overlap 0 --keep-empty
    segprep tile tiles/ masks/ --undo runs/predict
    segprep split tiles/ --group-by '^(.+)_\\d+_\\d+$'       a picture never crosses
"""


def _run(
    source: Path,
    out: Path,
    undo: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
    **given: Any,
) -> None:
    from segprep.tiling import tile
    from segprep.tiling.assembly import untile

    progress = bar(not (no_progress or quiet))
    if undo is not None:
        limits = {key: given[key] for key in ("overwrite", "max_pixels")}
        _assembled(untile(source, undo, out, progress=progress, **limits), as_json, quiet)
        return
    try:
        done = tile(source, out, progress=progress, **given)
    except BadInputError as error:
        refused(error, out, as_json)
    results(done, ("cut", given["dry_run"]), as_json, quiet, verbose, {})
    click.get_current_context().exit(EXIT_SKIPPED if done.failed else 0)


def _assembled(done: "Assembly", as_json: bool, quiet: bool) -> None:
    if as_json:
        document = {"out": str(done.out), "masks": done.masks, "missing": done.missing}
        output.document(document)
    elif not quiet:
        rest = f", {done.missing} tiles are background" if done.missing else ""
        output.line(f"{done.masks} masks put together{rest} -> {done.out}")


command = formatting.Command(
    "tile",
    callback=_run,
    help=HELP,
    short_help="Cut large pictures into tiles; put predictions together.",
    params=[
        click.Argument(["source"], type=click.Path(path_type=Path), metavar="DATASET"),
        click.Argument(["out"], type=click.Path(path_type=Path), metavar="OUT"),
        *options.of_fields(declared("segprep.tiling")),
        click.Option(
            ["--undo"],
            type=click.Path(path_type=Path),
            metavar="PRED",
            help="Put the masks <tile>.png in PRED together; DATASET holds the tiles.",
        ),
        *tree_options(),
    ],
    no_args_is_help=True,
)
on_engines(command)
