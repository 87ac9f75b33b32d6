"""From old class names to new pixel values: one table for a whole dataset, through which every
pixel goes once.

All values are looked up at the same time, so a swap (cat=dog with dog=cat) is a swap.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.dataset import classes as class_lists
from segprep.dataset.classes import BACKGROUND, IGNORED
from segprep.errors import UsageError
from segprep.imaging import image, lookup
from segprep.names import clean_label, shown, suggestion, variant_key
from segprep.sources._common.classes import mask_values as meanings
from segprep.types import IGNORE, Classes

DropAs = Literal["background", "ignore"]


@dataclass(frozen=True, slots=True)
class ClassChanges:
    """What is asked for: *map* OLD=NEW, names to *drop* (their pixels become *drop_as*), the new
    *order* (empty: as it was).
    """

    map: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    drop_as: DropAs = "background"
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What the old pixel values mean: *meanings* value -> name (or ``__ignore__``), the class
    *names* in order.

    *numbered*: the names were made from the values, so values may stand for names and keep their
    numbers.
    """

    meanings: Mapping[int, str]
    names: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class LookupTable:
    """The lookup: *entries* are (old value, its name, new value, its name) for every old value that
    is known; *classes* the new list.
    """

    entries: tuple[tuple[int, str, int, str], ...]
    classes: Classes

    @property
    def values(self) -> dict[int, int]:
        """Old value -> new value."""
        return {old: new for old, _, new, _ in self.entries}

    def apply(self, drawn: NDArray[Any], path: Path) -> tuple[NDArray[np.uint8], dict[int, int]]:
        """*drawn* (H, W) of old values as (H, W) uint8 of new ones, and the pixel counts of these.

        Raises SourceError (unknown-value).
        """
        table = self.values
        if drawn.dtype == np.uint8:
            mask, seen = image.look_up(drawn, bytes(table.get(value, 0) for value in range(256)))
            if seen.keys() <= table.keys():
                counts = dict.fromkeys(sorted({table[value] for value in seen}), 0)
                for value, count in seen.items():
                    counts[table[value]] += count
                return mask, counts
        mask = lookup.translate(drawn, table, path, len(self.classes.names))
        return mask, image.histogram(mask)


def named(names: Sequence[str]) -> Known:
    """Masks whose pixel value is the place in *names*; 255 is ignored."""
    return Known(dict(enumerate(names)) | {IGNORE: IGNORED}, tuple(names))


def numbered(count: int) -> Known:
    """Masks with the values 0 to *count* - 1 that have no names: value 0 is the background, value n
    ``class_n``.
    """
    names = class_lists.numbered(count).names
    return Known(dict(enumerate(names)) | {IGNORE: IGNORED}, names, numbered=True)


def stated(ids: str, names: Sequence[str] = ()) -> Known:
    """Masks whose values mean what *ids* says: VALUE=NAME,… or a file of such lines; 255 is ignored
    unless it is named. Raises UsageError.

    The class list is *names*, else background first and the others as they come.
    """
    labels = {}
    for value, name in meanings.parse_ids(ids).items():
        labels[value] = _meant(name, names) if names or _is_ignored(name) else _label(name)
    listed = dict.fromkeys(name for name in labels.values() if name != IGNORED)
    order = sorted(listed, key=lambda name: not class_lists.is_background(name))
    return Known({IGNORE: IGNORED} | labels, tuple(names) or tuple(order))


def table(meaning: Known, changes: ClassChanges) -> LookupTable:
    """The lookup table that *changes* make of *meaning* classes.

    Raises UsageError for names that are not there or contradict each other.
    """
    if meaning.numbered:
        meaning = _reaching(meaning, changes)
    targets = _targets(meaning, changes)
    names = _listed(meaning, targets)
    if changes.order:
        names = _ordered(names, meaning, targets, changes.order)
    classes = class_lists.make(names, add_background=False)
    if not classes.names:
        raise UsageError(
            "bad-classes", "no class is left", "keep one, or drop classes with --drop-as background"
        )
    values = {name: number for number, name in enumerate(classes.names)} | {IGNORED: IGNORE}
    entries = (
        (value, name, values[targets[name]], targets[name])
        for value, name in sorted(meaning.meanings.items())
    )
    return LookupTable(tuple(entries), classes)


def _reaching(meaning: Known, changes: ClassChanges) -> Known:
    """*meaning* with as many numbers as *changes* name: ``--map 2=7`` needs eight."""
    tokens = [pair.partition("=")[2].strip() for pair in changes.map] + [
        token.strip() for token in changes.order
    ]
    numbers = [
        int(token)
        for token in tokens
        if token.isascii() and token.isdecimal() and int(token) < IGNORE
    ]
    names = numbered(max([len(meaning.names), *(number + 1 for number in numbers)])).names
    return Known(dict(meaning.meanings), names, numbered=True)


