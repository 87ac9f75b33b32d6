"""Samples of paired folders: every mask with its image, what found no partner, official lists."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segprep.errors import SegprepError
from segprep.names import natural_key, stem_of
from segprep.sources._common import image_folders, name_rules, official_lists, stems
from segprep.sources._common.folder_names import bare
from segprep.sources._common.name_rules import Folders
from segprep.types import Item, Note, Skipped


@dataclass(frozen=True, slots=True)
class Pairing:
    """Items by stem, what found no partner, the official *lists* that folders or list files stand
    for, and notes.
    """

    items: tuple[Item, ...]
    skipped: tuple[Skipped, ...]
    lists: Mapping[str, tuple[str, ...]]
    notes: tuple[Note, ...]


def match(root: Path, folders: Iterable[Folders], how: str, stem: str) -> Pairing:
    """Pair the files of all *folders*; a Skipped for every file without a partner or with
    several.
    """
    items: list[Item] = []
    skipped: list[Skipped] = []
    notes: list[Note] = []
    split_of: dict[str, str] = {}
    pairs = tuple(folders)
    for pair in pairs:
        images, masks = name_rules.both_kinds(pair)
        rule, partners = name_rules.best(images, masks, pair, how)
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
            item = Item(stems.sample_stem(image, root, stem), image, (mask,))
            items.append(item)
            split_of[item.stem] = pair.split or image_folders.split_name(
                [part.lower() for part in image.relative_to(pair.images).parts[:-1]]
            )
        skipped += name_rules.orphans(images, masks, partners)
    kept = stems.unique(items, skipped)
    kept_stems = {item.stem for item in kept}
    lists: dict[str, list[str]] = defaultdict(list)
    for name in sorted(kept_stems, key=natural_key):
        if split_of[name]:
            lists[split_of[name]].append(name)
    written = list_files(root, kept, notes, pairs=pairs)
    return Pairing(
        kept,
        tuple(skipped),
        written
        or ({name: tuple(listed) for name, listed in lists.items()} if len(lists) > 1 else {}),
        tuple(notes),
    )


def glimpse(root: Path, most: int = 5) -> tuple[Folders, list[Path]] | None:
    """For a Reader's ``recognise``: the first pair of folders below *root* and a few masks that
    have an image, or None.
    """
    try:
        pairs = image_folders.folders(root)
        paths = [item.labels[0] for item in match(root, pairs, "auto", "name").items[:most]]
    except SegprepError:
        return None
    return (pairs[0], paths) if paths else None


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
    return official_lists.find(
        root, (*image_folders.homes(root, pairs), *further), lambda: _names(root, items), notes
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
