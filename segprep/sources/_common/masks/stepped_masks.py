"""Masks whose ids have steps between them: of a smoothed set, or drawn where a thin rest of one
class lies between two others. A smoothed set has them at most places where ids meet, a drawn one at
few, taken over all its masks.
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
from segprep.types import Note

# the share of all places where ids meet from which on a set was smoothed: at most .22 in drawn sets
# of bodies that lie close around each other, .33 and more in smoothed ones
SET = 0.3
_CERTAIN = 0.85  # the share of steps in one mask that no drawn one has
_SIBLINGS = 16  # masks of the same folder that are looked at
_HINT = f"{steps.HINT}; if everything was drawn this way, state each value: --ids VALUE=NAME,…"

Stepped = Callable[[Path], steps.MaskSteps]


def judge(
    values: NDArray[Any], seen: Mapping[int, int], path: Path, stepped_of: Stepped
) -> list[Note]:
    """A note where the *values* (H, W) of the mask at *path*, whose histogram is *seen*, have steps
    that were drawn, as the masks beside it tell, which *stepped_of* reads. Raises SourceError
    (values-unclear) where they may have been made.
    """
    own = steps.measure(values, seen)
    if not own.values:
        return []
    if own.share < _CERTAIN or steps.has_slivers(values, own):
        masks, share = _siblings(path.parent, stepped_of)
        if masks and share < SET:
            reason = f"{shown(path.name)}: {steps.told(sorted(own.values))}; taken as drawn, since"
            reason = f"{reason} at {1 - share:.0%} of the places where ids meet in the {masks}"
            return [Note("mask-steps", f"{reason} masks that were compared there is no step")]
    raise SourceError(path, steps.told(sorted(own.values)), _HINT, "values-unclear")


@cache
def _siblings(folder: Path, stepped_of: Stepped) -> tuple[int, float]:
    """How many masks were compared, a few of *folder* that are spread evenly, and the share of the
    places where ids meet that have steps in them.
    """
    names = [name for home, name in listing(str(folder)) if home == str(folder)]
    names = sorted(name for name in names if name.lower().endswith(SUFFIXES))
    masks = count = places = 0
    for path in _spread([folder / name for name in names]):
        try:
            stepped = stepped_of(path)
        except SegprepError:
            continue  # told when it is read
        masks, count, places = masks + 1, count + stepped.count, places + stepped.places
    return masks, count / max(1, places)


def _spread(paths: Sequence[Path]) -> Sequence[Path]:
    return paths[:: max(1, len(paths) // _SIBLINGS)][:_SIBLINGS]
