"""The facts of annotation files (labelme JSON), before they are converted."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from segprep.checks._common.survey import Survey, Trouble

Point = tuple[float, float]  # x, y


@dataclass(frozen=True, slots=True)
class LabeledShape:
    """One shape: its *number* in the file, *label*, *kind* and *points*."""

    number: int
    label: str
    kind: str
    points: tuple[Point, ...]

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        xs, ys = [x for x, _ in self.points], [y for _, y in self.points]
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True, slots=True)
class AnnotatedFile:
    """One JSON file. *recorded* is (width, height) as it says, *size* that of the image; *picture*
    tells images apart (a digest); *likeness* is the correlation of file and embedded copy, or None;
    *hidden* are the numbers of shapes that later ones cover wholly.
    """

    path: Path
    stem: str
    outlines: tuple[LabeledShape, ...] = ()
    recorded: tuple[int, int] | None = None
    size: tuple[int, int] | None = None
    picture: str = ""
    likeness: float | None = None
    hidden: tuple[int, ...] = ()
    trouble: Trouble | None = None


def of(survey: Survey) -> tuple[AnnotatedFile, ...]:
    """The annotations of *survey* that could be read."""
    return tuple(
        file for file in survey.annotations if isinstance(file, AnnotatedFile) and not file.trouble
    )


def labels(survey: Survey) -> Counter[str]:
    """Label -> shapes with it."""
    return Counter(outline.label for file in of(survey) for outline in file.outlines)


def address(outline: LabeledShape) -> str:
    """How messages name a shape."""
    return f"shapes[{outline.number}] ({outline.label})"
