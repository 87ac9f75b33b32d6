"""Rules by which a mask's name tells its image: the same name, an affix, or a number."""

import os
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.files import path_keys
from segprep.files.folders import listed_by_folder
from segprep.imaging.image import SUFFIXES
from segprep.names import stem_key, stem_of
from segprep.packed import PackedPaths
from segprep.sources._common.pairing import plain_names
from segprep.sources._common.pairing.folder_names import MASKS, bare, number, whole_name, words

_PHOTOGRAPHS = (".jpg", ".jpeg", ".webp")
CHANNEL = re.compile(r"_0\d{3}$")
PairBy = Annotated[
    Literal["auto", "name", "affix", "number"],
    "How a mask finds its image: name = same file name, affix = same name except for a prefix or"
    " suffix (x.jpg, x_mask.png), number = same last number; auto = the first rule that pairs"
    " the most files.",
]


@dataclass(frozen=True, slots=True)
class Folders:
    """A folder of images, the folder of their masks, and the official list ("train", …) that their
    names stand for, or "". *unused*: folders that seem to hold other pictures of these masks;
    *view*: one that by its name holds the field of view of a camera; *predicted*: folders of masks
    elsewhere that by their names were predicted, and are skipped; *apart*: folders of images that
    no masks pair with; *anywhere*: only the names of the masks tell which images below *images* are
    theirs.
    """

    images: Path
    masks: Path
    split: str = ""
    unused: tuple[Path, ...] = ()
    view: Path | None = None
    predicted: tuple[Path, ...] = ()
    apart: tuple[Path, ...] = ()
    anywhere: bool = False

    def told(self, root: Path) -> str:
        """That the folders pair, with their paths below *root*."""
        images, masks = (
            path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
            for path in (self.images, self.masks)
        )
        if images == masks:
            return f"images and masks{f' of {images}/' * (images != '.')} pair"
        return f"{images}/ and {masks}/ pair"


def image_files(folder: Path) -> PackedPaths:
    """The image files anywhere below *folder*, in name order."""
    paths = PackedPaths()
    for where, names in listed_by_folder(str(folder)):
        paths.add_all(where, [name for name in names if name.lower().endswith(SUFFIXES)])
        del names
    return paths


def picture_folders(root: Path) -> set[str]:
    """The folders that hold image files: *root* and those below it, at any depth."""
    holding = set[str]()
    for folder, names in listed_by_folder(str(root)):
        if folder not in holding and any(name.lower().endswith(SUFFIXES) for name in names):
            holding.add(folder)
        del names  # of a million files; those of the next folder come now
    return holding


def without(paths: PackedPaths, folders: Sequence[Path]) -> PackedPaths:
    """*paths* less those that lie below any of *folders*."""
    starts = tuple(os.path.join(folder, "") for folder in folders)
    return paths.chosen(
        number
        for number, (folder, _) in enumerate(paths.parts())
        if not f"{folder}{os.sep}".startswith(starts)
    )


def both_kinds(pair: Folders) -> tuple[PackedPaths, PackedPaths]:
    """The image files and the mask files of *pair*. What lies below the inner one of two nested
    folders is of its kind only; in one folder a word such as mask tells, else the extension: the
    photograph's is one of lossy kinds.
    """
    images, masks = image_files(pair.images), image_files(pair.masks)
    if pair.images != pair.masks:
        if pair.masks.is_relative_to(pair.images):
            images = without(images, [pair.masks])
        elif pair.images.is_relative_to(pair.masks):
            masks = without(masks, [pair.images])
        return images, masks
    chosen = [n for n, (_, name) in enumerate(images.parts()) if set(words(stem_of(name))) & MASKS]
    chosen = chosen or _twins(images)
    taken = set(chosen)
    return images.chosen(n for n in range(len(images)) if n not in taken), images.chosen(chosen)


def _twins(paths: PackedPaths) -> list[int]:
    """The numbers of the lossless files among *paths* that lie beside a photograph of the same
    name.
    """
    pieces = [(folder, *os.path.splitext(name)) for folder, name in paths.parts()]
    pieces = [(folder, whole_name(stem), suffix) for folder, stem, suffix in pieces]
    photographs = {
        (folder, stem) for folder, stem, suffix in pieces if suffix.lower() in _PHOTOGRAPHS
    }
    return [
        number
        for number, (folder, stem, suffix) in enumerate(pieces)
        if suffix.lower() not in _PHOTOGRAPHS and (folder, stem) in photographs
    ]


@dataclass(frozen=True, slots=True)
class Partners:
    """Which of *images* belongs to each of *masks*: *of_mask* has its number, -1 where none goes by
    its name, and -2 - n where several images or masks do, image n the first. *of_image* has the
    numbers of masks, by the same rules.
    """

    images: PackedPaths
    masks: PackedPaths
    of_mask: "array[int]"
    of_image: "array[int]"

    def __len__(self) -> int:
        return sum(number >= 0 for number in self.of_mask)

    def numbers(self) -> Iterator[tuple[int, int]]:
        """The numbers of every mask and its image."""
        return ((mask, image) for mask, image in enumerate(self.of_mask) if image >= 0)


