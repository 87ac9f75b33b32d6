"""Labels of annotated regions to pixel values: the class list, renames, and what becomes of labels
that are not in it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segprep.dataset import classes as class_lists
from segprep.errors import UnknownClassError, UsageError
from segprep.names import shown
from segprep.types import IGNORE, Classes, Note, Unknown

SKIPPED = -1


@dataclass(frozen=True, slots=True)
class LabelRules:
    """The options that say what a label becomes; see the options of the same names."""

    classes: str | None = None
    unknown: Unknown = "error"
    exclude: tuple[str, ...] = ()
    renames: Mapping[str, str] | None = None

    def renamed(self, label: str) -> str:
        """*label* after ``--map``."""
        return (self.renames or {}).get(label, label)


@dataclass(frozen=True, slots=True)
class LabelTable:
    """Label -> pixel value for one dataset; picklable, since every item carries it."""

    classes: Classes
    rules: LabelRules

    def value(self, label: str, path: Path, address: str) -> int:
        """The pixel value of *label*, 255 where ignored, or SKIPPED.

        Raises UnknownClassError with *path* and *address*.
        """
        if label in self.rules.exclude:
            return SKIPPED
        name, classes = self.rules.renamed(label), self.classes
        if name in classes.names:
            return classes.names.index(name)
        if name == class_lists.IGNORED:
            return IGNORE
        if class_lists.is_background(name) and classes.background is not None:
            return classes.background
        if self.rules.unknown == "error":
            raise UnknownClassError(
                path,
                f"{address}: the label {shown(name)!r} is not in the class list"
                f" ({', '.join(classes.names[:8])}{' …' if len(classes.names) > 8 else ''})",
                class_lists.suggestion(name, classes.names),
            )
        background = classes.background or 0
        return {"ignore": IGNORE, "background": background}.get(self.rules.unknown, SKIPPED)


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


def class_list(
    rules: LabelRules, labels: Counter[str], declared: Sequence[str], origin: str
) -> tuple[Classes, tuple[Note, ...]]:
    """The class list of a source: ``--classes``, else what its own files declare (*declared*, in
    their order, named by *origin*), else all *labels* in natural order. Raises SegprepError.
    """
    if rules.classes is not None:
        if rules.classes.isdecimal():
            raise UsageError(
                "bad-classes",
                "these annotations have names, so --classes needs names",
                "give a FILE or a,b,c",
            )
        return class_lists.make(class_lists.parse_list(rules.classes)), ()
    names = [rules.renamed(name) for name in declared if name not in rules.exclude]
    if names:
        background = [name for name in names if class_lists.is_background(name)]
        others = [name for name in names if not class_lists.is_background(name)]
        classes = class_lists.make(dict.fromkeys([*background[:1], *others]))
        numbered = _numbered(classes.names)
        return classes, (Note("classes-found", f"classes read from {origin}: {numbered}"),)
    used = {rules.renamed(label) for label in labels if label not in rules.exclude}
    classes, notes = class_lists.infer(used)
    return classes, tuple(notes)


def skipped_labels(rules: LabelRules, classes: Classes, labels: Counter[str]) -> tuple[Note, ...]:
    """A note per label that ``--exclude`` or ``--unknown`` takes out of the classes, with its
    number of regions.
    """
    notes = []
    names = {*classes.names, class_lists.IGNORED}
    for label, count in sorted(labels.items()):
        name = rules.renamed(label)
        if label in rules.exclude:
            notes.append(_skipped(label, count, "--exclude skips them"))
        elif name not in names and not class_lists.is_background(name) and rules.unknown != "error":
            notes.append(
                _skipped(label, count, f"not in the class list: --unknown {rules.unknown}")
            )
    return tuple(notes)


def _skipped(label: str, count: int, why: str) -> Note:
    return Note("label-skipped", f"label {shown(label)!r}: {count} regions; {why}")


def _numbered(names: Iterable[str]) -> str:
    listed = [f"{number} {name}" for number, name in enumerate(names)]
    return ", ".join(listed[:30]) + (" …" if len(listed) > 30 else "")
