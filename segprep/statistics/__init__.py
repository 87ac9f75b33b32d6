"""A dataset in numbers: pixels, images and components per class and split, sizes, colors, weights.

Every image and mask is read once, in workers; with *quick* only the masks are, and where a manifest
has the counts not even those.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from segprep import engine
from segprep.dataset import classes as class_lists
from segprep.dataset import tree
from segprep.dataset.plausibility import skipped_masks
from segprep.dataset.tree import SPLITS, Tree
from segprep.errors import SegprepError
from segprep.files import read_plain
from segprep.imaging import components, image
from segprep.statistics import mean_std, weights
from segprep.statistics.mean_std import Moments, PixelStats
from segprep.types import IGNORE, Classes, Note, Progress, no_progress


@dataclass(frozen=True, slots=True)
class ClassStats:
    """One class. *share* is of all pixels that are not ignored; *components* counts connected
    parts (None where masks were not opened); *splits* maps a split to (pixels, images).
    """

    value: int
    name: str
    pixels: int
    share: float
    images: int
    components: int | None
    splits: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Stats:
    """A dataset in numbers. *drift* is, per split, how far its class shares are from those of all
    (total variation, 0 to 1); *weights* maps a rule to one weight per class, in order of *classes*;
    *colors* is None where images were not opened, else of the list *colors_of*, train or all.
    """

    root: Path
    images: int
    splits: Mapping[str, int]
    classes: tuple[ClassStats, ...]
    ignored: float
    sizes: Mapping[tuple[int, int], int]
    drift: Mapping[str, float]
    weights: Mapping[str, tuple[float, ...]]
    colors: PixelStats | None
    colors_of: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class _Facts:
    """What one sample adds."""

    stem: str
    size: tuple[int, int]
    pixels: Mapping[int, int]
    components: Mapping[int, int] | None = None
    moments: Moments | None = None
    colored: bool = False


@dataclass(frozen=True, slots=True)
class _ReadSample:
    """Reads one sample in a worker."""

    dataset: Tree
    quick: bool

    def __call__(self, stem: str) -> _Facts:
        if self.quick:
            path = self.dataset.mask_path(stem)
            mask = image.decode_mask(read_plain(path), path)
            return _Facts(stem, mask.shape[::-1], image.histogram(mask))
        picture, mask = mean_std.read(self.dataset, stem)
        values, _ = components.sizes(mask)
        counted = np.bincount(values, minlength=256)
        return _Facts(
            stem,
            (mask.shape[1], mask.shape[0]),
            image.histogram(mask),
            {int(value): int(counted[value]) for value in np.flatnonzero(counted)},
            mean_std.moments(picture, mask),
            True,
        )


def stats(
    dataset: str | Path = ".",
    *,
    classes: str | None = None,
    quick: bool = False,
    jobs: int = 1,
    progress: Progress[Any] = no_progress,
) -> Stats:
    """The numbers of *dataset*, any VOC-style tree.

    *classes* (a FILE, a,b,c or their number) names the classes where the dataset does not. *quick*
    leaves out what needs the pixels of images: components, mean and deviation.

    Raises UsageError if there is no tree; SegprepError if it has no sample that can be read.
    """
    dataset_tree = tree.find(Path(dataset))
    stems = dataset_tree.stems()
    notes = list(skipped_masks(dataset_tree))
    facts = list[_Facts]()
    if quick and dataset_tree.manifest:
        facts = [
            _Facts(record.stem, (record.width, record.height), record.pixels)
            for record in dataset_tree.records()
        ]
    else:
        results = engine.run(_ReadSample(dataset_tree, quick), stems, jobs=jobs)
        for stem, result in zip(stems, progress(results, len(stems), "counting"), strict=True):
            if isinstance(result, engine.Failure):
                reason = f"{result.path}: {result.reason}; it was skipped"
                notes.append(Note(result.code, reason, stem))
            else:
                facts.append(result)
    if not facts:
        raise SegprepError(
            "too-few-samples",
            f"{dataset_tree.root} has no sample that can be read"
            + "".join(f"; {note.message}" for note in notes[:1]),
            f"segprep check {quote(str(dataset_tree.root))}",
        )
    stated = class_lists.positions(classes) if classes else dataset_tree.classes()
    return _summed(dataset_tree, facts, stated, tuple(notes))


def _summed(
    dataset: Tree, facts: Sequence[_Facts], stated: Classes | None, notes: tuple[Note, ...]
) -> Stats:
    lists = dataset.lists()
    homes = {stem: name for name in SPLITS for stem in lists.get(name, ())}
    total = _Totals()
    parts: dict[str, _Totals] = defaultdict(_Totals)
    for sample in facts:
        total.add(sample)
        parts[homes.get(sample.stem, "")].add(sample)
    splits = {name: parts[name] for name in SPLITS if name in parts}
    names = dict(enumerate(stated.names)) if stated else {}
    values = sorted({*names, *total.pixels} - {IGNORE})
    valid = sum(total.pixels[value] for value in values) or 1
    rows = tuple(
        ClassStats(
            value,
            names.get(value, "(not in the class list)" if names else str(value)),
            total.pixels[value],
            total.pixels[value] / valid,
            total.images[value],
            total.components[value] if total.opened else None,
            {name: (part.pixels[value], part.images[value]) for name, part in splits.items()},
        )
        for value in values
    )
    counts = [[row.pixels for row in rows], [row.images for row in rows]]
    sizes = [total.around[value] for value in values]
    train = "train" if parts["train"].moments else "all"
    moments = parts["train"].moments or total.moments
    return Stats(
        dataset.root,
        len(facts),
        {name: part.count for name, part in splits.items()},
        rows,
        total.pixels[IGNORE] / (total.pixels.total() or 1),
        dict(total.sizes.most_common()),
        {name: _drift(part.pixels, total.pixels, values) for name, part in splits.items()},
        {name: tuple(rule(counts[0], counts[1], sizes)) for name, rule in weights.RULES.items()},
        mean_std.combined(moments) if any(moments) else None,
        train,
        notes,
    )


@dataclass
class _Totals:
    """Sums over samples; *around* counts the valid pixels of the images that hold a class."""

    count: int = 0
    pixels: Counter[int] = field(default_factory=Counter)
    images: Counter[int] = field(default_factory=Counter)
    components: Counter[int] = field(default_factory=Counter)
    around: Counter[int] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    moments: list[Moments | None] = field(default_factory=list)
    opened: bool = False

    def add(self, sample: _Facts) -> None:
        """Count one sample."""
        self.count += 1
        self.pixels.update(sample.pixels)
        self.images.update(sample.pixels.keys())
        self.sizes[sample.size] += 1
        valid = sum(count for value, count in sample.pixels.items() if value != IGNORE)
        self.around.update(dict.fromkeys(sample.pixels, valid))
        if sample.components is not None:
            self.opened = True
            self.components.update(sample.components)
        if sample.colored:
            self.moments.append(sample.moments)


def _drift(part: Mapping[int, int], whole: Mapping[int, int], values: Sequence[int]) -> float:
    """Half the sum of the differences between two distributions over *values*."""
    sums = [sum(counts.get(value, 0) for value in values) or 1 for counts in (part, whole)]
    return sum(abs(part.get(v, 0) / sums[0] - whole.get(v, 0) / sums[1]) for v in values) / 2


def document(result: Stats) -> dict[str, Any]:
    """*result* as plain values for JSON."""
    colors = result.colors
    return {
        "dataset": str(result.root),
        "images": result.images,
        "splits": dict(result.splits),
        "ignored": result.ignored,
        "sizes": {f"{width}x{height}": count for (width, height), count in result.sizes.items()},
        "drift": dict(result.drift),
        "classes": [
            {
                "id": row.value,
                "name": row.name,
                "pixels": row.pixels,
                "share": row.share,
                "images": row.images,
                "components": row.components,
                "splits": {
                    name: {"pixels": pixels, "images": images}
                    for name, (pixels, images) in row.splits.items()
                },
                "weights": {name: rule[n] for name, rule in result.weights.items()},
            }
            for n, row in enumerate(result.classes)
        ],
        "colors": None
        if colors is None
        else {
            "of": result.colors_of,
            "image_mean": list(colors.image_mean),
            "image_std": list(colors.image_std),
            "pooled_mean": list(colors.pooled_mean),
            "pooled_std": list(colors.pooled_std),
            "images": colors.images,
            "pixels": colors.pixels,
        },
        "notes": [
            {"stem": note.stem, "code": note.code, "message": note.message} for note in result.notes
        ],
    }


def rows(result: Stats) -> list[list[str | int | float]]:
    """A table, its head first: one row per class."""
    head: list[str | int | float] = ["id", "class", "pixels", "share", "images", "components"]
    for name in result.splits:
        head += [f"{name}_pixels", f"{name}_images"]
    head += [f"weight_{name}" for name in result.weights]
    table = [head]
    for n, row in enumerate(result.classes):
        cells: list[str | int | float] = [
            row.value,
            row.name,
            row.pixels,
            row.share,
            row.images,
            "" if row.components is None else row.components,
        ]
        for name in result.splits:
            cells += row.splits[name]
        table.append([*cells, *(rule[n] for rule in result.weights.values())])
    return table
