"""The files of an evaluation: scores.json, tables, charts, and pictures of the worst images.

Rows of images are written as they come.
"""

import csv
import io
import os
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from segprep import jsontext
from segprep.dataset.tree import Tree
from segprep.errors import SegprepError, SourceError, UsageError
from segprep.evaluation import label_maps
from segprep.evaluation.accumulate import ImageRow
from segprep.evaluation.arrays import Reading
from segprep.evaluation.pairs import MaskPairs
from segprep.evaluation.results import Evaluation, document
from segprep.files import read_below, write_atomic, write_error
from segprep.imaging import image
from segprep.metrics.confusion import DENSE
from segprep.reports import bars, confusion, overlays

NAMES = (
    "scores.json",
    "per_image.csv",
    "confusion_matrix.csv",
    "confusion_matrix.png",
    "classes.png",
)
WORST = "worst"
COLUMNS = 256  # classes up to which every image has a column for each


class ResultFiles:
    """What is written below *out*; use it as a context: a failed run leaves no half table."""

    def __init__(self, out: Path, names: tuple[str, ...], overwrite: bool) -> None:
        """Raises UsageError if *out* holds files and *overwrite* was not given."""
        if out.exists() and not out.is_dir():
            raise UsageError("bad-option", f"{out} is no folder", "choose another name for --out")
        if out.is_dir() and any(out.iterdir()) and not overwrite:
            raise UsageError(
                "output-exists",
                f"{out} is not empty",
                "choose another folder, or replace its results with --overwrite",
            )
        if (out / WORST).is_symlink():
            raise SegprepError(
                "link-in-output",
                f"{out / WORST} is a symbolic link; files would land where it points",
                "remove the link",
            )
        self.out, self.names = out, names
        self._part = out / ".per_image.csv.part"
        self._file: TextIO | None = None

    def __enter__(self) -> "ResultFiles":
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            self._part.unlink(missing_ok=True)
            self._file = open(
                self._part, "x", encoding="utf-8", errors="backslashreplace", newline=""
            )
        except OSError as error:
            raise write_error(self.out, error) from error
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._wide = len(self.names) <= COLUMNS
        classes = [f"iou:{name}" for name in self.names] if self._wide else []
        self._rows.writerow(
            [
                "stem",
                "group",
                "miou",
                "pixel_accuracy",
                "valid",
                "ignored",
                "invalid",
                "boundary_f",
                "dsb_score",
                *classes,
            ]
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        self._part.unlink(missing_ok=True)

    def row(self, row: ImageRow) -> None:
        """One line of per_image.csv; what is undefined is empty."""
        boundary, objects = row.measured.get("boundary"), row.measured.get("objects")
        contours = _mean(boundary.f_score) if boundary is not None else None
        fixed = [
            row.stem,
            row.group,
            row.sums.miou,
            row.sums.accuracy,
            row.valid,
            row.ignored,
            row.invalid,
            contours,
            objects.dsb_score if objects is not None else None,
        ]
        wide: list[Any] = [None] * len(self.names) if self._wide else []
        if self._wide:
            iou = row.sums.same / (row.sums.rows + row.sums.columns - row.sums.same)
            for one, value in zip(row.sums.ids.tolist(), iou.tolist(), strict=True):
                wide[one] = value
        self._rows.writerow(
            [
                "" if cell is None or (isinstance(cell, float) and np.isnan(cell)) else cell
                for cell in (*fixed, *wide)
            ]
        )

    def finish(self, found: Evaluation, pairs: MaskPairs, home: Tree | None, how: Reading) -> None:
        """Write everything else. Raises SegprepError if a file cannot be written."""
        if self._file is not None:
            self._file.close()
            os.replace(self._part, self.out / NAMES[1])
        text = jsontext.text(document(found)).encode()
        write_atomic(self.out / NAMES[2], matrix_csv(found).encode("utf-8", "backslashreplace"))
        write_atomic(self.out / NAMES[3], confusion.picture(found.matrix.matrix, found.classes))
        scores = found.scores
        write_atomic(
            self.out / NAMES[4],
            bars.picture(
                found.classes,
                scores.iou,
                scores.precision,
                scores.recall,
                scores.pixels,
                f"IoU per class, mean {found.miou:.4f}",
            ),
        )
        self._pictures(found, pairs, home, how)
        write_atomic(self.out / NAMES[0], text)

    def _pictures(
        self, found: Evaluation, pairs: MaskPairs, home: Tree | None, how: Reading
    ) -> None:
        place = self.out / WORST
        for old in place.glob("*.png") if place.is_dir() else ():
            old.unlink()
        if not found.worst:
            return
        place.mkdir(exist_ok=True)
        at = {stem: n for n, stem in enumerate(pairs.stems)}
        for rank, one in enumerate(found.worst, 1):
            pair = pairs[at[one.stem]]
            roots = (pair.truth.parent, *(path.parent for path in pair.preds))
            truth = label_maps.read(pair.truth, roots, how, truth=True)
            pred = label_maps.fit(
                label_maps.read(pair.preds[0], roots, how), truth.shape, pair.preds[0], how
            )
            title = (
                f"{one.stem}: mIoU {one.miou:.4f} over the classes in it, pixel accuracy"
                f" {one.accuracy:.4f}"
            )
            made = overlays.picture(
                shown(home, one.stem, truth.shape), truth, pred, found.classes, found.ignore, title
            )
            write_atomic(place / f"{rank:02}_{one.stem.replace('/', '_')}.png", made)


def shown(home: Tree | None, stem: str, shape: tuple[int, ...]) -> Any:
    """The image of *stem*, (H, W, 3), or None where there is none of this *shape*."""
    path = home.image_path(stem) if home is not None else None
    if path is None:
        return None
    try:
        place = path.parent.resolve()
        pixels = image.pixels(read_below(place / path.name, (place,)), path)
    except SourceError:
        return None  # the scores are of masks; the picture is an aid
    return pixels if pixels.shape[:2] == shape else None


def matrix_csv(found: Evaluation) -> str:
    """The matrix with class names in row and column; invalid predictions in a column of their own.

    Beyond 4,096 classes one line per pair that occurs.
    """
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    matrix, names = found.matrix.matrix, found.classes
    if len(names) > DENSE:
        cells = matrix.tocoo()
        rows.writerow(["truth", "predicted", "pixels"])
        rows.writerows(
            (names[t], names[p], n)
            for t, p, n in zip(
                cells.row.tolist(), cells.col.tolist(), cells.data.tolist(), strict=True
            )
        )
        return out.getvalue()
    invalid = found.matrix.invalid.tolist()
    extra = any(invalid)
    rows.writerow([r"truth \ predicted", *names, *(["(no class)"] if extra else [])])
    rows.writerows(
        [name, *cells, *([lost] if extra else [])]
        for name, cells, lost in zip(names, matrix.tolist(), invalid, strict=True)
    )
    return out.getvalue()


def _mean(values: Any) -> float:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else float("nan")
