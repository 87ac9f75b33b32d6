"""One training step at 256x256, base 32, batch 4: ours against the loop that tutorials show,
measured in turn, each in a process of its own.

The tutorials' loop: a Dataset opens image and mask with Pillow for every sample, resizes, mirrors,
turns and rotates both by one draw, makes float tensors of them; a DataLoader collates; the model is
float32 in the default memory layout; cross-entropy and Dice; Adam. Ours: pairs are decoded once and
held in memory, one sampling per window, weights and images channels last.
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

os.environ.setdefault(
    "OMP_WAIT_POLICY", "PASSIVE"
)  # as segprep.training sets it; neither side is to suffer from neighbors

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from segprep import write_mask
from segprep.dataset.tree import Tree
from segprep.training.augmentation.windows import Windows, batches
from segprep.training.check.loop import Training
from segprep.training.config import make_config
from segprep.training.data import pairs as data
from segprep.training.data.dataset import ImagePairs
from segprep.training.losses import make as make_loss
from segprep.training.models import unet

SIZE, BATCH, COUNT, HEIGHT, WIDTH = 256, 4, 24, 375, 500
ROUNDS, LOADS = int(sys.argv[1]) if len(sys.argv) == 2 else 5, 12


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

    def __init__(self, root: Path) -> None:
        self.root = root

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = (
            Image.open(self.root / f"JPEGImages/{n}.jpg")
            .convert("RGB")
            .resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        )
        mask = Image.open(self.root / f"SegmentationClass/{n}.png").resize(
            (SIZE, SIZE), Image.Resampling.NEAREST
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


def tutorial_steps(root: Path) -> Iterator[tuple[float, float]]:
    """(seconds of a step, of which it waited for data), for ever."""
    torch.manual_seed(0)
    network = unet.build()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    while True:
        loader = iter(DataLoader(Tutorial(root), BATCH, shuffle=True, drop_last=True))
        for _ in range(COUNT // BATCH):
            start = time.perf_counter()
            images, truth = next(loader)
            waited = time.perf_counter() - start
            loss = make_loss("ce+dice", 2)(network(images), truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield time.perf_counter() - start, waited


class Timed(Windows):
    """Windows that know how long they took."""

    seconds = 0.0

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        start = time.perf_counter()
        window = super().__getitem__(number)
        self.seconds += time.perf_counter() - start
        return window


def our_steps(windows: Timed) -> Iterator[tuple[float, float]]:
    torch.manual_seed(0)
    config = make_config({"batch": BATCH, "lr": 1e-3})
    training = Training(unet.build(), windows, config, 1000, 10**6, lambda network: (0.0, 0.0))
    before, start = windows.seconds, time.perf_counter()
    for _ in training.run(1000):
        yield time.perf_counter() - start, windows.seconds - before
        before, start = windows.seconds, time.perf_counter()


def load_seconds(batches: Iterator[object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        next(batches)
    return (time.perf_counter() - start) / count


def steps(side: str, root: Path, view: data.InputSpec, count: int) -> None:
    """In a process of its own: print (seconds, waited) of *count* steps after one that sets kernels
    up, and the peak memory in MiB.
    """
    rows = tutorial_steps(root) if side == "theirs" else our_steps(Timed(read(root, view), view, 0))
    next(rows)
    print(
        *(f"{seconds:.4f},{waited:.4f}" for seconds, waited in (next(rows) for _ in range(count))),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def read(root: Path, view: data.InputSpec) -> list[data.ImagePair]:
    return list(ImagePairs(Tree(root), [str(n) for n in range(COUNT)], 2, view))


def timed(side: str, root: Path) -> tuple[float, float, int]:
    """(seconds of a step, share of it that waited for data, peak MiB), medians of three steps in a
    new process.
    """
    shown = subprocess.run(
        [sys.executable, __file__, side, str(root)], check=True, capture_output=True, text=True
    ).stdout.split()
    pairs = [tuple(map(float, one.split(","))) for one in shown[:-1]]
    return median(a for a, _ in pairs), median(b / a for a, b in pairs), int(shown[-1])


def main() -> None:
    view = data.InputSpec(SIZE, 1.0, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    if len(sys.argv) > 2:
        return steps(sys.argv[1], Path(sys.argv[2]), view, 3)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make(root)
        windows = Windows(read(root, view), view, 0)
        theirs, ours = [], []
        for n in range(LOADS):
            theirs.append(load_seconds(iter(DataLoader(Tutorial(root), BATCH, shuffle=True)), 3))
            ours.append(load_seconds(batches(windows, BATCH, 3 * n, 3 * n + 3), 3))
        ratio = median(a / b for a, b in zip(theirs, ours, strict=True))
        print(
            f"loader, batch of {BATCH} at {SIZE}: {1000 * median(theirs):.1f} ms ->"
            f" {1000 * median(ours):.1f} ms, {ratio:.2f}x (goal 1.5x)"
        )
        rows = [(timed("theirs", root), timed("ours", root)) for _ in range(ROUNDS)]
        (their, their_wait, their_peak), (our, our_wait, our_peak) = (
            tuple(map(median, zip(*side, strict=True))) for side in zip(*rows, strict=True)
        )
        ratio = median(a[0] / b[0] for a, b in rows)
        print(
            f"step, base 32, batch {BATCH} at {SIZE}: {their:.2f} s -> {our:.2f} s, {ratio:.2f}x"
            " (goal 1.2x)"
        )
        print(
            f"share of the step spent waiting for data: {their_wait:.1%} -> {our_wait:.1%}; peak"
            f" memory {their_peak:.0f} -> {our_peak:.0f} MiB"
        )
    return None


if __name__ == "__main__":
    main()
