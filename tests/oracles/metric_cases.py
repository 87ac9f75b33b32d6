"""Label maps to be scored, generated from a number."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.evaluation.compat import TOOLS
from segprep.evaluation.per_image import Imagewise
from segprep.metrics.confusion import ConfusionMatrix
from segprep.metrics.counting import tally
from segprep.metrics.scores import sums

COUNT = 200
TIGHT = 1e-9
Map = NDArray[Any]


@dataclass
class Case:
    classes: int
    ignore: int | None
    pairs: list[tuple[Map, Map]]
    kind: str = "plain"
    objects: tuple[Map, Map] | None = None
    matrix: ConfusionMatrix = field(init=False)

    def __post_init__(self) -> None:
        self.matrix = ConfusionMatrix(self.classes, self.ignore)
        for truth, pred in self.pairs:
            self.matrix.update(truth, pred)

    def flat(self) -> tuple[Map, Map]:
        truth, pred = (
            np.concatenate([pair[n].ravel() for pair in self.pairs]).astype(np.int64)
            for n in (0, 1)
        )
        kept = np.ones(len(truth), bool) if self.ignore is None else truth != self.ignore
        return truth[kept], pred[kept]

    def scores(self, tool: str) -> dict[str, Any]:
        found = self.matrix.scores(TOOLS[tool].policy)
        running = Imagewise(self.classes)
        for truth, pred in self.pairs:
            running.add(sums(tally(truth, pred), self.classes, self.ignore, TOOLS[tool].policy))
        return (
            {"miou": found.miou, "scores": found}
            | TOOLS[tool].numbers(self.matrix, found)
            | running.numbers(TOOLS[tool].needs)
        )


def blobs(random: np.random.Generator, classes: int, shape: tuple[int, int], kind: type) -> Map:
    """Patches of a few pixels of the classes that this map has."""
    present = random.choice(classes, random.integers(1, min(classes, 12) + 1), replace=False)
    coarse = random.choice(present, (-(-shape[0] // 4), -(-shape[1] // 5)))
    return coarse.repeat(4, 0).repeat(5, 1)[: shape[0], : shape[1]].astype(kind)


def plain_case(number: int) -> Case:
    random = np.random.default_rng(number)
    size = [*range(2, 12), 19, 21, 150, 255, 256, 300, 1000][number % 17]
    ignore = None if size >= 255 or number % 3 == 0 else 255
    kind = np.uint8 if size <= 256 else np.uint16
    pairs = []
    for _ in range(random.integers(1, 5)):
        shape = (int(random.integers(1, 40)), int(random.integers(1, 60)))
        truth = blobs(random, size, shape, kind)
        pred = np.where(
            random.random(shape) < random.choice([0, 0.1, 0.6]),
            blobs(random, size, shape, kind),
            truth,
        )
        if ignore is not None:
            truth = np.where(random.random(shape) < 0.15, ignore, truth).astype(kind)
        pairs.append((truth, pred))
    return Case(size, ignore, pairs)


CASES = [plain_case(n) for n in range(COUNT)]


def object_case(number: int) -> Case:
    """Disks of classes 1 to 3 on background, shifted, dropped and relabeled in the prediction; (H,
    W, 2) of class and instance.
    """
    random = np.random.default_rng(2000 + number)
    truth, pred = np.zeros((60, 60, 2), np.int64), np.zeros((60, 60, 2), np.int64)
    rows, columns = np.mgrid[:60, :60]
    for one in range(1, int(random.integers(2, 9))):
        y, x, radius, label = (
            int(random.integers(60)),
            int(random.integers(60)),
            int(random.integers(4, 12)),
            int(random.integers(1, 4)),
        )
        truth[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = label, one
        if random.random() < 0.85:
            y, x = y + int(random.integers(-3, 4)), x + int(random.integers(-3, 4))
            pred[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = (
                label if random.random() < 0.9 else label % 3 + 1,
                50 - one,
            )
    return Case(4, None, [(truth[..., 0], pred[..., 0])], "objects", (truth, pred))
