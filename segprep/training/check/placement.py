"""How badly each mask lies on its image by edges and colors, as ``segprep check`` measures it: what
no network needs to be trained for.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segprep.checking import information, signals
from segprep.checking.information import GRID
from segprep.checks._common import fit
from segprep.training.data.pairs import ImagePair
from segprep.types import IGNORE


def misplaced(pairs: Sequence[ImagePair]) -> dict[str, float]:
    """Stem -> how much better the mask fits mirrored, rotated or shifted than as it lies, in
    deviations of what is usual among *pairs*; without those of masks that have no borders, and
    empty where too few have any.
    """
    measured = {pair.stem: signals.measure(in_short(pair.image), pair.mask) for pair in pairs}
    bordered = {stem: signal for stem, signal in measured.items() if signal.borders}
    if len(bordered) < fit.LEAST:
        return {}
    scores = fit.misplaced(list(bordered.values()))
    return dict(zip(bordered, scores.tolist(), strict=True))


def told_gain(pair: ImagePair, guess: NDArray[np.uint8]) -> float:
    """How much more the image's colors tell of *guess* (h, w) than of the mask, in square roots of
    nats of the mask: what is right tells more, whatever is wrong with the mask. Pixels that the
    mask ignores count in neither.
    """
    colors, mask = in_short(pair.image), signals.squeezed(pair.mask)
    seen = np.where(mask == IGNORE, np.uint8(IGNORE), signals.squeezed(guess))
    own, other = information.told(colors, mask), information.told(colors, seen)
    return float((other - own) / np.sqrt(max(own, fit.LEAST_TOLD)))


def in_short(pixels: NDArray[Any], side: int = GRID) -> NDArray[np.uint8]:
    """An image (H, W, 3) squeezed to (*side*, *side*, 3) uint8; other types by their own range."""
    if pixels.dtype != np.uint8:
        values = np.nan_to_num(pixels.astype(np.float64))
        low, high = float(values.min()), float(values.max())
        pixels = ((values - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
    small = Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX, reducing_gap=1)
    return np.asarray(small)
