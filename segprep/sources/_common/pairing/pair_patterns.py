"""Pairs that the user states: a pattern for both names, or a CSV table of them."""

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from segprep.errors import UsageError
from segprep.files import read_plain
from segprep.names import shown, stem_of
from segprep.sources._common.pairing.folder_names import IMAGES, LONGER, MASKS, words
from segprep.sources._common.pairing.official_lists import SPLITS
from segprep.sources._common.pairing.orphans import NO_MASK
from segprep.types import Skipped

PairPattern = Annotated[
    str,
    "How images and masks pair, instead of guessing: IMAGE=MASK with {stem} for what both share,"
    " such as '{stem}.jpg={stem}_anno.png' or 'img/{stem}.*=gt/{stem}.png'; or a CSV FILE with"
    " the columns image, mask and, optionally, split.",
]
_FILES = {"path", "paths", "file", "files", "filename", "name"}  # what image_id does not say
_HINT = "for example --pair '{stem}.jpg={stem}_mask.png', or a CSV with the columns image,mask"


@dataclass(frozen=True, slots=True)
class Stated:
    """What the user stated: (image, mask or None, split) of every pair, what could not be used, and
    how many image files no part of a pattern fits.
    """

    pairs: tuple[tuple[Path, Path | None, str], ...]
    skipped: tuple[Skipped, ...] = ()
    others: int = 0


def stated(spec: str, roots: Sequence[Path], files: Sequence[Path]) -> Stated:
    """The pairs of *spec* among *files*, which lie below *roots*. Raises UsageError."""
    if "{" not in spec and Path(spec).is_file():
        return _from_table(Path(spec), roots)
    image, equals, mask = spec.partition("=")
    named = set(re.findall(r"\{(\w+)\}", image))
    if not equals or not named or named != set(re.findall(r"\{(\w+)\}", mask)):
        raise UsageError(
            "bad-option",
            f"--pair {spec!r} is neither a CSV file nor IMAGE=MASK with the same {{names}} in both",
            _HINT,
        )
    return _from_pattern(image, mask, roots, files)


def _expression(pattern: str) -> re.Pattern[str]:
    """A pattern of names: {x} is text without a slash, * the same but unnamed; without a slash it
    fits a file of any folder.
    """
    out, seen = "", set[str]()
    for part in re.split(r"(\{\w+\}|\*)", pattern):
        if part == "*":
            out += "[^/]*"
        elif part.startswith("{"):
            name = part[1:-1]
            out += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+)"
            seen.add(name)
        else:
            out += re.escape(part)
    return re.compile(f"(?:.*/)?{out}", re.IGNORECASE)


def _from_pattern(image: str, mask: str, roots: Sequence[Path], files: Sequence[Path]) -> Stated:
    expressions = (_expression(image), _expression(mask))
    literal = tuple(len(re.sub(r"\{\w+\}|\*", "", side)) for side in (image, mask))
    sides: tuple[dict[str, list[Path]], dict[str, list[Path]]] = (
        defaultdict(list),
        defaultdict(list),
    )
    others = 0
    for path in files:
        root = next(root for root in roots if path.is_relative_to(root))
        name = path.relative_to(root).as_posix()
        matches = [expression.fullmatch(name) for expression in expressions]
        if matches[0] and matches[1]:  # the stricter side decides
            matches[literal[0] > literal[1]] = None
        side = next((n for n in (0, 1) if matches[n]), None)
        match = matches[side] if side is not None else None
        if side is None or match is None:
            others += 1
            continue
        key = "\0".join(f"{group}={text.casefold()}" for group, text in match.groupdict().items())
        sides[side][key].append(path)
    for pattern, fitting in zip((image, mask), sides, strict=True):
        if files and not fitting:
            raise _unfit(pattern, roots, files)
    pairs, skipped = list[tuple[Path, Path | None, str]](), list[Skipped]()
    for key, images in sides[0].items():
        for path in images:
            masks = sides[1].get(key, [])
            near = [mask for mask in masks if mask.parent == path.parent]
            if len(images) > 1 and len(masks) > 1:
                masks = near or _same_tail(path, masks, len(images))
            if len(masks) == 1 and (len(images) == 1 or masks[0] in near or len(sides[1][key]) > 1):
                pairs.append((path, masks[0], ""))
            else:
                skipped.append(_unpaired(path, masks, len(images)))
    skipped = _without_companions(skipped, [image for image, _, _ in pairs])
    used = {mask_path for _, mask_path, _ in pairs}
    skipped += [
        _without_image(path, len(paths), len(sides[0].get(key, ())))
        for key, paths in sides[1].items()
        for path in paths
        if path not in used
    ]
    return Stated(tuple(pairs), tuple(skipped), others)


def _unfit(pattern: str, roots: Sequence[Path], files: Sequence[Path]) -> UsageError:
    """The error where no file at all fits one side of --pair, which no single file is to blame for
    and --missing empty must not paper over.
    """
    some = [path for paths in _by_folder(files).values() for path in paths[:2]][:6]
    names = [
        path.relative_to(root).as_posix()
        for path in some
        for root in roots
        if path.is_relative_to(root)
    ]
    listed = ", ".join(names) + ", …" * (len(some) < len(files))
    return UsageError(
        "bad-option", f"--pair: no file is called {pattern}; there are {listed}", _HINT
    )