def best(images: PackedPaths, masks: PackedPaths, pair: Folders, how: str) -> tuple[str, Partners]:
    """The rule that pairs most files (the first of equals), and what it pairs."""
    rules: dict[str, Callable[[str], str]] = {"name": stem_key, "affix": bare, "number": number}
    if how in ("auto", "affix") and (channels := _first_channels(images, masks)):
        first = _fuller(images.chosen(channels), masks, pair, _without_channel)
        if 2 * len(first) > len(masks):
            of_mask = array("q", (channels[n] if n >= 0 else -1 for n in first.of_mask))
            of_image = array("q", [-1]) * len(images)
            for channel, mask in zip(channels, first.of_image, strict=True):
                of_image[channel] = max(mask, -1)
            return "affix", Partners(images, masks, of_mask, of_image)
    tried = []
    for rule, key in rules.items():
        if how in ("auto", rule):
            for nested in (True, False):
                partners = _partners(images, masks, pair, key, nested)
                if rule != "number" or how == rule or len(partners) == len(masks) == len(images):
                    tried.append((rule, partners))
                    if len(partners) == len(masks):  # no rule pairs more
                        return tried[-1]
    if how in ("auto", "affix") and max(len(partners) for _, partners in tried) < len(masks):
        tried += [("affix", _fuller(images, masks, pair, key)) for key in _learned(images, masks)]
    return max(tried, key=lambda rule_and_partners: len(rule_and_partners[1]))


def _first_channels(images: PackedPaths, masks: PackedPaths) -> list[int]:
    """The numbers of the images with channel 0000 where all of them have nnU-Net's channel and no
    mask has.
    """
    if not all(CHANNEL.search(stem_of(name)) for _, name in images.parts()):
        return []
    if any(CHANNEL.search(stem_of(name)) for _, name in masks.parts()):
        return []
    return [n for n, (_, name) in enumerate(images.parts()) if stem_of(name).endswith("_0000")]


def _without_channel(stem: str) -> str:
    return stem_key(CHANNEL.sub("", stem))


def _learned(images: PackedPaths, masks: PackedPaths) -> list[Callable[[str], str]]:
    """Keys that drop what the first mask's name has before and after an image's whole name, the
    longest such name first.
    """
    name = stem_key(stem_of(masks.part(0)[1])) if masks else ""
    inside = sorted(
        {stem for _, own in images.parts() if (stem := stem_key(stem_of(own))) in name},
        key=lambda stem: (-len(stem), stem),
    )
    ends = [
        (name[: name.index(stem)], name[name.index(stem) + len(stem) :], stem) for stem in inside
    ]
    inner = [
        (before[-1:] + stem[:1], stem[-1:] + after[:1]) for before, after, stem in ends
    ]  # a number is not found inside another
    whole = [
        (before, after)
        for (before, after, _), joints in zip(ends, inner, strict=True)
        if not any(len(two) == 2 and two.isdecimal() for two in joints)
    ]
    return [partial(_without_affixes, before, after) for before, after in whole[:3]]


def _without_affixes(before: str, after: str, stem: str) -> str:
    return stem_key(stem).removeprefix(before).removesuffix(after)


def _fuller(
    images: PackedPaths, masks: PackedPaths, pair: Folders, key: Callable[[str], str]
) -> Partners:
    """The partners by *key*, in folders of the same name or, if these are more, in any."""
    beside = _partners(images, masks, pair, key, nested=True)
    if len(beside) == min(len(images), len(masks)):
        return beside
    return max(beside, _partners(images, masks, pair, key, nested=False), key=len)


def _partners(
    images: PackedPaths, masks: PackedPaths, pair: Folders, key: Callable[[str], str], nested: bool
) -> Partners:
    """Every mask with the image of its key, where both keys occur once. Keys are compared by 64-bit
    hashes that differ from run to run, so that a million take little memory.
    """
    sides = (images, pair.images), (masks, pair.masks)
    plain = key is stem_key and all(paths.buffers()[0].is_ascii() for paths in (images, masks))
    of_image, of_mask = (
        _plain_keys(paths, root, nested)
        if plain
        else np.fromiter(_hashes(paths, root, key, nested), np.int64, len(paths))
        for paths, root in sides
    )
    return Partners(images, masks, _matched(of_mask, of_image), _matched(of_image, of_mask))


def _matched(keys: NDArray[np.int64], others: NDArray[np.int64]) -> "array[int]":
    """For each of *keys* the number of the only one of *others* that is equal, if the key occurs
    once, too; -1 without one or for an empty key; -2 - the first number where several are equal.
    """
    values, first, counts = np.unique(others, return_index=True, return_counts=True)
    _, inverse, own = np.unique(keys, return_inverse=True, return_counts=True)
    numbers = np.full(len(keys), -1, np.int64)
    if len(values):
        at = np.minimum(np.searchsorted(values, keys), len(values) - 1)
        equal = (values[at] == keys) & (keys != 0)
        several = (counts[at] > 1) | (own[inverse] > 1)
        numbers = np.where(equal, np.where(several, -2 - first[at], first[at]), numbers)
    return array("q", numbers.tobytes())


def _plain_keys(paths: PackedPaths, root: Path, nested: bool) -> NDArray[np.int64]:
    """What :func:`_hashes` gives by stem, other numbers, of names of ASCII text."""
    names, homes, folders = paths.buffers()
    start = len(str(root))
    inner = [os.fsencode(folder[start:]) if nested else b"" for folder in folders]
    seeds = np.array([*map(path_keys.key, inner)], np.uint64)
    keys = plain_names.stem_keys(names, seeds[np.frombuffer(homes, np.uint32)])
    return np.maximum(keys, np.uint64(1)).view(np.int64)


def _hashes(
    paths: PackedPaths, root: Path, key: Callable[[str], str], nested: bool
) -> Iterator[int]:
    """A number for the folder below *root* of each path (if *nested*) and the key of its name; 0
    where the key is empty.
    """
    start = len(str(root))
    for folder, name in paths.parts():
        text = key(stem_of(name))
        yield (hash((folder[start:] if nested else "", text)) or 1) if text else 0
