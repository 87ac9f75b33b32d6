"""The files of an evaluation: scores, tables, charts, a page, pictures of the worst images.

Rows of images are written as they come.
"""

import csv
import io
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from segprep import jsontext
from segprep.dataset.staging import lock
from segprep.dataset.tree import LOCK, RUNS, Tree
from segprep.errors import SegprepError, SourceError, UsageError
from segprep.evaluation import label_maps
from segprep.evaluation.accumulate import ImageRow
from segprep.evaluation.arrays import Reading
from segprep.evaluation.pairs import MaskPairs
from segprep.evaluation.results import Evaluation, document
from segprep.files import read_below, remove_folder, write_error, write_staged
from segprep.metrics.confusion import DENSE
from segprep.names import csv_cell
from segprep.outputs import OutputFolder, force, swap

if TYPE_CHECKING:
    from segprep.evaluation.score_page import Worst

NAMES = (
    "scores.json",
    "per_image.csv",
    "confusion_matrix.csv",
    "confusion_matrix.png",
    "classes.png",
    "report.html",
)
PER_IMAGE = (
    "stem",
    "group",
    "miou",
    "pixel_accuracy",
    "valid",
    "ignored",
    "invalid",
    "boundary_f",
    "dsb_score",
)
WORST = "worst"
COLUMNS = 256  # classes up to which every image has a column for each


class ResultFiles:
    """What is written below *out*. It is made in a hidden folder beside *out* and moved in at the
    end, scores.json last: use it as a context; a failed or killed run changes nothing in *out*.
    """

    def __init__(
        self, out: Path, names: tuple[str, ...], overwrite: bool, home: Tree | None = None
    ) -> None:
        """Raises UsageError if *out* holds files and *overwrite* was not given, or lies inside the
        tree *home* but not below its runs/.
        """
        if out.exists() and not out.is_dir():
            raise UsageError(
                "bad-option", f"{out} is not a folder", "choose another name for --out"
            )
        if out.is_dir() and any(out.iterdir()) and not overwrite:
            raise UsageError(
                "output-exists",
                f"{out} is not empty",
                "choose another folder, or replace its results with --overwrite",
            )
        if out.is_symlink() or (out / WORST).is_symlink():
            link = out if out.is_symlink() else out / WORST
            raise SegprepError(
                "link-in-output",
                f"{link} is a symbolic link; files would land where it points",
                "remove the link",
            )
        _refuse_inside(out, home)
        self.out, self.names = out, names
        self._hidden = out.absolute().parent / f".{out.absolute().name}.segprep-miou"
        self._stage = self._hidden / "new"
        self._file: TextIO | None = None
        self._held = ExitStack()

    def __enter__(self) -> "ResultFiles":
        try:
            self._hidden.mkdir(parents=True, exist_ok=True)
            self._held.callback(self._vanish)
            self._held.enter_context(lock(self._hidden))
            for left in self._hidden.iterdir():  # by a killed run
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left)
                elif left.name != LOCK:
                    left.unlink()
            self._stage.mkdir()
            self._file = open(
                self._stage / NAMES[1], "x", encoding="utf-8", errors="backslashreplace", newline=""
            )
        except OSError as error:
            self._held.close()
            raise write_error(self._stage, error) from error
        except SegprepError:
            self._held.close()
            raise
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._wide = len(self.names) <= COLUMNS
        classes = [f"iou:{name}" for name in self.names] if self._wide else []
        self._rows.writerow([*PER_IMAGE, *classes])
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        remove_folder(self._stage)
        self._held.close()

    def _vanish(self) -> None:
        with suppress(OSError):  # another run may be at work in it
            self._hidden.rmdir()

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
            for value_id, value in zip(row.sums.ids.tolist(), iou.tolist(), strict=True):
                wide[value_id] = value
        self._rows.writerow(
            [
                ""
                if cell is None or (isinstance(cell, float) and np.isnan(cell))
                else csv_cell(cell)
                for cell in (*fixed, *wide)
            ]
        )

    def finish(self, result: Evaluation, pairs: MaskPairs, home: Tree | None, how: Reading) -> None:
        """Make everything else, and move all of it to *out*. Raises SegprepError if a file cannot
        be written.
        """
        from segprep.evaluation import score_page
        from segprep.reports import bars, confusion

        if self._file is not None:
            self._file.close()
        scores = result.scores
        title = f"IoU per class, mean {result.miou:.4f}"
        columns = (scores.iou, scores.precision, scores.recall, scores.pixels)
        contents = {
            NAMES[0]: jsontext.text(document(result)).encode(),
            NAMES[2]: matrix_csv(result).encode("utf-8", "backslashreplace"),
            NAMES[3]: confusion.picture(result.matrix.matrix, result.classes),
            NAMES[4]: bars.picture(result.classes, *columns, title),
        }
        for name, content in contents.items():
            write_staged(self._stage / name, content)
        pictures = self._pictures(result, pairs, home, how)
        write_staged(self._stage / NAMES[5], score_page.render(result, pictures))
        try:
            self._publish()
        except OSError as error:
            raise write_error(Path(error.filename or self.out), error) from error

    def _publish(self) -> None:
        if not self._swapped():
            pictures = sorted((self._stage / WORST).glob("*.png"))
            parts = {name: self._stage / name for name in NAMES}
            parts |= {f"{WORST}/{path.name}": path for path in pictures}
            OutputFolder(self.out).adopt(parts, last=NAMES[0], without=self._clear)

    def _clear(self) -> None:
        """Take away what would not be of these scores."""
        for path in (self.out / NAMES[0], *(self.out / WORST).glob("*.png")):
            path.unlink(missing_ok=True)

    def _swapped(self) -> bool:
        """Whether one rename put all of it at *out*, where nothing was."""
        if self.out.exists() and any(self.out.iterdir()):
            return False
        force(self._stage)
        try:
            if self.out.exists():
                self.out.rmdir()
            swap(self._stage, self.out, self._hidden / "old")
        except OSError:  # the current folder, a mount point
            return False
        return True

    def _pictures(
        self, result: Evaluation, pairs: MaskPairs, home: Tree | None, how: Reading
    ) -> "list[Worst]":
        from segprep.evaluation import score_page
        from segprep.reports import overlays

        folder, drawn = self._stage / WORST, list[score_page.Worst]()
        if result.worst:
            folder.mkdir()
        at = {stem: n for n, stem in enumerate(pairs.stems)}
        for rank, score in enumerate(result.worst, 1):
            pair = pairs[at[score.stem]]
            roots = (pair.truth.parent, *(path.parent for path in pair.preds))
            truth = label_maps.read(pair.truth, roots, how, truth=True)
            pred = label_maps.read(pair.preds[0], roots, how)
            pred = label_maps.fit(pred, truth.shape, pair.preds[0], how)
            text = (
                f"mIoU {score.miou:.4f} over the classes in it, pixel accuracy {score.accuracy:.4f}"
            )
            photo = shown(home, score.stem, truth.shape)
            title = f"{score.stem}: {text}"
            picture = overlays.picture(photo, truth, pred, result.classes, result.ignore, title)
            write_staged(folder / f"{rank:02}_{score.stem.replace('/', '_')}.png", picture)
            panels = overlays.panels(photo, truth, pred, result.ignore)
            drawn.append(score_page.worst(score.stem, text, panels))
        return drawn


