"""Regions that paint nothing: counted in notes, and refused where a source has no others."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from segprep.errors import SourceError, UsageError
from segprep.imaging.shapes import Shape
from segprep.sources._common.region_shapes import Boxes, Kind
from segprep.types import Note

NO_AREA = ("line", "points")
PLURALS = {"line": "lines", "points": "points", "box": "boxes"}


def check(kinds: Iterable[Kind], boxes: Boxes) -> None:
    """Raise UsageError where there are regions, of these *kinds*, and none would be painted."""
    without = (*NO_AREA, "box") if boxes == "skip" else NO_AREA
    counts = Counter(kinds)
    if counts and all(kind in without for kind in counts):
        listed = ", ".join(f"{count} {PLURALS[kind]}" for kind, count in sorted(counts.items()))
        reason = f"nothing would be painted: the annotation files hold only {listed}"
        hint = "segmentation needs outlines or masks; --boxes fill paints boxes"
        raise UsageError("shape-without-area", reason, hint)


def refuse_outside(
    path: Path, shapes: Sequence[Shape], notes: Sequence[Note], size: tuple[int, int]
) -> None:
    """Raise SourceError where all *shapes* of an image of *size* (H, W) are outlines that lie
    outside of it, as the *notes* of painting say: it is not the image that was annotated, or the
    numbers mean something else.
    """
    outside = sum(note.code == "shape-outside" for note in notes)
    if shapes and outside == len(shapes) and not any(shape.bitmap for shape in shapes):
        reason = (
            f"{outside} of {outside} shapes lie outside the {size[1]}x{size[0]} image:"
            f" {shapes[0].address} first"
        )
        hint = "is it the image that was annotated? --bad-shape skip takes it as all background"
        raise SourceError(path, reason, hint, "shape-outside")


def counted(notes: Sequence[Note]) -> list[Note]:
    """*notes*, those on regions that paint nothing as one per kind, with their number."""
    kinds = Counter(note for note in notes if note.code in ("shape-without-area", "box-skipped"))
    others = [note for note in notes if note not in kinds]
    counted = [
        Note(note.code, f"{count} {note.message}")
        for note, count in sorted(kinds.items(), key=lambda kind: kind[0].message)
    ]
    return [*others, *counted]
