"""Sample names: the image of a stem, and sources that would become the same sample."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from segprep.files import listing
from segprep.imaging.image import SUFFIXES
from segprep.names import stem_fault, stem_key, stem_of
from segprep.types import Item, Skipped


def sample_stem(path: Path, root: Path, how: str) -> str:
    """The sample name of *path*: its own name, or (how = path) with the folders below *root* joined
    by ``_``.
    """
    stem = stem_of(path.name)
    return "_".join([*path.parent.relative_to(root).parts, stem]) if how == "path" else stem


def unique(
    items: Iterable[Item],
    skipped: list[Skipped],
    foreign: Callable[[Item], Skipped | None] = lambda item: None,
) -> tuple[Item, ...]:
    """*items* by stem. Those with a bad stem, or with one that another item has too, go to
    *skipped* instead.

    Only where stems collide, *foreign* is asked whether an item is of another format after all.
    """
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[stem_key(item.stem)].append(item)
    kept = []
    for group in groups.values():
        if len(group) > 1:
            others = [foreign(item) for item in group]
            skipped += [other for other in others if other]
            group = [item for item, other in zip(group, others, strict=True) if not other]  # noqa: PLW2901
        if not group:
            continue
        fault = stem_fault(group[0].stem)
        shared = all(item.image for item in group) and (
            len(group) == 1 or len({item.labels for item in group}) == 1
        )
        paths = [str(item.image if shared or not item.labels else item.labels[0]) for item in group]
        if fault:
            skipped += [
                Skipped(item.stem, path, "bad-stem", f"its name {fault}", "rename the file")
                for item, path in zip(group, paths, strict=True)
            ]
        elif len(group) > 1:
            reason = f"would become the sample {group[0].stem!r} together with "
            apart = _in_folders_of_their_own(group)
            hint = "rename one, or give --stem path" if apart else "rename one of them"
            for number, (item, path) in enumerate(zip(group, paths, strict=True)):
                named = [*paths[:number][:4], *paths[number + 1 :][:4]][:4]
                more = (
                    f" and {len(paths) - 1 - len(named)} more"
                    if len(paths) - 1 > len(named)
                    else ""
                )
                skipped.append(
                    Skipped(
                        item.stem,
                        path,
                        "stem-collision",
                        f"{reason}{', '.join(named)}{more}",
                        hint,
                    )
                )
        else:
            kept.append(group[0])
    return tuple(sorted(kept, key=lambda item: item.stem))


def _in_folders_of_their_own(group: Sequence[Item]) -> bool:
    """Whether names with their folders tell the items of *group* apart: neither do they have their
    folders in their names already, nor lie two in one folder.
    """
    if any(item.stem not in _names(item) for item in group):
        return False
    images = {item.image.parent for item in group if item.image}
    labels = {item.labels[0].parent for item in group if item.labels}
    return len(group) in (len(images), len(labels))


def _names(item: Item) -> set[str]:
    """The names of the files of *item*, without extensions."""
    return {stem_of(path.name) for path in (item.image, *item.labels) if path}


def with_exclusion(skip: Skipped, way: str = "--exclude-folder NAME") -> Skipped:
    """*skip* with the *way* to leave a copy alone in its hint, where files of equal names
    collide.
    """
    if skip.code != "stem-collision":
        return skip
    return replace(skip, hint=f"{skip.hint}, or {way} if one folder is a copy")


def images_by_stem(files: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """(folder, stem key) -> the names of the image files there, by extension; *files* as
    :func:`files.listing` gives them.
    """
    by_stem: dict[tuple[str, str], tuple[str, ...]] = {}
    for folder, name in files:
        if os.path.splitext(name)[1].lower() in SUFFIXES:
            key = folder, stem_key(stem_of(name))
            by_stem[key] = (*by_stem.get(key, ()), name)
    return by_stem


def images_below(root: Path) -> dict[str, list[Path]]:
    """Stem key -> the image files anywhere below *root*."""
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for (folder, key), names in images_by_stem(listing(str(root))).items():
        by_stem[key] += (Path(folder, name) for name in names)
    return by_stem
