"""Samples of paired folders: every mask with its image, what found no partner, official lists."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from segprep.errors import SegprepError
from segprep.names import natural_key, stem_of
from segprep.packed import PackedPaths
from segprep.packed_items import PackedItems
from segprep.sources._common.pairing import (
    files_beside,
    folder_notes,
    image_folders,
    name_rules,
    official_lists,
    orphans,
    pair_patterns,
    stems,
)
from segprep.sources._common.pairing.folder_names import bare, is_excluded, split_of
from segprep.sources._common.pairing.joined_files import JoinedFiles, JoinRules
from segprep.sources._common.pairing.name_rules import Folders, Partners
from segprep.types import Item, Note, Skipped

_SEEN = 100  # masks whose sizes are compared to find some that are not empty


@dataclass(frozen=True, slots=True)
class Pairing:
    """Items by stem, what found no partner, the official *lists* that folders or list files stand
    for, and notes. *rules*: what joined the files of each item.
    """

    items: PackedItems
    skipped: tuple[Skipped, ...]
    lists: Mapping[str, tuple[str, ...]]
    notes: tuple[Note, ...]
    rules: Sequence[str] = ()


def match(
    root: Path,
    folders: Iterable[Folders],
    how: str = "auto",
    stem: str = "name",
    *,
    empty: bool = False,
    from_folders: bool = True,
    excluded: Sequence[str] = (),
) -> Pairing:
    """Pair the files of all *folders*; a Skipped for every file without a partner or with several.
    What lies in a folder named *excluded* is left alone.

    With *empty* an image that no mask could belong to is an item whose only label is itself: all
    background. Unless *from_folders* is False, folders called train, val or test become lists.
    """
    pairs, skipped, notes = JoinedFiles(root, stem), list[Skipped](), list[Note]()
    every = tuple(folders)
    sizes: dict[str, list[tuple[Folders, int]]] = defaultdict(list)
    for pair in every:
        notes += folder_notes.unused(root, pair)
        images, masks = (
            _without(paths, root if pair.images.is_relative_to(root) else pair.images, excluded)
            for paths in name_rules.both_kinds(pair)
        )
        rule, partners = name_rules.best(images, masks, pair, how)
        if rule != "name" and partners:
            mask, image = next(partners.numbers())
            message = (
                f"{pair.images.name} and {pair.masks.name} were paired by {rule}:"
                f" {images.part(image)[1]} with {masks.part(mask)[1]}"
            )
            notes.append(Note("paired-by", message))
        pairs.add_all(partners, partial(_split_in, pair), rule)
        sizes[pair.split].append((pair, len(partners)))
        alone = orphans.left(partners)
        alone, unlabeled = _without_unlabeled(alone, partners, pair)
        notes += unlabeled
        if empty:
            bare = [skip for skip in alone if skip.bare]
            alone = [skip for skip in alone if not skip.bare]
            for skip in bare:
                image_part = os.path.split(skip.path)
                split = pair.split or _list_of(image_part[0], pair.images)
                pairs.add(image_part, None, split, "no mask: empty")
        skipped += alone
    notes += folder_notes.joined(root, sizes)
    return _collected(every, pairs, skipped, notes, from_folders=from_folders)


def _without(paths: PackedPaths, home: Path, excluded: Sequence[str]) -> PackedPaths:
    """*paths* less those in folders of *home* that are named *excluded*."""
    if not excluded:
        return paths
    gone = {
        folder
        for folder in {folder for folder, _ in paths.parts()}
        if Path(folder).is_relative_to(home) and is_excluded(Path(folder), home, excluded)
    }
    return paths.chosen(n for n, (folder, _) in enumerate(paths.parts()) if folder not in gone)


def match_stated(
    root: Path,
    spec: str,
    files: Sequence[Path],
    stem: str = "name",
    *,
    further: tuple[Path, ...] = (),
    empty: bool = False,
    from_folders: bool = True,
) -> Pairing:
    """The pairs that the pattern or table *spec* states among *files*."""
    stated = pair_patterns.stated(spec, (root, *further), files)
    pairs = JoinedFiles(root, stem)
    for image, mask, split in stated.pairs:
        split_name = split or _split_of(image, root)
        mask_part = os.path.split(mask) if mask else None
        pairs.add(os.path.split(image), mask_part, split_name, "stated by --pair")
    skipped, notes = list(stated.skipped), list[Note]()
    if empty:
        for skip in skipped:
            if skip.bare:
                split_name = _split_of(Path(skip.path), root)
                pairs.add(os.path.split(skip.path), None, split_name, "no mask: empty")
        skipped = [skip for skip in skipped if not skip.bare]
    if stated.others:
        message = f"{stated.others} image files fit neither side of --pair and were skipped"
        notes.append(Note("paired-by", message))
    return _collected((), pairs, skipped, notes, from_folders=from_folders)


def _collected(
    folders: tuple[Folders, ...],
    pairs: JoinedFiles,
    skipped: list[Skipped],
    notes: list[Note],
    *,
    from_folders: bool,
) -> Pairing:
    kept = pairs.unique(skipped)
    skipped = [stems.with_exclusion(skip) for skip in skipped]
    lists: dict[str, list[str]] = defaultdict(list)
    splits = {kind: split for kind, origin in kept.payloads() if (split := origin.split)}
    for number, kind in enumerate(kept.buffers()[3]) if splits else ():
        if kind in splits:
            lists[splits[kind]].append(kept.stems[number])
    written = list_files(pairs.root, kept, notes, pairs=folders)
    # a test folder beside the rest is a list; one train folder may hold all that is drawn
    kept_apart = {*lists} <= {"val", "test"} and len(kept) > sum(map(len, lists.values()))
    unmistakable = from_folders and (len(lists) > 1 or kept_apart)
    folder_lists = {
        name: tuple(sorted(listed, key=natural_key))
        for name, listed in lists.items()
        if unmistakable
    }
    if folder_lists and not written:
        notes += _unlisted(folder_lists, kept.stems)
    if pairs.bare:
        text = f"{pairs.bare} images have no mask; theirs is all background"
        notes.append(Note("mask-empty", text))
    return Pairing(
        kept.with_payload(None),
        tuple(skipped),
        written or folder_lists,
        tuple(notes),
        JoinRules(kept),
    )


def _without_unlabeled(
    alone: Sequence[Skipped], partners: Partners, pair: Folders
) -> tuple[list[Skipped], list[Note]]:
    """*alone* without the images of folders in which no image has a mask, where these are no part
    of the set: folders called test, as publishers keep their masks back, and all folders but those
    of the images where only names of masks told them. And a note on these folders.
    """
    images = partners.images
    labeled = {Path(images.part(image)[0]) for _, image in partners.numbers()} if alone else set()
    unlabeled = Counter(
        folder
        for skip in alone
        if skip.code == "mask-missing"
        and (folder := Path(skip.path).parent) not in labeled
        and labeled
        and (pair.anywhere or _split_of(Path(skip.path), pair.images) == "test")
    )
    kept = [
        skip
        for skip in alone
        if skip.code != "mask-missing" or Path(skip.path).parent not in unlabeled
    ]
    if not unlabeled:
        return kept, []
    return kept, [folder_notes.unlabeled(pair.images, unlabeled)]


def folder_lists(root: Path, items: Iterable[Item]) -> dict[str, tuple[str, ...]]:
    """The lists that folders called train, val, test stand for, if at least two of them do."""
    lists: dict[str, list[str]] = defaultdict(list)
    for item in items:
        if item.image and (name := _split_of(item.image, root)):
            lists[name].append(item.stem)
    ordered = {name: tuple(sorted(names, key=natural_key)) for name, names in lists.items()}
    return ordered if len(ordered) > 1 else {}


def _split_of(image: Path, root: Path) -> str:
    """The list that the folders between *root* and *image* stand for."""
    return _list_of(os.path.dirname(str(image)), root)


def _split_in(pair: Folders, folder: str) -> str:
    """The list that the images of *pair* in *folder* are in."""
    return pair.split or _list_of(folder, pair.images)


@lru_cache(maxsize=4096)
def _list_of(folder: str, root: Path) -> str:
    home = Path(folder)
    inner = home.relative_to(root).parts if home.is_relative_to(root) else home.parts[-2:]
    return split_of("/".join(inner))


def glimpse(root: Path, most: int = 5) -> tuple[Folders, list[Path]] | None:
    """For a Reader's ``recognize``: the first pair of folders below *root* and a few masks that
    have an image, the first and the largest files of many, since masks without an object tell
    little; or None.
    """
    try:
        pairs = image_folders.folders(root)
        items = match(root, pairs, stem="path").items
    except SegprepError:
        return None
    paths = [item.labels[0] for item in items[:: max(1, len(items) // _SEEN)][:_SEEN]]
    by_size = sorted(paths[1:], key=_size, reverse=True)
    chosen = {*paths[:1], *by_size[: most - 1]}
    return (pairs[0], [path for path in paths if path in chosen]) if paths else None


def _size(path: Path) -> int:
    """The bytes of a file; 0 of one that cannot be reached, which is told when it is read."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def list_files(
    root: Path,
    items: Sequence[Item],
    notes: list[Note],
    further: Sequence[Path] = (),
    pairs: Sequence[Folders] = (),
) -> dict[str, tuple[str, ...]]:
    """The official lists at *root*, in *further* folders, or above the folders of *pairs*; see
    :func:`official_lists.find`.
    """
    lists = official_lists.find(
        root, (*files_beside.homes(root, pairs), *further), lambda: _names(root, items), notes
    )
    if lists:
        notes += _unlisted(lists, [item.stem for item in items])
    return lists


def _unlisted(lists: Mapping[str, Sequence[str]], stems: Sequence[str]) -> list[Note]:
    """A note on those of *stems* that are in none of *lists*."""
    listed = set[str]().union(*lists.values())
    alone = [stem for stem in stems if stem not in listed]
    if not alone:
        return []
    first = min(alone, key=natural_key)
    text = f"{len(alone)} of {len(stems)} samples are in no list of the source, {first} first"
    kept = " ".join(f"--keep {name}" for name in ("val", "test") if name in lists)
    split = "--update places them" if "train" in lists else f"{kept} --overwrite shares them out"
    return [Note("unlisted", f"{text}; segprep split {split}")]


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
