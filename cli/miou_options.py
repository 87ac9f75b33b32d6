"""The options of ``segprep miou``, in the order of the help."""

from pathlib import Path

import click

from segprep.metrics import TOOL_NAMES

from . import options

PATH = click.Path(path_type=Path)


PARAMETERS: list[click.Parameter] = [
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
            "Predict with this model first, into PRED or runs/miou/predictions of the"
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
        ["--loss"],
        is_flag=False,
        flag_value="",
        metavar="[NAME]",
        help=(
            "With --checkpoint: also its loss on the list, named as in segprep train: ce+dice."
            " [default: that of its run]"
        ),
    ),
    click.Option(
        ["--depths"],
        is_flag=True,
        help="With --checkpoint: time and mIoU of a deeply supervised unetpp pruned to each depth.",
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
        metavar="FILE|a,b,c|N",
        help="Class names, or their number.  [default: the dataset's]",
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
            "What the values of the truth mean: 0=background,255=cell; __ignore__ is not a"
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
        type=click.Choice(TOOL_NAMES),
        metavar="TOOL",
        help=f"Reproduce a tool's definition, and say how it differs: {', '.join(TOOL_NAMES)}.",
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
        help="Predicted values that are not a class: count = as errors of the true class.",
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
        ["--prefix"], default="", help="Prefix before the stem in the file names of predictions."
    ),
    click.Option(
        ["--suffix"],
        default="",
        help="Suffix after the stem in the file names of predictions, such as _pred.",
    ),
    click.Option(
        ["--truth-prefix"], default="", help="Prefix before the stem in the file names of truth."
    ),
    click.Option(
        ["--truth-suffix"],
        default="",
        help="Suffix after the stem in the file names of truth, such as _gt.",
    ),
    click.Option(
        ["--threshold"],
        type=click.FloatRange(0, 1),
        help=("Read 8- and 16-bit predictions of 2 classes as probabilities; class 1 above this."),
    ),
    click.Option(
        ["--against"],
        type=PATH,
        help="Another folder of predictions: report the difference, with its interval.",
    ),
    click.Option(
        ["--group-by"],
        metavar="REGEX|CSV",
        help=(
            "Scores per group, and the interval over groups: a regular expression over"
            " stems, or a CSV of stem,group."
        ),
    ),
    click.Option(["--boundary"], is_flag=True, help="Also boundary IoU and boundary F (slower)."),
    click.Option(
        ["--objects"],
        type=PATH,
        help=(
            "Predicted instance masks, scored against SegmentationObject: PQ, SQ, RQ, dsb_score."
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
        help="Number of worst images to name.",
    ),
    *options.workers(),
    options.no_lock(),
    *options.display(),
]
