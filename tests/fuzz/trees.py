"""Mutate what a finished dataset says of itself, and see that every reader of it ends in a
SegprepError or a sound value.

    python tests/fuzz/trees.py                 60 seconds
    python tests/fuzz/trees.py 600 --seed 7    ten minutes, the same cases each time
"""

import argparse
import json
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

import segprep
from segprep.codes import CODES
from segprep.dataset import lists, manifest, tree
from segprep.dataset.tree import LISTS, PENDING_SPLIT
from segprep.errors import SegprepError

SLOWEST = 5.0  # seconds that one case may take
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 256, 2**70, 1.5, float("nan"), "", "a", "../x", "a/b", "CON", "\ud800",
    "x" * 300, [], {}, [[]], {"a": None}, ["a", "a"], "0" * 40, "\x1b[31m",
)  # fmt: skip


def lay_out(folder: Path) -> Path:
    """A split dataset of four images."""
    (folder / "src").mkdir()
    for n in range(4):
        Image.new("RGB", (20, 16), (40 * n, 0, 90)).save(folder / "src" / f"s{n}.png")
        shape = {"label": "cat" if n % 2 else "dog", "points": [[1, 1], [9, 1], [5, 9]]}
        content = {"shapes": [shape], "imagePath": f"s{n}.png", "imageData": None}
        (folder / "src" / f"s{n}.json").write_text(json.dumps(content))
    segprep.convert("labelme", folder / "src", folder / "out")
    segprep.split(folder / "out", folds=2)
    return folder / "out"


def changed(value: Any, rng: random.Random) -> Any:
    """*value* with one thing somewhere in it replaced, removed or added."""
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(sorted(value))
        rest = {name: part for name, part in value.items() if name != key}
        kind = rng.random()
        if kind < 0.1:
            return rest
        if kind < 0.2:
            return {**value, str(rng.choice(VALUES)): rng.choice(VALUES)}
        return {**rest, key: changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], changed(value[at], rng), *value[at + 1 :]]
    return rng.choice(VALUES)


def flipped(data: bytes, rng: random.Random) -> bytes:
    """*data* with some bytes changed, inserted or cut."""
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 3, 20))):
        at = rng.randrange(len(content) + 1)
        kind = rng.random()
        if kind < 0.6 and content:
            content[min(at, len(content) - 1)] ^= 1 << rng.randrange(8)
        elif kind < 0.8:
            content[at:at] = rng.randbytes(rng.randrange(1, 9))
        else:
            del content[at : at + rng.randrange(1, 30)]
    return bytes(content)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """*data*, JSON or lines of it or text, changed by structure or by bytes."""
    try:
        if rng.random() < 0.6:
            rows = data.splitlines() if data.startswith(b'{"stem"') else [data]
            at = rng.randrange(len(rows))
            rows[at] = json.dumps(changed(json.loads(rows[at]), rng)).encode()
            return b"\n".join(rows) + b"\n"
    except ValueError:
        pass  # a text file
    return flipped(data, rng)


READERS: dict[str, Callable[[Path], Any]] = {
    "info": segprep.info,
    "verify": segprep.verify,
    "split": lambda root: segprep.split(root, seed=2, overwrite=True, dry_run=True),
    "update": lambda root: segprep.split(root, update=True, dry_run=True),
    "records": lambda root: list(segprep.Tree(root).records()),
    "stems": lambda root: segprep.Tree(root).stems(),
    "lists": tree.read_lists,
    "finish": lists.finish_split,
}


def attempt(root: Path, name: str) -> str:
    """What is wrong with the way in which reader *name* takes the dataset at *root*, or ""."""
    started = time.process_time()
    try:
        READERS[name](root)
    except SegprepError as error:
        if error.code not in CODES:
            return f"{name}: unregistered code {error.code}"
    except Exception:  # what is looked for
        return f"{name}: {traceback.format_exc(limit=-4)}"
    seconds = time.process_time() - started
    return f"{name}: took {seconds:.1f} s" if seconds > SLOWEST else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    parser.add_argument("--cases", type=int, help="so many of them, however long they take")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    given = parser.parse_args()
    rng, cases, failures = random.Random(given.seed), 0, 0
    with tempfile.TemporaryDirectory(prefix="segprep-fuzz-") as folder:
        root = lay_out(Path(folder).resolve())
        pending = {"lists": {"train": ["s0"], "val": ["s1"]}, "split": {"seed": 1}}
        texts = ["segprep.json", "records.jsonl", "class_names.txt", "labelmap.txt"]
        texts += [f"{LISTS}/{name}.txt" for name in ("train", "val")]
        originals = {name: (root / name).read_bytes() for name in texts}
        whole = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
        until = time.monotonic() + given.seconds
        while cases < given.cases if given.cases else time.monotonic() < until:
            name = rng.choice([*texts, PENDING_SPLIT])
            if name == PENDING_SPLIT:
                odd = changed(pending, rng)
                sound = isinstance(odd, dict) and rng.random() < 0.7
                data = manifest.sealed(odd) if sound else mutated(manifest.sealed(pending), rng)
            else:
                data = mutated(originals[name], rng)
            (root / name).write_bytes(data)
            reader = rng.choice(sorted(READERS))
            if words := attempt(root, reader):
                failures += 1
                print(f"case {cases} of seed {given.seed}: {name}: {data[:300]!r}: {words}")
            (root / PENDING_SPLIT).unlink(missing_ok=True)
            for path, content in whole.items():
                if not path.is_file() or path.read_bytes() != content:
                    path.write_bytes(content)
            cases += 1
    print(json.dumps({"cases": cases, "failures": failures, "seed": given.seed}))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
