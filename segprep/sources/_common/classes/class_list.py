"""The class list of annotations: stated by the user, declared by a file of the source, or made of
all labels, and what a person should know of it.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from shlex import quote

from segprep.dataset import classes as class_lists
from segprep.errors import UsageError
from segprep.names import shown, variant_key
from segprep.sources._common.classes.labels import LabelRules, without_number
from segprep.types import Classes, Note

MADE = "made of the labels"
OTHER_LISTS = (
    "labels.txt",
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
_NUMBERED = 5  # labels that differ by a number alone
_TYPO_LENGTH = 4  # shorter labels are one letter off each other all the time


def stated(spec: str) -> tuple[Classes, str]:
    """The class list of ``--classes``, and how messages name it. Raises SegprepError."""
    if spec.isdecimal():
        reason = "these annotations have names, so --classes needs names"
        raise UsageError("bad-classes", reason, "give a FILE or a,b,c")
    is_file = os.path.isfile(spec)  # a long list is not a file name
    return class_lists.make(class_lists.parse_list(spec)), spec if is_file else "--classes"


def declared(rules: LabelRules, names: Sequence[str], origin: str) -> tuple[Classes, Note]:
    """The class list of *names* that a file of the source, *origin*, declares in their order; the
    background comes first. Raises SegprepError.
    """
    renamed = [rules.renamed(name) for name in names if not rules.excludes(name)]
    background = [name for name in renamed if class_lists.is_background(name)]
    others = [name for name in renamed if not class_lists.is_background(name)]
    classes = class_lists.make(dict.fromkeys([*background[:1], *others]))
    note = Note("classes-found", f"classes read from {origin}: {numbered(classes.names)}")
    return classes, note


def inferred(
    rules: LabelRules, labels: Counter[str], root: Path
) -> tuple[Classes, tuple[Note, ...]]:
    """The class list made of all *labels* (with their counts) below *root*, in natural order, and
    what a person should know of it. Raises SegprepError.
    """
    counts: Counter[str] = Counter()
    for label, count in labels.items():
        if not rules.excludes(label):
            counts[rules.renamed(label)] += count
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
    return classes, (*notes, *_numbered(counts), *_typos(counts))


def numbered(names: Iterable[str]) -> str:
    """``0 cat, 1 dog, …``, at most 30 of them."""
    listed = [f"{number} {name}" for number, name in enumerate(names)]
    return ", ".join(listed[:30]) + (" …" if len(listed) > 30 else "")


def _numbered(counts: Counter[str]) -> list[Note]:
    """A note for every group of labels that differ by a number alone and seem to number things:
    most occur once, or they begin at 0 or 1 and the higher, the rarer, with few exceptions.
    """
    groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for label, count in counts.items():
        if (name := without_number(label)) not in ("", label):
            groups[name].append((int(label.removeprefix(name)), count))
    notes = []
    for name, group in groups.items():
        numbers, times = zip(*sorted(group), strict=True)
        first, last = numbers[0], numbers[-1]
        counted = first <= 1 and numbers == tuple(range(first, last + 1))
        rises = sum(more > less for less, more in pairwise(times))
        rarer = 8 * rises < len(times) and times[0] >= 2 * times[-1]
        once = 4 * times.count(1) >= 3 * len(times)
        if len(group) >= _NUMBERED and (once or (counted and rarer)):
            pair = f"{name}#={name.rstrip(' _-') or name}"
            reason = (
                f"{len(group)} labels, {name}{first} to {name}{last}, differ only by a number,"
                f" and it seems to number objects; if they are one class, give --map {quote(pair)}"
            )
            notes.append(Note("instances-suspected", reason))
    return notes


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
