"""Curves as inline SVG: sharp at every size, and no script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 520, 240, 46, 34, 14, 12
COLORS = ("var(--one)", "var(--two)", "var(--three)", "var(--four)")


@dataclass(frozen=True, slots=True)
class Line:
    """One curve of (x, y); values that are not finite are skipped."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """Curves over one axis. *low* and *high* bound y; None: by the data, from 0."""

    title: str
    across: str
    lines: Sequence[Line]
    high: float | None = None
    kind: ClassVar[str] = "lines"
    size: ClassVar[tuple[int, int]] = (WIDTH, HEIGHT)
    frame: ClassVar[tuple[int, int, int, int]] = (LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM)

    @property
    def _ranges(self) -> tuple[float, float]:
        points = [point for line in self.lines for point in line.points if math.isfinite(point[1])]
        across = max((x for x, _ in points), default=1.0) or 1.0
        return across, self.high or max((y for _, y in points), default=1.0) or 1.0

    @property
    def curves(self) -> list[tuple[str, str, str, bool]]:
        """(name, SVG points, color, dashed) of every curve."""
        across, up = self._ranges
        rows = []
        for n, line in enumerate(self.lines):
            places = [
                (_x(x / across), _y(min(y / up, 1.0))) for x, y in line.points if math.isfinite(y)
            ]
            rows.append(
                (
                    line.name,
                    " ".join(f"{x:.1f},{y:.1f}" for x, y in places),
                    COLORS[n % len(COLORS)],
                    line.dashed,
                )
            )
        return rows

    @property
    def ticks(self) -> tuple[list[tuple[float, str]], list[tuple[float, str]]]:
        """(place, text) along x, and along y."""
        across, up = self._ranges
        return [(_x(v / across), f"{v:g}") for v in _round_values(across)], [
            (_y(v / up), f"{v:g}") for v in _round_values(up)
        ]


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _round_values(top: float) -> list[float]:
    """Four to eight round numbers from 0 to *top*.

    >>> _round_values(600), _round_values(1)
    ([0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    """
    raw = top / 5
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw * 0.75)
    return [round(n * step, 10) for n in range(int(top / step + 1e-9) + 1)]
