"""A dataset of segprep, trained by PyTorch Lightning: its dataset, its networks, its loss.

python examples/lightning_loop.py DATASET [EPOCHS]      DATASET was converted and split by segprep

Needs `pip install lightning`, which segprep itself does not.
"""

import sys

import lightning
import torch
from plain_loop import resized
from torch.utils.data import DataLoader

import segprep
from segprep.training import losses, models


class Segmenter(lightning.LightningModule):
    """One of segprep's networks with one of its losses; the IoU of the last class on val."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.network = models.build("mini-unet", 3, classes, base=8)
        self.loss = losses.make("ce+dice", classes)

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        """The loss of one batch."""
        images, masks = batch
        return self.loss(self.network(images), masks)

    def validation_step(self, batch: list[torch.Tensor], _: int) -> None:
        """IoU of the last class, ignored pixels excluded."""
        images, masks = batch
        logits = self.network(images)
        last = logits.shape[1] - 1
        guess, truth = (logits.argmax(1) == last) & (masks != 255), masks == last
        self.log("iou", (guess & truth).sum() / (guess | truth).sum().clamp(min=1))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW."""
        return torch.optim.AdamW(self.parameters(), 1e-2)


def main(dataset: str, epochs: int = 30) -> float:
    """Train; the IoU of the last class on the val list."""
    lightning.seed_everything(0, verbose=False)
    train, val = (
        segprep.torch_dataset(dataset, split=split, transform=resized) for split in ("train", "val")
    )
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="auto",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
    )
    loaders = DataLoader(train, batch_size=4, shuffle=True), DataLoader(val, batch_size=4)
    trainer.fit(Segmenter(len(train.classes)), *loaders)
    return float(trainer.callback_metrics["iou"])


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    print(f"IoU on val: {main(*sys.argv[1:2], *map(int, sys.argv[2:3])):.3f}")
