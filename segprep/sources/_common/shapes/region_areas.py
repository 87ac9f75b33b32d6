"""Regions that paint nothing: counted in notes, and refused where a source has no others; outlines
that are only boxes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING

from segprep.errors import SourceError, UsageError
from segprep.imaging.shapes import Shape
from segprep.sources._common.shapes.region_shapes import Boxes, Ring
from segprep.types import Note

if TYPE_CHECKING:
    from segprep.sources._common.images.source_images import AnnotatedImage

NO_AREA = ("line", "points")
_MANY, _SKEW = 10, 0.01  # boxes worth a note; how far corners may lie off, in parts of the extent
PLURALS = {"line": "lines", "points": "points", "box": "boxes"}


def check(images: Sequence["AnnotatedImage"], boxes: Boxes, classes: str | None) -> list[Note]:
    """Raise UsageError where none of the regions of *images* would be painted, or there is none at
    all and no list of *classes* says that this is meant; a note where nearly all are boxes.
    """
    regions = [region for image in images for region in image.regions]
    counts = Counter(region.kind for region in regions)
    alone = boxes == "skip" or (boxes == "error" and counts["box"] >= _MANY)  # told once, not each
    without = (*NO_AREA, "box") if alone else NO_AREA
    if images and not counts and not any(image.fault for image in images):
        refuse_empty(len(images), classes)
    if counts and all(kind in without for kind in counts):
        listed = ", ".join(f"{count} {PLURALS[kind]}" for kind, count in sorted(counts.items()))
        reason = f"nothing would be painted: the annotation files hold only {listed}"
        hint = "segmentation needs outlines or masks; --boxes fill paints boxes"
        raise UsageError("shape-without-area", reason, hint)
    outlines = [region for region in regions if region.kind in ("polygon", "mask", "ellipse")]
    lone = sum(region.kind == "polygon" and is_box(region.rings) for region in outlines)
    return drawn_boxes(lone, len(outlines))


def refuse_empty(count: int, classes: str | None) -> None:
    """Raise UsageError for *count* annotations without any shape, unless *classes* are stated."""
    if classes is None:
        reason = f"nothing would be painted: none of the {count} annotations has a shape"
        hint = "draw shapes; if the images are meant to be all background, give --classes"
        raise UsageError("nothing-to-convert", reason, hint)


def refuse_empty_lists(
    lists: Mapping[str, Sequence[str]], drawn: Set[str], classes: str | None
) -> None:
    """Raise UsageError where none of the many images of one of the *lists* is among those with
    shapes (*drawn*), and nearly all of the others are, unless *classes* are stated.
    """
    empty = [name for name, stems in lists.items() if drawn.isdisjoint(stems)]
    others = [stem for name, stems in lists.items() if name not in empty for stem in stems]
    few = 10 * len(drawn & set(others)) < 9 * len(others)
    if classes is not None or not others or few:
        return
    for name in empty:
        if len(lists[name]) >= _MANY:
            reason = f"none of the {len(lists[name])} annotations of {name} has a shape, though"
            reason = f"{reason} those of {', '.join(key for key in lists if key not in empty)} do"
            hint = "leave them out: --annotations PATTERN names those that are meant; if the images"
            hint = f"{hint} are meant to be all background, give --classes"
            raise UsageError("nothing-to-convert", reason, hint)


def is_box(rings: Sequence[Ring]) -> bool:
    """Whether the outline is one parallelogram, as a box is, rotated or not."""
    ring = rings[0][:8] if len(rings) == 1 and rings[0][8:] in ((), rings[0][:2]) else ()
    if len(ring) != 8:
        return False
    across, down = ring[::2], ring[1::2]
    extent = max(max(across) - min(across), max(down) - min(down))
    skews = (abs(a + c - b - d) for a, b, c, d in (across, down))
    return max(skews) <= _SKEW * extent


def drawn_boxes(count: int, total: int) -> list[Note]:
    """A note where *count* of *total* outlines are boxes, and hardly any is not."""
    if count < _MANY or 10 * count < 9 * total:
        return []
    reason = (
        f"{count} of {total} outlines are boxes of four corners: around objects, as for"
        " detection, they also contain the surroundings; segmentation needs outlines"
    )
    return [Note("boxes-alone", reason)]


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
