"""A dataset's life in random order: images are added, changed and deleted, the conversion runs or
is killed on the way, the dataset is split, updated, remapped, exported, damaged and repaired.

    python tests/fuzz/machine.py                 60 seconds
    python tests/fuzz/machine.py 600 --seed 7    ten minutes, the same life each time

After every step: no exception but a SegprepError; a dataset that a command accepts is whole
(segprep.verify); no sample is in two lists; after a kill the same conversion ends byte-identical to
one from nothing, lists aside.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # test modules share helpers

from crash.faults import child
from crash.points import content
from crash.scenarios import annotation, sample

import segprep
from segprep.dataset import tree
from segprep.errors import SegprepError


class Life:
    """One dataset below the current folder, src -> out, and what may happen to it."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.number = rng, 0
        for _ in range(5):
            self.add()
        self.convert()

    def add(self) -> None:
        label = self.rng.choice(("cat", "dog"))
        sample(Path("src"), f"s{self.number}", self.number, label)
        self.number += 1

    def change(self) -> None:
        path = self.rng.choice(sorted(Path("src").glob("*.json")))
        annotation(path, "cat", f"{path.stem}.png", self.rng.randrange(2, 12))

    def delete(self) -> None:
        paths = sorted(Path("src").glob("*.json"))
        if len(paths) > 3:
            self.rng.choice(paths).unlink()

    def convert(self) -> None:
        segprep.convert("labelme", "src", "out", classes="dog,cat")

    def kill(self) -> None:
        mode = self.rng.choice(("kill", "torn", "error", "full"))
        command = ("json2mask", "src", "out", "-j", "1", "--no-progress", "--classes", "dog,cat")
        child(command, mode, self.rng.randrange(1, 60))

    def kill_split(self) -> None:
        mode = self.rng.choice(("kill", "torn", "error", "full"))
        command = ("split", "out", "--seed", str(self.rng.randrange(9)), "--overwrite")
        child(command, mode, self.rng.randrange(1, 20))

    def split(self) -> None:
        segprep.split("out", seed=self.rng.randrange(9), overwrite=True)

    def update(self) -> None:
        segprep.split("out", update=True)

    def remap(self) -> None:
        segprep.remap("out", "remapped", map=("cat=dog",), overwrite=True)
        self.whole("remapped")

    def export(self) -> None:
        segprep.export("keras", "out", "exported", overwrite=True)
        self.whole("exported")

    def damage(self) -> None:
        """One bit of one file; verify must see it, and the bit is turned back."""
        paths = [path for path in sorted(Path("out").rglob("*")) if path.is_file()]
        path = self.rng.choice([one for one in paths if one.parts[1] != ".segprep.lock"])
        before = path.read_bytes()
        if not before or ".segprep-incomplete" in path.parts or path.name.endswith(".part"):
            return
        path.write_bytes(bytes([before[0] ^ 1]) + before[1:])
        try:
            assert segprep.verify("out").deviations, f"{path} was changed, and verify is content"
        except SegprepError:
            pass  # refused altogether, which is an answer, too
        finally:
            path.write_bytes(before)

    @staticmethod
    def whole(folder: str = "out") -> None:
        """What every step must leave: a whole dataset, or one that is refused."""
        try:
            found = segprep.verify(folder)
            lists = tree.read_lists(Path(folder)) if folder == "out" else {}
        except SegprepError:
            return
        wrong = [one for one in found.deviations if one.kind != "extra"]
        assert not wrong, f"{folder}: {wrong[0]}"
        counts = Counter(stem for name in tree.SPLITS for stem in lists.get(name, ()))
        assert all(number == 1 for number in counts.values()), f"in two lists: {counts}"

    def finish(self) -> None:
        """Convert in peace, and compare with a conversion from nothing."""
        self.convert()
        shutil.rmtree("fresh", ignore_errors=True)
        segprep.convert("labelme", "src", "fresh", classes="dog,cat")
        for folder in ("JPEGImages", "SegmentationClass"):
            ours, theirs = (content(Path(root) / folder) for root in ("out", "fresh"))
            assert ours == theirs, f"{folder} is not as from nothing: {ours.keys() ^ theirs.keys()}"
        assert segprep.verify("out").intact


STEPS: tuple[Callable[[Life], None], ...] = (
    *(Life.add, Life.change, Life.delete, Life.convert, Life.convert, Life.kill, Life.kill),
    *(Life.split, Life.update, Life.kill_split, Life.remap, Life.export, Life.damage, Life.finish),
)


def live(rng: random.Random, steps: int) -> str:
    """A life of *steps* steps in the current folder: what went wrong, or ""."""
    past: list[str] = []
    try:
        life = Life(rng)
        for _ in range(steps):
            step = rng.choice(STEPS)
            past.append(step.__name__)
            try:
                step(life)
            except SegprepError as error:
                past[-1] += f"[{error.code}]"
            life.whole()
        past.append("finish")
        life.finish()
    except Exception:  # what is looked for
        return f"{' '.join(past)}: {traceback.format_exc(limit=-3)}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    parser.add_argument("--cases", type=int, help="so many of them, however long they take")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    given = parser.parse_args()
    lives, failures, until = 0, 0, time.monotonic() + given.seconds
    while lives < given.cases if given.cases else time.monotonic() < until:
        with tempfile.TemporaryDirectory(prefix="segprep-machine-") as folder:
            os.chdir(folder)
            if words := live(random.Random(given.seed * 1000 + lives), 12):
                failures += 1
                print(f"life {lives} of seed {given.seed}: {words}", flush=True)
            os.chdir("/")
        lives += 1
    print(json.dumps({"lives": lives, "steps": 12 * lives, "failures": failures}))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
