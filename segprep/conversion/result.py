"""What a conversion reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segprep.cards import card, counted
from segprep.conversion.class_coverage import ClassCoverage
from segprep.types import Note, Skipped

SHOWN = 10  # remarks on a card


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion did: *converted* samples are new or changed, *kept* ones were as they
    should be; *removed* stems had lost their source. *unpainted*: per label that an option kept
    from being painted, {label, outcome, shapes, pixels, images}.
    """

    out: Path
    converted: int
    kept: int
    removed: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    classes: tuple[str, ...]
    notes: tuple[Note, ...]
    written: bool
    unpainted: tuple[Mapping[str, Any], ...] = ()
    covered: tuple[ClassCoverage, ...] = ()

    @property
    def failed(self) -> tuple[Skipped, ...]:
        """The skipped inputs that are of this format but cannot be used."""
        return tuple(entry for entry in self.skipped if not entry.foreign)

    def _repr_html_(self) -> str:
        facts = {
            "new": self.converted,
            "unchanged": self.kept,
            "removed": len(self.removed) or "",
            "skipped": len(self.skipped) or "",
            "written": "yes" if self.written else "no",
        }
        skipped = [f"{skip.path}: {skip.reason} [{skip.code}]" for skip in self.skipped]
        notes = counted(f"{note.message} [{note.code}]" for note in self.notes)
        remarks = skipped[:SHOWN] + notes[:SHOWN]
        left = max(0, len(skipped) - SHOWN) + max(0, len(notes) - SHOWN)
        remarks += [f"{left} more"] if left else []
        rows = list(enumerate(self.classes))
        return card(self.out.name, facts, columns=("id", "class"), rows=rows, remarks=remarks)
