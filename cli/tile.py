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

HELP = """Cut the images of a dataset into tiles, or put predictions of tiles back together.

DATASET is a VOC-style tree and is only read. A tile inherits its image's lists. Beyond the edge of
the image, tiles are black, and ignored (255) in the mask. Tiles that show only background are
dropped.

With --undo, DATASET is the dataset of tiles, and OUT gets one mask per image. Where tiles overlap,
each pixel comes from the tile in which it is farther from the edge.

PNG and TIFF (uncompressed, LZW, deflate, PackBits, JPEG in TIFF) are read in bands of rows or
strips, so that memory does not grow with the image (see --max-pixels). Other images (JPEG files,
TIFF with ZSTD or of a single strip) are held decoded, one per worker: save those that need more
than --max-memory as PNG or as tiled TIFF. Georeferences (GeoTIFF tags or a world file beside the
image) are kept in tiles.json; tiles, and the masks of --undo, get a world file and a .aux.xml.

\b
Examples:
    segprep tile big/ tiles/ --size 512 --overlap 64
    segprep tile big/ tiles/ --size 1024 --overlap 0 --keep-empty
    segprep tile tiles/ masks/ --undo runs/predict
    segprep split tiles/ --group-by '^(.+)_\\d+_\\d+$'       keeps all tiles of an image in one list
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
    short_help="Cut large images into tiles, or put predictions together.",
    params=[
        click.Argument(["source"], type=click.Path(path_type=Path), metavar="DATASET"),
        click.Argument(["out"], type=click.Path(path_type=Path), metavar="OUT"),
        *options.of_fields(declared("segprep.tiling")),
        click.Option(
            ["--undo"],
            type=click.Path(path_type=Path),
            metavar="PRED",
            help="Put the masks <tile>.png in PRED back together; DATASET holds the tiles.",
        ),
        *tree_options(),
    ],
    no_args_is_help=True,
)
on_engines(command)
