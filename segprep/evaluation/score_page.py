"""Scores as a page to send around: the classes, what is taken for what, and the worst images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.evaluation.results import Evaluation
from segprep.metrics.confusion import DENSE
from segprep.reports import confusion, page, thumbnails

Worst = page.Figure
SHOWN = 24  # classes in the matrix of the page
_ABSENT = {
    "nan": "absent classes are excluded",
    "zero": "absent classes count 0",
    "one": "absent classes count 1",
    "undefined": "an absent class leaves it undefined",
}


def worst(stem: str, text: str, panels: Sequence[tuple[str, NDArray[Any]]]) -> Worst:
    """One of the worst images, in short: what is said of it, and its panels (H, W, 3) by name."""
    drawn = [(name, thumbnails.uri(thumbnails.small(pixels))) for name, pixels in panels]
    return page.Figure(stem, text, drawn)


def render(result: Evaluation, pictures: Sequence[Worst]) -> bytes:
    """*result* and the *pictures* of its worst images as one HTML file that opens offline."""
    low, high = result.interval or (0.0, 0.0)
    between = f"95 % interval {low:.4f} to {high:.4f}" if result.interval else "no interval"
    undefined = int(np.isnan(result.scores.iou).sum())
    cards = [
        ("mIoU", f"{result.miou:.4f}", between),
        ("pixel accuracy", f"{result.scores.pixel_accuracy:.4f}", "of the pixels that count"),
        (
            "majority class",
            f"{result.baseline.miou:.4f}",
            f"mIoU of {result.baseline_class} everywhere",
        ),
        ("images", f"{result.pairs:,}", f"{len(result.missing)} without prediction"),
    ]
    sections = [page.Section("Scores", _policy(result, undefined), [page.Cards(cards)])]
    sections.append(page.Section("Classes", "", [_classes(result)]))
    if len(result.classes) <= DENSE:
        sections.append(_matrix(result))
    if pictures:
        sections.append(
            page.Section("Worst images", "Lowest mIoU first.", [page.Gallery(pictures, wide=True)])
        )
    if result.notes:
        remarks = page.Remarks([("note", note.message) for note in result.notes])
        sections.append(page.Section("Notes", "", [remarks]))
    tone = "good" if result.miou > result.baseline.miou else "bad"
    verdict, title = f"mIoU {result.miou:.4f}", f"scores of {result.pred.name}"
    lead = f"{result.pairs:,} predictions against {result.truth.name}."
    return page.render(page.Page(title, verdict, tone, lead, sections, "segprep miou"))


def _policy(result: Evaluation, undefined: int) -> str:
    text = f"The mean is over {len(result.classes) - undefined} of {len(result.classes)} classes"
    ignored = f"; {result.ignore} in the truth is ignored" if result.ignore is not None else ""
    return f"{text}; {_ABSENT[result.policy.absent]}{ignored}."


def _classes(result: Evaluation) -> page.Table:
    """A row per class, the largest share of wrong pixels to be seen at a glance."""
    scores = result.scores
    columns = (scores.iou, scores.dice, scores.precision, scores.recall)
    rows = [
        (name, *(_number(float(column[n])) for column in columns), f"{int(scores.pixels[n]):,}")
        for n, name in enumerate(result.classes)
    ]
    bars = np.nan_to_num(scores.iou).clip(0, 1).tolist()
    heads = ("class", "IoU", "Dice", "precision", "recall", "truth pixels")
    return page.Table(heads, rows, bar=1, bars=bars)


def _matrix(result: Evaluation) -> page.Section:
    shown = confusion.chosen(result.matrix.matrix)[:SHOWN]
    counts = np.asarray(result.matrix.matrix)[np.ix_(shown, shown)]
    names = [result.classes[n] for n in shown]
    text = "Pixels of each true class (rows) by predicted class; the shade is the share of the row."
    if len(shown) < len(result.classes):
        text += f" {len(shown)} of {len(result.classes)} classes."
    return page.Section("Confusion matrix", text, [page.Matrix(names, counts)])


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.4f}"
