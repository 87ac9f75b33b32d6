"""What an epoch leaves on disk: checkpoints, a sheet of predictions, event files."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from segprep.errors import SegprepError
from segprep.outputs import Batch
from segprep.reports import contact_sheet
from segprep.reports.epochs import COLUMNS, EpochScores
from segprep.train_config import Config
from segprep.training import checkpoints
from segprep.training.augmentation import preview
from segprep.training.checkpoints import Checkpoint
from segprep.training.data.pairs import ImagePair, InputSpec, scaled
from segprep.training.logits import likeliest
from segprep.training.trainer import run_folder
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.trainer.validation import predictions

SHOWN = 8  # images on a sheet


def save(
    batch: Batch,
    config: Config,
    checkpoint: Checkpoint,
    history: Sequence[EpochScores],
    training: Mapping[str, Any],
) -> None:
    """Add to *batch*: best.pt if the last epoch is the best so far, its own file every
    ``save_every``, last.pt with what *training* needs to resume. Raises SegprepError.
    """
    entry = history[-1]
    if entry.best:
        batch.add(run_folder.BEST, checkpoints.encoded(checkpoint))
    if config.save_every and entry.epoch % config.save_every == 0:
        losses = f"loss{entry.loss:.3f}" + (
            "" if math.isnan(entry.val_loss) else f"-val_loss{entry.val_loss:.3f}"
        )
        batch.add(f"epoch{entry.epoch:03d}-{losses}.pt", checkpoints.encoded(checkpoint))
    kept = {**training, "history": [asdict(epoch) for epoch in history]}
    batch.add(run_folder.LAST, checkpoints.encoded(checkpoint, training=kept))


def entries(kept: Mapping[str, Any]) -> list[EpochScores]:
    """The history in what :func:`save` wrote. Raises SegprepError (bad-checkpoint)."""
    try:
        return [EpochScores(**row) for row in kept["history"]]
    except (KeyError, TypeError) as error:
        reason = f"{run_folder.LAST} has no history that can be read: {error}"
        raise SegprepError("bad-checkpoint", reason, "start again with --overwrite") from error


def picture(network: nn.Module, pairs: Sequence[ImagePair], view: InputSpec, device: str) -> bytes:
    """A PNG: image, truth and prediction of the first of *pairs*."""
    network.eval()
    shown = [scaled(pair, view) for pair in pairs[:SHOWN]]
    return contact_sheet.drawn(
        [
            (pair.stem, preview.panels(pair.image, pair.mask, likeliest(logits.float().cpu())))
            for pair, logits in predictions(network, shown, ProcessGroup(0, 1, device), view, 1)
        ]
    )


class Board:
    """Event files for TensorBoard; a resumed run drops what came after *step*."""

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer: Any = SummaryWriter(str(folder), purge_step=step + 1 if step else None)

    def add(self, entry: EpochScores, losses: Sequence[float], rates: Sequence[float]) -> None:
        """One epoch, and each of its steps."""
        first = entry.step - len(losses) + 1
        for n, (loss, rate) in enumerate(zip(losses, rates, strict=True)):
            self.writer.add_scalar("step/loss", loss, first + n)
            self.writer.add_scalar("step/lr", rate, first + n)
        for name, value in asdict(entry).items():
            if name in COLUMNS[2:8] and not math.isnan(value):
                self.writer.add_scalar(f"epoch/{name}", value, entry.step)
        self.writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()
