"""What is asked where nothing says what the colors of masks mean: all of them are listed, or, if
the masks were smoothed, those of regions; ready to be used as a table.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segprep.imaging import blends
from segprep.sources._common.classes import color_tables
from segprep.sources._common.classes.color_rows import Color

_SMOOTHED = 0.1  # the share of masks with blends from which on a set was smoothed
_LEAST = 0.0005  # the share of the pixels that a region's color has
_MOST_ROWS = 64
_AGAIN = "export the masks again as PNG, without smoothing"


@dataclass(slots=True)
class SeenColors:
    """The colors of some masks: *counts* of pixels, and what the masks are made of."""

    counts: Counter[Color] = field(default_factory=Counter)
    thick: set[Color] = field(default_factory=set)
    rich: int = 0
    blended: int = 0

    def add(self, shown: NDArray[np.uint8]) -> None:
        """One more mask (H, W, 3)."""
        counts, regions = color_tables.counted(shown), blends.find(shown)
        self.counts.update(counts)
        self.thick |= {(code >> 16, code >> 8 & 255, code & 255) for code in regions.colors}
        self.rich += len(counts) > 2
        self.blended += regions.blends

    @property
    def smoothed(self) -> bool:
        """Whether colors were made by smoothing."""
        return self.blended >= max(1, _SMOOTHED * self.rich)

    def regions(self) -> dict[Color, int]:
        """The colors that fill regions, with their pixels."""
        least = _LEAST * self.counts.total()
        return {color: n for color, n in self.counts.items() if color in self.thick and n >= least}

    def question(self) -> tuple[str, str]:
        """What the masks hold, and what to give."""
        fitting = _built_in(self.counts)
        if fitting:
            hint = (
                f"all of them are colors of {' and '.join(fitting)}: give --table {fitting[0]}, or"
                " --table FILE"
            )
        elif self.smoothed or self._are_mostly_specks():
            return self._smeared()
        elif 0 < len(self.counts) <= _MOST_ROWS:
            hint = f"name them in a file of R G B NAME per line, or: --table {_rows(self.counts)}"
        else:
            built_in = ", ".join(color_tables.built_in())
            hint = f"give --table FILE, or one of {built_in}, or --from-voc-gray"
        return f"the masks hold {_listed(self.counts)}", hint

    def _are_mostly_specks(self) -> bool:
        """Whether there are too many colors for classes, few of which fill most of the masks."""
        regions = self.regions()
        few = 2 * len(regions) < len(self.counts) > _MOST_ROWS
        return few and sum(regions.values()) > 0.7 * self.counts.total()

    def _smeared(self) -> tuple[str, str]:
        regions = self.regions()
        others = len(self.counts) - len(regions)
        what = (
            f"the masks were smoothed or saved as JPEG: {others} of their {len(self.counts)} colors"
            f" are blends along borders; regions are {_listed(regions) or 'of no one color'}"
        )
        nearest = f"--table {self.table()} --unknown nearest"
        return what, f"{_AGAIN}; or take the nearest color, which along borders may err: {nearest}"

    def table(self) -> str:
        """What --table takes for the regions: a built-in table, rows, or FILE where these are not
        clear.
        """
        regions = self.regions()
        if not 1 < len(regions) <= _MOST_ROWS:
            return "FILE"
        return next(iter(_built_in(regions)), _rows(regions))


def _listed(counts: dict[Color, int]) -> str:
    most = Counter(counts).most_common(12)
    listed = ", ".join(f"{','.join(map(str, color))} ({count} px)" for color, count in most)
    return listed + (f" and {len(counts) - 12} more" if len(counts) > 12 else "")


def _built_in(colors: dict[Color, int]) -> list[str]:
    """The built-in tables that have all *colors*."""
    return [name for name in color_tables.built_in() if color_tables.covers(name, colors)]


def _rows(colors: dict[Color, int]) -> str:
    """*colors* as a table for --table."""
    return f"'{'; '.join(color_tables.proposed(colors))}'"
