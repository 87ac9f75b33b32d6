"""The class list of an existing tree is a contract: ids that masks and predictions already use do
not move.

    tree        the source's list now     the tree's list then
    0 bg        0 bg                      0 bg
    1 cat       1 ant                     1 cat
    2 dog       2 cat                     2 dog     vanished: it keeps its id
                                          3 ant     new: it gets the next free id

Readers know only the source's list; their masks go through one table afterwards.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from segprep.dataset.classes import MOST
from segprep.errors import SegprepError, TreeError
from segprep.types import IGNORE, Classes, Note, Scan


@dataclass(frozen=True, slots=True)
class Settled:
    """A *scan* with the tree's class list; *ids* maps the reader's pixel values to the tree's, or
    is None where they are the same. *changed*: the tree's list got longer.
    """

    scan: Scan
    ids: Mapping[int, int] | None = None
    changed: bool = False


def settled(scan: Scan, old: Classes | None, out: Path, *, stated: bool) -> Settled:
    """*scan* with the list of the tree at *out*, whose list was *old* (None: there is no tree yet);
    classes that are new to it are appended.

    *stated*: the user gave a list, so that its order is a wish. Raises TreeError where
    that wish contradicts the tree, SegprepError (too-many-classes).
    """
    if old is None or old == scan.classes:
        return Settled(scan)
    places = _places(scan.classes, old)
    new = [name for name in scan.classes.names if name not in places]
    names = (*old.names, *new)
    ids = [places.get(name, len(old.names) + n) for name, n in _numbered(scan.classes.names, new)]
    if stated and ids != sorted(ids):
        raise TreeError(
            "tree-exists",
            f"{out} has the classes {_listed(old.names)}; --classes has another order:"
            f" {', '.join(scan.classes.names)}",
            f"keep the tree's order and put new classes last, or reorder the tree:"
            f" segprep remap {quote(str(out))} OUT --order {quote(','.join(scan.classes.names))}",
        )
    if len(names) > MOST:
        raise SegprepError(
            "too-many-classes",
            f"{len(names)} classes with those that {out} has already; an 8-bit mask holds {MOST}",
            "merge some with --map old=new, or convert into a new folder",
        )
    background = old.background
    if background is None and scan.classes.background is not None:
        background = ids[scan.classes.background]
    classes = Classes(names, background, old.ignore)
    notes = (*_scan_notes(scan, classes), *_notes(old, new, places))
    table = dict(enumerate(ids)) | {IGNORE: IGNORE}
    same = all(value == target for value, target in table.items())
    return Settled(replace(scan, classes=classes, notes=notes), None if same else table, bool(new))


def background_first(scan: Scan) -> Settled:
    """*scan* with the background as class 0, for a tree that does not exist yet; the other classes
    keep their order.
    """
    at = scan.classes.background
    if not at:
        return Settled(scan)
    names = scan.classes.names
    classes = replace(scan.classes, names=(names[at], *names[:at], *names[at + 1 :]), background=0)
    note = Note(
        "background-first",
        f"the source's list has {names[at]} as class {at}; the background became 0:"
        f" {_listed(classes.names)}. Keep the source's order with --keep-order",
    )
    ids = (*range(1, at + 1), 0, *range(at + 1, len(names)))
    table = dict(enumerate(ids)) | {IGNORE: IGNORE}  # the same as settled makes of it
    scan = replace(scan, classes=classes, notes=(*scan.notes, note))
    return Settled(scan, table)


def _places(classes: Classes, old: Classes) -> dict[str, int]:
    """The tree's id of each of *classes* that it has; backgrounds match whatever their names."""
    places = {name: old.names.index(name) for name in classes.names if name in old.names}
    if classes.background is not None and old.background is not None:
        places[classes.names[classes.background]] = old.background
    return places


def _numbered(names: Sequence[str], new: Sequence[str]) -> list[tuple[str, int]]:
    return [(name, new.index(name) if name in new else 0) for name in names]


def _scan_notes(scan: Scan, classes: Classes) -> tuple[Note, ...]:
    """The notes of the scan; the one that lists inferred classes lists the tree's ids instead."""
    return tuple(
        replace(note, message=f"no class list given; the tree's is kept: {_listed(classes.names)}")
        if note.message.startswith("no class list given")
        else note
        for note in scan.notes
    )


def _notes(old: Classes, new: Sequence[str], places: Mapping[str, int]) -> Iterable[Note]:
    if new:
        listed = ", ".join(f"{len(old.names) + n} {name}" for n, name in enumerate(new))
        yield Note(
            "classes-changed",
            f"new classes were appended to the tree's list: {listed}; the ids of the others stay",
        )
    kept = set(places.values())
    gone = [f"{n} {name}" for n, name in enumerate(old.names) if n not in kept]
    if gone:
        yield Note(
            "class-vanished",
            f"the source no longer has {', '.join(gone)}; the class keeps its id"
            if len(gone) == 1
            else f"the source no longer has {', '.join(gone)}; the classes keep their ids",
        )


def _listed(names: Sequence[str], most: int = 30) -> str:
    text = ", ".join(f"{n} {name}" for n, name in enumerate(names[:most]))
    return text + (" …" if len(names) > most else "")
