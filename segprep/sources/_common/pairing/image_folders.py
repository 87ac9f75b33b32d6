"""Which folders below a source hold images, and which the masks of them."""

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from segprep.errors import UsageError
from segprep.names import natural_key, stem_of
from segprep.sources._common.pairing import name_rules, repeated_folders, rival_folders
from segprep.sources._common.pairing.folder_names import (
    IMAGES,
    MASKS,
    OBJECTS,
    PREDICTED,
    bare,
    is_excluded,
    shows_view,
    split_name,
    words,
)
from segprep.sources._common.pairing.name_rules import Folders
from segprep.sources._common.pairing.rival_folders import DRAWINGS, VIEWS

_VIEW_END = re.compile(r"[ _.-]*(fov|roi)$", re.IGNORECASE)
RENDITIONS = {
    *("id", "ids", "vis", "viz", "visual", "visualization", "rgb"),
    *("gray", "grey", "color", "colors", "colour"),  # codespell:ignore
    *("raw", "overlay", "overlays", "preview", "palette", "indexed"),
}
ImageFolder = Annotated[str, "Folder of the images below SRC; found by its name if not given."]
MaskFolder = Annotated[str, "Folder of the masks below SRC; found by its name if not given."]


def folders(
    root: Path,
    images: str = "",
    masks: str = "",
    mixed: bool = True,
    excluded: Sequence[str] = (),
) -> tuple[Folders, ...]:
    """The pairs of image and mask folders below *root*; unless *mixed* is False, one folder may
    hold both (``x.jpg``, ``x_mask.png``). Folders named *excluded* are left alone.

    Raises UsageError if names do not tell which is which.
    """
    named = [root / name for name in (images, masks) if name]
    if len(named) == 2 and not any(folder.exists() for folder in named):
        homes = repeated_folders.homes(root, images, masks)
        homes = [home for home in homes if not is_excluded(home, root, excluded)]
        if homes:
            names = [split_name(_key(home, root)) for home in homes]
            both = zip(homes, names, strict=True)
            repeated = [Folders(home / images, home / masks, name) for home, name in both]
            return tuple(_without_predictions(root, repeated))
    if outside := [
        folder
        for folder in named
        if not folder.is_dir() or not folder.resolve().is_relative_to(root)
    ]:
        raise UsageError(
            "bad-option",
            f"{outside[0]} is not a folder inside the source",
            "give --images and --masks as folder names below SRC",
        )
    if images and masks:
        return (Folders(root / images, root / masks),)
    candidates = [path for path in _with_images(root) if path not in named]
    candidates = [path for path in candidates if not is_excluded(path, root, excluded)]
    pairs = _by_names(root, images, masks, candidates)
    _refuse_rivals(root, pairs)
    every, pairs = pairs, _without_predictions(root, pairs)
    if not masks:
        pairs = [_with_unused(root, pair, pairs, candidates) for pair in pairs]
    if not pairs and not named and mixed:
        pairs = _mixed(root, excluded)
    if not pairs and not images and mixed:
        pairs = _anywhere(root, [root / masks] if masks else candidates, sure=bool(masks))
    if not pairs:
        raise _unclear(root, candidates)
    pairs[0] = replace(pairs[0], apart=_apart((*every, *pairs), candidates))
    return tuple(sorted(pairs, key=lambda pair: natural_key(str(pair.images))))


def _apart(pairs: Sequence[Folders], candidates: Sequence[Path]) -> tuple[Path, ...]:
    """The *candidates* that lie neither in nor above a folder that one of *pairs* names."""
    used = set[Path]()
    for pair in pairs:
        used |= {pair.images, pair.masks, *pair.unused, *pair.predicted}
        used |= {pair.view} if pair.view else set()
    return tuple(
        path
        for path in candidates
        if not any(path.is_relative_to(other) or other.is_relative_to(path) for other in used)
    )


