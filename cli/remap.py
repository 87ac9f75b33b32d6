"""``segprep remap DATASET OUT``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segprep.errors import BadInputError

from . import formatting, options, output, rewriting
from .declarations import declared
from .main import EXIT_SKIPPED
from .progress import bar

if TYPE_CHECKING:
    from segprep.remapping import Remapping

HELP = """Merge, rename, drop or reorder the classes of a dataset; write a new one.

DATASET is any VOC-style tree and is never changed. Mappings apply simultaneously, so cat=dog
together with dog=cat swaps the two. Images are copied byte for byte; lists and split are kept. If
the tree has no class names, give pixel values instead (--map 1=2); they keep their numbers. A value
without a class is an error that names the mask and counts the pixels.

\b
Examples:
    segprep remap out/ merged/ --map kitten=cat --map puppy=dog
    segprep remap out/ fewer/ --drop bird --drop-as ignore
    segprep remap out/ sorted/ --order _background_,dog,cat
    segprep remap theirs/ fixed/  --ids 0=background,255=cell      0/255 masks
    segprep remap theirs/ swapped/ --map 1=2 --map 2=1             no class names
"""
_COLUMNS = ("value", "class", "new value", "new class")


def _run(
    source: Path,
    out: Path,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
    names: str | None,
    order: str | None,
    **chosen: Any,
) -> None:
    from segprep.remapping import remap

    try:
        done = remap(
            source,
            out,
            progress=bar(not (no_progress or quiet)),
            classes=names,
            order=order,
            **chosen,
        )
    except BadInputError as error:
        rewriting.refused(error, out, as_json)
    _show(done, as_json, quiet, verbose, chosen["dry_run"])
    click.get_current_context().exit(EXIT_SKIPPED if done.conversion.failed else 0)


def _show(remapping: "Remapping", as_json: bool, quiet: bool, verbose: bool, dry_run: bool) -> None:
    done = remapping.conversion
    rewriting.remarks(done, quiet, verbose)
    if as_json:
        table = [
            {"value": old, "class": name, "new_value": new, "new_class": new_name}
            for old, name, new, new_name in remapping.table
        ]
        output.document({**rewriting.document(done), "table": table})
    elif not quiet:
        what = (
            "would be remapped"
            if dry_run
            else "remapped"
            if done.written
            else "unchanged, nothing to do"
        )
        rows = [
            tuple(map(str, entry))
            for entry in remapping.table
            if verbose or len(remapping.table) <= 30 or entry[0] != entry[2]
        ]
        output.table(
            f"{done.converted + done.kept} samples {what} -> {done.out} ({len(done.classes)}"
            " classes)",
            _COLUMNS,
            rows,
        )


def _parameters() -> list[click.Parameter]:
    listed = {
        option.name: option for option in options.of_fields(declared("segprep.remapping.reader"))
    }
    for name, metavar in (("order", "FILE|a,b,c"), ("names", "FILE|a,b,c|N")):
        text = (listed[name].help or "").removesuffix(" Repeatable.")
        listed[name] = click.Option(
            [f"--{'classes' if name == 'names' else name}", name], metavar=metavar, help=text
        )
    return [
        click.Argument(
            ["source"],
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            metavar="DATASET",
        ),
        click.Argument(["out"], type=click.Path(path_type=Path), metavar="OUT"),
        *listed.values(),
        *rewriting.tree_options(image_format=False, keeps=True),
    ]


command = formatting.Command(
    "remap",
    callback=_run,
    help=HELP,
    short_help="Merge, rename, drop or reorder classes; write a new dataset.",
    params=_parameters(),
    no_args_is_help=True,
)
