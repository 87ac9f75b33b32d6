"""The run over a dataset: lay out, read every file once, judge."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from segprep import checks, engine
from segprep.checking import layout
from segprep.checking.measure import Measure, Pixels, sizes_of_others
from segprep.checking.neighbors import moved_on
from segprep.checking.overlays import painted
from segprep.checking.ranks import ranked
from segprep.checking.stored_pairs import StoredPairs, room
from segprep.checks._common.duplicates import repeated
from segprep.checks._common.survey import ImageFacts, Pair, Survey, Trouble
from segprep.dataset import classes as class_lists
from segprep.dataset import tree
from segprep.errors import TreeError, UsageError
from segprep.packed import PackedPaths
from segprep.types import Finding, Progress, Severity, no_progress

if TYPE_CHECKING:
    from segprep.checking import fixing

ReaderName = Literal[
    "pil", "cv2", "skimage", "torchvision", "mmseg", "nnunet", "ultralytics", "keras"
]
SOURCES = ("chase", "cityscapes", "coco", "drive", "dsb2018", "isbi", "merge-masks", "stare")
BLOCK = 256  # samples that are shown to the rules which judge each by itself
ORDER: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found: *findings* in order of severity, code and name; *samples* looked at;
    *rules* the codes that ran; *files* the image and mask of each stem with findings.
    """

    root: Path
    findings: tuple[Finding, ...]
    samples: int
    rules: tuple[str, ...]
    files: Mapping[str, tuple[Path | None, Path | None]] = field(default_factory=dict)
    background: int | None = 0

    @property
    def counts(self) -> dict[str, int]:
        """Severity -> findings."""
        counted = Counter(finding.severity for finding in self.findings)
        return {severity: counted[severity] for severity in ORDER}

    def write(self, path: str | Path, *, overwrite: bool = False) -> None:
        """The findings as a page (HTML) to open offline, with pictures of the samples.

        Raises TreeError if *path* exists and *overwrite* is not given.
        """
        from segprep.checking import findings_page

        target = Path(path)
        if target.exists() and not overwrite:
            raise TreeError("output-exists", f"{target} exists", "give --overwrite")
        counts = {"samples": self.samples, "rules": len(self.rules)}
        findings_page.write(
            target, self.root, self.findings, self.files, background=self.background, **counts
        )


def check(
    dataset: str | Path = ".",
    *,
    images: str | Path | None = None,
    masks: str | Path | None = None,
    classes: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    reader: Sequence[ReaderName] = (),
    jobs: int = 1,
    progress: Progress[Any] = no_progress,
) -> Report:
    """Find what is wrong with *dataset*: a tree of segprep, any VOC-style tree, a folder that holds
    images and masks, the two folders *images* and *masks*, or labelme annotations that are not
    converted yet.

    *classes* (a FILE, a,b,c or their number) says what pixel values may occur where the dataset
    does not. *select* and *ignore* are codes or their beginnings (``SEG3``). *reader* names readers
    whose trouble with these files is to be predicted.

    Raises UsageError where no dataset is found, or for an unknown code.
    """
    chosen = checks.chosen(tuple(select), tuple(ignore))
    plan = survey(
        dataset, images=images, masks=masks, classes=classes, jobs=jobs, progress=progress
    )
    seen = measured(plan, jobs=jobs, progress=progress)
    return judged(replace(seen, readers=tuple(reader)), chosen)


def fix(
    dataset: str | Path = ".",
    *,
    images: str | Path | None = None,
    masks: str | Path | None = None,
    classes: str | None = None,
    out: str | Path | None = None,
    dry_run: bool = False,
    jobs: int = 1,
    progress: Progress[Any] = no_progress,
) -> "fixing.Fixed":
    """Repair what is safe: in a copy of the dataset, the new folder *out*, or else in place, where
    what undoes it is kept below DATASET/runs/fix-N.

    With *dry_run* the plan only. Raises UsageError as :func:`check` does, TreeError if *out*
    exists.
    """
    from segprep.checking import fixed_copy, fixing

    surveyed = survey(dataset, images=images, masks=masks, classes=classes, jobs=jobs)
    if out is not None:
        fixed_copy.refuse(surveyed, Path(out))
    seen = measured(surveyed, fit=False, jobs=jobs, progress=progress)
    planned = fixing.plan(seen)
    if dry_run:
        return planned
    if out is None:
        return fixing.apply(seen, planned)
    fixed_copy.write(seen, planned.repairs, Path(out))
    return planned


def judged(seen: Survey, chosen: Sequence[checks.Check]) -> Report:
    """The findings of the *chosen* rules on a dataset that was read."""
    ran = [rule for rule in chosen if seen.readers or not rule.RULE.readers]
    whole = (rule for rule in ran if not rule.RULE.each)
    findings = [finding for rule in whole for finding in rule.find(seen)]
    findings += _of_each(seen, [rule for rule in ran if rule.RULE.each])
    findings.sort(
        key=lambda finding: (ORDER.index(finding.severity), finding.code, -(finding.score or 0))
    )
    codes = tuple(rule.RULE.code for rule in ran)
    count = len(seen.pairs) or len(seen.annotations)
    stems = {finding.stem for finding in findings}
    files = {pair.stem: (pair.image, pair.mask) for pair in seen.pairs if pair.stem in stems}
    return Report(seen.root, tuple(findings), count, codes, files, seen.background)


