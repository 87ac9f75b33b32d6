"""``segprep miou [PRED]``."""

from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import Any

import click

from segprep.errors import BadInputError
from segprep.evaluation import evaluate
from segprep.evaluation.compat import TOOLS
from segprep.evaluation.results import BOUNDARY, Boundaries, Evaluation, counts, document
from segprep.types import Skipped

from . import options, output
from .main import report
from .predict import for_miou, told
from .progress import bar

HELP = """Score predictions against truth: mIoU, Dice, precision, recall, confusion matrix.

PRED is a folder of label maps named like the truth: 8- or 16-bit images, palette or gray, .npy, .npz, or
probabilities. Truth is the dataset's SegmentationClass, or the folder given with --truth. Pairs are made by
stem, never by position. Without PRED: the predictions of the dataset's last train-check.

\b
Examples:
    segprep miou predictions/                              inside a dataset
    segprep miou predictions/ --dataset out/ --split val
    segprep miou predictions/ --truth masks/ --classes 2
    segprep miou predictions/ --truth masks/ --truth-ids 0=background,255=cell      0/255 truth
    segprep miou predictions/ --against older/             is the difference real?
    segprep miou predictions/ --compat mmseg --json
    segprep miou predictions/ --out scores/ --boundary     tables, charts, the worst images
    segprep miou --checkpoint checkpoint.pt --split val    predict first, then score
    segprep miou --objects instances/                      PQ and dsb_score of a dataset with instances
"""
FEW, ALIKE = 30, 3  # classes in a table; bad inputs of one kind


def _run(
    pred: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
    list_file: Path | None,
    resize: str | None,
    exclude_class: tuple[str, ...],
    mode: str | None,
    checkpoint: Path | None,
    **given: Any,
) -> None:
    try:
        if mode is not None or checkpoint is not None:
            pred, made = for_miou(
                pred, mode or "both", checkpoint, list_file, given, bar(not (no_progress or quiet))
            )
            if made is not None and mode == "predict":
                told(made, as_json, quiet)
                return
        result = evaluate(
            pred,
            stems=list_file,
            resize=resize is not None,
            exclude=exclude_class,
            progress=bar(not (no_progress or quiet)),
            **given,
        )
    except BadInputError as error:
        _refused(error, as_json, verbose)
        click.get_current_context().exit(report(error))
    if not quiet:
        output.notes(result.notes, verbose)
    if as_json:
        output.document(document(result))
    elif not quiet:
        _show(result, verbose)


def _refused(error: BadInputError, as_json: bool, verbose: bool) -> None:
    """List the pairs that cannot be scored, a few of each kind; with --json all of them as a
    document.
    """
    listed = [one for one in error.skipped if isinstance(one, Skipped)]
    for code in dict.fromkeys(one.code for one in listed):
        alike = [one for one in listed if one.code == code]
        output.skipped(alike if verbose else alike[:ALIKE])
        if len(alike) > ALIKE and not verbose:
            click.echo(
                f"  … and {len(alike) - ALIKE} more [{code}] (--verbose lists them)", err=True
            )
    if as_json:
        output.document(
            {"miou": None, "error": error.code, "skipped": output.plain_skipped(listed)}
        )


def _show(result: Evaluation, verbose: bool) -> None:
    scores = result.scores
    listed = [
        n
        for n in range(len(result.classes))
        if verbose or len(result.classes) <= FEW or scores.pixels[n] or scores.predicted[n]
    ]
    left = set(result.policy.excluded)
    rows = [
        (
            n,
            result.classes[n] + (" (not averaged)" if n in left else ""),
            *map(_number, (scores.iou[n], scores.dice[n], scores.precision[n], scores.recall[n])),
            f"{scores.pixels[n]:,}",
        )
        for n in listed
    ]
    output.table(
        f"{result.pred} against {result.truth}: {result.pairs} pairs",
        ("id", "class", "IoU", "Dice", "precision", "recall", "pixels"),
        rows,
    )
    if len(rows) < len(result.classes):
        output.line(
            f"{len(result.classes) - len(rows)} classes occur on neither side (--verbose"
            " lists them)"
        )
    _summary(result)
    _further(result)


