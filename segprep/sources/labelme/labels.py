"""What the labels of labelme files mean: the class list, where it comes from, and the pixel value
of every label.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from segprep.dataset import classes as class_lists
from segprep.errors import ShapeError, UsageError
from segprep.files import read_below
from segprep.imaging.unpainted import Outcome
from segprep.names import shown, variant_key
from segprep.types import IGNORE, Classes, Note

LEFT_OUT = -1
LIST = "labels.txt"  # read without being asked for; labelme's own tutorials call it so
OTHER_LISTS = (
    "label.txt",
    "classes.txt",
    "class_names.txt",
    "predefined_classes.txt",
    "labelmap.txt",
    "_classes.csv",
    "class_dict.csv",
    "classes.json",
    "dataset.json",
    "obj_class_to_machine_color.json",
)
_TYPO_LENGTH = 4  # shorter labels are one letter off each other all the time


class UnknownLabelError(ShapeError):
    """The *label* of a shape is not in the class list."""

    label = ""


@dataclass(frozen=True, slots=True)
class Meanings:
    """Label -> pixel *value* or LEFT_OUT, after renaming; *origin* names the class list in
    messages, *unknown* is the policy for a label that it lacks.
    """

    values: Mapping[str, int]
    renamed: Mapping[str, str]
    classes: Classes
    unknown: str
    origin: str

    def value(self, label: str, address: str) -> int:
        """What *label* is painted as. Raises UnknownLabelError with the list and its beginning."""
        if label in self.values:
            return self.values[label]
        background = self.classes.background
        if class_lists.is_background(label) and background is not None:
            return background
        if self.unknown == "error":
            names = self.classes.names
            first = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            error = UnknownLabelError(
                f"{address}.label: {shown(label)!r} is not in the class list ({self.origin}:"
                f" {shown(first)})",
                class_lists.suggestion(label, names),
                "unknown-label",
            )
            error.label = label
            raise error
        return {"ignore": IGNORE, "background": background or 0, "skip": LEFT_OUT}[self.unknown]

    def outcome(self, label: str) -> Outcome | None:
        """What --exclude or --unknown makes of *label*; None where it is painted as its class."""
        if label in self.values:
            return "skipped" if self.values[label] == LEFT_OUT else None
        if class_lists.is_background(label) or self.unknown == "error":
            return None
        outcomes: dict[str, Outcome] = {"ignore": "ignored", "background": "background"}
        return outcomes.get(self.unknown, "skipped")


def meanings(
    classes: Classes,
    origin: str,
    *,
    unknown: str,
    exclude: Sequence[str],
    renames: Mapping[str, str],
) -> Meanings:
    """The pixel value of every label that *classes* and the options know."""
    values = {name: number for number, name in enumerate(classes.names)}
    values |= {class_lists.IGNORED: IGNORE}
    if classes.background is not None:
        values.setdefault(class_lists.BACKGROUND, classes.background)
        values.setdefault("background", classes.background)
    values |= {old: values[new] for old, new in renames.items() if new in values}
    values |= dict.fromkeys(exclude, LEFT_OUT)
    return Meanings(values, renames, classes, unknown, origin)


def stated(spec: str | None, root: Path) -> tuple[Classes, list[Note]] | None:
    """The class list of --classes, or of SRC/labels.txt; None where there is neither.

    Raises SegprepError for a list that cannot be used.
    """
    if spec is not None:
        if spec.isdecimal():
            reason = "labelme annotations have names, so --classes needs names"
            raise UsageError("bad-classes", reason, "give a FILE or a,b,c")
        return class_lists.make(class_lists.parse_list(spec)), []
    path = root / LIST
    if not path.is_file():
        return None
    read_below(path, (root,))
    names = class_lists.read_list(path)
    return class_lists.make(names), [Note("classes-found", f"classes read from {path}")]


def origin_of(spec: str | None, root: Path) -> str:
    """How messages name the class list."""
    if spec is not None:
        return spec if os.path.isfile(spec) else "--classes"  # a long list is not a file name
    return LIST if (root / LIST).is_file() else "made of the labels"


def inferred(counts: Counter[str], root: Path) -> tuple[Classes, list[Note]]:
    """The class list made of all labels, *counts* by label, and what a person should know of it."""
    classes, notes = class_lists.infer(counts)
    if lists := [name for name in OTHER_LISTS if (root / name).is_file()]:
        reason = f"{', '.join(lists)} lies in {root} and was not read"
        hint = f"; if it is the class list, give --classes {quote(str(root / lists[0]))}"
        notes.append(Note("classes-inferred", reason + hint))
    numbers = [name for name in classes.names if name.isdecimal()]
    if any(int(name) != classes.names.index(name) for name in numbers):
        moved = ", ".join(f"{name} is {classes.names.index(name)}" for name in numbers[:8])
        reason = f"the labels are numbers, but ids follow their order: label {moved}"
        notes.append(Note("classes-inferred", f"{reason}; give --classes to fix the ids"))
    return classes, notes + _typos(counts)


def _typos(counts: Counter[str]) -> list[Note]:
    """A note for every label that occurs once and is one letter off a label that occurs often."""
    notes = []
    for label in sorted(label for label, count in counts.items() if count == 1):
        for other, count in counts.most_common():
            if count > 1 and _is_typo(label, other):
                reason = (
                    f"label {shown(label)!r} occurs once and is one letter off {shown(other)!r}"
                )
                hint = f"if it is a typo, give --map {quote(f'{label}={other}')}"
                notes.append(Note("label-typo", f"{reason} ({count} times); {hint}"))
                break
    return notes


def _is_typo(label: str, other: str) -> bool:
    """Whether one insertion, deletion or change of a letter (not a digit), or one swap of
    neighbors, makes one of the other.
    """
    if min(len(label), len(other)) < _TYPO_LENGTH or variant_key(label) == variant_key(other):
        return False
    if abs(len(label) - len(other)) > 1:
        return False
    start = next((n for n, (a, b) in enumerate(zip(label, other, strict=False)) if a != b), None)
    start = min(len(label), len(other)) if start is None else start
    rest, rest_other = label[start:], other[start:]
    if any(text[:1].isdecimal() for text in (rest, rest_other)):
        return False
    swapped = rest[:2] == rest_other[:2][::-1] and rest[2:] == rest_other[2:]
    return (
        swapped
        or rest_other in (rest[1:],)
        or rest in (rest_other[1:],)
        or rest[1:] == rest_other[1:]
    )
