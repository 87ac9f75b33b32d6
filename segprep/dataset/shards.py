"""Shards: the folders of a tree whose samples are too many for one folder.

    JPEGImages/000/a.jpg
    SegmentationClass/000/a.png      the sample 000/a, in lists and records, too

A sample stays in its shard as long as it is in the tree; a new one goes to the first with room.
"""

import os
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from segprep.dataset.tree import Tree
from segprep.errors import UsageError
from segprep.names import natural_key, unsharded
from segprep.outputs import OutputFolder
from segprep.packed import PackedNames
from segprep.packed_items import PackedItems
from segprep.types import Scan


def checked(size: int) -> int:
    """*size*, the most samples in a shard, 0 for no shards. Raises UsageError below that."""
    if size < 0:
        raise UsageError(
            "bad-option", f"--shard {size}", "give samples per folder, 0 for one folder"
        )
    return size


def size_of(dataset: Tree) -> int:
    """How many samples a shard of *dataset* takes at most; 0 for a tree without shards."""
    described = dataset.manifest
    size = described.source["options"].get("shard", 0) if described else 0
    return size if isinstance(size, int) and size > 0 else 0


def size_for(shard: int | None, *datasets: Tree) -> int:
    """The size of the shards of a tree that is made of *datasets*: *shard*, or, of None, theirs."""
    return max(map(size_of, datasets)) if shard is None else shard


def flat_stems(dataset: Tree, stems: Iterable[str]) -> dict[str, str]:
    """Each of the *stems* of *dataset* -> how a new tree names it before it has shards: without the
    old shard; in a tree that segprep did not make, folders become part of the name.
    """
    if dataset.manifest is None:
        return {stem: stem.replace("/", "_") for stem in stems}
    return {stem: unsharded(stem) for stem in stems}


def sharded(scan: Scan, previous: Iterable[str], size: int) -> Scan:
    """*scan* with every item in its shard: that of the *previous* sample of its name, or else, in
    natural order, the first that has fewer than *size*.
    """
    items, names, homes = PackedItems.of(scan.items), PackedNames(), array("I")
    for stem in previous:
        shard, slash, name = stem.rpartition("/")
        if slash:
            names.append(name)
            homes.append(int(shard))
    shards, full = array("i"), Counter[int]()
    for stem in items.stems:
        number = names.find(stem)
        shards.append(homes[number] if number >= 0 else -1)
        full[shards[-1]] += 1
    new = (number for number, shard in enumerate(shards) if shard < 0)
    free = 0
    for number in sorted(new, key=lambda number: natural_key(items.stems[number])[0]):
        while full[free] >= size:
            free += 1
        shards[number] = free
        full[free] += 1
    stems = PackedNames(
        f"{shard:03}/{stem}" for shard, stem in zip(shards, items.stems, strict=True)
    )
    numbers = {name: map(items.stems.find, listed) for name, listed in scan.lists.items()}
    lists = {
        name: tuple(
            stems[number] if number >= 0 else stem
            for number, stem in zip(numbers[name], listed, strict=True)
        )
        for name, listed in scan.lists.items()
    }
    return replace(scan, items=items.with_stems(stems), lists=lists)


def names_in(folder: Path) -> PackedNames:
    """The files in *folder*, and SHARD/NAME in its shards; none where it is not there."""
    names = os.listdir(folder) if folder.is_dir() else []
    for shard in [name for name in names if name.isdecimal() and (folder / name).is_dir()]:
        names.remove(shard)
        names += (f"{shard}/{name}" for name in os.listdir(folder / shard))
    names.sort()
    packed = PackedNames()
    packed.add_all(names)
    return packed


def homes(root: Path, files: Mapping[str, PackedNames], removed: Iterable[str]) -> list[Path]:
    """The folders of the tree *root*, and their shards, that *files*, names by folder, lie in now,
    or *removed* ones did.
    """
    folders = {*files} | {name.rpartition("/")[0] for name in removed}
    for kind, names in files.items():
        if b"/" in names.buffers()[0]:
            folders |= {f"{kind}/{name}".rpartition("/")[0] for name in names}
    return [root / folder for folder in sorted(folders) if (root / folder).is_dir()]


def remove(root: Path, names: Iterable[str]) -> None:
    """Take the files *names* out of the tree *root*, and the shards that become empty. Raises
    TreeError where a link stands for a folder, OSError.
    """
    tree, shards = OutputFolder(root), set[Path]()
    for name in names:
        path = tree.at(name)
        path.unlink(missing_ok=True)
        if name.count("/") > 1:
            shards.add(path.parent)
    for shard in shards:
        with suppress(OSError):  # it holds others
            shard.rmdir()
