"""Regions that an annotation file states wrongly: with --bad-shape skip each is skipped alone, else
it refuses its image; and images that nobody has annotated.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from segprep.errors import SourceError
from segprep.sources._common.shapes.region_shapes import Region

SINGLE = ("bad-shape", "unknown-shape-type", "bad-label", "bad-annotation")


def sound_regions(
    draw: Callable[[], Iterable[Region]], address: str, bad_shape: str
) -> list[Region]:
    """What *draw* makes of the entry at *address*; where it fails and *bad_shape* is "skip", a
    region that is nothing but its fault. Raises SourceError.
    """
    try:
        return list(draw())
    except SourceError as error:
        if bad_shape != "skip" or error.code not in SINGLE:
            raise
        return [Region("", address, fault=error.reason)]


def unannotated(path: Path, reason: str) -> SourceError:
    """The error for an image without regions because nobody has annotated it."""
    hint = "annotate it, or skip it with --on-error skip"
    return SourceError(path, reason, hint, "mask-missing")
