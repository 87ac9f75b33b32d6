"""What the commands share that write a new tree from old ones: options, results, refusals."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from segprep.errors import BadInputError
from segprep.types import Skipped

from . import options, output
from .main import report

if TYPE_CHECKING:
    from segprep.conversion.result import Conversion


def tree_options(*, image_format: bool = True, keeps: bool = False) -> list[click.Parameter]:
    """--mask-mode, --image-format, --on-error and the options of every command that writes;
    *keeps*: masks stay of the kind that they are unless one is named.
    """
    formats = click.Option(
        ["--image-format"],
        type=click.Choice(["keep", "jpg"]),
        default="keep",
        show_default=True,
        help="keep = lossless PNG; jpg = JPEG (quality 95, 4:4:4).",
    )
    return [
        click.Option(
            ["--mask-mode"],
            type=click.Choice(["palette", "gray"]),
            default=None if keeps else "palette",
            show_default="as DATASET has it" if keeps else True,
            help="Masks as palette PNG (VOC colors), or gray PNG; pixel values are the same.",
        ),
        *([formats] if image_format else []),
        options.shard(inherited=True),
        click.Option(
            ["--on-error"],
            type=click.Choice(["stop", "skip"]),
            default="stop",
            show_default=True,
            help="Bad samples: stop = list all and write nothing; skip = skip them (exit 3).",
        ),
        *options.workers(),
        *options.writing(),
        *options.display(),
    ]


def remarks(done: "Conversion", quiet: bool, verbose: bool) -> None:
    """What was skipped, and the notes; with *quiet* only how much was skipped."""
    if quiet:
        output.skipped_count(done.skipped)
    else:
        output.skipped(done.skipped)
        output.notes(done.notes, verbose)


def document(done: "Conversion") -> dict[str, Any]:
    """What was written, for --json."""
    return {
        "out": str(done.out),
        "converted": done.converted + done.kept,
        "new": done.converted,
        "unchanged": done.kept,
        "removed": list(done.removed),
        "skipped": output.plain_skipped(done.skipped),
        "classes": list(done.classes),
        "notes": output.plain_notes(done.notes),
        "written": done.written,
    }


def results(
    done: "Conversion",
    verb: tuple[str, bool],
    as_json: bool,
    quiet: bool,
    verbose: bool,
    further: Mapping[str, Any],
) -> None:
    """Show what was written: notes and one line, or a document with the *further* keys.

    *verb* is the participle and whether it was a dry run.
    """
    remarks(done, quiet, verbose)
    if as_json:
        output.document({**document(done), **further})
    elif not quiet:
        word, dry_run = verb
        would = f"would be {word}" if dry_run else word
        what = would if dry_run or done.written else "unchanged, nothing to do"
        skipped = f", {len(done.skipped)} skipped" if done.skipped else ""
        output.line(
            f"{done.converted + done.kept} samples {what}{skipped} -> {done.out}"
            f" ({len(done.classes)} classes)"
        )


def refused(error: BadInputError, out: Path, as_json: bool) -> NoReturn:
    """List every bad sample; with --json as a document too; and exit."""
    listed = [skip for skip in error.skipped if isinstance(skip, Skipped)]
    output.skipped(listed)
    if as_json:
        document = {"out": str(out), "converted": 0, "classes": [], "notes": []}
        skipped = {"skipped": output.plain_skipped(listed), "error": error.code}
        output.document({**document, **skipped})
    raise SystemExit(report(error))
