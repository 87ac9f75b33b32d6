"""``segprep predict CHECKPOINT INPUT --out OUT``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segprep.errors import BadInputError, SegprepError, UsageError
from segprep.types import Classes, Skipped

from . import options, output
from .main import EXIT_SKIPPED, report
from .progress import bar

if TYPE_CHECKING:
    from segprep.training.inference.job import Predictions

HELP = """Predict masks with a checkpoint: for an image, a folder, a dataset or a video.

INPUT is an image, a folder of images (with the folders below), a dataset (its images, or its list --split), or a video. Masks have the image's
own size and are written to OUT under the image's name: class ids that segprep miou scores, and with --mode pictures for people. One kind of
file lies in OUT itself, several kinds lie in a folder each. CHECKPOINT is the checkpoint.pt of a run, or an .onnx file made with --export-onnx.

\b
Examples:
    segprep predict runs/train-check/checkpoint.pt photos/ --out masks/
    segprep predict checkpoint.pt out/ --split val --out predictions/        then: segprep miou predictions/ -d out/ --split val
    segprep predict checkpoint.pt photo.jpg --out look/ --mode blend --count
    segprep predict checkpoint.pt clip.mp4 --out look/ --mode blend          a video becomes a video
    segprep predict checkpoint.pt photos/ --out masks/ --average all         eight turned and mirrored versions of each
    segprep predict checkpoint.pt --export-onnx net.onnx                     for other programs
    segprep predict net.onnx photos/ --out masks/                            through onnxruntime
