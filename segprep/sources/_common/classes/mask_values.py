"""What pixel values of foreign masks mean: stated by the user, or inferred from all masks where
that is safe.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from numpy.typing import NDArray

from segprep.dataset import classes as class_lists
from segprep.errors import UsageError
from segprep.files import is_file, read_plain
from segprep.imaging import components, object_numbers, steps
from segprep.imaging.lookup import cause
from segprep.names import unknown
from segprep.sources._common.masks import stepped_masks
from segprep.types import IGNORE, Classes, Note

_LIKE_INSTANCES = (
    "the values look like numbers of objects, not classes: 1 to n without gaps, n differs from"
    " image to image, and each is a single patch"
)
_INSTANCES = "if they are instances of one class, use: segprep convert binary --foreground nonzero"
ClassesById = Annotated[
    str | None,
    "Class names in the order of their ids, from 0: a FILE with one per line, a,b,c, or their"
    " number.",
]
Ids = Annotated[
    str,
    "What the values mean: VALUE=NAME,… or a FILE of such lines; __ignore__ is 255. With"
    " --classes: exceptions to their order.",
]
Meaning = tuple[Classes, dict[int, int], list[Note]]
_MOST_STATED = 24  # classes that a hint spells out
LARGEST = 64  # larger values are gray levels more often than ids


def parse_ids(spec: str, option: str = "--ids") -> dict[int, str]:
    """Pixel value -> class name, from ``0=background,1=cell`` or a file of such lines.

    Raises UsageError, which names the *option*.
    """
    if "=" not in spec and not is_file(spec):
        raise UsageError(
            "bad-option",
            f"{option} {spec!r} is neither VALUE=NAME,… nor a file",
            f"for example: {option} 0=background,255=cell",
        )
    text = spec
    if is_file(spec):
        try:
            text = read_plain(spec).decode("utf-8-sig").replace("\n", ",")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                "bad-option",
                f"{spec}: cannot be read as UTF-8 text: {error}",
                "save it as UTF-8, one VALUE=NAME per line",
            ) from error
    meaning: dict[int, str] = {}
    for part in (text_part.strip() for text_part in text.split(",")):
        value, sign, name = (text_part.strip() for text_part in part.partition("="))
        if not part or part.startswith("#"):
            continue
        if not (sign and name and value.isdecimal() and int(value) <= 65_535):
            raise UsageError(
                "bad-option",
                f"{option}: {part!r} is not VALUE=NAME",
                f"VALUE is a pixel value from 0 to 65535: {option} 0=background,255=cell",
            )
        if meaning.setdefault(int(value), name) != name:
            raise UsageError(
                "bad-option",
                f"{option} gives value {int(value)} two meanings, {meaning[int(value)]} and {name}",
                "leave one of them out",
            )
    return meaning


def stated(meaning: Mapping[int, str]) -> tuple[Classes, dict[int, int]]:
    """The classes of *meaning*, in its order but the background first, and pixel value -> id."""
    names = [name for name in dict.fromkeys(meaning.values()) if name != class_lists.IGNORED]
    names.sort(key=lambda name: not class_lists.is_background(name))
    classes = class_lists.make(names, add_background=False)
    return classes, table(meaning, classes)


def table(meaning: Mapping[int, str], classes: Classes) -> dict[int, int]:
    """*meaning* as pixel value -> id among *classes*.

    Raises UsageError for a name that is none.
    """
    ids = {name: number for number, name in enumerate(classes.names)} | {
        class_lists.IGNORED: IGNORE
    }
    if wrong := [name for name in meaning.values() if name not in ids]:
        message, hint = unknown("class", wrong[0], classes.names)
        raise UsageError("bad-option", f"--ids: {message}", hint)
    return {value: ids[name] for value, name in meaning.items()}


def meaning(listed: str | None, ids: str, beside: Path | None = None) -> Meaning | None:
    """The classes, pixel value -> id, and notes, by --classes (*listed*) and --ids, else by the
    list that lies *beside* the masks; None where nothing says what values mean. Raises UsageError.
    """
    exceptions, notes = parse_ids(ids) if ids else {}, list[Note]()
    if listed is None and not exceptions and beside:
        listed = str(beside)
        notes.append(Note("classes-found", f"classes read from {listed}"))
    if listed is not None:
        classes, ids_of = class_lists.positions(listed), dict[int, int]()
        if (value := class_lists.ignored_value(listed)) is not None:
            ids_of = {value: IGNORE}
            notes.append(Note("classes-found", f"{listed} ignores value {value}: it became 255"))
        return classes, identity(classes) | ids_of | table(exceptions, classes), notes
    return (*stated(exceptions), notes) if exceptions else None


def identity(classes: Classes) -> dict[int, int]:
    """Pixel value = id, 255 = ignored. Where a list that counts from 1 names the background itself,
    0 is not a class: the masks may count from 0.
    """
    twice = classes.names[:1] == (class_lists.BACKGROUND,) and any(
        class_lists.is_background(name) for name in classes.names[1:]
    )
    ids = {number: number for number in range(twice, len(classes.names))}
    return ids | {IGNORE: IGNORE}


@dataclass(slots=True)
class Contents:
    """What the masks of a dataset hold: pixels by value, and of how many of them the values look
    like instance ids.
    """

    seen: dict[int, int] = field(default_factory=dict)
    files: int = 0
    numbered: int = 0
    most: set[int] = field(default_factory=set)
    stepped: list[steps.MaskSteps] = field(default_factory=list)
    counts: object_numbers.Counts = field(default_factory=object_numbers.Counts)

    def add(
        self,
        histogram: Mapping[int, int],
        numbered: bool = False,
        stepped: steps.MaskSteps = steps.NONE,
    ) -> None:
        """One more mask; *stepped*: its :mod:`steps`."""
        for value, count in histogram.items():
            self.seen[value] = self.seen.get(value, 0) + count
        self.files += 1
        self.numbered += numbered
        self.counts.add(histogram)
        self.most.add(len(histogram.keys() - {0, IGNORE}))
        self.stepped += [stepped] if stepped.places else []

    def refuse_smoothed(self, classes: Classes) -> None:
        """Raise UsageError where JPEG or smoothing made some of the ids of *classes*, with the
        option that states that all was drawn. Values beyond them are told with their files.
        """
        values = sorted(frozenset[int]().union(*(mask.values for mask in self.stepped)))
        count = sum(mask.count for mask in self.stepped)
        places = sum(mask.places for mask in self.stepped)
        hint = steps.HINT
        if not values or count < stepped_masks.SET * places or values[-1] >= len(classes.names):
            return
        if len(classes.names) <= _MOST_STATED:
            named = ",".join(f"{n}={name}" for n, name in enumerate(classes.names))
            hint = (
                f"{hint}; if everything was drawn this way, state each value: --ids {quote(named)}"
            )
        which = f"at {count / places:.0%} of the places where ids of the {self.files} masks meet,"
        raise UsageError("values-unclear", f"{which} {steps.told(values)}", hint)

    def refuse_objects(self) -> None:
        """Raise UsageError where the values can only be numbers of objects."""
        if self.counts.objects:
            raise UsageError(
                "values-unclear",
                f"{self.counts.told()}: numbers of objects, not classes",
                f"{_INSTANCES}; if they are classes all the same, say so:"
                f" --classes {max(self.seen.keys() - {IGNORE}) + 1}, or a FILE of names",
            )

    @property
    def instances(self) -> bool:
        """Whether the values are instance ids rather than classes, by all that can be seen."""
        return self.files > 2 and self.numbered == self.files and len(self.most) > 1


def looks_like_instances(values: NDArray[Any], histogram: Mapping[int, int]) -> bool:
    """Whether *values* (H, W) are numbered things: evenly spaced ids without a gap, each in a
    single patch.
    """
    ids = sorted(value for value in histogram if value not in (0, IGNORE))
    if not ids or ids != [ids[0] * n for n in range(1, len(ids) + 1)]:
        return False
    patches = Counter(components.sizes(values)[0].tolist())
    return all(patches[value] == 1 for value in ids)


def infer(contents: Contents | Mapping[int, int]) -> tuple[Classes, list[Note]]:
    """Classes without names for the *contents* (or value -> pixels) of a whole dataset.

    Raises UsageError where the values may mean something else.
    """
    instances = isinstance(contents, Contents) and contents.instances
    seen = contents.seen if isinstance(contents, Contents) else contents
    present = sorted(set(seen) - {IGNORE})
    largest = max(present, default=0)
    if largest == 0 or largest > LARGEST or 2 * len(present) < largest:
        listed = (
            ", ".join(str(value) for value in sorted(seen)[:12]) + (" …" if len(seen) > 12 else "")
            if seen
            else "none"
        )
        hint = cause(seen, 0) if seen else "check the masks"
        if isinstance(contents, Contents) and contents.files == contents.numbered > 2:
            hint = f"{hint}; {_INSTANCES}"
        if len(present) > 24 and largest < IGNORE:  # ids, or smeared: only the user knows
            hint = (
                f"if they are ids (ADE20K has 151), say so: --classes {largest + 1}, or a FILE of"
                f" names; else {hint}"
            )
        raise UsageError(
            "values-unclear", f"the masks hold the values {listed}; what do they mean?", hint
        )
    if isinstance(contents, Contents):
        contents.refuse_objects()
        contents.refuse_smoothed(class_lists.numbered(largest + 1))
    shown = ", ".join(
        f"{value} ({seen[value]} px)"
        for value in [*present[:12], *([IGNORE] if IGNORE in seen else [])]
    )
    notes = [
        Note(
            "classes-inferred",
            f"no class list given; values found: {shown}; 255 is ignored. Name them with --classes"
            " or --ids",
        )
    ]
    if instances:
        notes.append(Note("instances-suspected", f"{_LIKE_INSTANCES}; {_INSTANCES}"))
    if 0 not in seen:
        notes.append(
            Note(
                "values-unclear",
                "no pixel has the value 0; if the values count from 1, say so: --ids"
                " 1=NAME,2=NAME,…",
            )
        )
    return class_lists.numbered(largest + 1), notes
