"""make gpu: the trainer on a GPU, in some eight minutes; prints tables.

python tests/gpu/run.py [--data FOLDER] [--out FOLDER] [--parts PART,…] [--device cuda] [--quick]

sizes       every published network at its tutorial's window: time and memory of a step
whole       the largest image that a network takes whole: does it fit, are labels those of tiles?
precision   DSB2018 at 96x96 by its recipe: float32, bfloat16, float16, compiled
resume      an interrupted run ends with the bits of one that was not
nccl        one process that torchrun started learns what a plain one learns
predict     the labels of the GPU are those of the CPU
membranes   ISBI-2012 by its recipe, in full

FOLDER holds the trees dsb2018 and medical; without it they are made from the folder of real
samples (SEGPREP_REAL_DATA, else ../shared/data beside the project). --quick tries the script on a
CPU: narrow networks, a few steps. Exit code 1 where resuming, processes or labels differ.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
import whole_images
from PIL import Image

import segprep
from segprep.errors import SegprepError
from segprep.train_config import Config
from segprep.train_settings import make_config, read_config
from segprep.training import checkpoints, losses, models
from segprep.training.inference import tiles
from segprep.training.progress import Moment
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.trainer.step import Learner

RECIPES = Path(__file__).resolve().parents[2] / "examples" / "recipes"
# network, preset, window, batch: as the tutorials have them
SIZES = (
    ("unet", "base32", 480, 4),
    ("unet", "base64", 480, 4),
    ("unet", "transposed", 640, 1),
    ("unet-keras", "membrane", 256, 2),
    ("unet-paper", "paper", 388, 1),
    ("unet-reflect", "reflect", 256, 4),
    ("unetpp", "deep", 96, 16),
    ("unetpp", "plain", 96, 16),
    ("mini-unet", "mini", 512, 4),
    ("mobilenet-unet", "full", 224, 2),
    ("vgg-unet", "vgg16", 512, 2),
    ("resnet-unet", "resnet50", 512, 2),
    ("fcn8s", "pet", 224, 16),
    ("fcn32s", "voc", 512, 1),
)
PRECISIONS: dict[str, dict[str, Any]] = {
    "float32": {},
    "bfloat16": {"amp": "bfloat16"},
    "float16": {"amp": "float16"},
    "float32, compiled": {"compile": True, "epochs": 20},
    "bfloat16, compiled": {"amp": "bfloat16", "compile": True, "epochs": 20},
}


@dataclass(eq=False)
class Session:
    """Where the data lies, where results go, on which device; *wrong* names what differs."""

    data: Path
    out: Path
    device: str
    quick: bool
    wrong: list[str] = field(default_factory=list)

    def settings(self, recipe: str, **more: Any) -> dict[str, Any]:
        """Those of a recipe; narrow and short with --quick."""
        short: dict[str, Any] = {}
        if self.quick:
            short = {"arch": "unet", "preset": "", "options": {"base": 4}, "epochs": 3}
            short |= {"steps_per_epoch": 2, "warm_up": 1}
        common = {"device": self.device, "tensorboard": False, "workers": 0 if self.quick else 3}
        return {**read_config(RECIPES / f"{recipe}.toml"), **common, **short, **more}

    def show(self, *cells: object) -> None:
        """One row of a table, at once; a float with three digits."""
        shown = [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells]
        print("| " + " | ".join(shown) + " |", flush=True)

    def memory(self) -> str:
        """GiB that tensors took at most since the last call."""
        if not self.device.startswith("cuda"):
            return ""
        most = torch.cuda.max_memory_allocated() / 2**30
        torch.cuda.reset_peak_memory_stats()
        return f"{most:.2f}"


class Watch:
    """Seconds between the steps of an epoch, and an interruption after *until* epochs, which are
    *told* of where asked.
    """

    def __init__(self, until: int | None = None, *, told: bool = False) -> None:
        self.told = told
        self.seconds, self.last, self.epochs, self.until = list[float](), 0.0, 0, until

    def __call__(self, moment: Moment) -> None:
        now = perf_counter()
        if ", loss" in moment.what:  # after a step
            if self.last:
                self.seconds.append(now - self.last)
            self.last = now
            return
        self.last = 0.0
        if ": loss" in moment.what:  # after an epoch
            self.epochs += 1
            if self.told:
                print(moment.what, flush=True)
        if self.epochs == self.until:
            raise KeyboardInterrupt


def sizes(session: Session) -> None:
    """Time and memory of a step on random windows; whether it fits at all."""
    session.show("network", "window", "batch", "precision", "ms a step", "GiB")
    for arch, preset, size, batch in SIZES:
        for amp in ("none", "bfloat16"):
            if session.quick and (amp != "none" or arch != "unetpp"):
                continue
            try:
                took: object = 1000 * timed_step(session, arch, preset, size, batch, amp)
            except (torch.OutOfMemoryError, SegprepError) as error:
                took = str(error).splitlines()[0][:60]
            shown = "float32" if amp == "none" else amp
            session.show(f"{arch} {preset}", size, batch, shown, took, session.memory())


def timed_step(session: Session, arch: str, preset: str, size: int, batch: int, amp: str) -> float:
    """Median seconds of a step after some that warm up."""
    count, repeats = (2, 2) if session.quick else (5, 20)
    torch.manual_seed(0)
    options = {"base": 4} if session.quick and arch != "mini-unet" else {}
    network = checkpoints.channels_last(models.build(arch, 3, 2, preset, **options), session.device)
    config: Config = make_config({"amp": amp})
    learner = Learner(
        network, losses.make("ce+dice", 2), config, ProcessGroup(0, 1, session.device)
    )
    learner.hold("")
    images, truth = torch.randn(batch, 3, size, size), torch.randint(0, 2, (batch, size, size))
    seconds = []
    for _ in range(count + repeats):
        began = perf_counter()
        learner.step(images, truth, None, 1e-4)  # its loss is read, so the device has finished
        seconds.append(perf_counter() - began)
    return median(seconds[count:])


def whole(session: Session) -> None:
    """The largest image that goes through each network whole, against its tiles."""
    most = 1 << 16 if session.quick else whole_images.MOST
    session.wrong += whole_images.run(session.device, most, session.show)


def precision(session: Session) -> None:
    """The recipe of DSB2018 in every precision: time, memory, scores on its val list."""
    scores = ("val mIoU", "nucleus IoU", "val loss")
    session.show("precision", "epochs", "ms a step", "GiB", "seconds", *scores)
    for name, more in PRECISIONS.items():
        if session.quick and "compile" in more:
            continue
        watch = Watch()
        out = session.out / name.replace(", ", "-")
        try:
            run = segprep.train(
                session.data / "dsb2018",
                out=out,
                overwrite=True,
                watch=watch,
                **session.settings("dsb2018", validate_every=5, **more),
            )
        except (SegprepError, RuntimeError) as error:
            session.show(name, str(error).splitlines()[0])
            continue
        best, each = run.best, 1000 * median(watch.seconds)
        row = (run.seconds, best.val_miou, best.iou[1], best.val_loss)
        session.show(name, len(run.history), each, session.memory(), *row)


def resume(session: Session) -> None:
    """Four epochs at once, and two, an interruption, two more."""
    session.show("kernels", "largest difference of a weight", "histories equal")
    for deterministic in (True, False):
        settings = session.settings("dsb2018", deterministic=deterministic, epochs=4)
        whole, parted = (session.out / f"{name}-{deterministic}" for name in ("whole", "parted"))
        run(session, whole, settings)
        run(session, parted, settings, until=2)
        run(session, parted, settings, resume=True)
        difference, alike = compared(whole, parted)
        session.show("deterministic" if deterministic else "default", f"{difference:.3g}", alike)
        if deterministic and (difference or not alike):
            session.wrong.append("resume")


def run(
    session: Session, out: Path, settings: dict[str, Any], until: int | None = None, **how: Any
) -> None:
    """Train, interrupted after *until* epochs."""
    try:
        tree = session.data / "dsb2018"
        given = {} if how.get("resume") else {**settings, "overwrite": True}
        segprep.train(tree, out=out, watch=Watch(until), **given, **how)
    except KeyboardInterrupt:
        assert until


def compared(one: Path, other: Path) -> tuple[float, bool]:
    """The largest difference of a weight, and whether loss and scores of all epochs are equal."""
    a, b = (checkpoints.read(run / "last.pt") for run in (one, other))
    difference = max(
        float((a["weights"][name].double() - b["weights"][name].double()).abs().max())
        for name in a["weights"]
    )
    rows = [
        [{key: value for key, value in row.items() if key != "seconds"} for row in history]
        for history in (a["training"]["history"], b["training"]["history"])
    ]
    return difference, rows[0] == rows[1]


def nccl(session: Session) -> None:
    """Two epochs under torchrun with one process, against a plain run."""
    settings = session.settings("dsb2018", deterministic=True, epochs=2)
    run(session, session.out / "plain", settings)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    tree, out = session.data / "dsb2018", session.out / "torchrun"
    command += ["1", "-m", "segprep_cli", "train", str(tree), "--overwrite", "--out", str(out)]
    command += ["--config", str(session.out / "plain" / "config.toml"), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-2000:], flush=True)
        session.wrong.append("nccl")
        return
    difference, alike = compared(session.out / "plain", out)
    session.show("one process of torchrun", f"{difference:.3g}", alike)
    if difference > 1e-5:
        session.wrong.append("nccl")


def predict(session: Session) -> None:
    """The val list by the float32 run's checkpoint on the device and on the CPU."""
    session.show("predicted on", "labels that differ from the CPU's", "of", "images a second")
    tree, checkpoint = session.data / "dsb2018", session.out / "float32" / "best.pt"

    def labels(device: str) -> tuple[list[np.ndarray], float]:
        with tempfile.TemporaryDirectory() as folder:
            found = segprep.predict(
                checkpoint, tree, Path(folder) / "o", split="val", device=device
            )
            masks = [np.asarray(Image.open(path)) for path in sorted(found.ids.glob("*.png"))]
            return masks, found.done / found.seconds

    wanted, _ = labels("cpu")
    exact = tiles.exact
    for name, how in (("device", exact), ("device, TF32", lambda device: nullcontext())):
        tiles.exact = how
        masks, speed = labels(session.device)
        tiles.exact = exact
        pairs = zip(masks, wanted, strict=True)
        differ = sum(int((mask != truth).sum()) for mask, truth in pairs)
        total = sum(mask.size for mask in masks)
        session.show(name, differ, total, speed)
        if name == "device" and differ > 1e-5 * total:
            session.wrong.append("predict")


