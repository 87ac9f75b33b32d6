"""What options kept from being painted, over a whole dataset: shapes and pixels per label."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from segprep.types import Note, Record, Unpainted

_OUTCOMES = {
    "skipped": "were skipped",
    "ignored": "were painted as ignored (255)",
    "background": "were painted as background",
}


@dataclass
class UnpaintedLabels:
    """Totals per (label, outcome): shapes, pixels, images."""

    totals: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def add(self, entries: Iterable[Unpainted]) -> None:
        """Count what one image has."""
        for entry in entries:
            total = self.totals.setdefault((entry.label, entry.outcome), [0, 0, 0])
            for n, more in enumerate((entry.shapes, entry.pixels, 1)):
                total[n] += more

    @staticmethod
    def of(records: Iterable[Record]) -> "UnpaintedLabels":
        """The totals of *records*."""
        labels = UnpaintedLabels()
        for record in records:
            labels.add(record.unpainted)
        return labels

    def rows(self) -> tuple[dict[str, Any], ...]:
        """As the manifest and --json have it, the label with most pixels first."""
        ordered = sorted(self.totals.items(), key=lambda entry: (-entry[1][1], entry[0]))
        return tuple(
            {
                "label": label,
                "outcome": outcome,
                "shapes": shapes,
                "pixels": pixels,
                "images": images,
            }
            for (label, outcome), (shapes, pixels, images) in ordered
        )


def unpainted_notes(rows: Iterable[dict[str, Any]]) -> list[Note]:
    """*rows* in words, one note per label."""
    return [
        Note(
            "label-unpainted",
            f"label {row['label']!r}: {row['shapes']:,} shapes in {row['images']:,} images,"
            f" {row['pixels']:,} pixels, {_OUTCOMES[row['outcome']]}",
        )
        for row in rows
    ]
