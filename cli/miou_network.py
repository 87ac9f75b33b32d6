"""What ``segprep miou --checkpoint`` tells of the network itself: its loss, and a UNet++ pruned."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from segprep.errors import UsageError

from . import output


def network_scores(
    checkpoint: Path,
    listed: Path | None,
    values: Mapping[str, Any],
    loss: str | None,
    depths: bool,
) -> dict[str, Any]:
    """``loss`` (with the *loss* that is named, or that of the run) and ``depths``, where asked, on
    the stems that miou scores.
    """
    from segprep.dataset import tree
    from segprep.training.trainer.list_scores import list_loss, pruned_scores

    if listed is not None or checkpoint.suffix.lower() == ".onnx":
        option = "--list" if listed is not None else str(checkpoint)
        hint = "give a checkpoint.pt and --split, or neither: all samples"
        raise UsageError("bad-option", f"{option} with --loss or --depths", hint)
    dataset = tree.find(values["dataset"])
    split = values["split"]
    stems = dataset.stems() if split is None else dataset.lists().get(split, ())
    if not stems:
        raise UsageError("bad-option", f"{dataset.root} has no list {split!r}", "name another")
    rows: dict[str, Any] = {}
    if loss is not None:
        rows["loss"] = asdict(list_loss(checkpoint, dataset, stems, loss))
    if depths:
        scores = pruned_scores(checkpoint, dataset, stems)
        rows["depths"] = [asdict(score) for score in scores]
    return rows


def show_network_scores(rows: Mapping[str, Any]) -> None:
    """Print what :func:`network_scores` gave."""
    if "loss" in rows:
        loss = rows["loss"]
        output.line(f"loss {loss['loss']:.4f} ({loss['spec']}, {loss['images']} images)")
    if "depths" in rows:
        cells = [
            (
                str(row["depth"]),
                f"{row['parameters']:,}",
                f"{1000 * row['seconds']:.1f}",
                f"{row['miou']:.4f}",
            )
            for row in rows["depths"]
        ]
        columns = ("depth", "parameters", "ms per image", "mIoU")
        output.table("pruned to each depth", columns, cells)
