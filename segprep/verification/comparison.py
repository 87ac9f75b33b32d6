"""What differs between two trees: classes, items, and pixels per class, by name."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep import engine
from segprep.dataset import tree
from segprep.dataset.tree import Tree
from segprep.errors import SourceError, TreeError
from segprep.files import digest, read_inside
from segprep.names import natural_key
from segprep.types import IGNORE, Progress, no_progress

Names = Mapping[int, str]  # pixel value -> class name


@dataclass(frozen=True, slots=True)
class ClassDifference:
    """Pixels of class *name* that only *first* or only *second* has, over the items of both; ids
    are None where a tree lacks the class.
    """

    name: str
    first_id: int | None
    second_id: int | None
    first_only: int
    second_only: int


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """An item that both trees have, but not alike: *pixels* of the mask that differ (None where the
    sizes do), and whether the *image* files differ.
    """

    stem: str
    pixels: int | None
    image: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between the trees *first* and *second*."""

    first: Path
    second: Path
    classes: tuple[ClassDifference, ...]
    first_only: tuple[str, ...]
    second_only: tuple[str, ...]
    items: tuple[ItemDifference, ...]
    same: int
    lists: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        uneven = any(row.first_id != row.second_id for row in self.classes)
        return bool(uneven or self.first_only or self.second_only or self.items or self.lists)


def diff(
    first: str | Path,
    second: str | Path,
    *,
    jobs: int = 1,
    progress: Progress[Any] = no_progress,
) -> Difference:
    """Compare two trees, made by segprep or not. Masks are compared pixel by pixel, by class name
    where both trees name their classes, by value otherwise; images by their bytes.

    Raises UsageError or TreeError where one is not a tree; SourceError for a file that cannot be
    read.
    """
    left, right = tree.find(Path(first)), tree.find(Path(second))
    names = names_of(left, right)
    stems = {*left.stems()}, {*right.stems()}
    common = sorted(stems[0] & stems[1], key=natural_key)
    compare = CompareItem(left, right, *names)
    counts: Counter[tuple[str, str]] = Counter()
    items = []
    results = engine.run(compare, common, jobs=jobs)
    for result in progress(results, len(common), "comparing"):
        if isinstance(result, engine.Failure):
            raise TreeError(result.code, f"{result.path}: {result.reason}", result.hint)
        item, pairs = result
        counts.update(pairs)
        items += [item] if item else []
    return Difference(
        left.root,
        right.root,
        _classes(names, counts),
        tuple(sorted(stems[0] - stems[1], key=natural_key)),
        tuple(sorted(stems[1] - stems[0], key=natural_key)),
        tuple(items),
        len(common) - len(items),
        _lists(left, right),
    )


def names_of(left: Tree, right: Tree) -> tuple[Names, Names]:
    """The class names of both trees by value; none where one of them does not name its classes."""
    names = _names(left), _names(right)
    return names if all(names) else ({}, {})


def _names(side: Tree) -> dict[int, str]:
    """Pixel value -> class name; empty where the tree does not say."""
    classes = side.classes()
    if classes is None:
        return {}
    return {**dict(enumerate(classes.names)), IGNORE: "(ignored)"}


def _lists(left: Tree, right: Tree) -> tuple[str, ...]:
    """The names of lists that differ."""
    lists = tree.read_lists(left.root), tree.read_lists(right.root)
    names = sorted({*lists[0], *lists[1]}, key=natural_key)
    return tuple(name for name in names if lists[0].get(name) != lists[1].get(name))


@dataclass(frozen=True, slots=True)
class CompareItem:
    """Compare one item of the trees *left* and *right*. Runs in worker processes."""

    left: Tree
    right: Tree
    left_names: Names
    right_names: Names

    def __call__(self, stem: str) -> tuple[ItemDifference | None, Counter[tuple[str, str]]]:
        """What differs, and how many pixels have which pair of different classes."""
        pictures = [_image_digest(side, stem) for side in (self.left, self.right)]
        image = pictures[0] != pictures[1]
        files = [_content(side, side.mask_path(stem)) for side in (self.left, self.right)]
        if not image and files[0] == files[1] and self.left_names == self.right_names:
            return None, Counter()
        masks = self.left.mask(stem), self.right.mask(stem)
        if masks[0].shape != masks[1].shape:
            sizes = " and ".join(f"{mask.shape[1]}x{mask.shape[0]}" for mask in masks)
            return ItemDifference(stem, None, image, f"the masks are {sizes}"), Counter()
        pairs = self._pairs(*masks)
        pixels = pairs.total()
        if not pixels and not image:
            return None, pairs
        words = [f"{pixels:,} pixels"] * bool(pixels) + ["the image file"] * image
        return ItemDifference(stem, pixels, image, " and ".join(words) + " differ"), pairs

    def _pairs(self, left: NDArray[Any], right: NDArray[Any]) -> Counter[tuple[str, str]]:
        """(class, class) -> pixels, where the classes differ."""
        joint = left.astype(np.int64) * 65_536 + right
        values, numbers = np.unique(joint, return_counts=True)
        pairs: Counter[tuple[str, str]] = Counter()
        for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
            pair = (
                self.left_names.get(value >> 16, str(value >> 16)),
                self.right_names.get(value & 65_535, str(value & 65_535)),
            )
            if pair[0] != pair[1]:
                pairs[pair] += number
        return pairs

    def differs(self, stem: str) -> NDArray[np.bool_]:
        """Where the masks of *stem*, of equal size, show different classes: (H, W)."""
        table = np.full((2, 65_536), -1, np.int64)
        ids: dict[str, int] = {}
        for row, names in enumerate((self.left_names, self.right_names)):
            for value in range(65_536):
                name = names.get(value, str(value))
                table[row, value] = ids.setdefault(name, len(ids))
        left, right = table[0][self.left.mask(stem)], table[1][self.right.mask(stem)]
        wrong: NDArray[np.bool_] = left != right
        return wrong


def _image_digest(side: Tree, stem: str) -> str | None:
    path = side.image_path(stem)
    if path is None:
        return None
    return digest(_content(side, path))


def _content(side: Tree, path: Path) -> bytes:
    """The content of a file of a tree. Raises SourceError."""
    data = read_inside(side.root, path.relative_to(side.root).as_posix(), 1 << 31)
    if data is None:
        raise SourceError(path, "has vanished", "restore it", "unreadable")
    return data


def _classes(
    names: tuple[Names, Names], counts: Counter[tuple[str, str]]
) -> tuple[ClassDifference, ...]:
    """Every class of either tree, or that pixels differ in."""
    ids = [{name: value for value, name in side.items()} for side in names]
    both = dict.fromkeys([*ids[0], *ids[1], *(name for pair in counts for name in pair)])
    return tuple(
        ClassDifference(
            name,
            ids[0].get(name),
            ids[1].get(name),
            sum(number for (first, _), number in counts.items() if first == name),
            sum(number for (_, two), number in counts.items() if two == name),
        )
        for name in both
    )