def _by_folder(files: Sequence[Path]) -> dict[Path, list[Path]]:
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in files:
        folders[path.parent].append(path)
    return folders


def _same_tail(path: Path, masks: Iterable[Path], images: int) -> list[Path]:
    """The masks whose folder has the name of the image's folder, as in images/a/x and masks/a/x."""
    return [mask for mask in masks if mask.parent.name == path.parent.name]


def _without_companions(skipped: Sequence[Skipped], images: Sequence[Path]) -> list[Skipped]:
    """*skipped* with another reason for files that fit the pattern of *images* only because it is
    wide: s0_depth.png beside s0.jpg is another picture of it, not an image without a mask.
    """
    suffixes = {(path.parent, stem_of(path.name)): path.suffix for path in images}
    owners: dict[str, tuple[str, str, str]] = {}
    for skip in skipped:
        path = Path(skip.path)
        match = LONGER.fullmatch(skip.stem) if skip.code == "mask-missing" else None
        if match and (suffix := suffixes.get((path.parent, match["stem"]))):
            owners[skip.path] = match["stem"], match["word"], suffix
    counts = Counter(word for _, word, _ in owners.values())
    kept = []
    for skip in skipped:
        owner, word, suffix = owners.get(skip.path, ("", "", ""))
        many = counts[word] > 1 and 2 * counts[word] >= len(images)
        if owner and (many or Path(skip.path).suffix.lower() != suffix.lower()):
            reason = f"fits --pair, but seems to be another picture of {owner}{suffix}"
            hint = f"let --pair say which are the images, such as {{stem}}{suffix}, or move it away"
            skip = replace(  # noqa: PLW2901
                skip, code="image-ambiguous", reason=reason, hint=hint, bare=False
            )
        kept.append(skip)
    return kept


def _unpaired(path: Path, masks: Sequence[Path], images: int) -> Skipped:
    if images > 1:
        reason = f"{images} images have the same {{names}}; put a folder into --pair"
        return Skipped(path.stem, str(path), "image-ambiguous", reason, _HINT)
    reason = f"{len(masks)} masks fit the pattern of this image" if masks else NO_MASK
    hint = "add the mask, or give --missing empty"
    return Skipped(path.stem, str(path), "mask-missing", reason, hint, bare=not masks)


def _without_image(path: Path, masks: int, images: int) -> Skipped:
    reason = (
        f"{images} images and {masks} masks have its {{names}}" if images else "no image fits it"
    )
    hint = "change --pair" if images else "add the image, or change --pair"
    return Skipped(path.stem, str(path), "image-missing", reason, hint)


def _from_table(table: Path, roots: Sequence[Path]) -> Stated:
    try:
        text = read_plain(table).decode("utf-8-sig")
        dialect = ";" if ";" in text.split("\n")[0] else ","
        rows = list(csv.DictReader(io.StringIO(text), delimiter=dialect))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError("bad-option", f"{table}: cannot be read: {error}", _HINT) from error
    header = [key or "" for key in rows[0]] if rows else []
    held = columns(header)
    if len(held) < 2:
        listed = ", ".join(map(shown, header))
        reason = f"{table} has the columns {listed or 'none'}, not image and mask"
        raise UsageError("bad-option", reason, _HINT)
    split_column = next((name for name in header if name.strip().lower() == "split"), "")
    pairs, skipped = list[tuple[Path, Path | None, str]](), list[Skipped]()
    homes = (*roots, table.resolve().parent)
    for number, row in enumerate(rows, 2):
        cells = [(row.get(key) or "").strip().replace("\\", "/") for key in held.values()]
        paths = [_first_file(cell, homes) if cell else None for cell in cells]
        absent = [cell for cell, path in zip(cells, paths, strict=True) if cell and path is None]
        if absent or paths[0] is None:
            code = "mask-missing" if paths[0] else "image-missing"
            reason = f"line {number}: {absent[0] if absent else 'the image'} is not there"
            skipped.append(
                Skipped(
                    Path(cells[0]).stem,
                    str(paths[0] or table),
                    code,
                    reason,
                    "paths are relative to SRC or to the table",
                )
            )
            continue
        split = (row.get(split_column) or "").strip().lower()
        pairs.append((paths[0], paths[1], SPLITS.get(split, split)))
    return Stated(tuple(pairs), tuple(skipped))


def columns(names: Sequence[str]) -> dict[str, str]:
    """The *names* of a table's columns that hold images and masks, by "image" and "mask": those
    called so, else the only one that says so (``image_path``, ``Label File``). A kind is absent
    where no column, or more than one, may hold it.
    """
    meant: dict[str, str] = {}
    for kind, said in (("image", IMAGES), ("mask", MASKS - {"id"})):
        exact = [name for name in names if name.strip().lower() == kind]
        likely = [name for name in names if set(words(name)) & said]
        files = [name for name in likely if set(words(name)) & _FILES]
        for fit in (exact, files, likely):
            if len(fit) == 1:
                meant[kind] = fit[0]
                break
    return meant if len(set(meant.values())) == len(meant) else {}


def _first_file(cell: str, homes: Iterable[Path]) -> Path | None:
    paths = (Path(cell),) if Path(cell).is_absolute() else (home / cell for home in homes)
    return next((path for path in paths if path.is_file()), None)
