"""What an epoch leaves on disk: checkpoints, and a sheet of predictions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from segprep.errors import SegprepError
from segprep.files import write_atomic, write_error
from segprep.train_config import Config
from segprep.training import checkpoints
from segprep.training.augmentation import preview
from segprep.training.checkpoints import Checkpoint
from segprep.training.data.pairs import ImagePair, InputSpec, scaled
from segprep.training.logits import likeliest
from segprep.training.trainer import run_folder
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.trainer.history import EpochScores
from segprep.training.trainer.validation import predictions

SHOWN = 8  # images on a sheet


def save(
    out: Path,
    config: Config,
    checkpoint: Checkpoint,
    history: Sequence[EpochScores],
    training: Mapping[str, Any],
) -> None:
    """best.pt if the last epoch is the best so far, its own file every ``save_every``, last.pt with
    what *training* needs to resume. Raises SegprepError.
    """
    entry = history[-1]
    if entry.best:
        checkpoints.save(out / run_folder.BEST, checkpoint)
    if config.save_every and entry.epoch % config.save_every == 0:
        losses = f"loss{entry.loss:.3f}" + (
            "" if math.isnan(entry.val_loss) else f"-val_loss{entry.val_loss:.3f}"
        )
        checkpoints.save(out / f"epoch{entry.epoch:03d}-{losses}.pt", checkpoint)
    checkpoints.save(
        out / run_folder.LAST,
        checkpoint,
        training={**training, "history": [_plain(epoch) for epoch in history]},
    )


def _plain(entry: EpochScores) -> dict[str, Any]:
    return {**asdict(entry), "recall": list(entry.recall), "iou": list(entry.iou)}


def entries(kept: Mapping[str, Any]) -> list[EpochScores]:
    """The history in what :func:`save` wrote. Raises SegprepError (bad-checkpoint)."""
    try:
        return [
            EpochScores(**{**row, "recall": tuple(row["recall"]), "iou": tuple(row["iou"])})
            for row in kept["history"]
        ]
    except (KeyError, TypeError) as error:
        raise SegprepError(
            "bad-checkpoint",
            f"{run_folder.LAST} has no history that can be read: {error}",
            "start again with --overwrite",
        ) from error


def picture(
    out: Path,
    epoch: int,
    network: nn.Module,
    pairs: Sequence[ImagePair],
    view: InputSpec,
    device: str,
) -> None:
    """pictures/epoch005.png: image, truth and prediction of the first of *pairs*.

    Raises SegprepError (write-failed).
    """
    network.eval()
    rows, shown = [], [scaled(pair, view) for pair in pairs[:SHOWN]]
    for pair, logits in predictions(network, shown, ProcessGroup(0, 1, device), view, 1):
        image = preview._eight(pair.image)
        rows.append(
            np.concatenate(
                [
                    preview.tile(image, pair.mask),
                    preview.tile(image, likeliest(logits.float().cpu()))[:, preview.SIDE :],
                ],
                axis=1,
            )
        )
    folder = out / run_folder.PICTURES
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    write_atomic(folder / f"epoch{epoch:03d}.png", preview._png(preview.sheet(rows)))
