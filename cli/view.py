"""``segprep view [DATASET]``."""

from pathlib import Path
from typing import Any

import click

from . import formatting, options, output
from .main import EXIT_SKIPPED
from .progress import bar

HELP = """Write a page to browse a dataset: every image with its mask on top.

The page is one file that opens offline: legend, opacity, filters by class, split and finding,
keyboard, light and dark. It is written to DATASET/runs/view.html unless --out says otherwise. If a
sample cannot be read, the page says so; if any could not be read or was skipped, the exit code is
3.

\b
Examples:
    segprep view out/
    segprep view out/ --out gallery.html --no-check
    segprep view out/ --sheet sheet.png              a contact sheet
    segprep view out/ --augment                      what segprep train will see
    segprep view out/ --augment --config train.toml  … with the augmentation of this config
"""
AUGMENTED = 48


def _run(dataset: Path, quiet: bool, as_json: bool, verbose: bool, **given: Any) -> None:
    from segprep import checking, gallery
    from segprep.errors import UsageError

    augment, config = given.pop("augment"), given.pop("config")
    if augment or config:
        if given["sheet"]:
            raise UsageError(
                "bad-option", "--augment makes a page, no sheet", "give --out FILE.html"
            )
        _augmented(dataset, config, as_json, quiet, given)
        return
    progress = bar(not (given.pop("no_progress") or quiet))
    no_check, jobs = given.pop("no_check"), given["jobs"]
    findings = () if no_check else checking.check(dataset, jobs=jobs, progress=progress).findings
    result = gallery.view(dataset, findings=findings, progress=progress, **given)
    if not quiet:
        output.notes(result.notes, verbose)
    if as_json:
        output.document(
            {
                "page": str(result.page) if result.page else None,
                "sheet": str(result.sheet) if result.sheet else None,
                "shown": result.shown,
                "samples": result.total,
                "findings": len(findings),
                "unreadable": [
                    {"stem": note.stem, "reason": note.message}
                    for note in result.notes
                    if note.stem
                ],
                "notes": output.plain_notes(note for note in result.notes if not note.stem),
            }
        )
    elif not quiet:
        for path in filter(None, (result.page, result.sheet)):
            size = path.stat().st_size / 1e6
            output.line(f"{result.shown} of {result.total} samples -> {path} ({size:.1f} MB)")
    click.get_current_context().exit(EXIT_SKIPPED if result.notes else 0)


def _augmented(
    dataset: Path, config: Path | None, as_json: bool, quiet: bool, given: dict[str, Any]
) -> None:
    """The page of what a training with *config* sees."""
    from segprep import gallery
    from segprep.training.trainer.windows import augmented

    samples = augmented(dataset, config, count=min(given["most"], AUGMENTED))
    result = gallery.augmented(dataset, samples, given["out"], overwrite=given["overwrite"])
    if as_json:
        output.document({"page": str(result.page), "shown": result.shown})
    elif not quiet:
        output.line(f"{result.shown} crops as a training sees them -> {result.page}")


command = formatting.Command(
    "view",
    callback=_run,
    help=HELP,
    short_help="Write an offline page to browse a dataset.",
    params=[
        options.dataset(),
        click.Option(
            ["--out", "-o"],
            type=click.Path(path_type=Path, dir_okay=False),
            help="The page (HTML).  [default: DATASET/runs/view.html]",
        ),
        click.Option(
            ["--sheet"],
            type=click.Path(path_type=Path, dir_okay=False),
            help="A contact sheet (PNG), instead of the page unless --out is given too.",
        ),
        click.Option(
            ["--most"],
            type=click.IntRange(1, 5000),
            default=500,
            show_default=True,
            help="Show at most N samples, those with findings first.",
        ),
        click.Option(
            ["--augment"],
            is_flag=True,
            help="Show augmented crops instead, as a training will see them (extra train).",
        ),
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path, dir_okay=False),
            help="With --augment: the config.toml of the training.",
        ),
        click.Option(["--no-check"], is_flag=True, help="Do not run segprep check first."),
        click.Option(["--overwrite"], is_flag=True, help="Overwrite existing output."),
        *options.workers(),
        *options.display(),
    ],
)
