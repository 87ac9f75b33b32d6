"""How far the image files of a folder can be trusted to show what was annotated: a few annotations
that hold an embedded copy are compared with the file that would be taken, before any is converted.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from segprep.errors import SourceError
from segprep.sources.labelme import picture
from segprep.sources.labelme.search import Search

_SMALL = 12  # annotations of a folder whose images are all compared in full with their copies
_SAMPLED = 4  # annotations of a larger one that are, before it is trusted
_LARGEST = 3  # annotations that are looked at to tell whether any holds a copy
_COPIES = 12  # annotations with a copy that are compared on behalf of those without
_AGAINST = 2  # of these have to disagree at least, and half of them


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of a folder: with *doubted*, pictures are compared in full even where path and
    name agree; *against* tells what speaks against its files, "" where nothing does.
    """

    doubted: bool = True
    against: str = ""


UNKNOWN = Trust()


def trust(paths: Sequence[Path], search_of: Callable[[Path], Search]) -> Trust:
    """The trust in the folder of the annotations *paths*, by a few of them, spread evenly, and by
    the largest, which hold a copy if any does. *search_of* may raise SourceError.
    """
    small = len(paths) <= _SMALL
    sampled = paths if small else paths[:: len(paths) // _SAMPLED]
    looks = list(_looks(sampled, search_of, compare=not small))
    doubted = small or any(disagrees for _, disagrees in looks)
    largest = sorted(paths, key=lambda path: (-_size(path), path))
    first = _looks(largest[:_LARGEST], search_of, compare=False)
    if all(copy for copy, _ in looks) or not any(copy for copy, _ in first):
        return Trust(doubted)
    copies = [
        disagrees for copy, disagrees in _looks(largest[:_COPIES], search_of, compare=True) if copy
    ]
    against = copies.count(True)
    if against < max(_AGAINST, len(copies) / 2):
        return Trust(doubted or against > 0)
    return Trust(
        True, f"{against} of {len(copies)} embedded copies show another image than the file"
    )


def _looks(
    paths: Sequence[Path], search_of: Callable[[Path], Search], *, compare: bool
) -> Iterator[tuple[bool, bool]]:
    """Whether each of *paths* that can be read holds a copy and, if they are to be compared,
    whether its image file shows another picture; one annotation is held at a time.
    """
    for path in paths:
        with suppress(SourceError):  # reported when it is read
            search = search_of(path)
            yield bool(search.embedded), compare and _disagrees(search)


def _disagrees(search: Search) -> bool:
    """Whether the image file of an annotation shows another image than its embedded copy."""
    try:
        _, notes = picture.view_of(search)
    except SourceError:
        return False
    return any(note.code == "image-disagrees" for note in notes)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
