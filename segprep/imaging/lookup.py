"""Mask values through a table of class ids, and why a value may be no class."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from segprep.errors import SourceError
from segprep.imaging import image, steps

_BINARY = "segprep convert binary SRC OUT --foreground light|dark"
_NAME_THEM = "give --classes with more names, or say with --ids VALUE=NAME,… what each value means"
_SMEARED = 0.15  # the largest share of grays in smeared black and white masks
FLAT_VOC = frozenset(
    image.luminance((row[0], row[1], row[2]))
    for n in range(256)
    if (row := image.voc_colors()[3 * n : 3 * n + 3])
)


def translate(
    values: NDArray[Any], table: Mapping[int, int], path: Path, classes: int
) -> NDArray[np.uint8]:
    """*values* (H, W) through *table* (value -> class id).

    Raises SourceError that counts every value without an entry and names the likely cause.
    """
    return counted(values, image.histogram(values), table, path, classes)[0]


def counted(
    values: NDArray[Any],
    seen: Mapping[int, int],
    table: Mapping[int, int],
    path: Path,
    classes: int,
) -> tuple[NDArray[np.uint8], dict[int, int]]:
    """What :func:`translate` gives for *values* whose histogram is *seen*, and its own histogram.

    Raises SourceError as it does.
    """
    if unknown := {value: count for value, count in seen.items() if value not in table}:
        listed = ", ".join(
            f"{value} ({count} px)" for value, count in list(unknown.items())[:6]
        ) + (" …" if len(unknown) > 6 else "")
        reason = f"{len(unknown)} pixel values are not class ids: {listed}"
        if smoothed := sorted(steps.find(values, seen)):
            reason = f"{reason}; {steps.told(smoothed)}"
            raise SourceError(path, reason, steps.HINT, "unknown-value")
        raise SourceError(path, reason, cause(seen, classes), "unknown-value")
    counts: dict[int, int] = {}
    for value, count in seen.items():
        counts[table[value]] = counts.get(table[value], 0) + count
    counts = dict(sorted(counts.items()))
    if values.dtype == np.uint8 and all(table[value] == value for value in seen):
        return values, counts
    if values.dtype == np.uint8:
        return image.look_up(values, bytes(table.get(value, 0) for value in range(256)))[0], counts
    look_up = np.zeros(max(table) + 1, np.uint8)
    look_up[list(table)] = list(table.values())
    return cast("NDArray[np.uint8]", look_up[values]), counts


def evenly_spaced(values: set[int], *, rounded: bool = False) -> list[int]:
    """At least three *values* in order if they are 0, s, 2s, … with s of 8 or more, each perhaps
    *rounded* up or down; else [].
    """
    ordered = sorted(values)
    last, steps = ordered[-1] if ordered else 0, max(1, len(ordered) - 1)
    off = max((abs(value * steps - last * n) for n, value in enumerate(ordered)), default=0)
    spaced = off < steps if rounded else not off
    return ordered if len(ordered) > 2 and last >= 8 * steps and spaced else []


def _spread(steps: list[int]) -> str:
    """What to do where *steps* are the classes."""
    listed = ",".join(f"{value}=class_{n}" for n, value in enumerate(steps) if n)
    return (
        f"{len(steps)} values at equal steps: most likely {len(steps)} classes spread over 0 to"
        f" {steps[-1]}; say so: --ids 0=background,{listed}"
    )


def _between(seen: Mapping[int, int]) -> float:
    """The share of pixels that are neither nearly black nor nearly white."""
    return sum(count for value, count in seen.items() if 32 < value < 223) / sum(seen.values())


def _black_and_white(seen: Mapping[int, int], present: set[int]) -> str:
    """What to do with the values *present* where nearly all pixels are black or white; else ""."""
    grays = _between(seen)
    if any(240 <= value < 255 for value in present):
        if grays < 0.05 or (len(present) > 24 and grays < _SMEARED):
            return f"nearly black and white only, as a JPEG smears it, or resizing; use: {_BINARY}"
    elif {0, 255} <= present and 0 < grays < 0.05 and min(present - {0}) > 32:
        return f"{_NAME_THEM}; or, if they are black and white with smoothed borders: {_BINARY}"
    return ""


def cause(seen: Mapping[int, int], classes: int) -> str:
    """Why pixel values *seen* may lie outside *classes* ids, and what to do about it."""
    present = set(seen)
    if present == {0}:
        return "0 only: every pixel is background; check how the masks were exported"
    if present <= {0, 255}:
        return (
            "0 and 255 only: a black and white mask; use: segprep convert binary, or --ids"
            " 0=background,255=NAME"
        )
    if present <= {0, 65_535}:
        return (
            "0 and 65535 only: a black and white mask of 16 bits; use: segprep convert binary, or"
            " --ids 0=background,65535=NAME"
        )
    if steps := evenly_spaced(present):
        return _spread(steps)
    if present - {0} <= FLAT_VOC - {0, 255} | {220} and present & {38, 75, 113}:
        return (
            "grays of a VOC palette that was flattened; use: segprep convert colormap"
            " --from-voc-gray"
        )
    if hint := _black_and_white(seen, present):
        return hint
    if steps := evenly_spaced(present, rounded=True):
        return _spread(steps)
    if len(present) > 24 or any(
        value + 1 in present and seen[value] > 20 * seen[value + 1]
        for value in present
        if value >= classes
    ):
        return (
            "many in-between values: the mask was smoothed or saved as JPEG; export it again"
            " without"
        )
    if min(present) >= 1 and max(present) == classes:
        return "values count from 1; give --ids 1=NAME,2=NAME,…"
    if classes and max(present - {255}, default=0) == classes:
        return (
            f"values 0 to {classes} take {classes + 1} names: does the list lack the background"
            " (--classes background,…)? or say it with --ids VALUE=NAME,…"
        )
    return _NAME_THEM
