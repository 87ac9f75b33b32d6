"""Why folders whose names tell images from masks are read by no format: names that do not pair;
and tables that state the pairs.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

from segprep.errors import SegprepError
from segprep.files import listing, read_below
from segprep.names import stem_of
from segprep.sources._common.pairing import image_folders, matching, name_rules, pair_patterns

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
    return None if matching.glimpse(root) else _no_pairs(pair, names)


def _table(root: Path) -> str:
    """A CSV file in *root* with the columns image and mask; "" if there is none."""
    for folder, name in listing(str(root)):
        if folder != str(root) or not name.lower().endswith(".csv"):
            continue
        try:
            line = read_below(root / name, (root,))[:_HEADER].split(b"\n")[0]
        except SegprepError:
            continue
        text = line.decode("utf-8-sig", "replace").replace(";", ",")
        if len(pair_patterns.columns([word.strip().strip('"') for word in text.split(",")])) == 2:
            return name
    return ""


def _no_pairs(pair: name_rules.Folders, names: Sequence[str]) -> tuple[str, str]:
    files = name_rules.both_kinds(pair)
    if not all(files):
        return f"{names[bool(files[0])]}/ holds no images of a supported format", "look into it"
    if told := _twice(names, files):
        return told
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


def _twice(names: Sequence[str], files: Sequence[Sequence[Path]]) -> tuple[str, str] | None:
    """What is told where the images, or the masks, of one folder are there with two extensions."""
    kinds = [sorted({path.suffix for path in paths}) for paths in files]
    for n, (name, suffixes) in enumerate(zip(names, kinds, strict=True)):
        stems = [{path.stem for path in files[n] if path.suffix == kind} for kind in suffixes]
        if len(suffixes) != 2 or not stems[0] & stems[1]:
            continue
        other = f"{names[1 - n]}/{{stem}}{kinds[1 - n][0]}"
        sides = [(f"{name}/{{stem}}{suffix}", other)[:: 1 - 2 * n] for suffix in suffixes]
        hint = " or --pair ".join(shlex.quote("=".join(pair)) for pair in sides)
        what = f"{name}/ holds files of one name as {suffixes[0]} and as {suffixes[1]}"
        return what, f"choose one kind: segprep convert pairs SRC OUT --pair {hint}"
    return None


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
