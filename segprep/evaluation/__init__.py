"""Predictions against truth over whole folders, with every choice declared beside the number."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segprep.errors import BadInputError, UsageError, require
from segprep.evaluation.accumulate import (
    Account,
    ImageRow,
    ImageScore,
    Invalid,
    PairTask,
    Scored,
    stream,
)
from segprep.evaluation.arrays import Reading
from segprep.evaluation.bootstrap import Bootstrap
from segprep.evaluation.boundary import Contours
from segprep.evaluation.compat import ScoreDefinition
from segprep.evaluation.folders import Folder, flattened, folder
from segprep.evaluation.invalid_values import refuse_ids_as_probabilities
from segprep.evaluation.options import (
    AUTO,
    EvaluationInputs,
    class_names,
    policy_of,
)
from segprep.evaluation.options import (
    ignore_index as chosen_ignore,
)
from segprep.evaluation.pairs import MaskPairs, MatchedMasks, Missing, match
from segprep.evaluation.panoptic import Quality
from segprep.evaluation.per_image import Imagewise
from segprep.evaluation.prediction_origin import compared
from segprep.evaluation.ranking import Ranking
from segprep.evaluation.results import Evaluation
from segprep.evaluation.summary import finished
from segprep.evaluation.truth_values import refuse_doubtful, truth_table
from segprep.metrics.confusion import DENSE, ConfusionMatrix
from segprep.metrics.scores import Absent, Policy
from segprep.types import Classes, Note, Progress, no_progress

if TYPE_CHECKING:
    from segprep.evaluation.files import ResultFiles


def evaluate(
    pred: str | Path | None = None,
    *,
    dataset: str | Path = ".",
    truth: str | Path | None = None,
    split: str | None = None,
    stems: str | Path | Sequence[str] | None = None,
    classes: str | int | Sequence[str] | Classes | None = None,
    ignore_index: int | str | None = AUTO,
    truth_ids: str | None = None,
    reduce_zero_label: bool = False,
    exclude: Sequence[str | int] = (),
    absent: Absent = "nan",
    compat: str | None = None,
    missing: Missing = "error",
    invalid: Invalid = "error",
    resize: bool = False,
    colors: str | None = None,
    threshold: float | None = None,
    prefix: str = "",
    suffix: str = "",
    truth_prefix: str = "",
    truth_suffix: str = "",
    against: str | Path | None = None,
    group_by: str | None = None,
    boundary: bool = False,
    objects: str | Path | None = None,
    samples: int = 1000,
    seed: int = 0,
    worst: int = 10,
    per_image: bool = False,
    out: str | Path | None = None,
    overwrite: bool = False,
    jobs: int = 1,
    progress: Progress[Any] = no_progress,
) -> Evaluation:
    """Score the label maps in *pred* against those of *dataset* (its SegmentationClass), or of the
    folder *truth*, paired by stem.

    *stems* is a list file or the stems themselves; *split* names a list of the dataset.
    *ignore_index* "auto" is 255, or 65535 where there are more than 255 classes; None: no truth
    pixel is ignored. *truth_ids* (VALUE=NAME,… or a file) says what the values of the truth mean;
    with *reduce_zero_label* 0 is ignored and n means class n - 1. *prefix* and *suffix* are what
    the names of predictions have around the stem, *truth_prefix* and *truth_suffix* those of the
    truth. *objects* is a folder of predicted instance masks; without *pred*, the classes are taken
    from it, too. *samples* bootstrap samples give the interval (none beyond 4,096 classes). *out*
    is a folder for tables and pictures; *per_image* keeps the score of every image.

    Raises:
        UsageError: a wrong option; SegprepError: a prediction is missing, nothing pairs, the
        predictions are of other classes (by their own account), or the truth holds 0 and 255 only.
        MissingExtraError: charts, boundaries or the Rand error without the extra ``report``.
        BadInputError: pairs that cannot be scored, each with its cause in ``skipped``.
    """
    alone = pred is None and objects is not None
    subject = EvaluationInputs.find(
        objects if alone else pred, Path(dataset), truth, split, stems, objects is not None
    )
    names = class_names(classes, subject, truth_ids)
    ignore = chosen_ignore(ignore_index, len(names))
    policy, tool = policy_of(names, absent, exclude, compat)
    _require_report(out is not None, boundary, tool)
    stated = truth_table(truth_ids, names, ignore, reduce_zero_label=reduce_zero_label)
    reading = replace(_reading(len(names), threshold, resize, colors, alone), truth_ids=stated)
    notes = () if classes is not None or alone else _origins(subject.pred, against, names)
    ends = ((prefix, suffix), (truth_prefix, truth_suffix))
    matched = _matched(subject, missing, against, objects, ends)
    for side in matched.pairs.preds:
        refuse_ids_as_probabilities(matched.pairs.stems, side, reading)
    needs = tool.needs if tool is not None else ""
    task = PairTask(reading, ignore, invalid, _roots(matched.pairs), boundary, needs == "segments")
    groups = _groups(subject, matched.pairs.stems, group_by) if group_by else None
    account = _account(names, ignore, policy, samples, seed, against is not None, bool(needs))
    scored = _scored(task, matched, jobs, progress)
    rows = (account.add(pair, groups[pair.stem] if groups else None) for pair in scored)
    results = None
    if out is not None:
        from segprep.evaluation.files import ResultFiles

        results = ResultFiles(Path(out), names, overwrite, subject.tree)
    with results or nullcontext() as files:
        images, every = _ranked(rows, worst, files, keep=per_image)
        if ignore_index == AUTO and stated is None:
            _refuse_doubtful(account, subject)
        other = Path(against) if against is not None else None
        result = finished(subject, matched, account, images, tool, compat, other, notes=notes)
        result = replace(result, images=every)
        if files is not None:
            files.finish(result, matched.pairs, subject.tree, reading)
    return result


def _groups(subject: EvaluationInputs, stems: Sequence[str], group_by: str) -> Mapping[str, str]:
    """The group of every stem, without the folders of a sharded dataset."""
    from segprep.dataset.shards import size_of
    from segprep.grouping import groups_of

    sharded = subject.tree is not None and size_of(subject.tree) > 0
    return groups_of(stems, group_by, sharded=sharded)


def _refuse_doubtful(account: Account, subject: EvaluationInputs) -> None:
    """Raise SegprepError where 255 may be a class of the truth; a manifest says that it is not."""
    described = subject.tree is not None and subject.tree.manifest is not None
    refuse_doubtful(account.matrix, subject.truth, shares=not described)


def _ranked(
    rows: Iterable[ImageRow], worst: int, files: "ResultFiles | None", *, keep: bool
) -> tuple[Ranking, tuple[ImageScore, ...]]:
    """The *worst* of the *rows*, which go into *files*, too; and the scores of all, to *keep*."""
    ranking, every = Ranking(worst), list[ImageScore]()
    for row in rows:
        ranking.add(row.score)
        if keep:
            every.append(row.score)
        if files is not None:
            files.row(row)
    return ranking, tuple(every)


def _require_report(charts: bool, boundary: bool, tool: ScoreDefinition | None) -> None:
    """Raise MissingExtraError before anything is counted, not after."""
    if charts:
        require("charts (--out)", "matplotlib", "report")
    if boundary:
        require("boundary scores (--boundary)", "scipy", "report")
    if tool is not None and tool.needs == "segments":
        require("the Rand error (--compat)", "scipy", "report")


def _origins(pred: Path, against: str | Path | None, names: Sequence[str]) -> tuple[Note, ...]:
    """What the predictions say of their own classes. Raises SegprepError (other-classes)."""
    further = () if against is None else compared(Path(against), names)
    return (*compared(pred, names), *further)


def _reading(
    classes: int, threshold: float | None, resize: bool, colors: str | None, objects: bool
) -> Reading:
    """How predictions are read. Raises UsageError."""
    if colors not in (None, "voc"):
        raise UsageError(
            "bad-option",
            f"--colors {colors}",
            "only voc is supported; other colors become ids with segprep convert colormap",
        )
    if threshold is not None and classes != 2:
        raise UsageError(
            "bad-option",
            f"--threshold reads one probability per pixel, of class 1 of 2; there are {classes}"
            " classes",
            "leave --threshold out",
        )
    if objects and classes != 2:
        raise UsageError(
            "bad-option",
            f"--objects without PRED can only mean class 1 of 2, and there are {classes}",
            "give the class predictions as PRED, too",
        )
    return Reading(classes, threshold, resize, objects, colors == "voc")


def _matched(
    subject: EvaluationInputs,
    missing: Missing,
    against: str | Path | None,
    objects: str | Path | None,
    ends: tuple[tuple[str, str], tuple[str, str]],
) -> MatchedMasks:
    """The pairs; *ends* are prefix and suffix of predictions, and of the truth."""
    own, of_truth = (dict(zip(("prefix", "suffix"), pair, strict=True)) for pair in ends)
    truth = folder(subject.truth, "truth masks", **of_truth)

    def beside(path: Path, what: str) -> Folder:
        return flattened(truth, folder(path, what, **own))

    paths = (subject.pred, *([Path(against)] if against is not None else []))
    preds = tuple(beside(path, "predictions") for path in paths)
    lists = subject.tree.lists() if subject.tree is not None and subject.stems is None else None
    instances: tuple[Folder, ...] = ()
    if objects is not None and subject.objects is not None:
        instances = (
            folder(subject.objects, "instance masks"),
            beside(Path(objects), "predicted instance masks"),
        )
    return match(truth, preds, subject.stems, missing, subject.source, instances, lists)


def _roots(pairs: MaskPairs) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(side.root for side in (pairs.truth, *pairs.preds, *pairs.objects)))


def _account(
    names: tuple[str, ...],
    ignore: int | None,
    policy: Policy,
    samples: int,
    seed: int,
    two: bool,
    by_image: bool,
) -> Account:
    size = len(names)
    replicates = samples if size <= DENSE else 0  # its memory grows with samples times classes
    boot, boot_other = (
        Bootstrap(replicates, seed, policy, size) if replicates else None for _ in range(2)
    )
    other = ConfusionMatrix(names, ignore) if two else None
    return Account(
        ConfusionMatrix(names, ignore),
        other,
        policy,
        boot,
        boot_other,
        Imagewise(size) if by_image else None,
        Contours(size),
        Quality(size),
    )


def _scored(
    task: PairTask, matched: MatchedMasks, jobs: int, progress: Progress[Any]
) -> Iterator[Scored]:
    """Every pair; at the end BadInputError if some could not be scored."""
    failures: list[Any] = []
    yield from stream(task, matched.pairs, jobs, progress, failures)
    if failures:
        first = failures[0]
        raise BadInputError(
            "bad-input",
            f"{len(failures)} of {len(matched.pairs)} pairs cannot be scored, so there is no score;"
            f" the first: {first.path}: {first.reason}",
            first.hint or "fix the files and re-run the command",
            tuple(failures),
        )
