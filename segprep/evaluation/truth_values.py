"""What the values of the truth mean: read as class ids, through a stated table, or doubtful."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.dataset.classes import is_background
from segprep.errors import SegprepError, SourceError, UsageError
from segprep.metrics.confusion import ConfusionMatrix, listed
from segprep.names import unknown, variant_key
from segprep.types import IGNORE, Note

IMPLAUSIBLE = 0.5  # share of ignored pixels in a whole set that has to be confirmed
_IGNORED = ("__ignore__", "ignore", "ignored")


def stated_names(truth_ids: str) -> tuple[str, ...]:
    """The classes that ``0=background,255=cell`` names, the background first."""
    from segprep.sources._common.classes.mask_values import parse_ids

    names = dict.fromkeys(
        name
        for name in parse_ids(truth_ids, "--truth-ids").values()
        if variant_key(name) not in _IGNORED
    )
    return tuple(sorted(names, key=lambda name: not is_background(name)))


def truth_table(
    truth_ids: str | None, names: Sequence[str], ignore: int | None, *, reduce_zero_label: bool
) -> dict[int, int] | None:
    """Value of the truth -> class id (or *ignore*), or None where values are ids.

    *truth_ids* is VALUE=NAME,… or a file of such lines; 255 is ignored unless it is named. With
    *reduce_zero_label* 0 is ignored and n means class n - 1, as in MMSegmentation. Raises
    UsageError.
    """
    if truth_ids is None and not reduce_zero_label:
        return None
    if truth_ids is not None and reduce_zero_label:
        raise UsageError(
            "bad-option",
            "--truth-ids and --reduce-zero-label both say what values mean",
            "give one",
        )
    if ignore is None:
        raise UsageError(
            "bad-option", "without an ignore index no value can be ignored", "give --ignore-index"
        )
    from segprep.sources._common.classes.mask_values import parse_ids

    if truth_ids is None:
        return {0: ignore, IGNORE: ignore} | {n + 1: n for n in range(len(names))}
    table = {IGNORE: ignore}
    for value, name in parse_ids(truth_ids, "--truth-ids").items():
        table[value] = ignore if variant_key(name) in _IGNORED else _class_id(name, names)
    return table


def _class_id(name: str, names: Sequence[str]) -> int:
    if name in names:
        return names.index(name)
    background = next((n for n, other in enumerate(names) if is_background(other)), None)
    if background is not None and is_background(name):
        return background
    if name.isdecimal() and int(name) < len(names):
        return int(name)
    message, hint = unknown("class", name, names)
    raise UsageError("bad-option", f"--truth-ids: {message}", hint)


def translated(values: NDArray[Any], table: Mapping[int, int], path: Path) -> NDArray[np.uint16]:
    """*values* (H, W) of a truth as class ids. Raises SourceError (unknown-value)."""
    lookup = np.full(65_536, -1, np.int32)
    lookup[list(table)] = list(table.values())
    flat = values.astype(np.int64, copy=False)
    inside = (flat >= 0) & (flat < len(lookup))
    ids = np.where(inside, lookup[np.where(inside, flat, 0)], -1)
    if (ids < 0).any():
        strangers = np.unique(flat[ids < 0]).tolist()
        raise SourceError(
            path,
            f"the truth holds values that are not stated: {listed(strangers)}",
            "state them, too: --truth-ids VALUE=NAME,…",
            "unknown-value",
        )
    return ids.astype(np.uint16)


def refuse_doubtful(matrix: ConfusionMatrix, truth: Path, *, shares: bool) -> None:
    """Raise SegprepError (values-unclear) if the values of a whole set of truth masks are most
    likely no ids with 255 as ignored: 0 and 255 only, or (with *shares*) mostly 255.
    """
    if matrix.ignore != IGNORE or matrix.size < 2 or not matrix.ignored_pixels:
        return
    rows = np.asarray(matrix.matrix.sum(1)).reshape(-1) + matrix.invalid
    total = int(rows.sum()) + matrix.ignored_pixels
    share = matrix.ignored_pixels / total
    hint = (
        "say what 255 is: --truth-ids 0=background,255=NAME; if it does mean ignored, say so with"
        " --ignore-index 255"
    )
    scored = np.flatnonzero(rows)
    if len(scored) < 2:
        only = int(scored[0]) if len(scored) else 0
        hint = hint.replace("0=background", f"{only}={'background' if only == 0 else 'NAME'}")
        raise SegprepError(
            "values-unclear",
            f"the truth in {truth} holds {f'{only} and 255' if len(scored) else '255'} only: read"
            f" as ignored, 255 ({share:.1%} of the pixels) leaves no class but"
            f" {matrix.names[only]} to score",
            hint,
        )
    if shares and share > IMPLAUSIBLE:
        raise SegprepError(
            "values-unclear",
            f"255 covers {share:.1%} of the truth in {truth}; read as ignored, it would not count",
            hint,
        )


def background_only(matrix: ConfusionMatrix) -> tuple[Note, ...]:
    """A note where the whole truth is class 0."""
    rows = np.asarray(matrix.matrix.sum(1)).reshape(-1) + matrix.invalid
    if matrix.size < 2 or rows[1:].any() or not rows[0]:
        return ()
    return (
        Note(
            "only-background",
            f"every truth pixel that counts is {matrix.names[0]}; no other class is scored. Are the"
            " masks class ids?",
        ),
    )