def _by_names(root: Path, images: str, masks: str, candidates: Sequence[Path]) -> list[Folders]:
    """Pairs among *candidates* whose names agree but for words such as images and masks."""
    seen = [path for path in candidates if not shows_view(path.name)] or candidates
    labeled = [path for path in seen if _says(path, MASKS)]
    labeled = labeled or [path for path in seen if _says(path, DRAWINGS)]
    labeled = [root / masks] if masks else labeled
    pictured = [
        path for path in seen if path not in set(labeled) and not set(words(path.name)) & OBJECTS
    ]
    pictured = [root / images] if images else pictured
    by_key = defaultdict[tuple[str, ...], list[Path]](list)
    for path in pictured:
        by_key[_key(path, root)].append(path)
    for path in pictured:
        homes = [folder.parent for folder in seen if folder.parent == path.parent]
        if path.name.lower() == "data" and len(homes) == 2:  # FiftyOne's: train/data, train/labels
            by_key[_key(path.parent, root)] = by_key.get(_key(path.parent, root)) or [path]
    pairs = []
    for path in labeled:
        keys = (_key(path, root), _key(path, root, numbered=False))
        if key := next((key for key in keys if key in by_key), None):
            pairs.append(
                Folders(repeated_folders.nearest(root, by_key[key], path), path, split_name(key))
            )
        elif () in by_key and () in keys:
            pairs.append(Folders(repeated_folders.nearest(root, by_key[()], path), path))
    if not pairs and len(labeled) == 1:
        sure = [path for path in pictured if set(words(path.name)) & IMAGES]
        pictured = sure if len(sure) == 1 else pictured
        pairs = [Folders(pictured[0], labeled[0])] if len(pictured) == 1 else []
    return pairs


def _without_predictions(root: Path, pairs: list[Folders]) -> list[Folders]:
    """*pairs* less those whose folders are called predictions or results, where others are not; the
    first of these names them.
    """
    predicted = [
        pair for pair in pairs if PREDICTED.intersection(words(str(pair.masks.relative_to(root))))
    ]
    drawn = [pair for pair in pairs if pair not in predicted]
    if drawn and predicted:
        drawn[0] = replace(drawn[0], predicted=tuple(pair.masks for pair in predicted))
    return drawn or pairs


def _refuse_rivals(root: Path, pairs: Sequence[Folders]) -> None:
    """Raise UsageError where several folders hold masks of the same images: only the user knows
    which of them is the truth.
    """
    rivals: dict[Path, list[Path]] = defaultdict(list)
    for pair in pairs:
        rivals[pair.images].append(pair.masks)
        with os.scandir(pair.masks) as entries:
            inner = [Path(entry.path) for entry in entries if entry.is_symlink() or entry.is_dir()]
        inner = sorted(path for path in inner if path.is_dir())  # False for a link to itself
        if len(inner) > 1 and any(set(words(path.name)) & RENDITIONS for path in inner):
            stems = [repeated_folders.stems(path) for path in inner]
            if all(stems[0] & other for other in stems):
                rivals[pair.images] = inner
    for images, folders_of_masks in rivals.items():
        if len(folders_of_masks) > 1:
            raise rival_folders.error(root, images, folders_of_masks)


def _with_unused(
    root: Path, pair: Folders, pairs: Sequence[Folders], candidates: Sequence[Path]
) -> Folders:
    """*pair* with the other folders of *candidates* that hold masks of the same images. Raises
    UsageError where their names do not say that they only show the masks, or views, or objects.
    """
    used = {folder for pair in pairs for folder in (pair.images, pair.masks)}
    kinds = MASKS | OBJECTS | VIEWS | DRAWINGS
    others = [
        path
        for path in candidates
        if path not in used and (set(words(path.name)) & kinds or shows_view(path.name))
    ]
    if not others:
        return pair
    stems = repeated_folders.stems(pair.images)
    rivals, unused, views = list[Path](), list[Path](), list[Path]()
    for path in others:
        files = name_rules.image_files(path).parts()
        own = {bare(_VIEW_END.sub("", stem_of(name))) for _, name in files}
        if 2 * len(own & stems) <= len(own):
            continue
        if shows_view(path.name):
            views.append(path)
            continue
        more = set(words(path.name)) - set(words(pair.masks.name)) - MASKS
        derived = more <= RENDITIONS | OBJECTS and (more or set(words(path.name)) & VIEWS)
        (unused if derived else rivals).append(path)
    if rivals or len(views) > 1:
        raise rival_folders.error(root, pair.images, [pair.masks, *rivals, *views])
    return replace(pair, unused=tuple(unused), view=views[0] if views else None)