def _summary(result: Evaluation) -> None:
    scores, seen = result.scores, counts(result)
    spread = (
        f"  (95 % of bootstrap samples: {result.interval[0]:.4f} to {result.interval[1]:.4f})"
        if result.interval
        else ""
    )
    output.line(f"mIoU {_number(result.miou)}{spread}")
    output.line(
        f"frequency-weighted IoU {_number(scores.fwiou)}, Dice {_number(scores.mean_dice)},"
        f" precision {_number(scores.mean_precision)}, recall = mean accuracy"
        f" {_number(scores.mean_recall)}, specificity {_number(scores.mean_specificity)}, pixel"
        f" accuracy {_number(scores.pixel_accuracy)}, kappa {_number(scores.kappa)}"
    )
    output.line(
        f"always {result.baseline_class}: mIoU {_number(result.baseline.miou)}, pixel accuracy"
        f" {_number(result.baseline.pixel_accuracy)}"
    )
    excluded = ", ".join(result.classes[n] for n in result.policy.excluded) or "none"
    output.line(
        f"policy: ignore index {'none' if result.ignore is None else result.ignore}, absent classes"
        f" {result.policy.absent}, excluded {excluded}; {scores.averaged} of {len(result.classes)}"
        f" classes averaged; pixels: {seen['valid']:,} counted, {seen['ignored']:,} ignored,"
        f" {seen['invalid']:,} invalid"
    )


def _further(result: Evaluation) -> None:
    if result.compat:
        output.line(f"as {result.compat}: {result.how}")
        for name, value in result.numbers.items():
            output.line(f"  {name}: {_number(value)}")
    if result.images:
        output.table(
            "images",
            ("image", "mIoU", "pixel accuracy"),
            [(one.stem, _number(one.miou), _number(one.accuracy)) for one in result.images],
        )
    if result.groups:
        output.table(
            "groups",
            ("group", "mIoU", "pixel accuracy", "pixels"),
            [
                (one.name, _number(one.miou), _number(one.accuracy), f"{one.pixels:,}")
                for one in result.groups
            ],
        )
    if result.boundary is not None:
        _boundaries(result, result.boundary)
    if result.objects is not None:
        _objects(result.objects)
    if other := result.comparison:
        spread = (
            f" (95 %: {other.interval[0]:+.4f} to {other.interval[1]:+.4f})"
            if other.interval
            else ""
        )
        output.line(
            f"against {other.pred}: mIoU {_number(other.miou)}, difference"
            f" {other.difference:+.4f}{spread}"
        )
        for one in other.changed:
            output.line(f"  {one.stem}: {one.change:+.4f}")


def _boundaries(result: Evaluation, boundary: Boundaries) -> None:
    columns = zip(result.classes, boundary.iou.tolist(), boundary.f_score.tolist(), strict=True)
    rows = [(name, _number(iou), _number(f)) for name, iou, f in columns if not isnan(iou)]
    output.table("boundaries", ("class", "boundary IoU", "boundary F"), rows)
    output.line(
        f"mean boundary IoU {_number(boundary.mean_iou)}, mean boundary F"
        f" {_number(boundary.mean_f)} ({BOUNDARY})"
    )


def _objects(objects: Mapping[str, Any]) -> None:
    keys = ("pq", "sq", "rq", "tp", "fp", "fn")
    rows = [(entry["name"], *(_number(entry[key]) for key in keys)) for entry in objects["classes"]]
    output.table("objects", ("class", "PQ", "SQ", "RQ", "found", "false", "missed"), rows)
    output.line(
        ", ".join(
            f"{key.upper() if len(key) == 2 else key} {_number(objects[key])}"
            for key in ("pq", "sq", "rq", "dsb_score")
        )
    )


def _number(value: float) -> str:
    return "-" if isnan(value) else str(value) if isinstance(value, int) else f"{value:.4f}"


