"""What the labels of annotations are painted as: the class list, renames, and what becomes of
labels that are excluded or not in the list. Every format of labeled shapes follows these rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from segprep.dataset import classes as class_lists
from segprep.errors import UnknownLabelError, UsageError
from segprep.names import shown
from segprep.types import IGNORE, Classes, Outcome, Unknown


@dataclass(frozen=True, slots=True)
class LabelRules:
    """The options that say what a label becomes; see the options of the same names."""

    classes: str | None = None
    unknown: Unknown = "error"
    exclude: tuple[str, ...] = ()
    renames: Mapping[str, str] = field(default_factory=dict)

    def renamed(self, label: str) -> str:
        """*label* after ``--map``; a name that ends with ``#`` stands for any number there."""
        if label in self.renames or not label[-1:].isdecimal():
            return self.renames.get(label, label)
        return self.renames.get(f"{without_number(label)}#", label)

    def excludes(self, label: str) -> bool:
        """Whether ``--exclude`` names *label*, as the file has it or after ``--map``."""
        return label in self.exclude or self.renamed(label) in self.exclude


@dataclass(frozen=True, slots=True)
class LabelMeaning:
    """What a *label* (after ``--map``) is painted as: the pixel *value*, 255 where ignored.

    *outcome* is what ``--exclude`` or ``--unknown`` made of it, None where it is painted as its
    class; a skipped label has a value, but is not painted.
    """

    label: str
    value: int
    outcome: Outcome | None = None

    @property
    def is_skipped(self) -> bool:
        """Whether nothing of this label is painted."""
        return self.outcome == "skipped"


@dataclass(frozen=True, slots=True)
class LabelTable:
    """Label -> meaning for one dataset; picklable, since every item carries it. *origin* names the
    class list in messages.
    """

    classes: Classes
    rules: LabelRules
    origin: str = "--classes"

    def meaning(self, label: str, address: str) -> LabelMeaning:
        """What *label* is painted as. Raises UnknownLabelError with *address*, the list and its
        beginning.
        """
        name, background = self.rules.renamed(label), self.classes.background or 0
        if self.rules.excludes(label):
            return LabelMeaning(name, background, "skipped")
        if (value := self.value(name)) is not None:
            return LabelMeaning(name, value)
        match self.rules.unknown:
            case "ignore":
                return LabelMeaning(name, IGNORE, "ignored")
            case "background":
                return LabelMeaning(name, background, "background")
            case "skip":
                return LabelMeaning(name, background, "skipped")
        names = self.classes.names
        first = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        raise UnknownLabelError(
            f"{address}: the label {shown(name)!r} is not in the class list ({self.origin}:"
            f" {shown(first)})",
            name,
            class_lists.suggestion(name, names),
        )

    def value(self, name: str) -> int | None:
        """The pixel value of the class *name*; None if it is not in the list."""
        classes = self.classes
        if name in classes.names:
            return classes.names.index(name)
        if name == class_lists.IGNORED:
            return IGNORE
        return classes.background if class_lists.is_background(name) else None


def without_number(label: str) -> str:
    """*label* without the digits at its end."""
    return label.rstrip("0123456789")


def renames(pairs: Sequence[str]) -> dict[str, str]:
    """``--map OLD=NEW`` as a mapping. Raises UsageError (bad-option)."""
    table = {}
    for pair in pairs:
        old, equals, new = (part.strip() for part in pair.partition("="))
        if not (old and equals and new):
            raise UsageError(
                "bad-option", f"--map {pair!r} is not OLD=NEW", "for example: --map kitten=cat"
            )
        table[old] = new
    return table
