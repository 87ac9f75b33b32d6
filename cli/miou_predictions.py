"""The predictions that ``segprep miou --mode`` makes before it scores them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from segprep.errors import SegprepError, UsageError
from segprep.types import Classes

from . import output

if TYPE_CHECKING:
    from segprep.training.inference.job import Predictions

SCORED = Path("runs", "miou", "predictions")


def predicted_for(
    pred: Path | None,
    mode: str | None,
    checkpoint: Path | None,
    listed: Path | None,
    values: dict[str, Any],
    progress: Any,
) -> "tuple[Path | None, Predictions | None]":
    """What ``segprep miou --mode`` does before it scores: the folder of predictions, and the run
    that made them, if there was one.

    Where no list is named, that is val if the dataset has it: *values* (the options of miou) is
    changed to say so.
    """
    from segprep.dataset import tree

    if values["truth"] is not None:
        raise UsageError(
            "bad-option",
            "--mode and --checkpoint need a dataset, which has images, and --truth is a folder of"
            " masks",
            "give --dataset",
        )
    dataset = tree.find(values["dataset"])
    if values["split"] is None and listed is None and "val" in dataset.lists():
        values["split"] = "val"
    if mode == "score":
        return pred or (dataset.root / SCORED if (dataset.root / SCORED).is_dir() else None), None
    if checkpoint is None:
        raise UsageError("bad-option", f"--mode {mode} needs a model", "give --checkpoint FILE")
    from segprep.training.inference.job import predict

    _same_classes(checkpoint, dataset.classes(), values["classes"] is not None)
    predictions = predict(
        checkpoint,
        dataset.root,
        pred or dataset.root / SCORED,
        split=values["split"],
        overwrite=values["overwrite"] or pred is None,
        progress=progress,
    )
    output.skipped(predictions.skipped)
    return predictions.out, predictions


def _same_classes(checkpoint: Path, classes: Classes | None, stated: bool) -> None:
    """Scores of other classes would say nothing: *classes* are the dataset's; *stated*: the user
    gave a list, and knows.
    """
    if classes is None or stated or checkpoint.suffix.lower() == ".onnx":
        return
    from segprep.training import checkpoints
    from segprep.training.inference.tiles import two

    names = two(checkpoints.load(checkpoint).classes)
    if names != classes.names:
        reason = (
            f"{checkpoint} knows the classes {', '.join(names)}; the dataset has"
            f" {', '.join(classes.names)}"
        )
        raise SegprepError(
            "other-classes",
            reason,
            "take the dataset's own checkpoint, rename its classes with segprep remap, or state"
            " them with --classes",
        )
