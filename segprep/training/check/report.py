"""The page that a person opens after a check."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep.files import write_atomic
from segprep.metrics.confusion import class_rows
from segprep.reports import page, thumbnails
from segprep.training.check.loop import Epoch
from segprep.training.check.outcome import REPORT, Outcome
from segprep.training.check.suspects import Suspect
from segprep.training.data.pairs import ImagePair

Predict = Callable[[ImagePair], NDArray[np.uint8]]
TONES = {"learnable": "good", "undecided": "fair", "doubtful": "fair", "not_learnable": "bad"}
LEADS = {
    "learnable": (
        "A small network learns from these labels what it cannot learn from shuffled ones. A full"
        " training is worth its time."
    ),
    "undecided": (
        "The time was up before the network could tell anything. Nothing is said against the data:"
        " give more time."
    ),
    "doubtful": (
        "Something speaks against these data, or there is too little to tell. Look at the reasons"
        " before a long training."
    ),
    "not_learnable": (
        "A small network learns nothing from these labels that chance would not give. Fix the data"
        " before a long training."
    ),
}
WRONG = (
    "A small network learns from these labels what it cannot learn from shuffled ones. Some masks"
    " contradict it strongly, though: look at them, and fix them before a long training."
)
UNTRAINED = "The data alone rule a training out: nothing was trained. Fix the reasons below first."
EXTREMES, SUSPECTS = 3, 12


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
    sections = [
        page.Section(
            "",
            "",
            [
                page.Remarks(
                    [(suspect.cause, suspect.message) for suspect in outcome.reasons]
                    + [("note", note) for note in outcome.notes]
                )
            ],
        )
    ]
    if outcome.stems and predict:
        sections += [_numbers(outcome), _curves(outcome), _classes(outcome)]
        sections += _pictures(outcome, pairs, predict, background)
    title = f"train-check of {outcome.root.resolve().name}"
    write_atomic(
        folder / REPORT,
        page.render(page.Page(title, outcome.headline, tone, lead, sections, _foot(outcome))),
    )


def _numbers(outcome: Outcome) -> page.Section:
    control, own = outcome.gaps["control"], outcome.gaps["own"]
    cards = [
        ("mIoU on val", f"{outcome.miou:.3f}", f"{len(outcome.stems)} images, at their own size"),
        ("majority class", f"{outcome.baseline_miou:.3f}", "mIoU of answering it everywhere"),
        (
            "gain over the control",
            f"{control.value:+.3f}",
            f"95 % interval {control.low:+.3f} to {control.high:+.3f}, at equal steps",
        ),
        (
            "own over others' masks",
            f"{own.value:+.3f}",
            f"{own.low:+.3f} to {own.high:+.3f}: predictions against the wrong masks",
        ),
    ]
    return page.Section(
        "Numbers",
        "The control is the same network, trained on masks that were shuffled between the images.",
        [page.Cards(cards)],
    )


def _curves(outcome: Outcome) -> page.Section:
    def line(
        name: str, history: tuple[Epoch, ...], pick: Callable[[Epoch], float], dashed: bool = False
    ) -> page.Line:
        return page.Line(name, [(epoch.step, pick(epoch)) for epoch in history], dashed)

    main, control = outcome.history, outcome.control_history
    losses = [
        line("train", main, lambda e: e.loss),
        line("val (cross-entropy)", main, lambda e: e.val_loss),
    ]
    scores = [
        line("this dataset", main, lambda e: e.score),
        line("control", control, lambda e: e.score),
    ]
    end = max((epoch.step for epoch in main), default=1)
    scores.append(
        page.Line(
            "majority class", [(0, outcome.baseline_miou), (end, outcome.baseline_miou)], True
        )
    )
    parts = [
        page.Lines("mIoU on val, while training", "step", scores, 1.0),
        page.Lines("loss", "step", losses),
    ]
    return page.Section("Curves", "", parts)


def _classes(outcome: Outcome) -> page.Section:
    matrix = outcome.counts.sum(0)
    rows = [
        [
            str(row["name"]),
            *(_number(row[key]) for key in ("iou", "dice", "precision", "recall")),
            f"{row['pixels']:,}",
        ]
        for row in class_rows(matrix, outcome.classes)
    ]
    table = page.Table(["class", "IoU", "Dice", "precision", "recall", "pixels"], rows)
    return page.Section(
        "Classes",
        "Pooled over the val images; in the matrix every row is a true class.",
        [table, page.Matrix(outcome.classes, matrix)],
    )


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "–"


def _pictures(
    outcome: Outcome, pairs: Mapping[str, ImagePair], predict: Predict, background: int | None
) -> list[page.Section]:
    legend = [
        (name, thumbnails.color(n)) for n, name in enumerate(outcome.classes) if n != background
    ] + [("ignored", thumbnails.color(255))]
    val = [
        suspect
        for suspect in sorted(outcome.suspects, key=lambda suspect: suspect.iou)
        if not suspect.training
    ]

    def gallery(chosen: list[Suspect]) -> page.Gallery:
        return page.Gallery(
            [_figure(suspect, pairs[suspect.stem], predict, background) for suspect in chosen],
            legend,
        )

    sections = [_first(gallery(list(outcome.wrong[:SUSPECTS])))]
    for heading, chosen in (
        ("Worst on val", val[:EXTREMES]),
        ("Best on val", val[::-1][:EXTREMES]),
    ):
        sections.append(page.Section(heading, "By the IoU of the image.", [gallery(chosen)]))
    ranked = [
        [
            suspect.stem,
            "train" if suspect.training else "val",
            f"{suspect.score:.3f}",
            f"{suspect.iou:.3f}",
        ]
        for suspect in outcome.suspects
    ]
    return [
        *sections,
        page.Section(
            "All images, most suspect first",
            "",
            [page.Table(["sample", "list", "disagreement", "IoU"], ranked[:200], 2)],
        ),
    ]


def _first(gallery: page.Gallery) -> page.Section:
    heading = "Look at these first"
    if not gallery.figures:
        return page.Section(heading, "None stands out: no mask contradicts the network.", [])
    text = (
        "Mask and model disagree far more here than elsewhere. Images that were trained on are"
        " marked: the model may have learned their faults."
    )
    return page.Section(heading, text, [gallery])


def _figure(
    suspect: Suspect, pair: ImagePair, predict: Predict, background: int | None
) -> page.Figure:
    seen = thumbnails.small(thumbnails.shown(pair.image))
    pictures = [
        ("image", seen),
        ("mask", thumbnails.laid_over(seen, pair.mask, background)),
        ("model", thumbnails.laid_over(seen, predict(pair), background)),
    ]
    text = (
        f"disagreement {suspect.score:.2f}, IoU {suspect.iou:.2f},"
        f" {'trained on' if suspect.training else 'val'}"
    )
    return page.Figure(
        suspect.stem, text, [(label, thumbnails.uri(picture)) for label, picture in pictures]
    )


def _foot(outcome: Outcome) -> str:
    if outcome.plan is None:
        return f"segprep train-check, seed –, {outcome.seconds:.0f} s; nothing was trained."
    plan, scale = outcome.plan, outcome.plan.view.scale
    how = "letterboxed" if scale is None else "own size" if scale == 1 else f"scale {scale:g}"
    return (
        f"segprep train-check: {plan.arch} of width {plan.base}, {plan.steps} steps of {plan.batch}"
        f" windows of {plan.view.size}x{plan.view.size} at {how}, control {plan.control} steps,"
        f" seed {plan.seed}; {outcome.trained} images trained on, {len(outcome.stems)} scored,"
        f" {outcome.seconds:.0f} s."
    )