def _of_each(seen: Survey, rules: Sequence[checks.Check]) -> Iterator[Finding]:
    """The findings of *rules* that judge each sample by itself: a block for one after the other, so
    that facts which lie in a file are read once for all of them.
    """
    pairs = iter(seen.pairs if rules else ())
    while block := tuple(islice(pairs, BLOCK)):
        part = replace(seen, pairs=block)
        for rule in rules:
            yield from rule.find(part)


def survey(
    dataset: str | Path = ".",
    *,
    images: str | Path | None = None,
    masks: str | Path | None = None,
    classes: str | None = None,
    jobs: int = 1,
    progress: Progress[Any] = no_progress,
) -> Survey:
    """The files of a dataset; its images and masks are not read yet, annotations are.

    Raises UsageError.
    """
    stated = class_lists.positions(classes) if classes else None
    if (images is None) != (masks is None):
        raise UsageError("bad-option", "--images and --masks go together", "give both folders")
    if images is not None and masks is not None:
        return layout.of_folders(Path(images), Path(masks), stated)
    root = Path(dataset)
    try:
        dataset_tree = tree.find(root)
    except UsageError as error:
        if error.code != "no-tree" or not root.is_dir() or (root / tree.STAGING).is_dir():
            raise
        from segprep.checking import annotations  # half of the start, for a folder of annotations

        if seen := annotations.survey(root, jobs=jobs, progress=progress):
            return seen
        _refuse_source(root, SOURCES)
        try:
            return layout.of_any(root, stated)
        except UsageError:
            _refuse_source(root)
            raise error from None
    return layout.of_tree(tree.Tree(dataset_tree.root.resolve()), stated)


def _refuse_source(root: Path, formats: Sequence[str] = ()) -> None:
    """Raise UsageError for a source of one of *formats* (not given: of any), such as those whose
    masks are one per object, channel or page: it has to be converted before it can be judged.
    """
    from segprep import sources

    try:
        name, reason = sources.recognize(root)
    except UsageError:
        return
    if name in formats or not formats:
        raise UsageError(
            "no-tree",
            f"{root} is not a dataset yet but a source of the format {name} ({reason})",
            f"convert it first: segprep convert {name} SRC OUT",
        )


def measured(
    plan: Survey, *, fit: bool = True, jobs: int = 1, progress: Progress[Any] = no_progress
) -> Survey:
    """*plan* with every image and mask read once, in workers."""
    hashed = bool(plan.digests)
    images = (pair.image for pair in plan.pairs if pair.image)
    full = sizes_of_others(images, (plan.root,))
    results = engine.run(Measure((plan.root,), fit, hashed, full), plan.pairs, jobs=jobs)
    pairs = room(len(plan.pairs))
    for pair, result in zip(
        plan.pairs, progress(results, len(plan.pairs), "checking"), strict=True
    ):
        pairs.append(_lost(pair, result) if isinstance(result, engine.Failure) else result)
    _tell_apart(plan.root, pairs, jobs)
    if not fit:
        return replace(plan, pairs=pairs)
    roots = (plan.root,)
    return replace(
        plan,
        pairs=pairs,
        painted=painted(pairs, roots),
        own=ranked(pairs, roots),
        moved_on=moved_on(pairs, roots),
    )


def _tell_apart(root: Path, pairs: list[Pair] | StoredPairs, jobs: int) -> None:
    """Decode images again that are the same in short, for a digest of all pixels."""

    def told() -> Iterator[tuple[int, Path, ImageFacts]]:
        for number, pair in enumerate(pairs):
            if pair.image and (photo := pair.photo) and photo.levels > 1:
                yield number, pair.image, photo

    twice = repeated(lambda: (photo.pixels for _, _, photo in told()))
    numbers, paths = array("Q"), PackedPaths()
    for number, path, photo in told() if twice else ():
        if photo.pixels in twice:
            numbers.append(number)
            paths.append(path)
    for number, digest in zip(numbers, engine.run(Pixels((root,)), paths, jobs=jobs), strict=True):
        pair = pairs[number]
        if pair.photo and isinstance(digest, str):
            pairs[number] = pair.with_photo(replace(pair.photo, pixels=digest))


def _lost(pair: Pair, failure: engine.Failure) -> Pair:
    """*pair*, whose worker died."""
    trouble = Trouble(failure.code, failure.reason, failure.hint)
    return replace(
        pair,
        image_trouble=trouble if pair.image else None,
        mask_trouble=None if pair.image else trouble,
    )
