"""A polygon crosses itself, or encloses no area.

Why: even-odd filling leaves holes where it crosses itself; without area only a line is painted.
Fix: redraw it: segprep annotate --finding SEG806.
Source: F36.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from segprep.checks._common import annotations
from segprep.checks._common.annotations import Point
from segprep.checks._common.rule import Rule
from segprep.checks._common.survey import Survey
from segprep.types import Finding

RULE = Rule("SEG806", "warning")


def find(survey: Survey) -> Iterator[Finding]:
    """Polygons of at most 500 points whose edges cross, or that are a point or a line."""
    for file in annotations.of(survey):
        for outline in file.outlines:
            if outline.kind != "polygon":
                continue
            points = outline.points
            flat = abs(_area(points)) < 0.5 and len(points) < 5
            if len(points) < 3 or flat:
                text = f"{annotations.address(outline)} encloses no area ({len(points)} points)"
            elif len(points) <= 500 and (at := _crossing(points)):
                text = (
                    f"{annotations.address(outline)} crosses itself near ({at[0]:.0f}, {at[1]:.0f})"
                )
            else:
                continue
            yield RULE.finding(
                file.stem,
                survey.name(file.path),
                text,
                "redraw it: segprep annotate --finding SEG806",
            )


def _area(points: tuple[Point, ...]) -> float:
    pairs = zip(points, (*points[1:], points[0]), strict=True)
    return sum(x * v - u * y for (x, y), (u, v) in pairs) / 2


def _crossing(points: tuple[Point, ...]) -> Point | None:
    """Where two edges that are not neighbors properly cross; None if none do."""
    start = np.array(points)
    end = np.roll(start, -1, axis=0)

    def side(a: Any, b: Any, c: Any) -> Any:
        ahead, across = b - a, c - a
        return ahead[..., 0] * across[..., 1] - ahead[..., 1] * across[..., 0]

    a, b, c, d = start[:, None], end[:, None], start[None], end[None]
    crosses = (side(a, b, c) * side(a, b, d) < -1e-6) & (side(c, d, a) * side(c, d, b) < -1e-6)
    crossings = np.argwhere(np.triu(crosses, 2))
    if not len(crossings):
        return None
    x, y = start[crossings[0][0]].tolist()
    return x, y
