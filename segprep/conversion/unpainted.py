"""What options kept from being painted, over a whole dataset: shapes and pixels per label."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from segprep.types import Note, Record, Unpainted

_OUTCOMES = {
    "skipped": "were skipped",
    "ignored": "were painted as ignored (255)",
    "background": "were painted as background",
    "nearest": "became the class of the nearest color",
}
FEW = 20  # labels that have a note of their own
_MOST = 200  # rows; what else there is is added up


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
        rest: dict[tuple[str, str], list[int]] = {}
        for (_, outcome), figures in ordered[_MOST:]:
            total = rest.setdefault(("others", outcome), [0, 0, 0])
            for n, more in enumerate(figures):
                total[n] += more
        return tuple(
            {
                "label": label,
                "outcome": outcome,
                "shapes": shapes,
                "pixels": pixels,
                "images": images,
            }
            for (label, outcome), (shapes, pixels, images) in [*ordered[:_MOST], *rest.items()]
        )


def unpainted_notes(rows: Sequence[Mapping[str, Any]]) -> list[Note]:
    """*rows* in words, one note per label, and one for all beyond FEW."""
    notes = [Note("label-unpainted", in_words(row)) for row in rows[:FEW]]
    if rest := rows[FEW:]:
        shapes, pixels = (sum(row[key] for row in rest) for key in ("shapes", "pixels"))
        reason = f"{len(rest)} more labels: {shapes:,} shapes, {pixels:,} pixels (--json has all)"
        notes.append(Note("label-unpainted", reason))
    return notes


def in_words(row: Mapping[str, Any]) -> str:
    """One row of :meth:`UnpaintedLabels.rows` as a sentence."""
    images, pixels = _number(row["images"], "image"), _number(row["pixels"], "pixel")
    what = _OUTCOMES[row["outcome"]]
    if not row["shapes"]:  # a color
        return f"{row['label']}: {pixels} in {images} {what}"
    shapes = _number(row["shapes"], "shape")
    return f"label {row['label']!r}: {shapes} in {images}, {pixels}, {what}"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
