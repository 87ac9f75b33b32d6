"""What belongs together: the image of an annotation, and sources that would become the same sample."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path, PureWindowsPath

from .errors import SourceError, UsageError
from .files import find_below, listing
from .image import SUFFIXES
from .names import stem_fault, stem_key, stem_of
from .types import Item, Skipped


def sample_stem(path: Path, root: Path, how: str) -> str:
    """The sample name of *path*: its own name, or (how = path) with the folders below *root* joined by ``_``."""
    stem = stem_of(path.name)
    return "_".join([*path.parent.relative_to(root).parts, stem]) if how == "path" else stem


def unique(items: Iterable[Item], skipped: list[Skipped], foreign: Callable[[Item], Skipped | None] = lambda item: None) -> tuple[Item, ...]:
    """*items* by stem. Those with a bad stem, or with one that another item has too, go to *skipped* instead.

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
        paths = [str(item.labels[0] if item.labels else item.image) for item in group]
        if fault:
            skipped += [Skipped(item.stem, path, "bad-stem", f"its name {fault}", "rename the file") for item, path in zip(group, paths, strict=True)]
        elif len(group) > 1:
            reason = f"would become the sample {group[0].stem!r} together with "
            for number, (item, path) in enumerate(zip(group, paths, strict=True)):
                named = [*paths[:number][:4], *paths[number + 1 :][:4]][:4]
                more = f" and {len(paths) - 1 - len(named)} more" if len(paths) - 1 > len(named) else ""
                skipped.append(Skipped(item.stem, path, "stem-collision", f"{reason}{', '.join(named)}{more}", "rename one, or give --stem path"))
        else:
            kept.append(group[0])
    return tuple(sorted(kept, key=lambda item: item.stem))


def images_by_stem(files: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """(folder, stem key) -> the names of the image files there, by extension; *files* as :func:`files.listing` gives them."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for folder, name in files:
        if os.path.splitext(name)[1].lower() in SUFFIXES:
            key = folder, stem_key(stem_of(name))
            found[key] = (*found.get(key, ()), name)
    return found


def images_below(root: Path) -> dict[str, list[Path]]:
    """Stem key -> the image files anywhere below *root*."""
    found: dict[str, list[Path]] = defaultdict(list)
    for (folder, key), names in images_by_stem(listing(str(root))).items():
        found[key] += (Path(folder, name) for name in names)
    return found


def pick(paths: Sequence[Path], why: str) -> Path | None:
    """The only image of *paths*; None of none. Several are an error unless one is a JPEG and the rest are not. Raises SourceError."""
    if len(paths) <= 1:
        return paths[0] if paths else None
    jpegs = [path for path in paths if path.suffix.lower() in (".jpg", ".jpeg")]
    if len(jpegs) == 1 and all(path.parent == jpegs[0].parent for path in paths):
        return jpegs[0]
    raise SourceError(paths[0], f"{why}: {', '.join(str(path) for path in paths)}", "keep one of them, or set imagePath", "image-ambiguous")


def locate(named: str, beside: Path, near: Path | None, roots: Sequence[Path], by_root: Mapping[str, Sequence[Path]], stem: str) -> tuple[Path, str] | None:
    """The image file of an annotation and how it was found ("" where it is named), or None.

    Tried in turn: the path *named* (either kind of slash, drive letters dropped) from the annotation's folder *beside*;
    its file name there; *near*, the image of the same stem; then below each further root the named path, its file
    name, and *by_root*, the images of that stem. Only paths below *roots* are ever looked at.
    """
    pure = PureWindowsPath(named)
    tail = [part for part in pure.parts if part not in (pure.anchor, "..", ".")]
    if tail and "://" not in named and not tail[-1].lower().endswith(".json"):
        exact = _meant(named, beside)
        if _inside(exact, roots) and find_below(exact, tuple(roots)):
            return exact, ""
        if find_below(beside / tail[-1], tuple(roots)):
            return beside / tail[-1], "by its file name beside the annotation"
    if near is not None and find_below(near, tuple(roots)):
        return near, "by the annotation's own name"
    for root in roots[1:]:
        for part in range(len(tail)):
            if find_below(root.joinpath(*tail[part:]), tuple(roots)):
                return root.joinpath(*tail[part:]), "below --image-root"
    found = pick(by_root.get(stem_key(stem), ()), f"several images below --image-root are called {stem}")
    return (found, "below --image-root, by the annotation's own name") if found else None


def _meant(named: str, beside: Path) -> Path:
    """The place that *named* means, seen from the folder *beside*; drive letters are dropped."""
    pure = PureWindowsPath(named)
    return Path(os.path.normpath(beside / (Path(named) if Path(named).is_absolute() else Path(*pure.relative_to(pure.anchor).parts))))


def escapes(named: str, beside: Path, roots: Sequence[Path]) -> bool:
    """Whether *named* is a URL or means a place outside *roots*."""
    return "://" in named or "\0" in named or not _inside(_meant(named, beside), roots)


def _inside(path: Path, roots: Sequence[Path]) -> bool:
    return any(path.is_relative_to(root) for root in roots)


@cache
def real_folders(source: Path, further: tuple[Path, ...] = ()) -> tuple[Path, ...]:
    """The folders that a reader may open, resolved; the source first. Raises UsageError if one is no folder."""
    for path in (source, *further):
        if not path.is_dir():
            raise UsageError("bad-option", f"{path} is no folder", "give an existing folder")
    return tuple(path.resolve() for path in (source, *further))
