"""Blood vessels drawn by hand in retinal photographs: what DRIVE, CHASE_DB1 and STARE share."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import classes, image, masks, polarity
from .errors import SourceError
from .types import MAX_PIXELS, Note

CLASSES = classes.make([classes.BACKGROUND, "vessel"])
THRESHOLD = 127.5  # the drawings are black and white; this decides only where a copy was smoothed


def drawn(data: bytes, path: Path, notes: list[Note], limit: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """1 where the drawing shows white, else 0, (H, W): a palette is read by its colours, and 0/1 as black and white.

    A note counts brightnesses in between. Raises SourceError, also for several frames, of which no one knows which is meant.
    """
    if image.header(data, path, limit).several:
        raise SourceError(path, "holds several frames or pages; a mask has one", "keep the frame that is the mask", "mask-frames")
    shown = masks.intensity(data, path, limit)
    if int(shown.max(initial=0)) == 1:
        notes.append(Note("values-zero-one", f"{path.name} holds 0 and 1 instead of 0 and 255; 1 was read as white"))
        return shown
    return polarity.parted(shown, path, notes, "light", THRESHOLD)
