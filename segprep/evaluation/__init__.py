"""Predictions against truth over whole folders, with every choice declared beside the number."""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from segprep.errors import BadInputError, UsageError, require
from segprep.evaluation import compat as tools
from segprep.evaluation import label_maps
from segprep.evaluation import pairs as predictions
from segprep.evaluation.accumulate import Account, ImageScore, Invalid, Scored, Task, stream
from segprep.evaluation.bootstrap import Bootstrap, interval
from segprep.evaluation.boundary import Contours
from segprep.evaluation.files import Files
from segprep.evaluation.options import AUTO, Place, class_names, policy_of
from segprep.evaluation.options import ignore_index as chosen_ignore
from segprep.evaluation.pairs import Matched, Missing, Pairs
from segprep.evaluation.panoptic import Quality
from segprep.evaluation.per_image import Imagewise
from segprep.evaluation.results import Boundaries, Comparison, Evaluation, Group
from segprep.grouping import groups_of
from segprep.metrics.confusion import DENSE, ConfusionMatrix
from segprep.metrics.scores import Absent, Policy, Scores, baseline
from segprep.types import Classes, Note, Progress, no_progress


def evaluate(
    pred: str | Path | None = None,
    *,
    dataset: str | Path = ".",
    truth: str | Path | None = None,
    split: str | None = None,
    stems: str | Path | Sequence[str] | None = None,
    classes: str | int | Sequence[str] | Classes | None = None,
    ignore_index: int | str | None = AUTO,
    exclude: Sequence[str | int] = (),
    absent: Absent = "nan",
    compat: str | None = None,
    missing: Missing = "error",
    invalid: Invalid = "error",
    resize: bool = False,
    colours: str | None = None,
    threshold: float | None = None,
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
    pixel is ignored. *objects* is a folder of predicted instance masks; without *pred*, the classes
    are taken from it, too. *samples* bootstrap samples give the interval (none beyond 4,096
    classes). *out* is a folder for tables and pictures. Memory depends on the classes, not on the
    number of images, unless *per_image* keeps the score of each.

    Raises:
        UsageError: a wrong option; SegprepError: a prediction is missing, or nothing pairs.
        MissingExtraError: charts, boundaries or the Rand error without the extra ``report``.
        BadInputError: pairs that cannot be scored, each with file, value and cause in its
        ``skipped``.
    """
    place = Place.find(
        objects if pred is None and objects is not None else pred,
        Path(dataset),
        truth,
        split,
        stems,
        objects is not None,
    )
    names = class_names(classes, place)
    ignore = chosen_ignore(ignore_index, len(names))
    policy, tool = policy_of(names, absent, exclude, compat)
    _require_report(out is not None, boundary, tool)
    reading = _reading(len(names), threshold, resize, colours, pred is None and objects is not None)
    matched = _matched(place, missing, against, objects)
    task = Task(
        reading,
        ignore,
        invalid,
        _roots(matched.pairs),
        boundary,
        tool is not None and tool.needs == "segments",
    )
    groups = groups_of(matched.pairs.stems, group_by) if group_by else None
    every: list[ImageScore] = []
    account, images = (
        _account(
            names, ignore, policy, samples, seed, against is not None, bool(tool and tool.needs)
        ),
        _Ranking(worst),
    )
    with Files(Path(out), names, overwrite) if out is not None else nullcontext() as files:
        for one in _scored(task, matched, jobs, progress):
            row = account.add(one, groups[one.stem] if groups else None)
            images.add(row.score)
            if per_image:
                every.append(row.score)
            if files is not None:
                files.row(row)
        found = replace(
            _finish(
                place,
                matched,
                account,
                images,
                tool,
                compat,
                Path(against) if against is not None else None,
            ),
            images=tuple(every),
        )
        if files is not None:
            files.finish(found, matched.pairs, place.tree, reading)
    return found


def _require_report(charts: bool, boundary: bool, tool: tools.Tool | None) -> None:
    """Raises MissingExtraError before anything is counted, not after."""
    if charts:
        require("charts (--out)", "matplotlib", "report")
    if boundary:
        require("boundary scores (--boundary)", "scipy", "report")
    if tool is not None and tool.needs == "segments":
        require("the Rand error (--compat)", "scipy", "report")


def _reading(
    classes: int, threshold: float | None, resize: bool, colours: str | None, objects: bool
) -> label_maps.Reading:
    """How predictions are read. Raises UsageError."""
    if colours not in (None, "voc"):
        raise UsageError(
            "bad-option",
            f"--colours {colours}",
            "only voc is known; other colours become ids with segprep convert colormap",
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
    return label_maps.Reading(classes, threshold, resize, objects, colours == "voc")


def _matched(
    place: Place, missing: Missing, against: str | Path | None, objects: str | Path | None
) -> Matched:
    preds = (
        predictions.folder(place.pred, "predictions"),
        *([predictions.folder(Path(against), "predictions")] if against is not None else []),
    )
    truth = predictions.folder(place.truth, "truth masks")
    lists = place.tree.lists() if place.tree is not None and place.stems is None else None
    if objects is None or place.objects is None:
        return predictions.match(truth, preds, place.stems, missing, place.source, lists=lists)
    instances = (
        predictions.folder(place.objects, "instance masks"),
        predictions.folder(Path(objects), "predicted instance masks"),
    )
    return predictions.match(truth, preds, place.stems, missing, place.source, instances, lists)


def _roots(pairs: Pairs) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(one.root for one in (pairs.truth, *pairs.preds, *pairs.objects)))


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
    wanted = samples if size <= DENSE else 0  # its memory grows with samples times classes
    boot, boot_other = (Bootstrap(wanted, seed, policy, size) if wanted else None for _ in range(2))
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


def _scored(task: Task, matched: Matched, jobs: int, progress: Progress[Any]) -> Iterator[Scored]:
    """Every pair; at the end BadInputError if some could not be scored."""
    failures: list[Any] = []
    yield from stream(task, matched.pairs, jobs, progress, failures)
    if failures:
        first = failures[0]
        raise BadInputError(
            "bad-input", f"{len(failures)} of {len(matched.pairs)} pairs cannot be scored, so there is no score; the first: {first.path}: {first.reason}",
            first.hint or "mend the files and give the same command again", tuple(failures),
        )  # fmt: skip


class _Ranking:
    """The *most* worst and most changed images so far."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._worst: list[tuple[float, str, ImageScore]] = []
        self._changed: list[tuple[float, str, ImageScore]] = []

    def add(self, one: ImageScore) -> None:
        self._push(self._worst, -one.miou, one)
        if one.change:
            self._push(self._changed, abs(one.change), one)

    def _push(self, heap: list[tuple[float, str, ImageScore]], key: float, one: ImageScore) -> None:
        if np.isnan(key) or not self.most:
            return
        (heapq.heappush if len(heap) < self.most else heapq.heappushpop)(heap, (key, one.stem, one))

    @property
    def worst(self) -> tuple[ImageScore, ...]:
        return tuple(
            one for _, _, one in sorted(self._worst, key=lambda entry: (-entry[0], entry[1]))
        )

    @property
    def changed(self) -> tuple[ImageScore, ...]:
        return tuple(
            one for _, _, one in sorted(self._changed, key=lambda entry: (-entry[0], entry[1]))
        )


def _finish(
    place: Place,
    matched: Matched,
    account: Account,
    images: _Ranking,
    tool: tools.Tool | None,
    compat: str | None,
    against: Path | None,
) -> Evaluation:
    matrix, policy = account.matrix, account.policy
    found = matrix.scores(policy)
    top, trivial = baseline(matrix.sums(policy)[1], policy)
    numbers = tool.numbers(matrix, found) if tool else {}
    if tool and account.imagewise is not None:
        numbers |= account.imagewise.numbers(tool.needs)
    headline = numbers.get(tool.headline, found.miou) if tool else found.miou
    spread = (
        account.bootstrap.interval()
        if account.bootstrap is not None and not (tool and tool.headline)
        else None
    )
    groups = tuple(
        Group(
            name,
            one.scores(policy).miou,
            one.scores(policy).pixel_accuracy,
            one.valid + one.invalid_pixels,
        )
        for name, one in sorted(account.groups.items())
    )
    return Evaluation(
        place.pred, place.truth, matrix.names, matrix.ignore, policy, compat, tool.how if tool else "", numbers, matrix, found, headline,
        spread, trivial, matrix.names[top], len(matched.pairs), matched.missing, matched.extra,
        images.worst, groups, _compared(account, images, found, against), _contours(account), account.quality.document(matrix.names) if account.quality.images else None, _notes(matched, matrix),
    )  # fmt: skip


def _contours(account: Account) -> Boundaries | None:
    return (
        Boundaries(*account.contours.scores(account.policy.excluded))
        if account.contours.union.any()
        else None
    )


def _compared(
    account: Account, images: _Ranking, found: Scores, against: Path | None
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
    return Comparison(against, theirs, found.miou - theirs, spread, images.changed)


def _notes(matched: Matched, matrix: ConfusionMatrix) -> tuple[Note, ...]:
    notes = []
    if matched.missing:
        notes.append(
            Note(
                "prediction-missing",
                f"{len(matched.missing)} truth masks without prediction were left out:"
                f" {predictions.few(matched.missing)}",
            )
        )
    if matched.extra:
        notes.append(
            Note(
                "extra-prediction",
                f"{len(matched.extra)} predictions have no truth and were not scored:"
                f" {predictions.few(matched.extra)}",
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
                f"{matrix.invalid_pixels} predicted pixels are no class; they count as errors of"
                " their true class",
            )
        )
    return tuple(notes)
