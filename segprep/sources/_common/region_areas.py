"""Regions that paint nothing: counted in notes, and refused where a source has no others."""

from collections import Counter
from collections.abc import Iterable, Sequence

from segprep.errors import UsageError
from segprep.sources._common.region_shapes import Boxes, Kind
from segprep.types import Note

NO_AREA = ("line", "points")
_PLURALS = {"line": "lines", "points": "points", "box": "boxes"}


def check(kinds: Iterable[Kind], boxes: Boxes) -> None:
    """Raise UsageError where there are regions, of these *kinds*, and none would be painted."""
    without = (*NO_AREA, "box") if boxes == "skip" else NO_AREA
    counts = Counter(kinds)
    if counts and all(kind in without for kind in counts):
        listed = ", ".join(f"{count} {_PLURALS[kind]}" for kind, count in sorted(counts.items()))
        reason = f"nothing would be painted: the annotation files hold only {listed}"
        hint = "segmentation needs outlines or masks; --boxes fill paints boxes"
        raise UsageError("shape-without-area", reason, hint)


def counted(notes: Sequence[Note]) -> list[Note]:
    """*notes*, those on regions that paint nothing as one per kind, with their number."""
    kinds = Counter(note for note in notes if note.code in ("shape-without-area", "box-skipped"))
    others = [note for note in notes if note not in kinds]
    counted = [
        Note(note.code, f"{count} {note.message}")
        for note, count in sorted(kinds.items(), key=lambda kind: kind[0].message)
    ]
    return [*others, *counted]
