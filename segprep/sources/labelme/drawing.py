"""The shapes of one annotation as outlines, and the labels of a whole folder."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from segprep import engine, jsontext
from segprep.dataset import classes as class_lists
from segprep.errors import ShapeError, SourceError
from segprep.files import facts, read_below
from segprep.imaging.shapes import Shape
from segprep.sources._common.classes import class_list
from segprep.sources._common.classes.labels import LabelMeaning, LabelRules, LabelTable
from segprep.sources._common.shapes.outlines import LabeledOutline
from segprep.sources._common.shapes.region_areas import refuse_empty
from segprep.sources._common.shapes.region_attributes import absent, named_values, only_value
from segprep.sources._common.shapes.region_shapes import Attributes
from segprep.sources.labelme import annotation_file, shape_types
from segprep.sources.labelme.annotation_file import Annotation
from segprep.sources.labelme.shape_types import Pens
from segprep.types import Note, Progress

_NO_OUTLINE = {"rectangle": "rectangle", "rotation": "rectangle", "point": "point"}
BOXES = 10  # rectangles in a source of hardly anything else that are worth a note
LIST = "labels.txt"  # read without being asked for; labelme's own tutorials call it so


def outlines(
    annotation: Annotation, *, size: tuple[int, int], pens: Pens, class_from: str = ""
) -> Iterator[LabeledOutline]:
    """The shapes of *annotation* on a picture of *size* (H, W), in the file's order; their label is
    the value of *class_from* where it names an attribute.
    """
    for number, raw in enumerate(annotation.shapes):
        address = f"shapes[{number}]"
        shape = partial(_shape, annotation, number, size, pens)
        yield LabeledOutline(address, partial(_label, raw, address, class_from), shape)


def _label(raw: Any, address: str, class_from: str) -> str:
    """The label of a shape, or the value of its attribute *class_from*. Raises ShapeError."""
    if not isinstance(raw, dict):
        reason = f"{address}: an object was expected, not {type(raw).__name__}"
        raise ShapeError(reason, code="bad-annotation")
    if class_from:
        return only_value(_attributes(raw), class_from, address)
    try:
        return annotation_file.label_of(raw)
    except ValueError as error:
        raise ShapeError(f"{address}.label: {error}", "name it in labelme", "bad-label") from error


def _attributes(raw: Mapping[str, Any]) -> Attributes:
    """What a shape has besides its label: the flags that are set, a group, a description, and the
    attributes of X-AnyLabeling.
    """
    flags, attributes = raw.get("flags"), raw.get("attributes")
    listed = [("flags", flag) for flag, on in _entries(flags) if on is True]
    listed += [(key, raw.get(key)) for key in ("group_id", "description")]
    return tuple(
        pair for named in [*listed, *_entries(attributes)] for pair in named_values(*named)
    )


def _entries(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _shape(
    annotation: Annotation,
    number: int,
    size: tuple[int, int],
    pens: Pens,
    meaning: LabelMeaning,
) -> Shape:
    """Shape *number*. Raises ShapeError."""
    return shape_types.shape(
        annotation.shapes[number],
        meaning,
        number,
        path=annotation.path,
        size=size,
        pens=pens,
        version=annotation.version,
    )


def label_table(
    rules: LabelRules, root: Path, files: Sequence[Path], reading: "FileReading"
) -> tuple[LabelTable, tuple[Note, ...]]:
    """The class list: ``--classes``, else labels.txt in *root*, else all labels of *files*.

    Raises SegprepError for a list that cannot be used.
    """
    if rules.classes is not None:
        classes, origin = class_list.stated(rules.classes)
        return LabelTable(classes, rules, origin), ()
    path = root / LIST
    if path.is_file() and not reading.class_from:
        read_below(path, (root,))
        note = Note("classes-found", f"classes read from {path}")
        return LabelTable(class_lists.make(class_lists.read_list(path)), rules, LIST), (note,)
    labels, names, kinds, sound = Counter[str](), set[str](), Counter[str](), 0
    kind = repr(("labels, kinds", reading.encoding, reading.class_from))
    for told in facts.all_recalled([*map(str, files)], partial(_read_labels, reading, files), kind):
        if told is not None:
            counts, attributes, of_kind = jsontext.parsed(told)
            labels.update(counts)
            names.update(attributes)
            kinds.update(of_kind)
            sound += 1
    if sound and not kinds:
        refuse_empty(sound, rules.classes)
    if reading.class_from and kinds and reading.class_from not in names:
        raise absent(reading.class_from, sorted(names))
    classes, notes = class_list.inferred(rules, labels, root)
    return LabelTable(classes, rules, class_list.MADE), (*notes, *_without_outlines(kinds))


def _without_outlines(kinds: Counter[str]) -> list[Note]:
    """A note where hardly any of the shapes of these *kinds* is an outline."""
    shapes, boxes, points = kinds.total(), kinds["rectangle"], kinds["point"]
    if boxes < BOXES or 10 * (boxes + points) < 9 * shapes:
        return []
    dots = f", {points} are points" if points else ""
    reason = (
        f"{boxes} of {shapes} shapes are rectangles{dots}: around objects, as for detection,"
        " rectangles also contain the surroundings; segmentation needs outlines"
    )
    return [Note("boxes-alone", reason)]


def _read_labels(
    reading: "FileReading", files: Sequence[Path], numbers: Sequence[int]
) -> Iterator[bytes | None]:
    """What each of the *files* of these *numbers* tells: JSON of how often each label stands there,
    the names of its attributes, and the number of its shapes of each type; None for one that cannot
    be read.
    """
    chosen = [files[number] for number in numbers]
    if not chosen:
        return
    results = engine.run(_Labels(reading), chosen, jobs=reading.jobs, chunk=32)
    for result in reading.progress(results, len(chosen), "reading labels"):
        yield None if isinstance(result, engine.Failure) else result


@dataclass(frozen=True, slots=True)
class FileReading:
    """How the annotation files are read: below which *roots*, in which *encoding*, by how many
    *jobs*, with what *progress*; *class_from* names the attribute that holds the class.
    """

    roots: tuple[Path, ...]
    encoding: str
    jobs: int
    progress: Progress[Any]
    class_from: str


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of one file, for the engine."""

    reading: FileReading

    def __call__(self, path: Path) -> bytes | None:
        try:
            listed = annotation_file.load(path, self.reading.roots, self.reading.encoding).shapes
        except SourceError:
            return None  # the same fault is reported with its address when the file is read
        counts: Counter[str] = Counter()
        for number, raw in enumerate(listed):
            try:
                counts[_label(raw, f"shapes[{number}]", self.reading.class_from)] += 1
            except ShapeError:
                continue  # the same
        shapes = [raw for raw in listed if self.reading.class_from and isinstance(raw, dict)]
        names = dict.fromkeys(name for raw in shapes for name, _ in _attributes(raw))
        types = [raw.get("shape_type") if isinstance(raw, dict) else None for raw in listed]
        kinds = Counter(_NO_OUTLINE.get(str(kind), "other") for kind in types)
        return json.dumps((counts, [*names], kinds)).encode()
