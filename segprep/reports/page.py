"""A page of results in one file: it opens offline, asks the network for nothing and runs no script.
Parts are values; any report can be put together of them.

Everything that is shown goes through Jinja2 with autoescape on: a class or file name can be any
text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from segprep.names import shown
from segprep.reports.lines import Line, Lines
from segprep.reports.style import STYLE, TEMPLATE

__all__ = [
    "Cards",
    "Figure",
    "Gallery",
    "Line",
    "Lines",
    "Matrix",
    "Page",
    "Remarks",
    "Section",
    "Table",
    "render",
]


@dataclass(frozen=True, slots=True)
class Cards:
    """Numbers side by side: (label, value, what it means)."""

    cards: Sequence[tuple[str, str, str]]
    kind: ClassVar[str] = "cards"


@dataclass(frozen=True, slots=True)
class Remarks:
    """Sentences, each with a short word before it: (word, sentence)."""

    remarks: Sequence[tuple[str, str]]
    kind: ClassVar[str] = "remarks"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; all columns but the first *left* stand right. *bars* are shares 0 to 1, one for
    each row, drawn under the cell of the column *bar*.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1
    bar: int = -1
    bars: Sequence[float] = ()
    kind: ClassVar[str] = "table"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix (C, C) of counts, rows truth, shaded by the share of its true class."""

    names: Sequence[str]
    counts: Any
    kind: ClassVar[str] = "matrix"

    @property
    def rows(self) -> list[tuple[str, list[tuple[str, str, int]]]]:
        """(name, cells) per true class; a cell is (count, share of the row in words, shade
        0..100).
        """
        return [
            (name, [_cell(int(count), int(row.sum())) for count in row])
            for name, row in zip(self.names, self.counts, strict=True)
        ]


def _cell(count: int, total: int) -> tuple[str, str, int]:
    share = count / total if total else 0.0
    return f"{count:,}", f"{share:.1%}" if total else "–", round(100 * share)


@dataclass(frozen=True, slots=True)
class Figure:
    """Pictures that belong together: (label, data URI), and what to say of them."""

    title: str
    text: str
    pictures: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Gallery:
    """Figures with a legend of (name, CSS color); *wide* ones have more room."""

    figures: Sequence[Figure]
    legend: Sequence[tuple[str, str]] = ()
    wide: bool = False
    kind: ClassVar[str] = "gallery"


Part = Cards | Remarks | Table | Matrix | Lines | Gallery


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a sentence, and parts."""

    heading: str
    text: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Page:
    """*verdict* is shown as a badge in the color of *tone*: good, fair or bad."""

    title: str
    verdict: str
    tone: str
    lead: str
    sections: Sequence[Section]
    foot: str = ""


def _visible(value: Any) -> Any:
    """*value* with its hidden characters escaped, if it is text of a report."""
    if type(value) is not str or value.isprintable():  # markup is a str of another type
        return value
    return "\n".join(map(shown, value.split("\n")))


def render(page: Page) -> bytes:
    """*page* as UTF-8 HTML. Characters that UTF-8 cannot hold are escaped, and so are those that
    steer a terminal or turn the direction of writing.
    """
    from jinja2 import Environment, StrictUndefined

    template = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    ).from_string(TEMPLATE)
    return template.render(page=page, style=STYLE).encode("utf-8", "backslashreplace")
