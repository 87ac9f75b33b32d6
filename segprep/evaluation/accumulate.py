"""Score pairs one after the other, in worker processes too: what one image yields, and what is kept
of all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep import engine
from segprep.errors import SourceError
from segprep.evaluation import boundary as boundaries
from segprep.evaluation import label_maps, panoptic, rand_error
from segprep.evaluation.arrays import Reading
from segprep.evaluation.bootstrap import Bootstrap
from segprep.evaluation.invalid_values import cause
from segprep.evaluation.pairs import MaskPair, MaskPairs
from segprep.evaluation.per_image import Imagewise
from segprep.files import read_below
from segprep.metrics.confusion import MOST, ConfusionMatrix, listed
from segprep.metrics.counting import Tally, tally
from segprep.metrics.scores import Policy, Sums, sums
from segprep.types import IGNORE, OBJECT_IGNORE, Progress, Skipped

Invalid = Literal["error", "count"]
IDS = Reading(MOST)  # how instance masks are read: any integers


@dataclass(frozen=True, slots=True)
class Scored:
    """What a worker hands back of one image: its tallies, one per prediction, and further
    measurements of the first.
    """

    stem: str
    tallies: tuple[Tally, ...]
    measured: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PairTask:
    """Read one pair and count it.

    Picklable. *boundary*, *cells*: measure contours, or ISBI's cells, too.
    """

    reading: Reading
    ignore: int | None
    invalid: Invalid
    roots: tuple[Path, ...]
    boundary: bool = False
    cells: bool = False

    def __call__(self, pair: MaskPair) -> Scored:
        """Raises SourceError that names file, value and likely cause."""
        data, truth = read_below(pair.truth, self.roots), None
        whole = self.boundary or self.cells or bool(pair.objects)  # maps, not counts alone
        tallies: list[Tally] = []
        measured: dict[str, Any] = {}
        for path in pair.preds:
            other, pred = read_below(path, self.roots), None
            counts = None
            if not whole:
                paths = pair.truth, path
                counts = label_maps.counted(data, other, paths, self.reading)
            if counts is None:
                if truth is None:
                    truth = label_maps.held(data, pair.truth, self.reading, truth=True)
                pred = label_maps.held(other, path, self.reading)
                pred = label_maps.fit(pred, truth.shape, path, self.reading)
                counts = tally(truth, pred)
            self._check(counts, pair.truth, path)
            if whole and not tallies and truth is not None and pred is not None:
                measured = self._measured(truth, pred, pair)
            tallies.append(counts)
        return Scored(pair.stem, tuple(tallies), measured)

    def _measured(self, truth: NDArray[Any], pred: NDArray[Any], pair: MaskPair) -> dict[str, Any]:
        measured: dict[str, Any] = {}
        if self.boundary:
            measured["boundary"] = boundaries.measure(
                truth, pred, self.ignore, self.reading.classes
            )
        if self.cells:
            measured["cells"] = rand_error.cell_errors(truth, pred, self.ignore)
        if pair.objects:
            mine, theirs = (
                label_maps.fit(
                    label_maps.read(path, self.roots, IDS, truth=True),
                    truth.shape,
                    path,
                    self.reading,
                )
                for path in pair.objects
            )
            measured["objects"] = panoptic.measure(
                mine, theirs, truth, pred, ignored_object(mine), self.reading.classes
            )
        return measured

    def _check(self, counts: Tally, truth: Path, pred: Path) -> None:
        size = self.reading.classes
        if counts.plain(size, self.ignore) >= 0:
            return
        kept = (
            np.ones(len(counts.truth), np.bool_)
            if self.ignore is None
            else counts.truth != self.ignore
        )
        strange = ((counts.truth < 0) | (counts.truth >= size)) & kept
        if strange.any():
            seen = _by_value(counts.truth[strange], counts.pixels[strange])
            first = next(iter(seen))
            hint = (
                f"give more than {size} --classes; or say what the values mean with --truth-ids"
                f" VALUE=NAME,… (NAME may be __ignore__); --ignore-index {first} if it marks"
                " ignored pixels"
            )
            raise SourceError(
                truth,
                f"the truth holds values that are not class ids of 0..{size - 1}: {_pixels(seen)}",
                hint,
                "unknown-value",
            )
        wrong = ((counts.pred < 0) | (counts.pred >= size)) & kept
        if self.invalid == "error" and wrong.any():
            seen = _by_value(counts.pred[wrong], counts.pixels[wrong])
            why = cause(_by_value(counts.pred, counts.pixels), seen, size)
            raise SourceError(
                pred,
                f"predicts values that are not class ids of 0..{size - 1}: {_pixels(seen)}",
                why,
                "invalid-prediction",
            )


def _by_value(values: NDArray[Any], pixels: NDArray[Any]) -> dict[int, int]:
    distinct, places = np.unique(values, return_inverse=True)
    return dict(
        zip(distinct.tolist(), np.bincount(places, pixels).astype(np.int64).tolist(), strict=True)
    )


def _pixels(seen: Mapping[int, int]) -> str:
    return listed(f"{value} ({count} px)" for value, count in seen.items())


@dataclass(frozen=True, slots=True)
class ImageScore:
    """One image in a list of worst or most changed ones.

    *miou* is over the classes that occur in it; *change* against the other prediction.
    """

    stem: str
    miou: float
    accuracy: float
    change: float = 0.0


@dataclass(frozen=True, slots=True)
class ImageRow:
    """All that is known of one image once it is counted: its sums (of the other prediction, too),
    pixels, and further measurements.
    """

    stem: str
    group: str | None
    sums: Sums
    other: Sums | None
    valid: int
    ignored: int
    invalid: int
    measured: Mapping[str, Any]

    @property
    def score(self) -> ImageScore:
        """For a list of images."""
        return ImageScore(
            self.stem,
            self.sums.miou,
            self.sums.accuracy,
            self.sums.miou - self.other.miou if self.other else 0.0,
        )


@dataclass
class Account:
    """All that is kept while images go by: nothing here grows with their number, but for one matrix
    per group.
    """

    matrix: ConfusionMatrix
    other: ConfusionMatrix | None
    policy: Policy
    bootstrap: Bootstrap | None
    bootstrap_other: Bootstrap | None
    imagewise: Imagewise | None
    contours: boundaries.Contours
    quality: panoptic.Quality
    groups: dict[str, ConfusionMatrix] = field(default_factory=dict)

    def add(self, image: Scored, group: str | None) -> ImageRow:
        """Count one image, which belongs to *group* if there are groups."""
        dropped, invalid = self.matrix.add(image.tallies[0])
        mine = sums(image.tallies[0], self.matrix.size, self.matrix.ignore, self.policy)
        unit = image.stem if group is None else group
        if self.bootstrap is not None:
            self.bootstrap.add(unit, mine)
        if group is not None:
            self.groups.setdefault(
                group, ConfusionMatrix(self.matrix.names, self.matrix.ignore)
            ).add(image.tallies[0])
        if self.imagewise is not None:
            self.imagewise.add(mine, image.measured.get("cells"))
        if "boundary" in image.measured:
            self.contours.add(image.measured["boundary"])
        if "objects" in image.measured:
            self.quality.add(image.measured["objects"])
        valid = int(image.tallies[0].pixels.sum()) - dropped - invalid
        return ImageRow(
            image.stem,
            group,
            mine,
            self._add_other(image, unit),
            valid,
            dropped,
            invalid,
            image.measured,
        )

    def _add_other(self, image: Scored, unit: str) -> Sums | None:
        if self.other is None:
            return None
        self.other.add(image.tallies[1])
        theirs = sums(image.tallies[1], self.other.size, self.other.ignore, self.policy)
        if self.bootstrap_other is not None:
            self.bootstrap_other.add(unit, theirs)
        return theirs


def ignored_object(ids: NDArray[Any]) -> int:
    """The id of ignored pixels in a true instance mask: 65535 in 16 bits, 255 in 8."""
    return IGNORE if ids.dtype.itemsize == 1 else OBJECT_IGNORE


def stream(
    task: PairTask, pairs: MaskPairs, jobs: int, progress: Progress[Any], failures: list[Skipped]
) -> Iterator[Scored]:
    """Every pair scored, in order; what cannot be read goes to *failures* instead."""
    for at, result in enumerate(
        progress(engine.run(task, pairs, jobs=jobs), len(pairs), "scoring")
    ):
        if isinstance(result, engine.Failure):
            failures.append(
                Skipped(pairs.stems[at], result.path, result.code, result.reason, result.hint)
            )
        else:
            yield result
