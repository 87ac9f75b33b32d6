"""``segprep split [DATASET]``."""

from pathlib import Path
from typing import Any

import click

from segprep.dataset.tree import SPLITS
from segprep.splitting import Split, split

from . import options, output

HELP = """Split a dataset into train, val and test; write ImageSets/Segmentation/*.txt.

DATASET is a VOC-style tree, the current folder by default. The same seed gives the same lists on every machine. With
--update, new samples are placed and no old one moves.

\b
Examples:
    segprep split --seed 1
    segprep split out/ --ratio 90/10/0 --stratify pixels
    segprep split out/ --group-by '^(patient\\d+)_'       a patient never crosses
    segprep split out/ --folds 5
    segprep split out/ --keep test                       keep the official test list
    segprep split out/ --update                          after new data were converted
"""


def _run(
    dataset: Path, as_json: bool, quiet: bool, verbose: bool, no_progress: bool, **given: Any
) -> None:
    made = split(dataset, **given)
    if not quiet:
        output.notes(made.notes, verbose)
    if as_json:
        output.document(
            {
                **made.record,
                "counts": made.counts,
                "folds": len(made.folds),
                "notes": output.plain_notes(made.notes),
                "written": not given["dry_run"],
            }
        )
    elif not quiet:
        _show(made, given["dry_run"])


def _show(made: Split, dry_run: bool) -> None:
    total = sum(made.counts.values()) or 1
    record = made.record
    title = f"{made.root}: {total} samples, seed {record['seed']}, ratio {record['ratio']}" + (
        " (nothing written)" if dry_run else ""
    )
    rows = [
        (name, str(made.counts[name]), f"{100 * made.counts[name] / total:.1f} %")
        for name in SPLITS
    ]
    rows += [
        (f"fold {n}", f"{len(train)} + {len(val)}", f"{100 * len(val) / total:.1f} %")
        for n, (train, val) in enumerate(made.folds)
    ]
    output.table(title, ("list", "samples", "share"), rows)


command = click.Command(
    "split",
    callback=_run,
    help=HELP,
    short_help="Split a dataset into train, val and test (70/20/10).",
    params=[
        options.dataset(),
        click.Option(
            ["--seed"],
            type=int,
            default=None,
            show_default="0, or with --update the recorded one",
            help="Any whole number.",
        ),
        click.Option(
            ["--ratio"],
            default=None,
            show_default="70/20/10",
            help="train/val/test, for example 70/20/10, 90/10/0, 100/0/0.",
        ),
        click.Option(
            ["--group-by"],
            metavar="REGEX|CSV",
            help=(
                "Samples of one group stay in one list: a regular expression over names (its first"
                " group counts), or a CSV of stem,group."
            ),
        ),
        click.Option(
            ["--stratify"],
            type=click.Choice(["pixels", "presence"]),
            help="Even out the classes' pixel shares, or in how many images they occur.",
        ),
        click.Option(
            ["--folds"],
            type=int,
            default=None,
            help="Write fold0train.txt, fold0val.txt, … over train and val as well.",
        ),
        click.Option(
            ["--keep"],
            type=click.Choice(SPLITS),
            multiple=True,
            help="Leave this list as it is and share out the rest. Repeatable.",
        ),
        click.Option(["--update"], is_flag=True, help="Place new samples only; no old one moves."),
        options.jobs(),
        *options.writing(),
        *options.display(),
    ],
)