def _targets(meaning: Known, changes: ClassChanges) -> dict[str, str]:
    """Old name -> new name, for every class and for what is ignored."""
    targets = {name: name for name in (*meaning.names, IGNORED)}
    renamed: dict[str, str] = {}
    for pair in changes.map:
        old, _, new = (side.strip() for side in pair.partition("="))
        if not old or not new:
            raise UsageError(
                "bad-option",
                f"--map {shown(pair)!r} is not OLD=NEW",
                "for example: --map kitten=cat",
            )
        _once(renamed, _meant(old, meaning.names, meaning.numbered), _target(new, meaning))
    for name in changes.drop:
        old = _meant(name.strip(), meaning.names, meaning.numbered)
        new = IGNORED if changes.drop_as == "ignore" else _target(BACKGROUND, meaning)
        if old in (new, IGNORED):
            raise UsageError(
                "bad-option",
                f"--drop {shown(name)}: these pixels are {changes.drop_as} already",
                "give --drop-as ignore, or --map OLD=NEW",
            )
        _once(renamed, old, new)
    return targets | renamed


def _once(renamed: dict[str, str], old: str, new: str) -> None:
    if renamed.setdefault(old, new) != new:
        raise UsageError(
            "bad-option",
            f"class {shown(old)!r} would become both {shown(renamed[old])} and {shown(new)}",
            "give each class one --map or --drop",
        )


def _target(token: str, meaning: Known) -> str:
    """The class that *token* means, or a new one of that name."""
    try:
        return _meant(token, meaning.names, meaning.numbered)
    except UsageError:
        if meaning.numbered and token.isdecimal():
            raise
        return _label(token)


def _meant(token: str, names: Sequence[str], numbers: bool = False) -> str:
    """The class of *names* that *token* means: its name, the background's, or (with *numbers*) its
    value. Raises UsageError.
    """
    if token in names:
        return token
    if _is_ignored(token) or (numbers and token == str(IGNORE)):
        return IGNORED
    background = next((name for name in names if class_lists.is_background(name)), None)
    if background is not None and class_lists.is_background(token):
        return background
    if numbers and token.isascii() and token.isdecimal() and int(token) < len(names):
        return names[int(token)]
    listed = ", ".join(f"{number} {name}" for number, name in enumerate(names[:20]))
    raise UsageError(
        "unknown-label",
        f"{shown(token)!r} is not a class here; values and names: {shown(listed)}"
        + (" …" if len(names) > 20 else ""),
        suggestion(token, names),
    )


def _is_ignored(token: str) -> bool:
    return variant_key(token) in (IGNORED, "ignore", "ignored")


def _label(name: str) -> str:
    try:
        return clean_label(name)
    except ValueError as error:
        raise UsageError(
            "bad-label", f"a class cannot be called {shown(name)!r}: {error}", "give a plain name"
        ) from error


def _listed(meaning: Known, targets: Mapping[str, str]) -> list[str]:
    """The new class list: names that are still in use keep their places, a new name takes the place
    of the first one it replaces.

    Numbered classes that nothing uses any more stay in the list as long as a later one is used, so
    that numbers do not move.
    """
    used = {targets[name] for name in {*meaning.meanings.values(), *meaning.names}} - {IGNORED}
    listed: list[str] = []
    for name in (*meaning.names, IGNORED):
        new = targets[name]
        fresh = new not in meaning.names and new != IGNORED and new not in listed
        if name in used or (meaning.numbered and not fresh and name != IGNORED):
            listed.append(name)
        if fresh:
            listed.insert(0 if class_lists.is_background(new) else len(listed), new)
    while meaning.numbered and listed and listed[-1] not in _used_values(meaning, targets):
        listed.pop()
    return listed


def _used_values(meaning: Known, targets: Mapping[str, str]) -> set[str]:
    return {targets[name] for name in meaning.meanings.values()}


def _ordered(
    names: Iterable[str], meaning: Known, targets: Mapping[str, str], order: Sequence[str]
) -> list[str]:
    """*order* as the new list; it has to name every class in use (the background goes first where
    it does not). Raises UsageError.
    """
    chosen = [_target(token.strip(), Known({}, tuple(names), meaning.numbered)) for token in order]
    if gone := [name for name in chosen if name in meaning.names and name not in names]:
        raise UsageError(
            "bad-option",
            f"--order names {shown(', '.join(gone))}, which --map or --drop takes away",
            "leave it out of the order",
        )
    used = set(targets.values()) if not meaning.numbered else _used_values(meaning, targets)
    lost = [name for name in names if name in used and name not in chosen]
    background = [name for name in lost if class_lists.is_background(name)]
    if missing := [name for name in lost if name not in background]:
        raise UsageError(
            "bad-option",
            f"--order leaves out {shown(', '.join(missing))}",
            "name every class, or take some out with --drop",
        )
    return [*background, *(name for name in chosen if name != IGNORED)]