def membranes(session: Session) -> None:
    """ISBI-2012: six of the thirty images are held out; published is .9691 on the training set."""
    workers = 0 if session.quick else 6
    settings = session.settings("isbi", amp="none" if session.quick else "bfloat16")
    out, began = session.out / "membranes", perf_counter()
    settings |= {"workers": workers}
    watch = Watch(told=True)
    done = segprep.train(session.data / "medical", out=out, overwrite=True, watch=watch, **settings)
    for entry in done.history:
        print(f"epoch {entry.epoch}: loss {entry.loss:.4f}, accuracy {entry.val_accuracy:.4f}")
    session.show("ISBI-2012", done.best.val_accuracy, done.miou, perf_counter() - began)


PARTS: dict[str, Callable[[Session], None]] = {
    part.__name__: part for part in (sizes, whole, precision, resume, nccl, predict, membranes)
}


def trees(given: Path | None, folder: Path) -> Path:
    """The folder of the two trees, made if it is not *given*."""
    if given:
        return given
    near = Path(__file__).resolve().parents[3] / "shared" / "data"
    real = Path(os.environ.get("SEGPREP_REAL_DATA", near))
    if not (real / "dsb2018").is_dir():
        sys.exit(f"no real samples in {real}: set SEGPREP_REAL_DATA, or give --data")
    segprep.convert("dsb2018", real / "dsb2018", folder / "dsb2018")
    name = {"foreground": "dark", "name": "membrane"}
    segprep.convert("binary", real / "medical", folder / "medical", **name)
    for tree in ("dsb2018", "medical"):
        segprep.split(folder / tree, seed=1, overwrite=True)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit("there is no GPU here; --device cpu --quick tries the script")
    cuda = given.device.startswith("cuda")
    print(torch.cuda.get_device_name() if cuda else "CPU", "PyTorch", torch.__version__)
    with tempfile.TemporaryDirectory() as folder:
        session = Session(
            trees(given.data, Path(folder)), given.out or Path(folder), given.device, given.quick
        )
        for part in given.parts.split(","):
            began = perf_counter()
            print(f"\n{part}: {(PARTS[part].__doc__ or '').splitlines()[0]}\n", flush=True)
            try:
                PARTS[part](session)
            except Exception:  # the other parts are worth their time on the GPU
                traceback.print_exc()
                session.wrong.append(part)
            print(f"({perf_counter() - began:.0f} s)", flush=True)
    print("differs: " + ", ".join(session.wrong) if session.wrong else "nothing differs")
    return 1 if session.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
