"""``segprep predict CHECKPOINT INPUT --out OUT``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segprep.errors import BadInputError, UsageError
from segprep.types import Skipped

from . import formatting, options, output
from .engines import on_engines
from .main import EXIT_SKIPPED, report
from .progress import bar

if TYPE_CHECKING:
    from segprep.training.inference.job import Predictions

HELP = """Predict masks with a checkpoint: for an image, a folder, a dataset or a video.

INPUT is an image, a folder of images (with its subfolders), a dataset (its images, or its list
--split), or a video. Masks have the image's own size and are written to OUT under the image's name:
by default class ids that segprep miou scores; --mode writes other kinds. One --mode writes into
OUT; several write into one subfolder each. CHECKPOINT is a .pt file of a run, or an .onnx file made
with --export-onnx. One process uses all cores; with --jobs, each process loads the model.

\b
Examples:
    segprep predict runs/train-check/checkpoint.pt photos/ --out masks/
    segprep predict checkpoint.pt out/ --split val --out predictions/    score: segprep miou
    segprep predict checkpoint.pt photo.jpg --out look/ --mode blend --count
    segprep predict checkpoint.pt clip.mp4 --out look/ --mode blend      a video becomes a video
    segprep predict checkpoint.pt photos/ --out masks/ --average all     8 flips and rotations
    segprep predict checkpoint.pt photos/ --out look/ --mode blend --legend --colors colors.txt
    segprep predict checkpoint.pt --export-onnx net.onnx                 for other programs
    segprep predict net.onnx photos/ --out masks/                        through onnxruntime
"""
MODES = ("ids", "binary", "color", "blend", "cutout", "probability", "probabilities")


class _Mode(click.Choice[str]):
    """One of MODES; the earlier spelling of color is understood, but not listed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        value = "color" if value == "colour" else value  # codespell:ignore
        return super().convert(value, param, ctx)


def _run(
    checkpoint: Path,
    source: Path | None,
    out: Path | None,
    export_onnx: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
    mode: tuple[str, ...],
    **values: Any,
) -> None:
    if source is None and export_onnx is None:
        raise UsageError(
            "bad-option",
            "INPUT is missing",
            "give INPUT: an image, a folder, a dataset or a video; or --export-onnx FILE",
        )
    if source is not None and out is None:
        raise UsageError(
            "bad-option", "the folder for the predictions is missing", "give --out OUT"
        )
    exported = _export(checkpoint, export_onnx, values) if export_onnx is not None else {}
    if exported and not (quiet or as_json):
        output.line(f"{exported['onnx']}: the model as ONNX")
    if source is None or out is None:
        if as_json:
            output.document(exported)
        return
    from segprep.training.inference.job import predict

    try:
        predictions = predict(
            checkpoint, source, out, modes=mode, progress=bar(not (no_progress or quiet)), **values
        )
    except BadInputError as error:
        output.skipped(row for row in error.skipped if isinstance(row, Skipped))
        click.get_current_context().exit(report(error))
    output.skipped(predictions.skipped)
    if not quiet:
        output.notes(predictions.notes, verbose)
    told(predictions, as_json, quiet, exported, values["count"])


def _export(checkpoint: Path, path: Path, values: dict[str, Any]) -> dict[str, Any]:
    from segprep.training import checkpoints
    from segprep.training.inference import onnx_model

    if checkpoint.suffix.lower() == ".onnx":
        raise UsageError(
            "bad-option",
            f"--export-onnx: {checkpoint} is an ONNX file already",
            "give a checkpoint.pt",
        )
    if path.exists() and not values["overwrite"]:
        raise UsageError(
            "output-exists",
            f"--export-onnx: {path} already exists",
            "choose another name, or give --overwrite to replace it",
        )
    network = checkpoints.load(checkpoint)
    if values["depth"] is not None:
        network = checkpoints.pruned(network, values["depth"])
    onnx_model.export(network, path, values["tile"])
    return {"onnx": str(path)}


def document(predictions: "Predictions") -> dict[str, Any]:
    """What --json prints."""
    return {
        "out": str(predictions.out),
        "modes": list(predictions.modes),
        "predicted": predictions.done,
        "skipped": output.plain_skipped(predictions.skipped),
        "classes": predictions.rows(),
        "notes": output.plain_notes(predictions.notes),
        "seconds": round(predictions.seconds, 2),
        "images_per_second": round(predictions.rate, 2),
        "memory_mb": predictions.memory >> 20,
    }


