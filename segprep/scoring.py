"""Score pairs one after the other, in worker processes too: what one image yields, and what is kept of all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from . import engine, labelmaps
from .bootstrap import Bootstrap, Sums, sums
from .counting import Tally, tally
from .errors import SourceError
from .formulas import Policy
from .labelmaps import Reading
from .metrics import ConfusionMatrix, listed
from .predictions import Pair, Pairs
from .types import Progress, Skipped

Invalid = Literal["error", "count"]


@dataclass(frozen=True, slots=True)
class Scored:
    """What a worker hands back of one image: its tallies, one per prediction, and further measurements of the first."""

    stem: str
    tallies: tuple[Tally, ...]
    measured: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """Read one pair and count it. Picklable. *measures* are functions of (truth, pred) with their names."""

    reading: Reading
    ignore: int | None
    invalid: Invalid
    roots: tuple[Path, ...]
    measures: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, pair: Pair) -> Scored:
        """Raises SourceError that names file, value and likely cause."""
        truth = labelmaps.read(pair.truth, self.roots, self.reading, truth=True)
        tallies: list[Tally] = []
        measured: dict[str, Any] = {}
        for path in pair.preds:
            pred = labelmaps.fit(labelmaps.read(path, self.roots, self.reading), truth.shape, path, self.reading)
            found = tally(truth, pred)
            self._check(found, pair.truth, path)
            if not tallies:
                measured = {name: measure(truth, pred) for name, measure in self.measures.items()}
            tallies.append(found)
        return Scored(pair.stem, tuple(tallies), measured)

    def _check(self, found: Tally, truth: Path, pred: Path) -> None:
        size = self.reading.classes
        kept = np.ones(len(found.truth), np.bool_) if self.ignore is None else found.truth != self.ignore
        strange = ((found.truth < 0) | (found.truth >= size)) & kept
        if strange.any():
            seen = _by_value(found.truth[strange], found.pixels[strange])
            hint = f"give more than {size} --classes, or --ignore-index {next(iter(seen))} if that value marks ignored pixels"
            raise SourceError(truth, f"the truth holds values that are no class of 0..{size - 1}: {_pixels(seen)}", hint, "unknown-value")
        wrong = ((found.pred < 0) | (found.pred >= size)) & kept
        if self.invalid == "error" and wrong.any():
            seen = _by_value(found.pred[wrong], found.pixels[wrong])
            why = labelmaps.cause(_by_value(found.pred, found.pixels), seen, size)
            raise SourceError(pred, f"predicts values that are no class of 0..{size - 1}: {_pixels(seen)}", why, "invalid-prediction")


def _by_value(values: NDArray[Any], pixels: NDArray[Any]) -> dict[int, int]:
    found, places = np.unique(values, return_inverse=True)
    return dict(zip(found.tolist(), np.bincount(places, pixels).astype(np.int64).tolist(), strict=True))


def _pixels(seen: Mapping[int, int]) -> str:
    return listed(f"{value} ({count} px)" for value, count in seen.items())


@dataclass(frozen=True, slots=True)
class ImageScore:
    """One image in a list of worst or most changed ones. *miou* is over the classes that occur in it; *change* against the other prediction."""

    stem: str
    miou: float
    accuracy: float
    change: float = 0.0


@dataclass
class Account:
    """All that is kept while images go by: nothing here grows with their number, but for one matrix per group."""

    matrix: ConfusionMatrix
    other: ConfusionMatrix | None
    policy: Policy
    bootstrap: Bootstrap | None
    bootstrap_other: Bootstrap | None
    groups: dict[str, ConfusionMatrix] = field(default_factory=dict)

    def add(self, found: Scored, group: str | None) -> tuple[Sums, Sums | None]:
        """Count one image, which belongs to *group* if there are groups."""
        self.matrix.add(found.tallies[0])
        mine = sums(found.tallies[0], self.matrix.size, self.matrix.ignore, self.policy)
        unit = found.stem if group is None else group
        if self.bootstrap is not None:
            self.bootstrap.add(unit, mine)
        if group is not None:
            self.groups.setdefault(group, ConfusionMatrix(self.matrix.names, self.matrix.ignore)).add(found.tallies[0])
        if self.other is None:
            return mine, None
        self.other.add(found.tallies[1])
        theirs = sums(found.tallies[1], self.other.size, self.other.ignore, self.policy)
        if self.bootstrap_other is not None:
            self.bootstrap_other.add(unit, theirs)
        return mine, theirs


def stream(task: Task, pairs: Pairs, jobs: int, progress: Progress[Any], failures: list[Skipped]) -> Iterator[Scored]:
    """Every pair scored, in order; what cannot be read goes to *failures* instead."""
    for at, result in enumerate(progress(engine.run(task, pairs, jobs=jobs), len(pairs), "scoring")):
        if isinstance(result, engine.Failure):
            failures.append(Skipped(pairs.stems[at], result.path, result.code, result.reason, result.hint))
        else:
            yield result


def ordered(found: Sequence[ImageScore]) -> tuple[ImageScore, ...]:
    """By score, the worst first; images without a defined score left out."""
    return tuple(sorted((one for one in found if one.miou == one.miou), key=lambda one: (one.miou, one.stem)))