def _anywhere(root: Path, candidates: Sequence[Path], *, sure: bool) -> list[Folders]:
    """One folder of masks whose images lie anywhere else below *root*, under unique names. Unless
    *sure*, its name has to say so.
    """
    labeled = [path for path in candidates if sure or _says(path, MASKS)]
    if len(labeled) != 1:
        return []
    pair = Folders(root, labeled[0], anywhere=True)
    images, masks = name_rules.both_kinds(pair)
    partners = name_rules.best(name_rules.without(images, labeled), masks, pair, "auto")[1]
    return [pair] if 2 * len(partners) > len(masks) else []


def _says(path: Path, kind: set[str]) -> bool:
    said = set(words(path.name))
    return bool(said & kind) and not said & OBJECTS


def _unclear(root: Path, candidates: Sequence[Path]) -> UsageError:
    listed = (
        ", ".join(path.relative_to(root).as_posix() or "." for path in candidates[:12])
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
    return UsageError(
        "folders-unclear",
        f"{root}: cannot tell the image folder from the mask folder; there are: {listed}",
        "give --images NAME --masks NAME",
    )


def _with_images(root: Path) -> list[Path]:
    """Folders below *root* that hold images at any depth, topmost ones that are not mere splits of
    one kind.
    """
    every = name_rules.picture_folders(root) - {str(root)}
    inner = [Path(folder).relative_to(root).parts for folder in sorted(every)]
    # what the names below a folder say: images, masks
    kinds: dict[tuple[str, ...], set[bool]] = defaultdict(set)
    for parts in inner:
        for depth, part in enumerate(parts):
            for above in range(depth + 1):
                kinds[parts[:above]] |= {
                    said is MASKS for said in (MASKS, IMAGES) if set(words(part)) & said
                }
    topmost = set()
    # a folder that holds both kinds is neither, whatever its own name: Kvasir-SEG/images,
    # inputs/masks
    for parts in inner:
        telling = (
            n
            for n, part in enumerate(parts, 1)
            if set(words(part)) & (MASKS | IMAGES) and len(kinds[parts[:n]]) < 2
        )
        topmost.add(root.joinpath(*parts[: next(telling, len(parts))]))
    return sorted(topmost)


def _mixed(root: Path, excluded: Sequence[str]) -> list[Folders]:
    """The topmost folders, *root* itself too, that hold images and, told by a word such as mask in
    the name, their masks.
    """
    holding = {Path(folder) for folder in name_rules.picture_folders(root)}
    candidates = [
        Folders(path, path, split_name(_key(path, root)))
        for path in sorted(holding)
        if not holding.intersection(path.parents) and not is_excluded(path, root, excluded)
    ]
    return [
        pair
        for pair in candidates
        if 2 * len(name_rules.best(*(both := name_rules.both_kinds(pair)), pair, "auto")[1])
        > len(both[1])
        > 0
    ]


def _key(path: Path, root: Path, *, numbered: bool = True) -> tuple[str, ...]:
    """The words of the path less those for images and masks, and (not *numbered*) their numbers."""
    parts = path.relative_to(root).parts
    return tuple(
        word
        for part in parts
        for word in words(part)
        if word not in MASKS | IMAGES and (numbered or not word.isdecimal())
    )
