"""The page that a person opens after a check."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep.metrics.confusion import class_rows
from segprep.outputs import OutputFolder
from segprep.reports import page, thumbnails
from segprep.training.check.outcome import REPORT, Outcome
from segprep.training.check.suspects import Suspect
from segprep.training.data.pairs import ImagePair

Predict = Callable[[ImagePair], NDArray[np.uint8]]
TONES = {"learnable": "good", "undecided": "fair", "doubtful": "fair", "not_learnable": "bad"}
LEADS = {
    "learnable": (
        "A small model learns from these labels what it cannot learn from shuffled ones. A full"
        " training is worth its time."
    ),
    "undecided": (
        "The training ended before the model could tell anything. That says nothing against the"
        " data: give more time, or more steps."
    ),
    "doubtful": (
        "Something speaks against these data, or there is too little to tell. Look at the reasons"
        " before a long training."
    ),
    "not_learnable": (
        "A small model learns nothing from these labels beyond chance. Fix the data"
        " before a long training."
    ),
}
WRONG = (
    "A small model learns from these labels what it cannot learn from shuffled ones. Some masks"
    " contradict it strongly, though: look at them, and fix them before a long training."
)
UNTRAINED = "The data alone rule a training out: nothing was trained. Fix the reasons below first."
EXTREMES, SUSPECTS, LISTED = 3, 12, 200


def write(
    folder: Path,
    outcome: Outcome,
    pairs: Mapping[str, ImagePair],
    predict: Predict | None,
    background: int | None = 0,
) -> None:
    """Write report.html to *folder*.

    Pictures are made of *pairs*; *predict* gives the mask of one. *background* stays clear in
    overlays.
    """
    tone = TONES[outcome.verdict]
    lead = LEADS[outcome.verdict] if outcome.stems else UNTRAINED
    if outcome.verdict == "learnable" and outcome.wrong:
        tone, lead = "fair", WRONG
    remarks = [(reason.cause, reason.message) for reason in outcome.reasons]
    remarks += [("note", note) for note in outcome.notes]
    sections = [page.Section("", "", [page.Remarks(remarks)])]
    if outcome.stems and predict:
        pictures = _Pictures(outcome, pairs, predict, background)
        sections += [_numbers(outcome), pictures.first(), _classes(outcome), _curves(outcome)]
        sections += pictures.rest()
    title = f"train-check of {outcome.root.resolve().name}"
    content = page.Page(title, outcome.headline, tone, lead, sections, _foot(outcome))
    OutputFolder(folder).write(REPORT, page.render(content))


def _numbers(outcome: Outcome) -> page.Section:
    control, own = outcome.gaps["control"], outcome.gaps["own"]
    cards = [
        ("mIoU on val", f"{outcome.miou:.3f}", f"{len(outcome.stems)} images, at their own size"),
        ("majority class", f"{outcome.baseline_miou:.3f}", "mIoU of predicting it everywhere"),
        (
            "gain over the control",
            f"{control.value:+.3f}",
            f"95 % interval {control.low:+.3f} to {control.high:+.3f}, at equal steps",
        ),
        (
            "gain over others' masks",
            f"{own.value:+.3f}",
            f"95 % interval {own.low:+.3f} to {own.high:+.3f}",
        ),
    ]
    return page.Section(
        "Numbers",
        "The control is the same model, trained on masks that were shuffled between the images.",
        [page.Cards(cards)],
    )


def _curves(outcome: Outcome) -> page.Section:
    main, control = outcome.history, outcome.control_history
    end, majority = max((epoch.step for epoch in main), default=1), outcome.baseline_miou
    scores = [
        page.Line("this dataset", [(epoch.step, epoch.score) for epoch in main]),
        page.Line("control", [(epoch.step, epoch.score) for epoch in control]),
        page.Line("majority class", [(0, majority), (end, majority)], True),
    ]
    losses = [
        page.Line("train", [(epoch.step, epoch.loss) for epoch in main]),
        page.Line("val (cross-entropy)", [(epoch.step, epoch.val_loss) for epoch in main]),
    ]
    parts = [
        page.Lines("mIoU on val, while training", "step", scores, 1.0),
        page.Lines("loss", "step", losses),
    ]
    return page.Section("Curves", "", parts)


def _classes(outcome: Outcome) -> page.Section:
    matrix = outcome.counts.sum(0)
    classes = class_rows(matrix, outcome.classes)
    rows = [
        [
            str(row["name"]),
            *(_number(row[key]) for key in ("iou", "dice", "precision", "recall")),
            f"{row['pixels']:,}",
        ]
        for row in classes
    ]
    bars = [float(row["iou"]) if np.isfinite(row["iou"]) else 0.0 for row in classes]
    columns = ["class", "IoU", "Dice", "precision", "recall", "pixels"]
    return page.Section(
        "Classes",
        "Pooled over the val images; in the matrix every row is a true class.",
        [page.Table(columns, rows, 1, 1, bars), page.Matrix(outcome.classes, matrix)],
    )


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "–"


@dataclass(frozen=True, slots=True)
class _Pictures:
    """The sections that show samples."""

    outcome: Outcome
    pairs: Mapping[str, ImagePair]
    predict: Predict
    background: int | None

    def first(self) -> page.Section:
        """The masks that look wrong."""
        heading, wrong = "Look at these first", self.outcome.wrong
        if not wrong:
            return page.Section(heading, "None stands out.", [])
        text = (
            "The model, edges and colors speak against these masks. Images that were trained on are"
            " marked: the model may have learned their faults."
        )
        more = len(wrong) - SUSPECTS
        if more > 0:
            text += f" The first {SUSPECTS}; {more} more stand in the list at the end."
        return page.Section(heading, text, [self._gallery(wrong[:SUSPECTS], wide=True)])

    def rest(self) -> list[page.Section]:
        """The worst and best val images, and the list of all."""
        ranked = sorted(self.outcome.suspects, key=lambda suspect: suspect.iou)
        val = [suspect for suspect in ranked if not suspect.training]
        ends = [("Worst on val", val[:EXTREMES]), ("Best on val", val[::-1][:EXTREMES])]
        return [
            page.Section(heading, "By the IoU of the image.", [self._gallery(chosen)])
            for heading, chosen in ends
        ] + [self._all()]

    def _all(self) -> page.Section:
        shown = self.outcome.suspects[:LISTED]
        rows = [
            [
                suspect.stem,
                "train" if suspect.training else "val",
                suspect.kind,
                f"{suspect.score:.3f}",
                f"{suspect.iou:.3f}",
            ]
            for suspect in shown
        ]
        columns = ["sample", "list", "what", "disagreement", "IoU"]
        table = page.Table(columns, rows, 3, 3, [suspect.score for suspect in shown])
        return page.Section("All images, most suspect first", "", [table])

    def _gallery(self, chosen: Sequence[Suspect], wide: bool = False) -> page.Gallery:
        names = enumerate(self.outcome.classes)
        legend = [(name, thumbnails.color(n)) for n, name in names if n != self.background]
        legend.append(("ignored", thumbnails.color(255)))
        return page.Gallery([self._figure(suspect, wide) for suspect in chosen], legend, wide)

    def _figure(self, suspect: Suspect, wide: bool) -> page.Figure:
        pair = self.pairs[suspect.stem]
        seen, guess = thumbnails.small(thumbnails.shown(pair.image)), self.predict(pair)
        pictures = [
            ("image", seen),
            ("mask", thumbnails.laid_over(seen, pair.mask, self.background)),
            ("model", thumbnails.laid_over(seen, guess, self.background)),
        ]
        if wide:
            pictures.append(("they differ", thumbnails.differing(seen, pair.mask, guess)))
        where = "trained on" if suspect.training else "val"
        text = f"disagreement {suspect.score:.2f}, IoU {suspect.iou:.2f}, {where}"
        if suspect.kind:
            text = f"{suspect.kind} ({text})"
        sources = [(label, thumbnails.uri(picture)) for label, picture in pictures]
        return page.Figure(suspect.stem, text, sources)


def _foot(outcome: Outcome) -> str:
    if outcome.plan is None:
        return f"segprep train-check, seed –, {outcome.seconds:.0f} s; nothing was trained."
    plan, config, scale = outcome.plan, outcome.plan.config, outcome.plan.view.scale
    width = f" of width {config.options['base']}" if "base" in config.options else ""
    how = "letterboxed" if scale is None else "own size" if scale == 1 else f"scale {scale:g}"
    return (
        f"segprep train-check: {config.arch}{width}, {plan.steps} steps of {config.batch}"
        f" windows of {plan.view.size}x{plan.view.size} at {how}, control {plan.control} steps,"
        f" seed {config.seed}; {outcome.trained} images trained on, {len(outcome.stems)} scored,"
        f" {outcome.seconds:.0f} s."
    )
