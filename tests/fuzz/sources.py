"""Mutate tiny trees of every source format, and see that nothing but a SegprepError or a sound
dataset ever comes out.

    python tests/fuzz/sources.py                 60 seconds, another seed every time
    python tests/fuzz/sources.py 600 --seed 7    ten minutes, the same cases each time
    python tests/fuzz/sources.py --case 7:123    one case again; its tree is kept and its path
    printed

A case starts from ``example(folder)`` of a format's test module, changes bytes and structure at
random, and then asks all formats to recognize the folder and its own format to convert it. Anything
but a registered error, or masks of known ids that fit their images, is a failure.
"""

import argparse
import importlib.util
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segprep import conversion, sources
from segprep.codes import CODES
from segprep.dataset.tree import MASKS, Tree
from segprep.errors import BadInputError, SegprepError
from segprep.imaging import image

TESTS = Path(__file__).parents[1] / "sources"
sys.path[:] = [  # test modules share makers; this folder has a sources.py of its own: this file
    str(TESTS.parent),
    *(path for path in sys.path if Path(path).resolve() != Path(__file__).resolve().parent),
]
from fuzz.campaign import campaign, check, limited
from fuzz.changes import mutate

LONGEST = 20  # seconds of computing that one case may take


def example(name: str, folder: Path) -> Any:
    """The reader that the format's own test module lays out."""
    path = TESTS / f"test_{name.replace('-', '_')}.py"
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.example(folder)


def _packed(root: Path, rng: random.Random) -> Path:
    """The folder *root* as an archive beside it, half of them with changed bytes."""
    kind = rng.choice(["zip", "tar", "gztar"])
    if any("\udc80" <= letter <= "\udcff" for path in root.rglob("*") for letter in path.name):
        kind = "tar"  # zipfile writes no names that are not text
    path = Path(shutil.make_archive(str(root.parent / "packed"), kind, root.parent, root.name))
    data = bytearray(path.read_bytes())
    if rng.random() < 0.5:
        for _ in range(rng.choice([1, 3, 20])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)
    return path


def judge(name: str, reader: Any, out: Path, rng: random.Random) -> str:
    """The outcome in a word: a code, or "sound". Raises AssertionError, or whatever escaped."""
    options: dict[str, str | None] = (
        {"foreground": rng.choice(["dark", "light", "nonzero"])}
        if name in ("binary", "isbi")
        else {}
    )
    if rng.random() < 0.3 and hasattr(reader, "classes"):
        options["classes"] = None
    try:
        for other, evidence in sources.guesses(reader.root):
            assert 0 < evidence.score <= 1, other
        if rng.random() < 0.1:
            given = {f.name: getattr(reader, f.name) for f in fields(reader) if f.name != "root"}
            path = _packed(reader.root, rng)
            conversion.convert(name, path, out, on_error="skip", **(given | options))
        else:
            conversion.convert_with(
                replace(reader, **options),
                name,
                out,
                on_error=rng.choice(["stop", "skip", "skip"]),
                dry_run=rng.random() < 0.1,
            )
    except SegprepError as error:
        check(
            error.code in CODES and bool(error.message),
            "an error without a registered code or a message",
        )
        skipped = getattr(error, "skipped", ())
        check(
            bool(skipped) == isinstance(error, BadInputError)
            and all(one.code in CODES and one.reason for one in skipped),
            "a bad input without a reason",
        )
        return error.code
    tree = Tree(out)
    if (made := tree.manifest) is None:
        return "dry"
    for record in tree.records():
        mask = image.read_mask(out / record.mask)
        assert set(np.unique(mask).tolist()) <= {*range(len(made.classes.names)), 255}, record.stem
        with Image.open(out / record.image) as picture:
            if (
                picture.format == "PNG"
            ):  # a JPEG that ends as one should is passed on undecoded, whatever lies in between
                picture.load()
            assert picture.size == mask.shape[::-1], record.stem
    assert len(list((out / MASKS).iterdir())) == len(list(tree.records()))
    return "sound"


def case(seed: int, number: int, home: Path) -> tuple[str, list[str], str]:
    """Format, changes and outcome of one case, laid out below *home*. Raises what it finds."""
    rng = random.Random(f"{seed}:{number}")
    name = rng.choice(sources.names())
    reader = example(name, home / "in")
    changes = [mutate(home / "in", rng) for _ in range(rng.choice([1, 1, 2, 3, 6]))]
    try:
        with limited(LONGEST):
            return name, changes, judge(name, reader, home / "out", rng)
    except Exception as error:
        error.add_note(f"{name}: {'; '.join(changes)}")
        raise


def fuzz(
    seed: int, until: Callable[[int], bool], report: Callable[[str], None]
) -> tuple[int, int, Counter[str]]:
    """Cases run, failures, and outcomes; each failure is reported with the case that repeats it."""

    def attempt(number: int) -> str:
        with tempfile.TemporaryDirectory(prefix="segprep-fuzz-") as folder:
            (Path(folder) / "in").mkdir()
            return case(seed, number, Path(folder))[2]

    return campaign(attempt, seed, until, report)


def main() -> int:
    """Run for a time, or one case again."""
    parser = argparse.ArgumentParser(description="Fuzz the source formats.")
    parser.add_argument("seconds", nargs="?", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--case", help="SEED:NUMBER of one case to repeat")
    given = parser.parse_args()
    if given.case:
        seed, number = map(int, given.case.split(":"))
        home = Path(tempfile.mkdtemp(prefix="segprep-fuzz-"))
        (home / "in").mkdir()
        print(home)
        print(case(seed, number, home))
        return 0
    end = time.monotonic() + given.seconds
    number, failures, outcomes = fuzz(
        given.seed, lambda _: time.monotonic() < end, lambda text: print(text, flush=True)
    )
    print(f"seed {given.seed}: {number} cases, {failures} failures; {dict(outcomes.most_common())}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
