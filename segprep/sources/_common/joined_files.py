"""Pairs of image and mask as packed items, while they are collected: what joined each pair."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segprep.files.open_folders import is_below
from segprep.names import stem_fault, stem_key, stem_of
from segprep.packed import LazySequence
from segprep.packed_items import PackedItems
from segprep.sources._common import stems
from segprep.types import Skipped

_FIRST_CHANNEL = "_0000"


@dataclass(frozen=True, slots=True)
class JoinOrigin:
    """The list that the folder of a pair of files stands for, or ""; the rule that joined them."""

    split: str
    rule: str


class JoinedFiles:
    """Pairs of image and mask, or image and image where there is none, as items."""

    def __init__(self, root: Path, stem: str) -> None:
        self.root, self.stem, self.items = root, stem, PackedItems()
        self._kinds: dict[tuple[str, str], JoinOrigin] = {}

    def add(
        self, image: tuple[str, str], mask: tuple[str, str] | None, split: str, rule: str
    ) -> None:
        """Add a pair: folder and name of both. Its stem is the image's, less nnU-Net's number of
        the first channel.
        """
        name = stem_of(image[1])
        first_channel = (
            mask is not None
            and name.endswith(_FIRST_CHANNEL)
            and name == f"{stem_of(mask[1])}{_FIRST_CHANNEL}"
        )
        if self.stem == "path":
            path = os.path.join(*image)
            home = self.root if is_below(path, (self.root,)) else Path(image[0])
            name = stems.sample_stem(Path(path), home, self.stem)
        if first_channel:
            name = name.removesuffix(_FIRST_CHANNEL)
        kind = self._kinds.setdefault((split, rule), JoinOrigin(split, rule))
        self.items.add(name, (image, mask or image), kind)

    def unique(self, skipped: list[Skipped]) -> PackedItems:
        """The items by stem; what :func:`stems.unique` refuses goes to *skipped*."""
        names = self.items.stems
        keys = np.fromiter((hash(stem_key(name)) for name in names), np.int64, len(names))
        _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        shared = counts[inverse] > 1
        doubtful = [n for n, name in enumerate(names) if shared[n] or stem_fault(name)]
        suspects = {n: self.items[n] for n in doubtful}
        kept = set(map(id, stems.unique(suspects.values(), skipped)))
        refused = {n for n, item in suspects.items() if id(item) not in kept}
        order = names.in_order()
        return self.items.chosen([n for n in order if n not in refused] if refused else order)


@dataclass(frozen=True, slots=True)
class JoinRules(LazySequence[str]):
    """The rule that joined the files of each of *items*."""

    items: PackedItems

    def __len__(self) -> int:
        return len(self.items)

    def _value(self, number: int) -> str:
        rule: str = self.items.payload(number).rule
        return rule
