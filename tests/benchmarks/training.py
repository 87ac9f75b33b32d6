"""A training step of 256 x 256 pixels, base 32, batch 4, and its loader, against the loop that
tutorials show.

The tutorials' loop: a Dataset opens image and mask with Pillow for every sample, resizes, mirrors,
turns and rotates both by one draw, makes float tensors of them; a DataLoader collates; the model is
float32 in the default memory layout; cross-entropy and Dice; Adam. Ours: pairs are decoded once and
held in memory, one sampling per window, weights and images channels last.

    python tests/benchmarks/training.py step|load ours|theirs FOLDER SIDE STEPS

prints the median of the CPU seconds of a step, or of a batch.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as segprep.training sets it

import numpy as np
import torch
from measuring import Comparison, Row, Size
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from segprep import write_mask
from segprep.dataset.tree import Tree
from segprep.train_settings import make_config
from segprep.training.augmentation.windows import Windows
from segprep.training.check.loop import Training
from segprep.training.data import pairs as data
from segprep.training.data.dataset import ImagePairs
from segprep.training.losses import make as make_loss
from segprep.training.models import unet

BATCH, COUNT, HEIGHT, WIDTH = 4, 24, 375, 500
PEER = "the tutorials' loop"


def comparisons(work: Path, size: Size) -> Iterator[Comparison]:
    make(work)
    steps = size(20)
    side = 256 if steps > 2 else 64
    goals = {
        "load": (f"loader, a batch of {BATCH} at {side}", 0.67),
        "step": (f"training step, base 32, batch of {BATCH} at {side}", 0.83),
    }
    given = (str(work), str(side), str(steps // 4 + 1))
    for what, (title, most) in goals.items():
        ours, theirs = ([sys.executable, __file__, what, who, *given] for who in ("ours", "theirs"))
        row = Row(title, "segprep", PEER, most, "printed")
        yield Comparison({"segprep": ours, PEER: theirs}, [row])


def make(root: Path) -> None:
    """COUNT photographs of smooth colors, 500x375 JPEG, with blobs for masks."""
    rng = np.random.default_rng(0)
    (root / "JPEGImages").mkdir()
    (root / "SegmentationClass").mkdir()
    for n in range(COUNT):
        small = Image.fromarray(rng.integers(0, 255, (24, 32, 3)).astype(np.uint8))
        smooth = np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
        picture = (
            (smooth + rng.normal(0, 6, smooth.shape)).clip(0, 255).astype(np.uint8)
        )  # a camera's noise: smooth JPEGs decode too fast
        Image.fromarray(picture).save(root / f"JPEGImages/{n}.jpg", quality=90)
        write_mask(root / f"SegmentationClass/{n}.png", (smooth[:, :, 0] > 150).astype(np.uint8))


class Tutorial(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """What the tutorials' Dataset does."""

    def __init__(self, root: Path, side: int) -> None:
        self.root, self.size = root, (side, side)

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = (
            Image.open(self.root / f"JPEGImages/{n}.jpg")
            .convert("RGB")
            .resize(self.size, Image.Resampling.BICUBIC)
        )
        mask = Image.open(self.root / f"SegmentationClass/{n}.png").resize(
            self.size, Image.Resampling.NEAREST
        )
        for turn in (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM):
            if random.random() < 0.5:
                image, mask = image.transpose(turn), mask.transpose(turn)
        angle = random.uniform(-15, 15)
        image, mask = (
            image.rotate(angle, Image.Resampling.BILINEAR),
            mask.rotate(angle, Image.Resampling.NEAREST, fillcolor=255),
        )
        values = (np.asarray(image, np.float32) / 255 - 0.5) / 0.5
        return torch.from_numpy(values.transpose(2, 0, 1).copy()), torch.from_numpy(
            np.asarray(mask).astype(np.int64)
        )


def tutorial_steps(root: Path, view: data.InputSpec) -> Iterator[float]:
    """CPU seconds of each step, for ever."""
    torch.manual_seed(0)
    network = unet.build()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    while True:
        loader = iter(DataLoader(Tutorial(root, view.size), BATCH, shuffle=True, drop_last=True))
        for _ in range(COUNT // BATCH):
            start = time.process_time()
            images, truth = next(loader)
            loss = make_loss("ce+dice", 2)(network(images), truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield time.process_time() - start


def our_steps(root: Path, view: data.InputSpec) -> Iterator[float]:
    torch.manual_seed(0)
    config = make_config({"batch": BATCH, "lr": 1e-3})
    windows = Windows(read(root, view), view, 0)
    training = Training(unet.build(), windows, config, 1000, 10**6, lambda network: (0.0, 0.0))
    start = time.process_time()
    for _ in training.run(1000):
        yield time.process_time() - start
        start = time.process_time()


def load_steps(who: str, root: Path, view: data.InputSpec) -> Iterator[float]:
    """Seconds for each batch that a loader gives."""
    if who == "theirs":
        loader = iter(DataLoader(Tutorial(root, view.size), BATCH, shuffle=True))
    else:
        windows = Windows(read(root, view), view, 0)
        loader = iter(DataLoader(windows, BATCH, sampler=range(COUNT)))
    for _ in range(COUNT // BATCH):
        start = time.process_time()
        next(loader)
        yield time.process_time() - start


def read(root: Path, view: data.InputSpec) -> list[data.ImagePair]:
    return list(ImagePairs(Tree(root), [str(n) for n in range(COUNT)], 2, view))


def main(what: str, who: str, folder: str, side: str, count: str) -> None:
    root, view = Path(folder), data.InputSpec(int(side), 1.0, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    if what == "load":
        print(median(load_steps(who, root, view)))
        return
    steps = (tutorial_steps if who == "theirs" else our_steps)(root, view)
    next(steps)  # the first one sets kernels up
    print(median(next(steps) for _ in range(int(count))))


if __name__ == "__main__":
    main(*sys.argv[1:])
