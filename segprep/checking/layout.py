"""Where the files of a dataset lie: a VOC-style tree of any tool, or two folders."""

import os
from collections.abc import Container, Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from segprep.checking.stored_pairs import StoredPairs, room
from segprep.checks._common.packed_digests import PackedDigests
from segprep.checks._common.survey import ListFile, Pair, Survey, Trouble
from segprep.dataset import classes as class_lists
from segprep.dataset.manifest import MANIFEST, Manifest
from segprep.dataset.shards import size_of
from segprep.dataset.tree import (
    CLASS_NAMES,
    IMAGES,
    LABELMAP,
    LISTS,
    LONGEST_TEXT,
    MASKS,
    STAGING,
    Tree,
    list_paths,
)
from segprep.errors import SegprepError, SourceError, UsageError
from segprep.files import listing, read_inside
from segprep.imaging.image import SUFFIXES
from segprep.names import is_sidecar, natural_order, stem_key, stem_of
from segprep.packed import PackedPaths
from segprep.types import Classes

if TYPE_CHECKING:
    from segprep.sources._common.pairing.name_rules import Folders

OLD_MASKS = "SegmentationClassPNG"  # labelme2voc before it wrote PNG to SegmentationClass
SIDECARS = (".npy", ".txt", ".json", ".xml", ".csv", ".md")


def of_tree(dataset: Tree, classes: Classes | None = None) -> Survey:
    """The files of a VOC-style tree; nothing of them is read yet but lists and class lists."""
    root = dataset.root
    masks = root / (OLD_MASKS if (root / OLD_MASKS).is_dir() else MASKS)
    pairs, strays = _paired(root / IMAGES, masks)
    manifest, trouble = _manifest(dataset)
    declared = _declared(root)
    if manifest:
        declared = {MANIFEST: manifest.classes.names, **declared}
    return Survey(
        root,
        "tree",
        pairs,
        classes or _classes(dataset),
        declared,
        tuple(_lists(root)),
        tuple(strays),
        manifest,
        _digests(dataset) if manifest else PackedDigests(),
        unfinished=(root / STAGING).is_dir(),
        trouble=trouble,
        groups=_groups(dataset, manifest),
    )


def of_folders(images: Path, masks: Path, classes: Classes | None = None) -> Survey:
    """Two plain folders; masks find their images by name, affix or number."""
    from segprep.sources._common.pairing.name_rules import Folders

    for folder in (images, masks):
        if not folder.is_dir():
            raise UsageError(
                "bad-option", f"{folder} is not a folder", "give --images and --masks as folders"
            )
    root = Path(os.path.commonpath([images.resolve(), masks.resolve()]))
    both = Folders(images.resolve(), masks.resolve())
    return _of_pairs(root, (both,), classes)


def of_any(root: Path, classes: Classes | None = None) -> Survey:
    """A folder that holds a folder of images and one of masks.

    Raises UsageError where names do not tell.
    """
    from segprep.sources._common.pairing import image_folders

    return _of_pairs(root.resolve(), image_folders.folders(root.resolve()), classes)


def _of_pairs(root: Path, folders: "tuple[Folders, ...]", classes: Classes | None) -> Survey:
    """*folders* paired by the names in them, and what else lies directly in them."""
    from segprep.sources._common.pairing import matching

    matched = matching.match(root, folders, "auto", "name")
    complete = [Pair(item.stem, item.image, item.labels[0]) for item in matched.items]
    alone = []
    for skipped in matched.skipped:
        path, is_image = Path(skipped.path), skipped.code == "mask-missing"
        alone.append(Pair(skipped.stem, path if is_image else None, None if is_image else path))
    every = tuple(natural_order([*complete, *alone], attrgetter("stem")))
    return Survey(root, "folders", every, classes, strays=tuple(_strays(folders)))


def _strays(folders: "tuple[Folders, ...]") -> Iterator[Path]:
    """Files in *folders* that are neither pictures nor belong to one. A folder that holds the other
    one is a project's, with files of its own.
    """
    for both in folders:
        pair = {both.images, both.masks}
        listed = {
            folder: [name for where, name in listing(str(folder)) if where == str(folder)]
            for folder in pair
        }
        names = [name for each in listed.values() for name in each]
        stems = {stem_key(stem_of(name)) for name in names if _suffix(name) in SUFFIXES}
        for folder in sorted(pair):
            if not any(folder in other.parents for other in pair):
                yield from (folder / name for name in listed[folder] if _stray(name, stems))


def _stray(name: str, stems: Container[str]) -> bool:
    """Whether the file *name* is neither a picture nor one that belongs to a sample of *stems*."""
    suffix = _suffix(name)
    if suffix in SUFFIXES or is_sidecar(name):
        return False
    stem = stem_key(stem_of(name))
    return suffix not in SIDECARS or not (stem in stems or stem_of(stem) in stems)


_Paths = str | tuple[str, ...]  # one, which nearly all stems have, or several


def _files(folder: Path) -> tuple[dict[str, _Paths], PackedPaths]:
    """Pictures below *folder* by stem key, their paths with forward slashes from it, and what else
    lies there.
    """
    paths: dict[str, _Paths] = {}
    others = PackedPaths()
    for inner, name in listing(str(folder)) if folder.is_dir() else ():
        suffix = _suffix(name)
        if suffix in SUFFIXES:
            path = os.path.join(inner, name)[len(str(folder)) :].replace(os.sep, "/").lstrip("/")
            key = stem_key(stem_of(path))
            paths[key] = (*_each(paths[key]), path) if key in paths else path
        elif not is_sidecar(name):
            others.add(inner, name)
    return paths, others


