"""Change a small checkpoint, or its ONNX file, and predict with it: nothing but a SegprepError or
a mask of its own classes ever comes out.

    python tests/fuzz/networks.py 300            five minutes, another seed every time
    python tests/fuzz/networks.py 60 --seed 7    the same cases each time
    python tests/fuzz/networks.py --case 7:123   one case again

A case changes bytes of the file, or one value of what the checkpoint holds: another type, another
shape, a key that is missing or new, numbers that are not numbers.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

TESTS = Path(__file__).parents[1]
sys.path[:] = [  # as sources.py does: test modules share makers
    str(TESTS),
    *(path for path in sys.path if Path(path).resolve() != Path(__file__).resolve().parent),
]
from fuzz.campaign import campaign, check, limited
from training.inference.predicting import network

from segprep.codes import CODES
from segprep.errors import SegprepError
from segprep.imaging.image import read_mask
from segprep.training import checkpoints
from segprep.training.inference import onnx_model
from segprep.training.inference.job import predict

LONGEST = 20  # seconds of computing that one case may take
VALUES: tuple[Any, ...] = (
    *(None, True, "", "unet", "\x1b[31m", -1, 0, 1 << 40, 1e308, float("nan"), b"\0", [], {}),
    *([1, [2, [3]]], {"a": {"b": 1}}, ["x"] * 300, ("_background_", "_background_")),
)


def _odd(value: Any, rng: random.Random) -> Any:
    """Something else in the place of *value*."""
    if not isinstance(value, torch.Tensor) or rng.random() < 0.2:
        return rng.choice(VALUES)
    return rng.choice(
        [
            lambda: value.reshape(-1)[:1],
            lambda: value.to(torch.float64),
            lambda: value.to(torch.int8),
            lambda: value * float("nan"),
            lambda: value.new_full(value.shape, float("inf")),
            lambda: torch.zeros(1).expand(100_000, 100_000),
            lambda: value[None],
        ]
    )()


def _changed(content: Any, rng: random.Random) -> str:
    """Change one value somewhere in *content*, in place; what was done."""
    way: list[str] = []
    while True:
        key = rng.choice(list(content))
        way.append(str(key))
        inner = content[key]
        if isinstance(inner, dict) and inner and rng.random() < 0.8:
            content = inner
            continue
        kind = rng.choice(["odd", "odd", "odd", "gone", "new"])
        if kind == "odd":
            content[key] = _odd(inner, rng)
        elif kind == "gone":
            del content[key]
        else:
            content[rng.choice(["x", "", 5, "weights"])] = _odd(inner, rng)
        return f"{kind} {'.'.join(way)}"


def _damaged(data: bytes, rng: random.Random) -> tuple[bytes, str]:
    """*data* with changed bytes; what was done."""
    changed, at = bytearray(data), rng.randrange(len(data))
    kind = rng.choice(["flip", "flip", "cut", "zero", "insert"])
    if kind == "flip":
        for _ in range(rng.choice([1, 4, 30])):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    elif kind == "cut":
        del changed[at:]
    elif kind == "zero":
        changed[at : at + 20] = bytes(20)
    else:
        changed[at:at] = rng.randbytes(20)
    return bytes(changed), f"{kind} at {at}"


def case(seed: int, number: int, folder: Path) -> str:
    """The outcome of one case, a code or "predicted"; *folder* holds net.pt, net.onnx, and a.png.

    Raises what it finds, with the changes as a note.
    """
    rng = random.Random(f"{seed}:{number}")
    onnx = rng.random() < 0.3
    home = folder / str(number)
    home.mkdir()
    file = home / ("net.onnx" if onnx else "net.pt")
    origin = folder / file.name
    if onnx or rng.random() < 0.3:
        data, change = _damaged(origin.read_bytes(), rng)
        file.write_bytes(data)
    else:
        content = torch.load(origin, weights_only=True)
        change = "; ".join(_changed(content, rng) for _ in range(rng.choice([1, 1, 2])))
        torch.save(content, file)
    try:
        with limited(LONGEST):
            predict(file, folder / "a.png", home / "out", device="cpu")
            values = set(np.unique(read_mask(home / "out/a.png")).tolist())
            check(values <= {0, 1}, f"the mask holds {values}")
    except SegprepError as error:
        check(error.code in CODES and bool(error.message), "an error without a registered code")
        return error.code
    except Exception as error:
        error.add_note(f"{file.name}: {change}")
        raise
    return "predicted"


def fuzz(
    seed: int, until: Callable[[int], bool], report: Callable[[str], None], first: int = 0
) -> tuple[int, int, Counter[str]]:
    """Cases run, failures, and outcomes; each failure is reported with the case that repeats it."""
    with tempfile.TemporaryDirectory(prefix="segprep-fuzz-") as name:
        folder = Path(name)
        onnx_model.export(checkpoints.load(network(folder)), folder / "net.onnx")
        pixels = np.random.default_rng(3).integers(0, 256, (48, 64, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "a.png")
        return campaign(lambda number: case(seed, number, folder), seed, until, report, first)


def main() -> int:
    """Run for a time, or one case again."""
    parser = argparse.ArgumentParser(description="Fuzz checkpoints and ONNX files.")
    parser.add_argument("seconds", nargs="?", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--case", metavar="SEED:NUMBER")
    parser.add_argument("--cases", type=int, help="so many of them, however long they take")
    given = parser.parse_args()
    if given.case:
        seed, number = map(int, given.case.split(":"))
        return bool(fuzz(seed, lambda at: at == number, print, number)[1])
    ends = time.monotonic() + given.seconds
    until = (lambda at: at < given.cases) if given.cases else (lambda _: time.monotonic() < ends)
    number, failures, outcomes = fuzz(given.seed, until, print)
    print(f"seed {given.seed}: {number} cases, {failures} failures, {dict(outcomes)}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