"""
SCORED = Path("runs", "miou", "predictions")
MODES = ("ids", "colour", "blend", "cutout", "probabilities")


def _run(checkpoint: Path, source: Path | None, out: Path | None, export_onnx: Path | None, as_json: bool, quiet: bool, verbose: bool, no_progress: bool, mode: tuple[str, ...], **given: Any) -> None:  # fmt: skip
    if source is None and export_onnx is None:
        raise UsageError(
            "bad-option",
            "there is nothing to predict",
            "give INPUT: an image, a folder, a dataset or a video; or --export-onnx FILE",
        )
    if source is not None and out is None:
        raise UsageError("bad-option", "there is no folder for the predictions", "give --out OUT")
    exported = (
        _export(checkpoint, export_onnx, given["tile"], given["overwrite"])
        if export_onnx is not None
        else {}
    )
    if exported and not (quiet or as_json):
        output.line(f"{exported['onnx']}: the network as ONNX")
    if source is None or out is None:
        if as_json:
            output.document(exported)
        return
    from segprep.training.inference.job import predict

    try:
        found = predict(
            checkpoint, source, out, modes=mode, progress=bar(not (no_progress or quiet)), **given
        )
    except BadInputError as error:
        output.skipped(one for one in error.skipped if isinstance(one, Skipped))
        click.get_current_context().exit(report(error))
    output.skipped(found.skipped)
    if not quiet:
        output.notes(found.notes, verbose)
    told(found, as_json, quiet, exported, given["count"])


def _export(checkpoint: Path, path: Path, tile: int | None, overwrite: bool) -> dict[str, Any]:
    from segprep.training import checkpoints
    from segprep.training.inference import onnx as onnxfiles

    if checkpoint.suffix.lower() == ".onnx":
        raise UsageError(
            "bad-option",
            f"--export-onnx: {checkpoint} is an ONNX file already",
            "give a checkpoint.pt",
        )
    if path.exists() and not overwrite:
        raise UsageError(
            "output-exists",
            f"--export-onnx: {path} is there already",
            "choose another name, or give --overwrite to replace it",
        )
    onnxfiles.export(checkpoints.load(checkpoint), path, tile)
    return {"onnx": str(path)}


def for_miou(
    pred: Path | None,
    mode: str | None,
    checkpoint: Path | None,
    listed: Path | None,
    given: dict[str, Any],
    progress: Any,
) -> "tuple[Path | None, Predictions | None]":
    """What ``segprep miou --mode`` does before it scores: the folder of predictions, and the run
    that made them, if there was one.

    Where no list is named, that is val if the dataset has it: *given* (the options of miou) is
    changed to say so.
    """
    from segprep.dataset import tree

    if given["truth"] is not None:
        raise UsageError(
            "bad-option",
            "--mode and --checkpoint need a dataset, which has images, and --truth is a folder of"
            " masks",
            "give --dataset",
        )
    place = tree.find(given["dataset"])
    if given["split"] is None and listed is None and "val" in place.lists():
        given["split"] = "val"
    if mode == "score":
        return pred or (place.root / SCORED if (place.root / SCORED).is_dir() else None), None
    if checkpoint is None:
        raise UsageError("bad-option", f"--mode {mode} needs a network", "give --checkpoint FILE")
    from segprep.training.inference.job import predict

    _same_classes(checkpoint, place.classes(), given["classes"] is not None)
    made = predict(
        checkpoint,
        place.root,
        pred or place.root / SCORED,
        split=given["split"],
        overwrite=given["overwrite"] or pred is None,
        progress=progress,
    )
    output.skipped(made.skipped)
    return made.out, made


def document(found: "Predictions") -> dict[str, Any]:
    """What --json prints."""
    return {
        "out": str(found.out), "modes": list(found.modes), "predicted": found.done, "skipped": output.plain_skipped(found.skipped), "classes": found.rows(),
        "notes": output.plain_notes(found.notes), "seconds": round(found.seconds, 2),
    }  # fmt: skip


def _same_classes(checkpoint: Path, wanted: Classes | None, stated: bool) -> None:
    """Scores of other classes would say nothing: *wanted* are the dataset's; *stated*: the user
    gave a list, and knows.
    """
    if wanted is None or stated or checkpoint.suffix.lower() == ".onnx":
        return
    from segprep.training import checkpoints
    from segprep.training.inference.tiles import two

    found = two(checkpoints.load(checkpoint).classes)
    if found != wanted.names:
        reason = (
            f"{checkpoint} knows the classes {', '.join(found)}; the dataset has"
            f" {', '.join(wanted.names)}"
        )
        raise SegprepError(
            "other-classes",
            reason,
            "take the dataset's own checkpoint, rename its classes with segprep remap, or state"
            " them with --classes",
        )


def told(
    found: "Predictions",
    as_json: bool,
    quiet: bool,
    more: dict[str, Any] | None = None,
    count: bool = False,
) -> None:
    """Print what was made; end with exit code 3 if something was skipped."""
    if as_json:
        output.document(document(found) | (more or {}))
    elif not quiet:
        _show(found, count)
    if found.skipped:
        click.get_current_context().exit(EXIT_SKIPPED)


def _show(found: "Predictions", count: bool) -> None:
    if count:
        rows = [
            (one["id"], one["name"], f"{one['pixels']:,}", f"{100 * one['share']:.2f} %")
            for one in found.rows()
        ]
        output.table("pixels per class", ("id", "class", "pixels", "share"), rows)
    left = f", {len(found.skipped)} skipped" if found.skipped else ""
    output.line(
        f"{found.out}: {found.done} predicted ({', '.join(found.modes)}){left},"
        f" {found.seconds:.1f} s"
    )


PATH = click.Path(path_type=Path)
command = click.Command(
    "predict",
    callback=_run,
    help=HELP,
    short_help="Predict masks for images, folders, datasets, videos.",
    params=[
        click.Argument(["checkpoint"], type=PATH),
        click.Argument(["source"], type=PATH, required=False, metavar="[INPUT]"),
        click.Option(["--out", "-o"], type=PATH, help="The folder for what is predicted: new, empty, or of an earlier run (--overwrite)."),
        click.Option(["--mode"], type=click.Choice(MODES), multiple=True, help="ids = class ids as palette PNG (default), colour, blend = 0.7 colour over the image, cutout = the foreground on black, probabilities = .npz. Repeatable."),
        click.Option(["--split"], help="Of a dataset: this list only, for example val."),
        click.Option(["--tile"], type=int, show_default="512", help="Larger images are predicted in overlapping tiles of this side, a multiple of 32."),
        click.Option(["--average"], type=click.Choice(["none", "flips", "rotations", "all"]), default="none", show_default=True, help="The mean over versions: 4 flips, 4 quarter turns, or all 8."),
        click.Option(["--threshold"], type=click.FloatRange(0, 1), help="Of two classes, the second wins above this probability. [default: the likelier one]"),
        click.Option(["--background"], metavar="NAME|ID", help="The class that --mode cutout leaves out. [default: the one called background]"),
        click.Option(["--count"], is_flag=True, help="Pixels and share of each class; also pixels.csv, per image."),
        click.Option(["--device"], default="auto", show_default=True, help="auto, cpu or cuda."),
        click.Option(["--batch"], type=click.IntRange(1, 4096), default=4, show_default=True, help="How many images or tiles run at once."),
        click.Option(["--onnx"], is_flag=True, help="Predict through onnxruntime."),
        click.Option(["--export-onnx"], type=PATH, metavar="FILE", help="Write the network as an ONNX file."),
        click.Option(["--overwrite"], is_flag=True, help="Replace the predictions of an earlier run in OUT, and the file of --export-onnx."),
        *options.display(),
    ],
)  # fmt: skip
