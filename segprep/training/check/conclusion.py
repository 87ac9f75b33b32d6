"""What a check comes to: scores, reasons, verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from segprep.training.check import score_causes, verdict
from segprep.training.check.budget import Budget
from segprep.training.check.loop import Training
from segprep.training.check.outcome import Outcome
from segprep.training.check.suspects import Suspect
from segprep.training.check.verdict import Counts, Gap, Reason
from segprep.training.data.pairs import ImagePair


@dataclass(frozen=True, slots=True, eq=False)
class CheckScores:
    """Counts (N, C, C): *final* of val, the *control*'s, the majority class's, and those of images
    that were trained on (*seen*); *gaps* by name.
    """

    final: Counts
    control: Counts
    baseline: Counts
    seen: Counts
    gaps: Mapping[str, Gap]
    suspects: tuple[Suspect, ...]


def scored(
    train: Sequence[ImagePair],
    final: Counts,
    control: Counts,
    gaps: Mapping[str, Gap],
    seen: Counts,
    suspects: tuple[Suspect, ...],
    seed: int,
) -> CheckScores:
    """All scores, with those of answering the majority class of *train* everywhere."""
    classes = final.shape[1]
    pixels = sum(np.bincount(pair.mask.reshape(-1), minlength=256)[:classes] for pair in train)
    baseline = np.zeros_like(final)
    baseline[:, :, int(np.argmax(pixels))] = final.sum(2)
    gaps = {**gaps, "baseline": verdict.gap(final, baseline, seed)}
    return CheckScores(final, control, baseline, seen, gaps, suspects)


def reasons(
    data: Sequence[Reason],
    scores: CheckScores,
    training: Training,
    budget: Budget,
    names: Sequence[str],
) -> list[Reason]:
    """The reasons of the *data* and of the *scores*; of a run that was cut, only what stands."""
    gaps = scores.gaps
    own = [
        *verdict.compare(gaps["control"], gaps["baseline"], gaps["own"], len(scores.final)),
        *score_causes.of_scores(scores.final, scores.seen, names),
    ]
    if training.step < budget.steps and not training.exhausted:
        own = verdict.cut_short(own, training.step, budget.steps)
    return verdict.joined(data, own)


def completed(
    draft: Outcome, scores: CheckScores, training: Training, control: Training, stems: Sequence[str]
) -> Outcome:
    """*draft* with what training and scoring of the images *stems* gave."""
    return replace(
        draft,
        stems=tuple(stems),
        counts=scores.final,
        miou=float(verdict.miou(scores.final.sum(0))),
        control_miou=float(verdict.miou(scores.control.sum(0))),
        baseline_miou=float(verdict.miou(scores.baseline.sum(0))),
        gaps=scores.gaps,
        history=tuple(training.history),
        control_history=tuple(control.history),
        suspects=scores.suspects,
    )
