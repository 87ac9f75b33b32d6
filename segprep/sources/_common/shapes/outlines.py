"""The labeled outlines of one annotated image, whatever tool wrote them, to shapes: each gets the
meaning of its label, what options keep from being painted is counted, and every bad one is named.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from segprep.errors import ShapeError, SourceError, UnknownClassError, UnknownLabelError
from segprep.imaging import shapes
from segprep.imaging.shapes import Shape
from segprep.imaging.unpainted import count_unpainted, nothing
from segprep.names import shown
from segprep.sources._common.classes.labels import LabelMeaning, LabelTable
from segprep.types import Note, Outcome, Unpainted

MOST_NAMED = 8  # faults of one image
_SINGLE = ("bad-shape", "unknown-shape-type", "bad-label", "bad-annotation")  # --bad-shape skip
_AREAS = ("polygon", "rectangle", "disc")


class LabeledOutline(NamedTuple):
    """One annotated thing, not drawn yet: its *address* in the file, its *label*, and its *shape*
    once the meaning of the label is known. Both may raise ShapeError.

    The shape is a Note where the thing covers no pixel, None where an option of the format leaves
    it out. *under*: it lies below all others.
    """

    address: str
    label: Callable[[], str]
    shape: Callable[[LabelMeaning], Shape | Note | None]
    under: bool = False


@dataclass(frozen=True, slots=True)
class ImageShapes:
    """The *shapes* of one image in the file's order, those *under* all others apart; what options
    kept from being painted as its class; and *notes*.
    """

    shapes: list[Shape]
    under: list[Shape]
    unpainted: tuple[Unpainted, ...]
    notes: list[Note]


def drawn(
    outlines: Iterable[LabeledOutline],
    table: LabelTable,
    *,
    path: Path,
    size: tuple[int, int],
    skip_bad: bool = False,
) -> ImageShapes:
    """What is to be painted on a picture of *size* (H, W) for the annotation file *path*.

    With *skip_bad*, shapes that cannot be drawn are skipped with a note. Raises SourceError, which
    names all faults; UnknownClassError where the first one is a label.
    """
    drawing = ImageShapes([], [], (), [])
    faults: list[ShapeError] = []
    unpainted: list[tuple[Shape, Outcome]] = []
    meanings: dict[str, LabelMeaning] = {}
    for outline in outlines:
        try:
            label = outline.label()
            if (meaning := meanings.get(label)) is None:
                meaning = meanings[label] = table.meaning(label, outline.address)
        except ShapeError as error:
            if skip_bad and error.code in _SINGLE:
                drawing.notes.append(_skipped(error))
            else:
                faults.append(error)
            continue
        try:
            shape = outline.shape(meaning)
        except ShapeError as error:
            if not meaning.is_skipped and not (skip_bad and error.code in _SINGLE):
                faults.append(error)
                continue
            shape = _skipped(error)
        if shape is None:
            continue
        area = nothing(meaning.label, outline.address) if isinstance(shape, Note) else shape
        if meaning.outcome:
            unpainted.append((area, meaning.outcome))
        if meaning.is_skipped:
            continue
        if isinstance(shape, Note):
            drawing.notes.append(shape)
            continue
        (drawing.under if outline.under else drawing.shapes).append(shape)
        if shape.kind in _AREAS and shapes.degenerate(shape):
            reason = f"{shape.address} ({shown(shape.label)}) encloses no area"
            drawing.notes.append(Note("degenerate-shape", reason))
    if faults:
        raise _combined(path, faults)
    plain = [shape.points for shape in drawing.shapes if not shape.bitmap]
    if all(0 <= points[0] <= 1 for points in plain):
        refuse_normalized(path, [value for points in plain for value in points], size)
    drawing.notes.extend(map(_dot, filter(_within_one_pixel, drawing.shapes)))
    counted = count_unpainted(unpainted, size)
    return ImageShapes(drawing.shapes, drawing.under, counted, drawing.notes)


def _within_one_pixel(shape: Shape) -> bool:
    points = shape.points
    return (
        0 <= points[0] <= 1
        and len(points) > 2
        and shape.kind in _AREAS
        and all(0 <= value <= 1 for value in points)
    )


def _dot(shape: Shape) -> Note:
    reason = f"{shape.address} ({shown(shape.label)}) lies within 0 to 1, others do not"
    return Note("points-normalized", f"{reason}: are these shares of the image's size, not pixels?")


def _skipped(error: ShapeError) -> Note:
    return Note("shape-skipped", f"{error.message}; the shape was skipped")


def _combined(path: Path, faults: Sequence[ShapeError]) -> SourceError:
    """One error that names all *faults*; code and hint are those of the first."""
    first = faults[0]
    reasons = [fault.message for fault in faults[:MOST_NAMED]]
    labels = [fault.label for fault in faults if isinstance(fault, UnknownLabelError)]
    if len(labels) == len(faults):
        others = list(dict.fromkeys(labels))[1 : MOST_NAMED + 1]
        listed = ", ".join(repr(shown(label)) for label in others)
        reasons = [first.message, *([f"nor are {listed}"] if listed else [])]
        faults = faults[:1]
    if len(faults) > MOST_NAMED:
        reasons.append(f"and {len(faults) - MOST_NAMED} more")
    hint = first.hint
    if any(fault.code in _SINGLE for fault in faults):
        hint += "; or skip such shapes with --bad-shape skip"
    kind = UnknownClassError if isinstance(first, UnknownLabelError) else SourceError
    error = kind(path, "; ".join(reasons), hint, first.code)
    error.__cause__ = first
    return error


def refuse_normalized(path: Path, values: Sequence[float], size: tuple[int, int]) -> None:
    """Raise SourceError where all coordinates of an image of *size* (H, W), *values*, lie within
    0..1: they are shares of its size, not pixels.
    """
    if len(values) < 4 or max(size) < 8 or not all(0 <= value <= 1 for value in values):
        return
    if len(set(values[::2])) == len(set(values[1::2])) == 1:
        return  # one point over and over
    reason = (
        f"all {len(values) // 2} points lie within 0 to 1: these are shares of the"
        f" {size[1]}x{size[0]} image, not pixels"
    )
    hint = "export in pixels, or multiply x by the width and y by the height"
    raise SourceError(path, reason, hint, "points-normalized")
