"""Figures that other tools take image by image (or batch by batch) and then average: they cannot be
had from one matrix.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from segprep.metrics.scores import Sums

BATCH = 16  # pytorch-nested-unet's default
SMOOTH = 1e-5
EPSILON = 1e-6


@dataclass
class Imagewise:
    """Running means of every such figure; *classes* is their number."""

    classes: int
    images: int = 0
    entries: int = 0
    total: float = 0.0
    means: float = 0.0
    dice: float = 0.0
    batches: float = 0.0
    _shared: int = 0
    _union: int = 0
    _waiting: int = 0
    _measured: int = 0
    pixel_error: float = 0.0
    rand_error: float = 0.0

    def add(self, sums: Sums, cells: tuple[float, float] | None = None) -> None:
        """One image: its sums, and ISBI's pixel and Rand error where they were measured."""
        self.images += 1
        iou = sums.same / (sums.rows + sums.columns - sums.same)
        self.entries, self.total = self.entries + len(iou), self.total + float(iou.sum())
        ahead = sums.ids > 0
        both, sizes = sums.same[ahead], (sums.rows + sums.columns)[ahead]
        absent = self.classes - 1 - int(ahead.sum())
        if self.classes > 1:
            self.dice += (float(((2 * both + EPSILON) / (sizes + EPSILON)).sum()) + absent) / (
                self.classes - 1
            )
        self._shared, self._union, self._waiting = (
            self._shared + int(both.sum()),
            self._union + int((sizes - both).sum()),
            self._waiting + 1,
        )
        if self._waiting == BATCH:
            self._close()
        if cells is not None and not np.isnan(cells[0]):
            self._measured += 1
            self.pixel_error, self.rand_error = (
                self.pixel_error + cells[0],
                self.rand_error + cells[1],
            )

    def _close(self) -> None:
        self.batches += self._waiting * (self._shared + SMOOTH) / (self._union + SMOOTH)
        self._shared = self._union = self._waiting = 0

    def numbers(self, needs: str) -> dict[str, Any]:
        """The figures that *needs* names ("samples", "dice", "batches", "segments"), by the names
        their tools use.
        """
        if self._waiting:
            self._close()
        if not self.images:
            return {}
        cells = self._measured or np.nan
        mean = {
            "samples": {"MeanIoU": self.total / self.entries if self.entries else np.nan},
            "dice": {"dice coefficient": self.dice / self.images},
            "batches": {"iou": self.batches / self.images},
            "segments": {
                "pixel error (mean over images)": self.pixel_error / cells,
                "Rand error": self.rand_error / cells,
            },
        }
        return mean.get(needs, {})
