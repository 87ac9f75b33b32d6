"""Pairs of image and mask as packed items, while they are collected: what joined each pair."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segprep.files.open_folders import is_below
from segprep.names import stem_of
from segprep.packed import LazySequence
from segprep.packed_items import PackedItems
from segprep.sources._common.pairing import plain_names, stems, unique_items
from segprep.sources._common.pairing.name_rules import Partners
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
        self.bare = 0  # images without a mask
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
        self.bare += mask is None or mask == image
        kind = self._kinds.setdefault((split, rule), JoinOrigin(split, rule))
        self.items.add(name, (image, mask or image), kind)

    def add_all(self, partners: Partners, split_of: Callable[[str], str], rule: str) -> None:
        """Add all pairs of *partners*, by one *rule*; *split_of*: the list that a folder of images
        stands for.
        """
        images, masks = partners.images.buffers(), partners.masks.buffers()
        if self.stem != "name" or b"_0000." in images[0].buffers()[0]:  # a first channel, perhaps
            for mask, image in partners.numbers():
                part = partners.images.part(image)
                self.add(part, partners.masks.part(mask), split_of(part[0]), rule)
            return
        of_mask = np.frombuffer(partners.of_mask, np.int64)
        numbers = np.flatnonzero(of_mask >= 0)
        of_mask = of_mask[numbers]
        origins = [JoinOrigin(split_of(home), rule) for home in images[2]]
        origins = [self._kinds.setdefault((kind.split, rule), kind) for kind in origins]
        kinds = np.frombuffer(images[1], np.uint32)[of_mask].astype(np.int64)
        homes = np.frombuffer(masks[1], np.uint32)[numbers] + np.int64(len(images[2]))
        self.items.add_all(
            plain_names.stems(images[0], of_mask),
            [*images[2], *masks[2]],
            np.stack((kinds, homes), 1).reshape(-1),
            plain_names.in_turn((images[0], of_mask), (masks[0], numbers)),
            origins,
            kinds,
        )

    def unique(self, skipped: list[Skipped]) -> PackedItems:
        """The items by stem; what :func:`stems.unique` refuses goes to *skipped*."""
        return unique_items.unique(self.items, skipped)


@dataclass(frozen=True, slots=True)
class JoinRules(LazySequence[str]):
    """The rule that joined the files of each of *items*."""

    items: PackedItems

    def __len__(self) -> int:
        return len(self.items)

    def _value(self, number: int) -> str:
        rule: str = self.items.payload(number).rule
        return rule
