"""From the counts of all images to one Evaluation."""

from pathlib import Path

from segprep.evaluation import compat as tools
from segprep.evaluation.accumulate import Account
from segprep.evaluation.bootstrap import interval
from segprep.evaluation.options import EvaluationInputs
from segprep.evaluation.pairs import MatchedMasks, few
from segprep.evaluation.ranking import Ranking
from segprep.evaluation.results import Boundaries, Comparison, Evaluation, GroupScore
from segprep.evaluation.suspicions import suspicions
from segprep.evaluation.truth_values import background_only
from segprep.metrics.confusion import ConfusionMatrix
from segprep.metrics.scores import Scores, baseline
from segprep.types import Note


def finished(
    subject: EvaluationInputs,
    matched: MatchedMasks,
    account: Account,
    images: Ranking,
    tool: tools.ScoreDefinition | None,
    compat: str | None,
    against: Path | None,
    *,
    notes: tuple[Note, ...] = (),
) -> Evaluation:
    """What the counts of all images say. *notes* come before those about pairs and pixels."""
    matrix, policy = account.matrix, account.policy
    scores = matrix.scores(policy)
    top, trivial = baseline(matrix.sums(policy)[1], policy)
    numbers = tool.numbers(matrix, scores) if tool else {}
    if tool and account.imagewise is not None:
        numbers |= account.imagewise.numbers(tool.needs)
    headline = numbers.get(tool.headline, scores.miou) if tool else scores.miou
    spread = (
        account.bootstrap.interval()
        if account.bootstrap is not None and not (tool and tool.headline)
        else None
    )
    groups = tuple(
        GroupScore(
            name,
            matrix_of_group.scores(policy).miou,
            matrix_of_group.scores(policy).pixel_accuracy,
            matrix_of_group.valid + matrix_of_group.invalid_pixels,
        )
        for name, matrix_of_group in sorted(account.groups.items())
    )
    return Evaluation(
        pred=subject.pred,
        truth=subject.truth,
        classes=matrix.names,
        ignore=matrix.ignore,
        policy=policy,
        compat=compat,
        how=tool.how if tool else "",
        numbers=numbers,
        matrix=matrix,
        scores=scores,
        miou=headline,
        interval=spread,
        baseline=trivial,
        baseline_class=matrix.names[top],
        pairs=len(matched.pairs),
        missing=matched.missing,
        extra=matched.extra,
        worst=images.worst,
        groups=groups,
        comparison=_compared(account, images, scores, against),
        boundary=_contours(account),
        objects=account.quality.document(matrix.names) if account.quality.images else None,
        notes=(
            *(*notes, *matched.pairs.truth.unread()),
            *(*background_only(matrix), *suspicions(matrix), *_notes(matched, matrix)),
        ),
    )


def _contours(account: Account) -> Boundaries | None:
    return (
        Boundaries(*account.contours.scores(account.policy.excluded))
        if account.contours.union.any()
        else None
    )


def _compared(
    account: Account, images: Ranking, scores: Scores, against: Path | None
) -> Comparison | None:
    if account.other is None or against is None:
        return None
    theirs = account.other.scores(account.policy).miou
    spread = None
    if (
        account.bootstrap is not None
        and account.bootstrap_other is not None
        and account.bootstrap.interval() is not None
    ):
        spread = interval(account.bootstrap.replicates() - account.bootstrap_other.replicates())
    return Comparison(against, theirs, scores.miou - theirs, spread, images.changed)


def _notes(matched: MatchedMasks, matrix: ConfusionMatrix) -> tuple[Note, ...]:
    notes = []
    if matched.missing:
        notes.append(
            Note(
                "prediction-missing",
                f"{len(matched.missing)} truth masks without prediction were skipped:"
                f" {few(matched.missing)}",
            )
        )
    if matched.extra:
        notes.append(
            Note(
                "extra-prediction",
                f"{len(matched.extra)} predictions have no truth and were not scored:"
                f" {few(matched.extra)}",
            )
        )
    if not matrix.valid + matrix.invalid_pixels:
        notes.append(
            Note("nothing-counted", "every truth pixel is ignored, so no score is defined")
        )
    if matrix.invalid_pixels:
        notes.append(
            Note(
                "invalid-prediction",
                f"{matrix.invalid_pixels} predicted pixels are not a class; they count as errors of"
                " their true class",
            )
        )
    return tuple(notes)
