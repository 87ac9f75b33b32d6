"""Which folders below a source hold images, and which the masks of them."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from segprep.errors import UsageError
from segprep.files import listing, read_below
from segprep.imaging.image import SUFFIXES
from segprep.names import natural_key
from segprep.sources._common import name_rules
from segprep.sources._common.folder_names import IMAGES, MASKS, OBJECTS, words
from segprep.sources._common.name_rules import Folders
from segprep.sources._common.official_lists import SPLITS

ImageFolder = Annotated[str, "Folder of the images below SRC; found by its name if not given."]
MaskFolder = Annotated[str, "Folder of the masks below SRC; found by its name if not given."]


def folders(
    root: Path, images: str = "", masks: str = "", mixed: bool = True
) -> tuple[Folders, ...]:
    """The pairs of image and mask folders below *root*; unless *mixed* is False, one folder may
    hold both (``x.jpg``, ``x_mask.png``).

    Raises UsageError if names do not tell which is which.
    """
    named = [root / name for name in (images, masks) if name]
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
    pairs = _by_names(root, images, masks, candidates)
    if not pairs and not named and mixed:
        pairs = _mixed(root)
    if not pairs:
        raise _unclear(root, candidates)
    return tuple(sorted(pairs, key=lambda pair: natural_key(str(pair.images))))


def _by_names(root: Path, images: str, masks: str, candidates: Sequence[Path]) -> list[Folders]:
    """Pairs among *candidates* whose names agree but for words such as images and masks."""
    labeled = [root / masks] if masks else [path for path in candidates if _says(path, MASKS)]
    pictured = [
        path
        for path in candidates
        if path not in set(labeled) and not set(words(path.name)) & OBJECTS
    ]
    pictured = [root / images] if images else pictured
    by_key = {_key(path, root): path for path in pictured}
    pairs = [
        Folders(by_key[key], path, split_name(key))
        for path in labeled
        if (key := _key(path, root)) in by_key
    ]
    if not pairs and len(labeled) == 1:
        sure = [path for path in pictured if set(words(path.name)) & IMAGES]
        pictured = sure if len(sure) == 1 else pictured
        pairs = [Folders(pictured[0], labeled[0])] if len(pictured) == 1 else []
    return pairs


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
        f"{root}: which folder holds the images and which the masks? there are: {listed}",
        "give --images NAME --masks NAME",
    )


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


def _mixed(root: Path) -> list[Folders]:
    """The topmost folders, *root* itself too, that hold images and, told by a word such as mask in
    the name, their masks.
    """
    holding = {
        Path(folder)
        for folder, name in listing(str(root))
        if os.path.splitext(name)[1].lower() in SUFFIXES
    }
    candidates = [
        Folders(path, path, split_name(_key(path, root)))
        for path in sorted(holding)
        if not holding.intersection(path.parents)
    ]
    return [
        pair
        for pair in candidates
        if 2 * len(name_rules.best(*(both := name_rules.both_kinds(pair)), pair, "auto")[1])
        > len(both[1])
        > 0
    ]


def _key(path: Path, root: Path) -> tuple[str, ...]:
    parts = path.relative_to(root).parts
    return tuple(word for part in parts for word in words(part) if word not in MASKS | IMAGES)


def split_name(key: Sequence[str]) -> str:
    return next((SPLITS[word] for word in key if word in SPLITS), "")


def beside(root: Path, pairs: Sequence[Folders], names: Sequence[str]) -> Path | None:
    """The first file with one of *names* that lies at *root* or above all folders of
    *pairs*. Raises SourceError if it cannot be read.
    """
    path = next(
        (home / name for home in homes(root, pairs) for name in names if (home / name).is_file()),
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