def _each(paths: _Paths) -> tuple[str, ...]:
    return (paths,) if isinstance(paths, str) else paths


def _paired(images: Path, labels: Path) -> tuple[Sequence[Pair], list[Path]]:
    """Every stem of the two folders once, and the other files in them; a stem with folders in it
    (``city/a``) also finds an image of its name.
    """
    by_image, image_others = _files(images)
    by_mask, mask_others = _files(labels)
    stems = set[str]()
    if image_others or mask_others:
        stems = {key.rpartition("/")[2] for keys in (by_image, by_mask) for key in keys}
    strays = [
        Path(folder, name)
        for others in (image_others, mask_others)
        for folder, name in others.parts()
        if _stray(name, stems)
    ]
    pairs = room(max(len(by_image), len(by_mask)))
    for pair in _samples(images, by_image, labels, by_mask):
        pairs.append(pair)
    del by_image, by_mask
    return _in_order(pairs), strays


def _in_order(pairs: list[Pair] | StoredPairs) -> Sequence[Pair]:
    """*pairs* in the natural order of their stems, in which they mostly are already."""
    stems = [pair.stem for pair in pairs]
    order = natural_order(range(len(stems)), stems.__getitem__)
    if all(number == rank for rank, number in enumerate(order)):
        return pairs
    arranged = room(len(pairs))
    for number in order:
        arranged.append(pairs[number])
    return arranged


def _samples(
    images: Path,
    by_image: dict[str, _Paths],
    labels: Path,
    by_mask: Mapping[str, _Paths],
) -> Iterator[Pair]:
    """Every stem once; images that a mask has are taken out of *by_image*."""
    by_name: dict[str, tuple[str, ...]] = {}
    if any("/" in key for keys in (by_image, by_mask) for key in keys):
        for key, paths in by_image.items():
            name = key.rpartition("/")[2]
            by_name[name] = by_name.get(name, ()) + _each(paths)
    used = set[str]()  # of those found by their names alone
    for key, labeled in by_mask.items():
        masks, candidates = _each(labeled), _each(by_image.pop(key, ()))
        if not candidates and (candidates := by_name.get(key.rpartition("/")[2], ())):
            used.update(candidates)
        image, mask = _preferred(candidates), _preferred(masks)
        rivals = [images / path for path in candidates if path != image]
        rivals += [labels / path for path in masks if path != mask]
        photo, drawn = images / image if image else None, labels / mask if mask else None
        yield Pair(_stem(masks[0], key), photo, drawn, rivals=tuple(rivals))
    for key, left in by_image.items():
        paths = _each(left)
        if not used.intersection(paths):
            rivals = [images / path for path in paths[1:]]
            yield Pair(_stem(paths[0], key), images / paths[0], None, rivals=tuple(rivals))


def _stem(path: str, key: str) -> str:
    """The stem as the files spell it: as many parts of *path* as *key* has."""
    stem = stem_of("/".join(path.split("/")[-(key.count("/") + 1) :]))
    return key if stem == key else stem  # mostly the same, and then kept once


def _suffix(name: str) -> str:
    head, _, tail = name.rpartition(".")
    return f".{tail.lower()}" if head and tail else ""


def _preferred(paths: tuple[str, ...]) -> str | None:
    """The JPEG of several files of one stem, else the first."""
    if len(paths) > 1:
        jpegs = [path for path in paths if _suffix(path) in (".jpg", ".jpeg")]
        return (jpegs if len(jpegs) == 1 else paths)[0]
    return paths[0] if paths else None


def _manifest(dataset: Tree) -> tuple[Manifest | None, Trouble | None]:
    try:
        return dataset.manifest, None
    except SegprepError as error:
        return None, Trouble(error.code, error.message, error.hint)


def _groups(dataset: Tree, manifest: Manifest | None) -> dict[str, str]:
    """Stem -> group, where the split record has a rule of groups."""
    rule = (manifest.split or {}).get("group_by") if manifest else None
    if not isinstance(rule, str):
        return {}
    from segprep.grouping import groups_of

    try:
        return groups_of(dataset.stems(), rule, sharded=size_of(dataset) > 0)
    except SegprepError:
        return {}


def _digests(dataset: Tree) -> PackedDigests:
    """The digests of the files by relative path, as the manifest has them."""
    try:
        return PackedDigests(
            entry for record in dataset.records() for entry in record.digests.items()
        )
    except SegprepError:
        return PackedDigests()


def _classes(dataset: Tree) -> Classes | None:
    try:
        return dataset.classes()
    except SegprepError:
        return None


def _declared(root: Path) -> dict[str, tuple[str, ...]]:
    """The class lists of the tree, by file."""
    lists = {}
    for name in (CLASS_NAMES, LABELMAP):
        if (root / name).is_file():
            try:
                names = class_lists.listed(Tree(root).text(name) or b"", root / name)
                lists[name] = tuple(entry for entry in names if entry != class_lists.IGNORED)
            except SegprepError:
                lists[name] = ()
    return lists


def _lists(root: Path) -> Iterator[ListFile]:
    for path in sorted(list_paths(root)):
        try:
            text = (read_inside(root, f"{LISTS}/{path.name}", LONGEST_TEXT) or b"").decode()
        except (SourceError, UnicodeDecodeError) as error:
            reason = error.reason if isinstance(error, SourceError) else str(error)
            trouble = Trouble("bad-list", f"cannot be read as UTF-8: {reason}", "save it as UTF-8")
            yield ListFile(path.stem, path, trouble=trouble)
            continue
        plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
        lines = tuple(line.strip() for line in plain.split("\n") if line.strip())
        yield ListFile(path.stem, path, text, lines)
