"""All shapes of one annotation, checked together: every bad one of the file is named at once."""

import math
from collections.abc import Sequence
from typing import Any

from segprep.errors import ShapeError, SourceError, UnknownClassError
from segprep.imaging.shapes import Shape
from segprep.imaging.unpainted import Outcome, count_unpainted, nothing
from segprep.names import shown
from segprep.sources.labelme import shape_types
from segprep.sources.labelme.annotation_file import Annotation, label_of
from segprep.sources.labelme.labels import LEFT_OUT, Meanings, UnknownLabelError
from segprep.sources.labelme.shape_types import Meaning, Pens
from segprep.types import Note, Unpainted

MOST_NAMED = 8  # faults of one file


def shapes_of(
    annotation: Annotation,
    meanings: Meanings,
    *,
    size: tuple[int, int],
    pens: Pens,
    skip_bad: bool = False,
) -> tuple[list[Shape], list[Note]]:
    """What is to be painted on a picture of *size* (H, W), in the file's order, and notes.

    With *skip_bad*, shapes that cannot be drawn are skipped with a note. Raises SourceError, which
    names all faults of the file; UnknownClassError where the first one is a label.
    """
    drawn, notes, faults = list[Shape](), list[Note](), list[ShapeError]()
    for number, raw in enumerate(annotation.shapes):
        try:
            shape = _shape(annotation, number, raw, meanings, size=size, pens=pens)
        except ShapeError as error:
            if not skip_bad or error.code not in ("bad-shape", "unknown-shape-type"):
                faults.append(error)
            else:
                notes.append(Note("shape-skipped", f"{error.message}; the shape was skipped"))
            continue
        if shape is not None:
            drawn.append(shape)
            notes += filter(None, [shape_types.degenerate(shape)])
    if faults:
        raise _combined(annotation, faults)
    _refuse_normalized(annotation, drawn, size)
    return drawn, notes


def unpainted(
    annotation: Annotation, meanings: Meanings, *, size: tuple[int, int], pens: Pens
) -> tuple[Unpainted, ...]:
    """What --exclude and --unknown keep from being painted as its class, on a picture of *size*.

    A shape that cannot be drawn is counted with no pixel.
    """
    counted: list[tuple[Shape, Outcome]] = []
    if meanings.unknown == "error" and LEFT_OUT not in meanings.values.values():
        return ()
    for number, raw in enumerate(annotation.shapes):
        label = label_of(raw)
        label = meanings.renamed.get(label, label)
        outcome = meanings.outcome(label)
        if outcome is None:
            continue
        meaning = Meaning(label, 1, number, f"shapes[{number}]")
        try:
            shape = shape_types.shape(
                raw, meaning, path=annotation.path, size=size, pens=pens, version=annotation.version
            )
        except ShapeError:
            shape = nothing(label, number)
        counted.append((shape, outcome))
    return count_unpainted(counted, size)


def _shape(
    annotation: Annotation,
    number: int,
    raw: Any,
    meanings: Meanings,
    *,
    size: tuple[int, int],
    pens: Pens,
) -> Shape | None:
    """Shape *number*, or None for one that is skipped. Raises ShapeError."""
    address = f"shapes[{number}]"
    if not isinstance(raw, dict):
        reason = f"{address}: an object was expected, not {type(raw).__name__}"
        raise ShapeError(reason, code="bad-annotation")
    try:
        label = label_of(raw)
    except ValueError as error:
        raise ShapeError(f"{address}.label: {error}", "name it in labelme", "bad-label") from error
    label = meanings.renamed.get(label, label)
    value = meanings.value(label, address)
    if value == LEFT_OUT:
        return None
    meaning = Meaning(label, value, number, address)
    return shape_types.shape(
        raw, meaning, path=annotation.path, size=size, pens=pens, version=annotation.version
    )


def _combined(annotation: Annotation, faults: Sequence[ShapeError]) -> SourceError:
    """One error that names all *faults*; code and hint are those of the first."""
    first = faults[0]
    reasons = [fault.message for fault in faults[:MOST_NAMED]]
    if all(isinstance(fault, UnknownLabelError) for fault in faults):
        labels = dict.fromkeys(
            fault.label for fault in faults if isinstance(fault, UnknownLabelError)
        )
        others = ", ".join(repr(shown(label)) for label in list(labels)[1 : MOST_NAMED + 1])
        reasons = [first.message, *([f"nor are {others}"] if others else [])]
        faults = faults[:1]
    if len(faults) > MOST_NAMED:
        reasons.append(f"and {len(faults) - MOST_NAMED} more")
    hint = first.hint
    if any(fault.code in ("bad-shape", "unknown-shape-type") for fault in faults):
        hint += "; or leave such shapes out with --bad-shape skip"
    kind = UnknownClassError if isinstance(first, UnknownLabelError) else SourceError
    error = kind(annotation.path, "; ".join(reasons), hint, first.code)
    error.__cause__ = first
    return error


def _refuse_normalized(
    annotation: Annotation, drawn: Sequence[Shape], size: tuple[int, int]
) -> None:
    """Raise SourceError where all coordinates lie within 0..1, some between: they are shares of the
    image's size, not pixels.
    """
    values = [value for shape in drawn if shape.bitmap is None for value in shape.points]
    if len(values) < 6 or max(size) < 8 or not all(0 <= value <= 1 for value in values):
        return
    if all(value == math.floor(value) for value in values):
        return
    reason = (
        f"shapes[].points: all {len(values) // 2} points lie within 0 to 1: these are shares of the"
        f" {size[1]}x{size[0]} image, not pixels"
    )
    hint = "export in pixels, or multiply x by the width and y by the height"
    raise SourceError(annotation.path, reason, hint, "points-normalized")
