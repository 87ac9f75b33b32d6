"""Images and masks in folders of their own: which folders, which mask belongs to which image, and
the official lists beside them.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from segprep.errors import SegprepError, UsageError
from segprep.files import listing, read_below
from segprep.imaging.image import SUFFIXES
from segprep.names import natural_key, stem_key, stem_of
from segprep.sources._common import official_lists
from segprep.sources._common import stems as pairing
from segprep.sources._common.folder_names import IMAGES, MASKS, OBJECTS, bare, number, words
from segprep.sources._common.official_lists import SPLITS
from segprep.types import Item, Note, Skipped

ImageFolder = Annotated[str, "Folder of the images below SRC; found by its name if not given."]
MaskFolder = Annotated[str, "Folder of the masks below SRC; found by its name if not given."]
PairBy = Annotated[
    Literal["auto", "name", "affix", "number"],
    "How a mask finds its image: name = same file name, affix = but for a prefix or suffix (x.jpg,"
    " x_mask.png), number = same last number; auto = the first that pairs most.",
]


@dataclass(frozen=True, slots=True)
class Folders:
    """A folder of images, the folder of their masks, and the official list ("train", …) that their
    names stand for, or "".
    """

    images: Path
    masks: Path
    split: str = ""


def folders(
    root: Path, images: str = "", masks: str = "", mixed: bool = True
) -> tuple[Folders, ...]:
    """The pairs of image and mask folders below *root*; unless *mixed* is False, one folder may
    hold both (``x.jpg``, ``x_mask.png``).

    Raises UsageError if names do not tell which is which.
    """
    named = [root / name for name in (images, masks) if name]
    if wrong := [
        folder
        for folder in named
        if not folder.is_dir() or not folder.resolve().is_relative_to(root)
    ]:
        raise UsageError(
            "bad-option",
            f"{wrong[0]} is no folder inside the source",
            "give --images and --masks as folder names below SRC",
        )
    if images and masks:
        return (Folders(root / images, root / masks),)
    there = [path for path in _with_images(root) if path not in named]
    labelled = (
        [root / masks]
        if masks
        else [
            path
            for path in there
            if set(words(path.name)) & MASKS and not set(words(path.name)) & OBJECTS
        ]
    )
    masked = set(labelled)
    pictured = (
        [root / images]
        if images
        else [path for path in there if path not in masked and not set(words(path.name)) & OBJECTS]
    )
    by_key = {_key(path, root): path for path in pictured}
    pairs = [
        Folders(by_key[key], path, _split(key))
        for path in labelled
        if (key := _key(path, root)) in by_key
    ]
    if not pairs and len(labelled) == 1:
        sure = [path for path in pictured if set(words(path.name)) & IMAGES]
        pictured = sure if len(sure) == 1 else pictured
        pairs = [Folders(pictured[0], labelled[0])] if len(pictured) == 1 else []
    if not pairs and not named and mixed:
        pairs = _mixed(root)
    if not pairs:
        listed = (
            ", ".join(path.relative_to(root).as_posix() or "." for path in there[:12])
            or "no folder with images"
        )
        links = ", ".join(
            sorted(path.name for path in root.iterdir() if path.is_symlink() and path.is_dir())
        )
        listed += (
            f" ({links}: a link to a folder is not entered; put the folder itself there)"
            if links
            else ""
        )
        raise UsageError(
            "folders-unclear",
            f"{root}: which folder holds the images and which the masks? there are: {listed}",
            "give --images NAME --masks NAME",
        )
    return tuple(sorted(pairs, key=lambda pair: natural_key(str(pair.images))))


def _with_images(root: Path) -> list[Path]:
    """Folders below *root* that hold images at any depth, topmost ones that are not mere splits of
    one kind.
    """
    every = {
        folder
        for folder, name in listing(str(root))
        if os.path.splitext(name)[1].lower() in SUFFIXES and folder != str(root)
    }
    inner = [Path(folder).relative_to(root).parts for folder in sorted(every)]
    kinds: dict[tuple[str, ...], set[bool]] = defaultdict(
        set
    )  # what the names below a folder say: images, masks
    for parts in inner:
        for depth, part in enumerate(parts):
            for above in range(depth + 1):
                kinds[parts[:above]] |= {
                    said is MASKS for said in (MASKS, IMAGES) if set(words(part)) & said
                }
    found = set()
    for parts in (
        inner
        # a folder that holds both kinds is neither, whatever its own name: Kvasir-SEG/images,
        # inputs/masks
    ):
        telling = (
            n
            for n, part in enumerate(parts, 1)
            if set(words(part)) & (MASKS | IMAGES) and len(kinds[parts[:n]]) < 2
        )
        found.add(root.joinpath(*parts[: next(telling, len(parts))]))
    return sorted(found)


def _mixed(root: Path) -> list[Folders]:
    """The topmost folders, *root* itself too, that hold images and, told by a word such as mask in
    the name, their masks.
    """
    holding = {
        Path(folder)
        for folder, name in listing(str(root))
        if os.path.splitext(name)[1].lower() in SUFFIXES
    }
    found = [
        Folders(path, path, _split(_key(path, root)))
        for path in sorted(holding)
        if not holding.intersection(path.parents)
    ]
    return [
        pair
        for pair in found
        if 2 * len(_best(*(both := _both(pair)), pair, "auto")[1]) > len(both[1]) > 0
    ]


def _both(pair: Folders) -> tuple[list[Path], list[Path]]:
    """The image files and the mask files of *pair*."""
    images, masks = _files(pair.images), _files(pair.masks)
    if pair.images == pair.masks:
        masks = [path for path in images if set(words(stem_of(path.name))) & MASKS]
        taken = set(masks)
        images = [path for path in images if path not in taken]
    return images, masks


def _key(path: Path, root: Path) -> tuple[str, ...]:
    parts = path.relative_to(root).parts
    return tuple(word for part in parts for word in words(part) if word not in MASKS | IMAGES)


def _split(key: Sequence[str]) -> str:
    return next((SPLITS[word] for word in key if word in SPLITS), "")


@dataclass(frozen=True, slots=True)
class Matched:
    """Items by stem, what found no partner, the official *lists* that folders or list files stand
    for, and notes.
    """

    items: tuple[Item, ...]
    skipped: tuple[Skipped, ...]
    lists: Mapping[str, tuple[str, ...]]
    notes: tuple[Note, ...]


def match(root: Path, found: Iterable[Folders], how: str, stem: str) -> Matched:
    """Pair the files of all *found* folders; a Skipped for every file without a partner or with
    several.
    """
    items: list[Item] = []
    skipped: list[Skipped] = []
    notes: list[Note] = []
    split_of: dict[str, str] = {}
    pairs = tuple(found)
    for pair in pairs:
        images, masks = _both(pair)
        rule, partners = _best(images, masks, pair, how)
        if rule != "name" and partners:
            first = next(iter(partners))
            notes.append(
                Note(
                    "paired-by",
                    f"{pair.images.name} and {pair.masks.name} were paired by {rule}:"
                    f" {partners[first].name} with {first.name}",
                )
            )
        for mask, image in partners.items():
            item = Item(pairing.sample_stem(image, root, stem), image, (mask,))
            items.append(item)
            split_of[item.stem] = pair.split or _split(
                [part.lower() for part in image.relative_to(pair.images).parts[:-1]]
            )
        skipped += _orphans(images, masks, partners)
    kept = pairing.unique(items, skipped)
    stems = {item.stem for item in kept}
    lists: dict[str, list[str]] = defaultdict(list)
    for name in sorted(stems, key=natural_key):
        if split_of[name]:
            lists[split_of[name]].append(name)
    written = list_files(root, kept, notes, pairs=pairs)
    return Matched(
        kept,
        tuple(skipped),
        written
        or ({name: tuple(listed) for name, listed in lists.items()} if len(lists) > 1 else {}),
        tuple(notes),
    )


def _files(folder: Path) -> list[Path]:
    return [
        Path(where, name)
        for where, name in listing(str(folder))
        if os.path.splitext(name)[1].lower() in SUFFIXES
    ]


def _best(
    images: Sequence[Path], masks: Sequence[Path], pair: Folders, how: str
) -> tuple[str, dict[Path, Path]]:
    """The rule that pairs most files (the first of equals), and mask -> image."""
    rules: dict[str, Callable[[str], str]] = {"name": stem_key, "affix": bare, "number": number}
    tried = []
    for rule, key in rules.items():
        if how in ("auto", rule):
            for nested in (True, False):
                partners = _partners(images, masks, pair, key, nested)
                if rule != "number" or how == rule or len(partners) == len(masks) == len(images):
                    tried.append((rule, partners))
    if how in ("auto", "affix") and max(len(one[1]) for one in tried) < len(masks):
        tried += [
            ("affix", _partners(images, masks, pair, key, False)) for key in _learned(images, masks)
        ]
    return max(tried, key=lambda one: len(one[1]))


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
    def full(path: Path, root: Path) -> tuple[str, str]:
        return os.path.dirname(str(path))[len(str(root)) :] if nested else "", key(
            stem_of(path.name)
        )

    by_key: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for image in images:
        by_key[full(image, pair.images)].append(image)
    counts = Counter(full(mask, pair.masks) for mask in masks)
    keyed = ((mask, full(mask, pair.masks)) for mask in masks)
    return {
        mask: by_key[name][0]
        for mask, name in keyed
        if name[1] and counts[name] == 1 and len(by_key.get(name, ())) == 1
    }


def glimpse(root: Path, most: int = 5) -> tuple[Folders, list[Path]] | None:
    """For a Reader's ``recognise``: the first pair of folders below *root* and a few masks that
    have an image, or None.
    """
    try:
        found = folders(root)
        paths = [item.labels[0] for item in match(root, found, "auto", "name").items[:most]]
    except SegprepError:
        return None
    return (found[0], paths) if paths else None


def _orphans(
    images: Sequence[Path], masks: Sequence[Path], partners: Mapping[Path, Path]
) -> list[Skipped]:
    used = set(partners.values())
    lost = [Skipped(stem_of(path.name), str(path), "image-missing", "no image, or more than one, belongs to this mask", "add or rename the image") for path in masks if path not in partners]  # fmt: skip
    bare = [Skipped(stem_of(path.name), str(path), "mask-missing", "no mask, or more than one, belongs to this image", "add or rename the mask, or leave it out with --on-error skip") for path in images if path not in used]  # fmt: skip
    return lost + bare


def list_files(
    root: Path,
    items: Sequence[Item],
    notes: list[Note],
    further: Sequence[Path] = (),
    pairs: Sequence[Folders] = (),
) -> dict[str, tuple[str, ...]]:
    """The official lists at *root*, in *further* folders, or above the folders of *pairs*; see
    :func:`official.find`.
    """
    return official_lists.find(
        root, (*homes(root, pairs), *further), lambda: _names(root, items), notes
    )


def _names(root: Path, items: Sequence[Item]) -> list[dict[str, str]]:
    """What lines of a list may say, the surest first: the sample, the end of a path to its files,
    its name without words such as image.
    """
    ends = []
    for item in items:
        for path in (item.image, *item.labels[:1]):
            parts = stem_of(str(path)[len(str(root)) + 1 :]).replace(os.sep, "/").split("/")
            ends += [("/".join(parts[start:]), item.stem) for start in range(len(parts))]
    return [
        official_lists.names((item.stem, item.stem) for item in items),
        official_lists.names(ends),
        official_lists.names((bare(item.stem), item.stem) for item in items),
    ]


def beside(root: Path, pairs: Sequence[Folders], wanted: Sequence[str]) -> Path | None:
    """The first file with one of the *wanted* names that lies at *root* or above all folders of
    *pairs*. Raises SourceError if it cannot be read.
    """
    path = next(
        (home / name for home in homes(root, pairs) for name in wanted if (home / name).is_file()),
        None,
    )
    if path:
        read_below(path, (root,))
    return path


def homes(root: Path, pairs: Sequence[Folders]) -> list[Path]:
    """*root*, and the folders below it that all of *pairs* lie in: where class and list files are
    looked for, the topmost first.
    """
    if not pairs:
        return [root]
    common = Path(
        os.path.commonpath(
            [
                folder.parent if folder != root else root
                for pair in pairs
                for folder in (pair.images, pair.masks)
            ]
        )
    )
    return [path for path in (*reversed(common.parents), common) if path.is_relative_to(root)]
