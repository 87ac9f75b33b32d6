"""``segprep miou [PRED]``."""

from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segprep.errors import BadInputError, UsageError
from segprep.types import Skipped

from . import formatting, output
from .engines import on_engines
from .main import report
from .miou_network import network_scores, show_network_scores
from .miou_options import PARAMETERS
from .miou_predictions import predicted_for
from .predict import told
from .progress import bar

if TYPE_CHECKING:
    from segprep.evaluation.results import Boundaries, Evaluation

HELP = """Score predictions against truth: mIoU, Dice, precision, recall, confusion matrix.

PRED is a folder of label maps named like the truth: 8- or 16-bit images, palette or gray, .npy,
.npz, or probabilities. Truth is the dataset's SegmentationClass, or the folder given with --truth.
Files are paired by stem. Without PRED, the predictions of the dataset's last train-check are
scored.

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
    segprep miou --checkpoint best.pt --split test --loss  and the loss that it was trained with
    segprep miou --objects instances/                      PQ and dsb_score of instances
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
    loss: str | None,
    depths: bool,
    **chosen: Any,
) -> None:
    from segprep.evaluation import evaluate
    from segprep.evaluation.results import document

    more: dict[str, Any] = {}
    if checkpoint is None and (depths or loss is not None):
        raise UsageError("bad-option", "--loss and --depths need a model", "give --checkpoint FILE")
    try:
        if mode is not None or checkpoint is not None:
            pred, predicted = predicted_for(
                pred, mode or "both", checkpoint, list_file, chosen, bar(not (no_progress or quiet))
            )
            if predicted is not None and mode == "predict":
                told(predicted, as_json, quiet)
                return
        if checkpoint is not None and (depths or loss is not None):
            more = network_scores(checkpoint, list_file, chosen, loss, depths)
        result = evaluate(
            pred,
            stems=list_file,
            resize=resize is not None,
            exclude=exclude_class,
            progress=bar(not (no_progress or quiet)),
            **chosen,
        )
    except BadInputError as error:
        _refused(error, as_json, verbose)
        click.get_current_context().exit(report(error))
    if not quiet:
        output.notes(result.notes, verbose)
    if as_json:
        output.document(document(result) | more)
    elif not quiet:
        _show(result, verbose)
        show_network_scores(more)


def _refused(error: BadInputError, as_json: bool, verbose: bool) -> None:
    """List the pairs that cannot be scored, a few of each kind; with --json all of them as a
    document.
    """
    listed = [entry for entry in error.skipped if isinstance(entry, Skipped)]
    for code in dict.fromkeys(entry.code for entry in listed):
        alike = [entry for entry in listed if entry.code == code]
        output.skipped(alike if verbose else alike[:ALIKE])
        if len(alike) > ALIKE and not verbose:
            output.aside(f"  … and {len(alike) - ALIKE} more [{code}] (--verbose lists them)")
    if as_json:
        output.document(
            {"miou": None, "error": error.code, "skipped": output.plain_skipped(listed)}
        )


def _show(result: "Evaluation", verbose: bool) -> None:
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
            f"{len(result.classes) - len(rows)} classes occur in neither truth nor predictions"
            " (--verbose lists them)"
        )
    _summary(result)
    _further(result)


def _summary(result: "Evaluation") -> None:
    from segprep.evaluation.results import counts

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


def _further(result: "Evaluation") -> None:
    if result.compat:
        output.line(f"as {result.compat}: {result.how}")
        for name, value in result.numbers.items():
            output.line(f"  {name}: {_number(value)}")
    if result.images:
        output.table(
            "images",
            ("image", "mIoU", "pixel accuracy"),
            [(score.stem, _number(score.miou), _number(score.accuracy)) for score in result.images],
        )
    if result.groups:
        output.table(
            "groups",
            ("group", "mIoU", "pixel accuracy", "pixels"),
            [
                (score.name, _number(score.miou), _number(score.accuracy), f"{score.pixels:,}")
                for score in result.groups
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
        for score in other.changed:
            output.line(f"  {score.stem}: {score.change:+.4f}")


def _boundaries(result: "Evaluation", boundary: "Boundaries") -> None:
    from segprep.evaluation.results import BOUNDARY

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


command = formatting.Command(
    "miou",
    callback=_run,
    help=HELP,
    short_help="Score predictions: mIoU, Dice, precision, recall.",
    params=PARAMETERS,
)
on_engines(command)