PATH = click.Path(path_type=Path)
command = click.Command(
    "miou",
    callback=_run,
    help=HELP,
    short_help="Score predictions against truth: mIoU, Dice, precision, recall, confusion matrix.",
    params=[
        click.Argument(["pred"], type=PATH, required=False),
        click.Option(
            ["--dataset", "-d"],
            type=PATH,
            default=".",
            show_default="the current folder",
            help="The VOC-style tree that holds the truth.",
        ),
        click.Option(
            ["--checkpoint"],
            type=PATH,
            help=(
                "Predict with this network first, into PRED or runs/miou/predictions of the"
                " dataset; its val list where there is one."
            ),
        ),
        click.Option(
            ["--mode"],
            type=click.Choice(["predict", "score", "both"]),
            help=(
                "With --checkpoint: only predict, only score what was predicted, or both."
                " [default: both]"
            ),
        ),
        click.Option(
            ["--truth"], type=PATH, help="A plain folder of truth masks instead of a dataset."
        ),
        click.Option(["--split"], help="Score this list of the dataset: train, val, test."),
        click.Option(
            ["--list", "list_file"], type=PATH, help="Score the stems in this file, one per line."
        ),
        click.Option(
            ["--classes"],
            help="Class names: a FILE, a,b,c, or their number. [default: the dataset's]",
        ),
        click.Option(
            ["--ignore-index"],
            default="auto",
            show_default="255; 65535 beyond 255 classes",
            help="Truth value of ignored pixels, or none.",
        ),
        click.Option(
            ["--truth-ids"],
            metavar="VALUE=NAME,…|FILE",
            help=(
                "What the values of the truth mean: 0=background,255=cell; __ignore__ is no"
                " class. 255 is ignored unless it is named."
            ),
        ),
        click.Option(
            ["--reduce-zero-label"],
            is_flag=True,
            help="Truth 0 is ignored, and n means class n - 1.",
        ),
        click.Option(
            ["--exclude-class"],
            multiple=True,
            metavar="NAME|ID",
            help=(
                "Exclude this class from the means; its pixels still count as errors of the"
                " others. Repeatable."
            ),
        ),
        click.Option(
            ["--absent"],
            type=click.Choice(["nan", "zero", "one"]),
            default="nan",
            show_default=True,
            help="Score of a class absent from both truth and prediction: nan = not averaged.",
        ),
        click.Option(
            ["--compat"],
            type=click.Choice(list(TOOLS)),
            help="Reproduce this tool's definition, and say how it differs.",
        ),
        click.Option(
            ["--missing"],
            type=click.Choice(["error", "skip"]),
            default="error",
            show_default=True,
            help="Truth without a prediction.",
        ),
        click.Option(
            ["--invalid"],
            type=click.Choice(["error", "count"]),
            default="error",
            show_default=True,
            help="Predicted values that are no class: count = as errors of the true class.",
        ),
        click.Option(
            ["--resize"],
            type=click.Choice(["nearest"]),
            help="Scale predictions of another size to their truth.",
        ),
        click.Option(
            ["--colors"],
            type=click.Choice(["voc"]),
            help=(
                "Predictions in VOC's colors, or the grays of a flattened palette: turn them"
                " back into ids."
            ),
        ),
        options.hidden("--colours", "colors", click.Choice(["voc"])),
        click.Option(
            ["--prefix"], default="", help="What the names of predictions have before the stem."
        ),
        click.Option(
            ["--suffix"],
            default="",
            help="What the names of predictions have after the stem: _pred.",
        ),
        click.Option(
            ["--threshold"],
            type=click.FloatRange(0, 1),
            help=(
                "Read 8- and 16-bit predictions of 2 classes as probabilities; class 1 above this."
            ),
        ),
        click.Option(
            ["--against"],
            type=PATH,
            help="Another folder of predictions: the difference, with its interval.",
        ),
        click.Option(
            ["--group-by"],
            metavar="REGEX|CSV",
            help=(
                "Scores per group, and the interval over groups: a regular expression over"
                " stems, or a CSV of stem,group."
            ),
        ),
        click.Option(
            ["--boundary"], is_flag=True, help="Boundary IoU and boundary F, too (slower)."
        ),
        click.Option(
            ["--objects"],
            type=PATH,
            help=(
                "Predicted instance masks, scored against SegmentationObject: PQ, SQ, RQ,"
                " dsb_score."
            ),
        ),
        click.Option(
            ["--per-image"],
            is_flag=True,
            help="Also report per-image scores (over the classes in each image).",
        ),
        click.Option(
            ["--out", "-o"],
            type=PATH,
            help=(
                "Write scores.json, per_image.csv, confusion_matrix.csv, charts and pictures of"
                " the worst images there."
            ),
        ),
        click.Option(["--overwrite"], is_flag=True, help="Replace the results in --out."),
        click.Option(
            ["--samples"],
            type=click.IntRange(0, 100_000),
            default=1000,
            show_default=True,
            help="Bootstrap samples of the interval; 0: none.",
        ),
        click.Option(
            ["--seed"],
            type=int,
            default=0,
            show_default=True,
            help="Random seed for the bootstrap.",
        ),
        click.Option(
            ["--worst"],
            type=click.IntRange(0, 10_000),
            default=10,
            show_default=True,
            help="How many of the worst images to name.",
        ),
        options.jobs(),
        *options.display(),
    ],
)