def told(
    predictions: "Predictions",
    as_json: bool,
    quiet: bool,
    more: dict[str, Any] | None = None,
    count: bool = False,
) -> None:
    """Print what was made; end with exit code 3 if something was skipped."""
    if as_json:
        output.document(document(predictions) | (more or {}))
    elif not quiet:
        _show(predictions, count)
    if predictions.skipped:
        click.get_current_context().exit(EXIT_SKIPPED)


def _show(predictions: "Predictions", count: bool) -> None:
    if count:
        rows = [
            (row["id"], row["name"], f"{row['pixels']:,}", f"{100 * row['share']:.2f} %")
            for row in predictions.rows()
        ]
        output.table("pixels per class", ("id", "class", "pixels", "share"), rows)
    left = f", {len(predictions.skipped)} skipped" if predictions.skipped else ""
    output.line(
        f"{predictions.out}: {predictions.done} predicted ({', '.join(predictions.modes)}){left},"
        f" {predictions.seconds:.1f} s, {predictions.rate:.1f} a second,"
        f" {predictions.memory >> 20:,} MB"
    )


PATH = click.Path(path_type=Path)
command = formatting.Command(
    "predict",
    callback=_run,
    help=HELP,
    short_help="Predict masks for images, folders, datasets, videos.",
    params=[
        click.Argument(["checkpoint"], type=PATH),
        click.Argument(["source"], type=PATH, required=False, metavar="[INPUT]"),
        click.Option(
            ["--out", "-o"],
            type=PATH,
            help="Output folder: new, empty, or of an earlier run (--overwrite).",
        ),
        click.Option(
            ["--mode"],
            type=_Mode(MODES),
            multiple=True,
            help=(
                "ids = class ids as palette PNG (default), binary = 255 where not background,"
                " color, blend = 0.7 color over the image, cutout = the foreground on black,"
                " probability = gray picture (of two classes the second's, of more the winner's),"
                " probabilities = .npz. Repeatable."
            ),
        ),
        click.Option(["--split"], help="Of a dataset: this list only, for example val."),
        click.Option(
            ["--tile"],
            type=int,
            show_default="1024, of images that do not fit the memory",
            help="Larger images are predicted in overlapping tiles of this side, a multiple of 32.",
        ),
        click.Option(
            ["--average"],
            type=click.Choice(["none", "flips", "rotations", "all", "seven"]),
            default="none",
            show_default=True,
            help=(
                "Test-time augmentation: the mean over 4 flips, 4 rotations, all 8, or 7 rotations"
                " by a seventh of a turn."
            ),
        ),
        click.Option(
            ["--threshold"],
            type=click.FloatRange(0, 1),
            help=(
                "Of two classes, the second wins above this probability."
                " [default: the likelier one]"
            ),
        ),
        click.Option(
            ["--background"],
            metavar="NAME|ID",
            help="The class that is background. [default: the one called so]",
        ),
        click.Option(
            ["--colors"],
            metavar="FILE",
            help="Colors of the classes: a FILE of R G B name lines. [default: VOC's]",
        ),
        click.Option(
            ["--legend"], is_flag=True, help="Names of the classes below color and blend."
        ),
        click.Option(
            ["--field-of-view"],
            metavar="FOLDER|truth",
            help=(
                "Black and white masks of the same names (or NAME_mask), or the ignored pixels of"
                " the dataset: outside all is background."
            ),
        ),
        click.Option(
            ["--count"],
            is_flag=True,
            help="Pixels and share of each class; also pixels.csv, per image.",
        ),
        click.Option(["--device"], default="auto", show_default=True, help="auto, cpu or cuda."),
        click.Option(
            ["--batch"],
            type=click.IntRange(1, 4096),
            default=4,
            show_default=True,
            help="Images or tiles per batch.",
        ),
        click.Option(
            ["--depth"],
            type=click.IntRange(1, 4),
            help="Prune a deeply supervised unetpp to this depth and use the head there: faster.",
        ),
        click.Option(["--onnx"], is_flag=True, help="Predict through onnxruntime."),
        click.Option(
            ["--export-onnx"], type=PATH, metavar="FILE", help="Write the model as an ONNX file."
        ),
        click.Option(
            ["--overwrite"],
            is_flag=True,
            help="Replace the predictions of an earlier run in OUT, or the ONNX file.",
        ),
        click.Option(
            ["--jobs", "-j"],
            type=click.IntRange(1, 256),
            default=1,
            show_default=True,
            help="Worker processes.",
        ),
        options.no_lock(),
        *options.display(),
    ],
)
on_engines(command)
