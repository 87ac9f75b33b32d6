"""A result as a small card of HTML, for notebooks: ``_repr_html_``.

A card loads nothing from elsewhere and runs no script. Every text is escaped. Its colors follow the
notebook's own text color, so that it is readable on light and on dark pages.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_FAINT = "color-mix(in srgb, currentColor {share}%, transparent)"
_BOX = (
    "font:13px/1.45 system-ui,sans-serif;color:inherit;background:transparent;max-width:46rem;"
    f"border:1px solid {_FAINT.format(share=25)};border-radius:8px;padding:10px 14px"
)
_CELL = (
    "padding:2px 12px 2px 0;color:inherit;background:transparent;font-variant-numeric:tabular-nums;"
    f"border:0;border-bottom:1px solid {_FAINT.format(share=12)};text-align:"
)
_CAPTION = (  # as wide as the picture, however long the name
    "width:0;min-width:100%;overflow:hidden;text-overflow:ellipsis;white-space:nowrap"
)
_SWATCH = (
    "display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;"
    f"border:1px solid {_FAINT.format(share=40)};background:"
)


@dataclass(frozen=True, slots=True)
class Swatch:
    """A cell of a card's table with a spot of *color*, e.g. "rgb(128 0 0)", before its *text*."""

    color: str
    text: str


def card(
    title: str,
    facts: Mapping[str, object],
    *,
    columns: Sequence[str] = (),
    rows: Sequence[Sequence[object]] = (),
    texts: int = 2,
    remarks: Sequence[str] = (),
    pictures: Mapping[str, str] | None = None,
) -> str:
    """The HTML of a card: *title*, *facts* (empty ones left away), a table whose first *texts*
    columns are text and the rest numbers, *remarks* as a list, *pictures* (caption -> data URI).
    """
    stated = {name: value for name, value in facts.items() if value not in (None, "", (), {})}
    lines = [f"<b>{_text(name)}</b> {_text(value)}" for name, value in stated.items()]
    parts = [f'<div style="font-weight:600;font-size:15px">{_text(title)}</div>']
    parts += [f"<div>{' &nbsp; '.join(lines)}</div>"] if lines else []
    parts += [_table(columns, rows, texts)] if rows else []
    if remarks:
        listed = "".join(f"<li>{_text(remark)}</li>" for remark in remarks)
        parts.append(f'<ul style="margin:6px 0 0;padding-left:18px">{listed}</ul>')
    if pictures:
        shown = "".join(_figure(name, uri) for name, uri in pictures.items())
        parts.append(f'<div style="display:flex;flex-wrap:wrap;gap:8px">{shown}</div>')
    return f'<div class="segprep-card" style="{_BOX}">{"".join(parts)}</div>'


def _text(value: object) -> str:
    return _escaped(str(value))


def _escaped(text: str) -> str:
    from html import escape  # few calls draw a card, and it reads a table of 2,000 names

    return escape(text)


def counted(lines: Iterable[str]) -> list[str]:
    """Every line of *lines* once, in their order; with how often it occurs where that is more."""
    return [
        line if number == 1 else f"{line} ({number} times)"
        for line, number in Counter(lines).items()
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]], texts: int) -> str:
    sides = ["left" if n < texts else "right" for n in range(max(map(len, (columns, *rows))))]
    head = "".join(
        f'<th style="{_CELL}{side}">{_text(name)}</th>'
        for side, name in zip(sides, columns, strict=False)
    )
    body = "".join(f"<tr>{''.join(map(_cell, sides, row))}</tr>" for row in rows)
    style = "font:inherit;border-collapse:collapse;margin-top:6px;background:transparent"
    return f'<table style="{style}"><tr>{head}</tr>{body}</table>'


def _cell(side: str, value: object) -> str:
    spot = ""
    if isinstance(value, Swatch):
        spot = f'<span style="{_SWATCH}{_escaped(value.color)}"></span>'
        value = value.text
    return f'<td style="{_CELL}{side}">{spot}{_text(value)}</td>'


def _figure(name: str, uri: str) -> str:
    picture = (
        f'<img src="{_escaped(uri)}" alt="{_text(name)}" style="max-width:100%;display:block">'
    )
    caption = f'<figcaption title="{_text(name)}" style="{_CAPTION}">{_text(name)}</figcaption>'
    return f'<figure style="margin:8px 0 0;width:fit-content">{picture}{caption}</figure>'
