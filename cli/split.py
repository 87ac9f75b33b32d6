"""``segprep split [DATASET]``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import formatting, options, output

if TYPE_CHECKING:
    from segprep.splitting import Split

HELP = """Split a dataset into train, val and test; write ImageSets/Segmentation/*.txt.

DATASET is a VOC-style tree, the current folder by default. The same seed gives the same lists on
every machine. With --update, new samples are added and existing ones keep their place.

\b
Examples:
    segprep split --seed 1
    segprep split out/ --ratio 90/10/0 --stratify pixels
    segprep split out/ --group-by '^(patient\\d+)_'       keeps all images of a patient in one list
    segprep split out/ --folds 5
    segprep split out/ --keep test                       keep the official test list
    segprep split out/ --update                          after new data were converted
"""
LISTS = ("train", "val", "test")


def _run(
    dataset: Path, as_json: bool, quiet: bool, verbose: bool, no_progress: bool, **chosen: Any
) -> None:
    from segprep.splitting import split

    outcome = split(dataset, **chosen)
    if not quiet:
        output.notes(outcome.notes, verbose)
    if as_json:
        output.document(
            {
                **outcome.record,
                "counts": outcome.counts,
                "folds": len(outcome.folds),
                "notes": output.plain_notes(outcome.notes),
                "written": not chosen["dry_run"],
            }
        )
    elif not quiet:
        _show(outcome, chosen["dry_run"])


def _show(outcome: "Split", dry_run: bool) -> None:
    total = sum(outcome.counts.values()) or 1
    record = outcome.record
    title = f"{outcome.root}: {total} samples, seed {record['seed']}, ratio {record['ratio']}" + (
        " (nothing written)" if dry_run else ""
    )
    rows = [
        (name, str(outcome.counts[name]), f"{100 * outcome.counts[name] / total:.1f} %")
        for name in LISTS
    ]
    rows += [
        (f"fold {n}", f"{len(train)} + {len(val)}", f"{100 * len(val) / total:.1f} %")
        for n, (train, val) in enumerate(outcome.folds)
    ]
    output.table(title, ("list", "samples", "share"), rows)


command = formatting.Command(
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
            help="Random seed.",
        ),
        click.Option(
            ["--ratio"],
            default=None,
            show_default="70/20/10",
            help="train/val/test, for example 70/20/10, 90/10/0, 100/0/0.",
        ),
        click.Option(
            ["--group-by"],
            metavar="REGEX|CSV|near-duplicates|numbering",
            help=(
                "Samples of one group stay in one list: a regular expression over names (its first"
                " group counts), a CSV of stem,group, near-duplicates (frames of one"
                " scene, copies) or numbering (film_001, film_002)."
            ),
        ),
        click.Option(
            ["--stratify"],
            type=click.Choice(["pixels", "presence"]),
            help="Balance the classes' pixel shares, or the number of images they occur in.",
        ),
        click.Option(
            ["--folds"],
            type=int,
            default=None,
            help="Write fold0train.txt, fold0val.txt, … over train and val as well.",
        ),
        click.Option(
            ["--keep"],
            type=click.Choice(LISTS),
            multiple=True,
            help="Keep this list unchanged and split the rest. Repeatable.",
        ),
        click.Option(
            ["--equal"],
            type=click.Choice(["together", "free"]),
            default=None,
            show_default="together",
            help="Equal images (byte for byte): together = in one list; free = anywhere.",
        ),
        click.Option(["--update"], is_flag=True, help="Place new samples only; no old one moves."),
        *options.workers(),
        *options.writing(),
        *options.display(),
    ],
)
