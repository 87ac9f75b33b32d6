"""Masks whose ids have steps between them: of a smoothed set, or drawn where a thin rest of one
class lies between two others. A smoothed set has them in most masks where ids meet, a drawn one in
few.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from segprep.errors import SegprepError, SourceError
from segprep.files import listing
from segprep.imaging import steps
from segprep.imaging.image import SUFFIXES
from segprep.names import shown
from segprep.types import IGNORE, Note

SET = 0.3  # the share of masks of several classes with steps from which on a set was smoothed
_CERTAIN = 0.85  # the share of steps in one mask that no drawn one has
_SIBLINGS = 16  # masks of the same folder that are looked at
_HINT = f"{steps.HINT}; if everything was drawn this way, state each value: --ids VALUE=NAME,…"

Stepped = Callable[[Path], tuple[Mapping[int, int], bool, frozenset[int]]]


def judge(
    values: NDArray[Any], seen: Mapping[int, int], path: Path, stepped_of: Stepped
) -> list[Note]:
    """A note where the *values* (H, W) of the mask at *path*, whose histogram is *seen*, have steps
    that were drawn, as the masks beside it tell, which *stepped_of* reads. Raises SourceError
    (values-unclear) where they may have been made.
    """
    if not (stepped := sorted(steps.find(values, seen))):
        return []
    if not steps.find(values, seen, least=_CERTAIN):
        several, smoothed = _siblings(path.parent, stepped_of)
        if several and smoothed < SET * several:
            reason = f"{shown(path.name)}: {steps.told(stepped)}; taken as drawn, since"
            reason = f"{reason} {several - smoothed} of {several} masks beside it have none"
            return [Note("mask-steps", reason)]
    raise SourceError(path, steps.told(stepped), _HINT, "values-unclear")


@cache
def _siblings(folder: Path, stepped_of: Stepped) -> tuple[int, int]:
    """How many masks of *folder* hold several classes, and how many of these have steps, of a few
    that are spread evenly.
    """
    names = [name for home, name in listing(str(folder)) if home == str(folder)]
    names = sorted(name for name in names if name.lower().endswith(SUFFIXES))
    several = smoothed = 0
    for path in _spread([folder / name for name in names]):
        try:
            histogram, _, stepped = stepped_of(path)
        except SegprepError:
            continue  # told when it is read
        several += len(histogram.keys() - {IGNORE}) > 2
        smoothed += bool(stepped)
    return several, smoothed


def _spread(paths: Sequence[Path]) -> Sequence[Path]:
    return paths[:: max(1, len(paths) // _SIBLINGS)][:_SIBLINGS]
