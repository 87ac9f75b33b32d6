"""The shapes of one annotation as outlines, and the labels of a whole folder."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from segprep import engine
from segprep.dataset import classes as class_lists
from segprep.errors import ShapeError, SourceError
from segprep.files import read_below
from segprep.imaging.shapes import Shape
from segprep.sources._common import class_list
from segprep.sources._common.labels import LabelMeaning, LabelRules, LabelTable
from segprep.sources._common.outlines import LabeledOutline
from segprep.sources.labelme import annotation_file, shape_types
from segprep.sources.labelme.annotation_file import Annotation
from segprep.sources.labelme.shape_types import Pens
from segprep.types import Note, Progress

LIST = "labels.txt"  # read without being asked for; labelme's own tutorials call it so


def outlines(
    annotation: Annotation, *, size: tuple[int, int], pens: Pens
) -> Iterator[LabeledOutline]:
    """The shapes of *annotation* on a picture of *size* (H, W), in the file's order."""
    for number, raw in enumerate(annotation.shapes):
        shape = partial(_shape, annotation, number, size, pens)
        yield LabeledOutline(f"shapes[{number}]", partial(_label, raw, f"shapes[{number}]"), shape)


def _label(raw: Any, address: str) -> str:
    """The label of a shape. Raises ShapeError."""
    if not isinstance(raw, dict):
        reason = f"{address}: an object was expected, not {type(raw).__name__}"
        raise ShapeError(reason, code="bad-annotation")
    try:
        return annotation_file.label_of(raw)
    except ValueError as error:
        raise ShapeError(f"{address}.label: {error}", "name it in labelme", "bad-label") from error


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
    if path.is_file():
        read_below(path, (root,))
        note = Note("classes-found", f"classes read from {path}")
        return LabelTable(class_lists.make(class_lists.read_list(path)), rules, LIST), (note,)
    labels: Counter[str] = Counter()
    results = engine.run(_Labels(reading), files, jobs=reading.jobs, chunk=32)
    for result in reading.progress(results, len(files), "reading labels"):
        if not isinstance(result, engine.Failure):
            labels.update(result)
    classes, notes = class_list.inferred(rules, labels, root)
    return LabelTable(classes, rules, class_list.MADE), notes


@dataclass(frozen=True, slots=True)
class FileReading:
    """How the annotation files are read: below which *roots*, in which *encoding*, by how many
    *jobs*, with what *progress*.
    """

    roots: tuple[Path, ...]
    encoding: str
    jobs: int
    progress: Progress[Any]


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of one file, for the engine."""

    reading: FileReading

    def __call__(self, path: Path) -> Counter[str]:
        try:
            listed = annotation_file.load(path, self.reading.roots, self.reading.encoding).shapes
        except SourceError:
            return Counter()  # the same fault is reported with its address when the file is read
        counts: Counter[str] = Counter()
        for number, raw in enumerate(listed):
            try:
                counts[_label(raw, f"shapes[{number}]")] += 1
            except ShapeError:
                continue  # the same
        return counts
