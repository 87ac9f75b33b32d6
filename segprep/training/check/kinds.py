"""What is wrong with a mask that looks wrong? Told from the network's prediction: does it agree
with the mask mirrored, rotated, moved, inverted, or with the mask of another image; else, which
pieces does one side lack, or which class is taken for which.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from segprep.imaging import likeness
from segprep.training.check.piece_sizes import numbered
from segprep.training.check.suspects import LEAST_PIECE, MET
from segprep.training.data.pairs import nearest
from segprep.types import IGNORE

Mask = NDArray[np.uint8]
GRID = 64  # side at which masks are compared
BETTER, FITS = 0.15, 0.4  # mean IoU: the gain that counts, and what has to be reached
TURNS = tuple(likeness.TURNS.items())[1:6]  # but transpositions, which swap height and width


def of_mask(
    guess: Mask,
    mask: Mask,
    others: Mapping[str, Mask],
    names: Sequence[str],
    background: int | None,
) -> str:
    """What is wrong with *mask* (h, w) if *guess* (h, w) is right, in a few words; *others* are the
    masks of other images.
    """
    small, own = nearest(guess, GRID, GRID), nearest(mask, GRID, GRID)
    tries = {f"fits when {name}": np.asarray(turn(own)) for name, turn in TURNS}
    moved = _moved(small, own)
    tries[_way(moved)] = np.roll(own, moved, (0, 1))
    if len(names) == 2:
        tries["fits when inverted"] = np.where(own == IGNORE, own, 1 - own).astype(np.uint8)
    tries |= {
        f"fits as the mask of {stem}": nearest(other, GRID, GRID) for stem, other in others.items()
    }
    scores = {text: agreement(small, attempt) for text, attempt in tries.items()}
    best = max(scores, key=lambda text: scores[text])
    if scores[best] >= max(FITS, agreement(small, own) + BETTER):
        return best
    return _pieces(guess, mask, names, background)


def agreement(first: Mask, second: Mask) -> float:
    """The mean IoU over the classes of either, where neither is ignored."""
    valid = (first != IGNORE) & (second != IGNORE)
    left, right = first[valid], second[valid]
    classes = np.union1d(left, right).tolist()
    ious = [
        np.count_nonzero((left == c) & (right == c)) / np.count_nonzero((left == c) | (right == c))
        for c in classes
    ]
    return float(np.mean(ious)) if ious else 0.0


def _moved(guess: Mask, mask: Mask) -> tuple[int, int]:
    """The circular move (down, right) in cells, at most a quarter, at which most cells agree."""
    total = np.zeros((GRID, GRID))
    for value in np.setdiff1d(np.unique(mask), [IGNORE]):
        here, there = (np.fft.rfft2((side == value).astype(float)) for side in (guess, mask))
        total += np.fft.irfft2(here * np.conj(there), s=(GRID, GRID))
    quarter = GRID // 4
    near = np.roll(total, (quarter, quarter), (0, 1))[: 2 * quarter + 1, : 2 * quarter + 1]
    down, right = np.unravel_index(int(near.argmax()), near.shape)
    return int(down) - quarter, int(right) - quarter


def _way(moved: tuple[int, int]) -> str:
    parts = [
        f"{abs(cells) / GRID:.0%} {words[cells > 0]}"
        for cells, words in zip(moved, (("up", "down"), ("left", "right")), strict=True)
        if cells
    ]
    return f"fits when moved {' and '.join(parts)}" if parts else "as it is"


def _pieces(guess: Mask, mask: Mask, names: Sequence[str], background: int | None) -> str:
    """Which pieces one side lacks; else the two classes that are most taken for each other."""
    missing, extra = _unmet(guess, mask, background), _unmet(mask, guess, background)
    if max(missing[1], extra[1]):
        count, area = max(missing, extra, key=lambda pair: pair[1])
        share = f"{area / mask.size:.1%} of the pixels"
        pieces = f"{count} object{'s' if count != 1 else ''} ({share})"
        if missing[1] >= extra[1]:
            return f"{pieces} that the model sees {'are' if count != 1 else 'is'} not in the mask"
        return f"{pieces} of the mask the model does not see"
    wrong = (guess != mask) & (mask != IGNORE)
    if not wrong.any():
        return ""
    keys, counts = np.unique(mask[wrong].astype(np.int64) * 256 + guess[wrong], return_counts=True)
    drawn, seen = divmod(int(keys[counts.argmax()]), 256)
    return f"{names[drawn]} where the model sees {names[seen]}"


def _unmet(here: Mask, there: Mask, background: int | None) -> tuple[int, int]:
    """(number, pixels) of the pieces of *here* that lie on background in *there*."""
    ground = 0 if background is None else background
    pieces, sizes = numbered((here != IGNORE) & (here != ground))
    met = np.bincount(pieces.reshape(-1), weights=(there != ground).reshape(-1))  # or ignored
    lost = (sizes >= 4 * LEAST_PIECE) & (met < MET * sizes)
    return int(lost.sum()), int(sizes[lost].sum())
