"""Rules by which a mask's name tells its image: the same name, an affix, or a number."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from segprep.files import listing
from segprep.imaging.image import SUFFIXES
from segprep.names import stem_key, stem_of
from segprep.sources._common.folder_names import MASKS, bare, number, words
from segprep.types import Skipped

_PHOTOGRAPHS = (".jpg", ".jpeg", ".webp")
_CHANNEL = re.compile(r"_0\d{3}$")
PairBy = Annotated[
    Literal["auto", "name", "affix", "number"],
    "How a mask finds its image: name = same file name, affix = but for a prefix or suffix (x.jpg,"
    " x_mask.png), number = same last number; auto = the first that pairs most.",
]


@dataclass(frozen=True, slots=True)
class Folders:
    """A folder of images, the folder of their masks, and the official list ("train", …) that their
    names stand for, or "". *unused*: folders that seem to hold other pictures of these masks.
    """

    images: Path
    masks: Path
    split: str = ""
    unused: tuple[Path, ...] = ()


def image_files(folder: Path) -> list[Path]:
    """The image files anywhere below *folder*, in name order."""
    return [
        Path(where, name)
        for where, name in listing(str(folder))
        if os.path.splitext(name)[1].lower() in SUFFIXES
    ]


def both_kinds(pair: Folders) -> tuple[list[Path], list[Path]]:
    """The image files and the mask files of *pair*. What lies below the inner one of two nested
    folders is of its kind only; in one folder a word such as mask tells, else the extension: the
    photograph's is one of lossy kinds.
    """
    images, masks = image_files(pair.images), image_files(pair.masks)
    if pair.images != pair.masks:
        if pair.masks.is_relative_to(pair.images):
            images = [path for path in images if not path.is_relative_to(pair.masks)]
        elif pair.images.is_relative_to(pair.masks):
            masks = [path for path in masks if not path.is_relative_to(pair.images)]
        return images, masks
    masks = [path for path in images if set(words(stem_of(path.name))) & MASKS]
    masks = masks or _twins(images)
    taken = set(masks)
    return [path for path in images if path not in taken], masks


def _twins(paths: Sequence[Path]) -> list[Path]:
    """The lossless files among *paths* that lie beside a photograph of the same name."""
    photographs = {path.with_suffix("") for path in paths if path.suffix.lower() in _PHOTOGRAPHS}
    return [
        path
        for path in paths
        if path.suffix.lower() not in _PHOTOGRAPHS and path.with_suffix("") in photographs
    ]


def best(
    images: Sequence[Path], masks: Sequence[Path], pair: Folders, how: str
) -> tuple[str, dict[Path, Path]]:
    """The rule that pairs most files (the first of equals), and mask -> image."""
    rules: dict[str, Callable[[str], str]] = {"name": stem_key, "affix": bare, "number": number}
    if how in ("auto", "affix") and (channels := _first_channels(images, masks)):
        partners = _partners(channels, masks, pair, _without_channel, False)
        if 2 * len(partners) > len(masks):
            return "affix", partners
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
        tried += [
            ("affix", _partners(images, masks, pair, key, False)) for key in _learned(images, masks)
        ]
    return max(tried, key=lambda rule_and_partners: len(rule_and_partners[1]))


def _first_channels(images: Sequence[Path], masks: Sequence[Path]) -> list[Path]:
    """The images with channel 0000 where all of them have nnU-Net's channel and no mask has."""
    if not all(_CHANNEL.search(stem_of(path.name)) for path in images):
        return []
    if any(_CHANNEL.search(stem_of(path.name)) for path in masks):
        return []
    return [path for path in images if stem_of(path.name).endswith("_0000")]


def _without_channel(stem: str) -> str:
    return stem_key(_CHANNEL.sub("", stem))


def _learned(images: Sequence[Path], masks: Sequence[Path]) -> list[Callable[[str], str]]:
    """Keys that drop what the first mask's name has before and after an image's whole name, the
    longest such name first.
    """
    name = stem_key(stem_of(masks[0].name)) if masks else ""
    inside = sorted(
        {stem for path in images if (stem := stem_key(stem_of(path.name))) in name},
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


def _partners(
    images: Sequence[Path],
    masks: Sequence[Path],
    pair: Folders,
    key: Callable[[str], str],
    nested: bool,
) -> dict[Path, Path]:
    by_key: dict[tuple[str, str], Path | None] = {}
    for image, name in zip(images, _keys(images, pair.images, key, nested), strict=True):
        by_key[name] = None if name in by_key else image
    names = list(_keys(masks, pair.masks, key, nested))
    counts = Counter(names)
    return {
        mask: partner
        for mask, name in zip(masks, names, strict=True)
        if name[1] and counts[name] == 1 and (partner := by_key.get(name))
    }


def _keys(
    paths: Sequence[Path], root: Path, key: Callable[[str], str], nested: bool
) -> Iterator[tuple[str, str]]:
    """The folder below *root* of each path (if *nested*), and the key of its name."""
    start = len(str(root))
    for path in paths:
        folder, _, name = str(path).rpartition(os.sep)
        yield folder[start:] if nested else "", key(stem_of(name))


def orphans(
    images: Sequence[Path], masks: Sequence[Path], partners: Mapping[Path, Path]
) -> list[Skipped]:
    """A Skipped for every mask without an image and every image without a mask."""
    used = set(partners.values())
    without_image = [
        Skipped(
            stem_of(path.name),
            str(path),
            "image-missing",
            "no image, or more than one, belongs to this mask",
            "add or rename the image",
        )
        for path in masks
        if path not in partners
    ]
    without_mask = [
        Skipped(
            stem_of(path.name),
            str(path),
            "mask-missing",
            "no mask, or more than one, belongs to this image",
            "add or rename the mask; give --missing empty if none means all background; or skip the"
            " image with --on-error skip",
        )
        for path in images
        if path not in used
    ]
    return without_image + without_mask