def _refuse_inside(out: Path, home: Tree | None) -> None:
    """Raise UsageError for a folder inside the tree *home* that is not below its runs/."""
    if home is None:
        return
    root, real = home.root.resolve(), out.resolve()
    inside = real == root or root in real.parents
    if inside and root / RUNS not in real.parents:
        raise UsageError(
            "output-overlaps-source",
            f"{out} lies inside the dataset {home.root}",
            f"choose a folder beside it, or below {home.root / RUNS}",
        )


def shown(home: Tree | None, stem: str, shape: tuple[int, ...]) -> Any:
    """The image of *stem*, (H, W, 3), or None where there is none of this *shape*."""
    path = home.image_path(stem) if home is not None else None
    if path is None:
        return None
    try:
        folder = path.parent.resolve()
        from segprep.imaging import image

        pixels = image.pixels(read_below(folder / path.name, (folder,)), path)
    except SourceError:
        return None  # the scores are of masks; the picture is an aid
    return pixels if pixels.shape[:2] == shape else None


def matrix_csv(result: Evaluation) -> str:
    """The matrix with class names in row and column; invalid predictions in a column of their own.

    Beyond 4,096 classes one line per pair that occurs.
    """
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    matrix, names = result.matrix.matrix, result.classes
    if len(names) > DENSE:
        cells = matrix.tocoo()
        rows.writerow(["truth", "predicted", "pixels"])
        rows.writerows(
            (csv_cell(names[t]), csv_cell(names[p]), n)
            for t, p, n in zip(
                cells.row.tolist(), cells.col.tolist(), cells.data.tolist(), strict=True
            )
        )
        return out.getvalue()
    invalid = result.matrix.invalid.tolist()
    extra = any(invalid)
    rows.writerow([r"truth \ predicted", *map(csv_cell, names), *(["(no class)"] if extra else [])])
    rows.writerows(
        [csv_cell(name), *cells, *([lost] if extra else [])]
        for name, cells, lost in zip(names, matrix.tolist(), invalid, strict=True)
    )
    return out.getvalue()


def _mean(values: Any) -> float:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else float("nan")
