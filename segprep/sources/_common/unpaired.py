"""Why folders whose names tell images from masks are read by no format: names that do not pair, or
masks that no format takes; and tables that state the pairs.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

from segprep.errors import SegprepError
from segprep.files import listing, read_below
from segprep.imaging import image, mask_files
from segprep.names import stem_of
from segprep.sources._common import image_folders, lossy, matching, name_rules

_EXAMPLE = "--pair '{stem}.jpg={stem}_anno.png', or a CSV with the columns image,mask"
_HEADER = 4096


def reason(root: Path) -> tuple[str, str] | None:
    """What keeps *root* from being read, and what to do; None where its names tell no pair of
    folders, or where it is something else.
    """
    if table := _table(root):
        path = shlex.quote(str(root / table))
        hint = f"use it: segprep convert pairs SRC OUT --pair {path}"
        return f"{table} lists images and their masks", hint
    try:
        pair = image_folders.folders(root)[0]
    except SegprepError:
        return None
    if pair.images == pair.masks:
        return None
    names = [path.relative_to(root).as_posix() for path in (pair.images, pair.masks)]
    glimpse = matching.glimpse(root)
    if glimpse is None:
        return _no_pairs(pair, names)
    return _no_ids(glimpse[1], root, names)


def _table(root: Path) -> str:
    """A CSV file in *root* with the columns image and mask; "" if there is none."""
    for folder, name in listing(str(root)):
        if folder != str(root) or not name.lower().endswith(".csv"):
            continue
        try:
            line = read_below(root / name, (root,))[:_HEADER].split(b"\n")[0]
        except SegprepError:
            continue
        text = line.decode("utf-8-sig", "replace").lower().replace(";", ",")
        if {"image", "mask"} <= {word.strip().strip('"') for word in text.split(",")}:
            return name
    return ""


def _no_pairs(pair: name_rules.Folders, names: Sequence[str]) -> tuple[str, str]:
    files = name_rules.both_kinds(pair)
    if not all(files):
        return f"{names[bool(files[0])]}/ holds no images of a supported format", "look into it"
    first = " and ".join(path.name for path in (files[0][0], files[1][0]))
    ends = [_ends(paths) for paths in files]
    hint = f"state the pairs, image first: segprep convert pairs SRC OUT {_EXAMPLE}"
    if all(ends) and ends[0][2] == ends[1][2]:
        sides = [
            f"{name}/{start}{{stem}}{end}"
            for name, (start, end, _) in zip(names, ends, strict=True)
        ]
        hint = f"segprep convert pairs SRC OUT --pair {shlex.quote('='.join(sides))}"
    what = f"{names[0]}/ and {names[1]}/ may be images and masks, but their names do not pair"
    return f"{what}: {first}", hint


def _ends(paths: Sequence[Path]) -> tuple[str, str, frozenset[str]]:
    """What all names begin and end with, and what is between."""
    stems = [stem_of(path.name) for path in paths]
    start = _common_start(stems)
    rest = [stem[len(start) :] for stem in stems]
    end = _common_start([text[::-1] for text in rest])[::-1]
    inner = frozenset(text[: len(text) - len(end)] for text in rest)
    suffixes = {path.suffix for path in paths}
    return start, end + (suffixes.pop() if len(suffixes) == 1 else ".*"), inner


def _common_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    return first[: next((n for n, letter in enumerate(first) if last[n : n + 1] != letter), None)]


def _no_ids(masks: Sequence[Path], root: Path, names: Sequence[str]) -> tuple[str, str] | None:
    """What the first mask holds that is neither class ids nor black and white."""
    data, pair = read_below(masks[0], (root,)), f"{names[0]}/ and {names[1]}/ pair"
    chosen = f"--images {shlex.quote(names[0])} --masks {shlex.quote(names[1])}"
    try:
        lossy.refuse(data, masks[0], stated=False)
        seen = image.histogram(mask_files.values(data, masks[0], []))
    except SegprepError as error:
        what = getattr(error, "reason", error.message)
        return f"{pair}, but {masks[0].name} {what}", error.hint
    if seen.keys() == {0}:
        what = f"but the {len(masks)} masks that were tried, {masks[0].name} first, are all 0"
        hint = f"if the others are not: segprep convert pairs SRC OUT {chosen}"
        return f"{pair}, {what}", hint
    return None
