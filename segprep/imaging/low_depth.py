"""Gray PNGs of 2 or 4 bits per pixel: the number in the file, or the gray that it is shown as."""

from collections.abc import Collection, Container
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segprep.imaging import image, png
from segprep.types import Note

_STEPS = {2: 85, 4: 17}


def step(data: bytes) -> int:
    """What the numbers in a file are multiplied by where it is shown: 85 or 17 in a gray PNG of 2
    or 4 bits, 1 in all other files.
    """
    gray = data.startswith(png.SIGNATURE) and data[25:26] == b"\0"
    return _STEPS.get(data[24], 1) if gray else 1


def ids(
    values: NDArray[np.uint8],
    data: bytes,
    path: Path,
    notes: list[Note],
    *,
    table: Container[int],
    named: Collection[int] = (),
) -> NDArray[np.uint8]:
    """The *values* (H, W) of the mask *data* as *table* has them: as they are shown, or as they are
    stored. Where both are in the table, shown if the user *named* one of them, else stored, with a
    note.
    """
    factor = step(data)
    shown = image.histogram(values).keys() if factor > 1 else set[int]()
    if not shown - {0} or not all(value // factor in table for value in shown):
        return values
    if all(value in table for value in shown):
        as_shown = bool((shown - {0}) & set(named))
        both = [", ".join(str(value // n) for value in sorted(shown)) for n in (factor, 1)]
        taken, other = reversed(both) if as_shown else both
        bits = data[24]
        text = f"{path.name} has {bits} bits per pixel: {taken} were taken, not {other}"
        notes.append(Note("values-unclear", text))
        if as_shown:
            return values
    return values // factor
