"""Black and white masks: which half is the object is stated by the user, never guessed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep import engine
from segprep.errors import SourceError, UsageError
from segprep.files import read_below
from segprep.imaging import image, mask_files
from segprep.types import MAX_PIXELS, Note, Progress

HALF = 127.5  # the threshold that is taken where none is stated
_DARK, _LIGHT = 32, 223  # what JPEG and resizing leave of black and of white
_LEAST_REGION, _INSIDE = 64, 0.3  # pixels of a gray, and which share of them is inside

Foreground = Annotated[
    Literal["dark", "light", "nonzero"] | None,
    "Which pixels are the object: dark = at most the threshold, light = above it, nonzero ="
    " every value except 0. Never guessed.",
]
Threshold = Annotated[
    float,
    "Brightness from 0 to 255 that separates dark from light; 127.5: 127 is dark, 128 is light.",
]


def binary(
    data: bytes,
    path: Path,
    notes: list[Note],
    foreground: str,
    threshold: float,
    limit: int = MAX_PIXELS,
) -> NDArray[np.uint8]:
    """1 where the object is, else 0, (H, W).

    A note counts values in between; 0 and 1 as brightness are refused. Raises SourceError.
    """
    if foreground == "nonzero":
        indices = mask_files.values(data, path, notes, limit, "index")
        if image.header(data, path, limit).format == "JPEG" and (
            smeared := sum(
                count for value, count in image.histogram(indices).items() if 0 < value < 128
            )
        ):
            reason = (
                f"{smeared} pixels of {path.name} are nearly black, as a JPEG smears it, and count"
                " as object; --foreground light splits at 127.5"
            )
            notes.append(Note("intermediate-values", reason))
        return np.asarray(indices != 0, np.uint8)
    return parted(mask_files.intensity(data, path, limit), path, notes, foreground, threshold)


def parted(
    brightness: NDArray[np.uint8], path: Path, notes: list[Note], foreground: str, threshold: float
) -> NDArray[np.uint8]:
    """*brightness* (H, W) as 1 (object) and 0.

    Raises SourceError where it holds 0 and 1 only, which no threshold between parts, or whole
    regions of gray, which are classes of their own unless another threshold is stated.
    """
    seen = image.histogram(brightness)
    if threshold == HALF and (gray := _regions(brightness, seen)):
        listed = ", ".join(f"{value} ({seen[value]} px)" for value in gray[:8])
        ids = ",".join(f"{value}=NAME" for value in gray[:8])
        raise SourceError(
            path,
            f"has whole regions of gray, neither dark nor light: {listed}",
            "if they are classes: segprep convert pairs SRC OUT --ids"
            f" 0=background,{ids},255=NAME; if not, state another --threshold than {HALF}",
            "values-unclear",
        )
    if max(seen) == 1 and threshold >= 1:
        raise SourceError(
            path,
            "holds the values 0 and 1 only; all of it is dark",
            "give --foreground nonzero if 1 is the object",
            "values-unclear",
        )
    if between := sum(count for value, count in seen.items() if 0 < value < 255):
        notes.append(
            Note(
                "intermediate-values",
                f"{between} of {brightness.size} pixels of {path.name} are neither 0 nor 255; the"
                f" threshold {threshold:g} decided",
            )
        )
    return (
        (brightness > threshold) if foreground == "light" else (brightness <= threshold)
    ).astype(np.uint8)


def _regions(brightness: NDArray[np.uint8], seen: Mapping[int, int]) -> list[int]:
    """The grays of *brightness* (H, W), whose histogram is *seen*, of which a good part is the
    center of a 3 x 3 block of one gray: drawn, since smoothing leaves none.
    """
    likely = [v for v, n in seen.items() if _DARK < v < _LIGHT and n >= _LEAST_REGION]
    if not likely:
        return []
    own = brightness[1:-1, 1:-1]
    rows = (brightness[:-2] == brightness[1:-1]) & (brightness[2:] == brightness[1:-1])
    same = (brightness[1:-1, :-2] == own) & (brightness[1:-1, 2:] == own)
    inside = image.histogram(own[rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:] & same])
    return [value for value in likely if inside.get(value, 0) >= _INSIDE * seen[value]]


@dataclass(frozen=True, slots=True)
class _Shares:
    """Pixels of one mask: dark, light, zero, and all, for the engine."""

    roots: tuple[Path, ...]
    threshold: float
    limit: int

    def __call__(self, path: Path) -> tuple[int, int, int]:
        seen = image.histogram(mask_files.intensity(read_below(path, self.roots), path, self.limit))
        return (
            sum(count for value, count in seen.items() if value <= self.threshold),
            seen.get(0, 0),
            sum(seen.values()),
        )


def ask(
    paths: Sequence[Path],
    roots: tuple[Path, ...],
    threshold: float,
    limit: int,
    jobs: int,
    progress: Progress[Any],
) -> UsageError:
    """The error for an unstated polarity: both readings of the masks at *paths*, with their shares
    of all pixels.
    """
    results = list(
        progress(
            engine.run(_Shares(roots, threshold, limit), paths, jobs=jobs, chunk=8),
            len(paths),
            "reading masks",
        )
    )
    failures = [result for result in results if isinstance(result, engine.Failure)]
    if failures and len(failures) == len(results):
        return UsageError(
            "foreground-unstated",
            f"no mask could be read; {failures[0].path}: {failures[0].reason}",
            failures[0].hint,
        )
    return unstated(
        (result for result in results if not isinstance(result, engine.Failure)), threshold
    )


def unstated(counts: Iterable[tuple[int, int, int]], threshold: float) -> UsageError:
    """The same of *counts* (dark, zero, all pixels) of each mask."""
    dark, zero, total = (
        (sum(column) for column in zip(*counts, strict=True))
        if (counts := list(counts))
        else (0, 0, 0)
    )
    share = 100 / (total or 1)
    readings = [
        (
            f"--foreground dark: {dark * share:.2f} % of all pixels are the object (at most"
            f" {threshold:g})"
        ),
        f"--foreground light: {(total - dark) * share:.2f} % (above {threshold:g})",
        f"--foreground nonzero: {(total - zero) * share:.2f} % (not 0)",
    ]
    return UsageError(
        "foreground-unstated",
        "is the object dark or light in these masks? " + "; ".join(readings),
        "state it: --foreground dark|light|nonzero",
    )


def check_threshold(threshold: float) -> None:
    """Raise UsageError unless 0 <= *threshold* < 255."""
    if not 0 <= threshold < 255:
        raise UsageError(
            "bad-option",
            f"--threshold {threshold} is not from 0 to below 255",
            "127.5 is the middle",
        )
