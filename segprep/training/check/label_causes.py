"""Reasons that the values of the masks give: nothing to learn or to score, 255 for a class."""

from collections.abc import Sequence
from shlex import quote

import numpy as np
from numpy.typing import NDArray

from segprep.training.check.verdict import Reason
from segprep.training.data.pairs import ImagePair, nearest
from segprep.types import IGNORE

SAMPLES = 64  # side of the pictures on which masks are compared
SAME = 0.98  # IoU of a class between two masks from which the two show the same
SHARE = 0.01  # of the pixels, from which ignored ones are worth a word


def of_masks(
    train: Sequence[ImagePair], val: Sequence[ImagePair], names: Sequence[str]
) -> list[Reason]:
    """What the masks of both lists say. A reason of the level not_learnable means that a training
    would be pointless: every pixel ignored, one class only, classes that only *val* has.
    """
    counts, val_counts = _counts(train), _counts(val)
    present = np.flatnonzero(counts[:IGNORE])
    ignored = counts[IGNORE] / max(1, counts.sum())
    if not len(present):
        text = (
            f"every pixel of all {len(train)} masks is {IGNORE}, which means ignored: there is"
            " nothing to learn"
        )
        return [Reason("all-ignored", text, "not_learnable")]
    if len(present) == 1:
        only = int(present[0])
        missing = [int(n) for n in np.flatnonzero(val_counts[:IGNORE]) if n != only]
        return _one_class(only, missing, ignored, len(train), names)
    unused = [n for n in range(len(names)) if not counts[n] and not val_counts[n]]
    return [
        *_only_val(counts, val_counts, names),
        *_unused(unused, present, ignored, names),
        *_same(train, present),
    ]


def of_val(pairs: Sequence[ImagePair]) -> list[Reason]:
    """Nothing to score on the val list."""
    if any((pair.mask != IGNORE).any() for pair in pairs):
        return []
    text = (
        f"every pixel of all {len(pairs)} masks of the val list is {IGNORE}, which means"
        " ignored: nothing can be scored"
    )
    return [Reason("all-ignored", text, "doubtful")]


def _counts(pairs: Sequence[ImagePair]) -> NDArray[np.int64]:
    """(256,) pixels of each value."""
    return sum(
        (np.bincount(pair.mask.reshape(-1), minlength=256) for pair in pairs),
        np.zeros(256, np.int64),
    )


def _one_class(
    only: int, missing: Sequence[int], ignored: float, masks: int, names: Sequence[str]
) -> list[Reason]:
    name = _name(only, names)
    if missing:
        text = (
            f"class {', '.join(_name(n, names) for n in missing)} occurs on the val list but not on"
            f" the train list, whose masks hold {name} only"
        )
        return [Reason("val-unlike-train", text, "not_learnable")]
    if ignored >= SHARE:
        other = next((own for own in names if own != name and len(names) == 2), "NAME")
        ids = quote(f"{only}={name},{IGNORE}={other}")
        text = (
            f"the masks hold the values {only} and {IGNORE} only, and {IGNORE} means ignored"
            f" ({ignored:.1%} of the pixels), so that one class is left; if {IGNORE} is a class:"
            f" segprep remap DATASET OUT --ids {ids}"
        )
        return [Reason("values-unclear", text, "not_learnable")]
    text = (
        f"every labeled pixel of all {masks} masks is class {name}: there is nothing to tell apart"
    )
    return [Reason("labels-constant", text, "not_learnable")]


def _only_val(
    counts: NDArray[np.int64], val_counts: NDArray[np.int64], names: Sequence[str]
) -> list[Reason]:
    """The classes that cannot be learned, because *counts* (256,) of the train list lack them."""
    shares = val_counts / max(1, int(val_counts[:IGNORE].sum()))
    return [
        Reason(
            "val-unlike-train",
            f"class {_name(int(n), names)} occurs on the val list ({shares[n]:.1%} of its pixels)"
            " but not on the train list",
            "doubtful",
        )
        for n in np.flatnonzero(val_counts[:IGNORE])
        if not counts[n]
    ]


def _unused(
    unused: Sequence[int], present: NDArray[np.intp], ignored: float, names: Sequence[str]
) -> list[Reason]:
    """A class of the list that occurs nowhere, while much is ignored: was it written as 255?"""
    if len(unused) != 1 or ignored < SHARE:
        return []
    name = _name(unused[0], names)
    ids = quote("".join(f"{n}={_name(int(n), names)}," for n in present) + f"{IGNORE}={name}")
    text = (
        f"class {name} occurs in no mask, and {IGNORE} (ignored) covers {ignored:.1%} of the"
        f" pixels; if {IGNORE} stands for it: segprep remap DATASET OUT --ids {ids}"
    )
    return [Reason("values-unclear", text)]


def _same(train: Sequence[ImagePair], present: NDArray[np.intp]) -> list[Reason]:
    """Masks whose every class, the largest excluded, lies in the same place in all of them.

    Thin or rare foregrounds make masks alike in most pixels, so only the overlap counts.
    """
    small = np.stack([nearest(pair.mask, SAMPLES, SAMPLES) for pair in train])
    largest = max(present, key=lambda n: int((small == n).sum()))
    for n in present:
        masks = small == n
        union = (masks | masks[:1]).sum((1, 2))
        overlap = (masks & masks[:1]).sum((1, 2)) / np.maximum(union, 1)
        if n != largest and ((union > 0) & (overlap < SAME)).any():
            return []
    if not any((small == n).any() for n in present if n != largest):
        return []
    text = f"all {len(train)} masks show the same picture, whatever the image shows"
    return [Reason("labels-constant", text, "doubtful")]


def _name(n: int, names: Sequence[str]) -> str:
    return names[n] if n < len(names) else str(n)
