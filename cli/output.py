"""Results for people (tables on stdout, notes on stderr) and for programs (one JSON document)."""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

import click

from segprep import jsontext
from segprep.names import shown
from segprep.types import Note, Skipped

FEW = 3
ALIKE = 30  # skipped inputs of one code
# DEL, C1, soft hyphen, marks of direction, separators, BOM, tags: legal in JSON, unsafe to print
_HIDDEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)


def document(content: dict[str, Any] | list[dict[str, Any]]) -> None:
    """Print *content* as JSON; a number that is not finite becomes null, and characters that steer
    a terminal are escaped.
    """
    click.echo(_HIDDEN.sub(lambda match: json.dumps(match[0])[1:-1], jsontext.text(content)))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; numbers stand right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    line(title)
    grid = Table(show_edge=False, pad_edge=False)
    filled = [[shown(cell) for cell in row] for row in rows]
    for n, column in enumerate(columns):
        numeric = (
            all(
                row[n].replace(",", "").replace(".", "").replace("%", "").replace(" ", "").isdigit()
                for row in filled
            )
            and filled
        )
        grid.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
    for row in filled:
        grid.add_row(*(Text(cell) for cell in row))
    Console().print(grid)


def share(value: float) -> str:
    """A score from 0 to 1; a dash where it is undefined."""
    return "-" if math.isnan(value) else f"{value:.3f}"


def line(text: str) -> None:
    """Print one line of result."""
    click.echo(shown(text))


def aside(text: str) -> None:
    """Print one line that is not a result, on stderr."""
    click.echo(shown(text), err=True)


def notes(listed: Iterable[Note], verbose: bool) -> None:
    """Print notes on stderr: those about the whole run in full, those about samples counted by code
    unless *verbose*.
    """
    by_code: dict[str, list[Note]] = defaultdict(list)
    for note in listed:
        by_code[note.code].append(note)
    for code, group in by_code.items():
        general = [note for note in group if not note.stem]
        samples = [note for note in group if note.stem]
        for note in general:
            click.echo(f"note [{code}]: {shown(note.message)}", err=True)
        for note in samples if verbose or len(samples) <= FEW else samples[:1]:
            click.echo(f"note [{code}]: {shown(note.stem)}: {shown(note.message)}", err=True)
        if len(samples) > FEW and not verbose:
            click.echo(f"  … and {len(samples) - 1} more like it (--verbose lists them)", err=True)


def skipped(listed: Iterable[Skipped], verbose: bool = False) -> None:
    """Print the inputs that were skipped, with their reasons, on stderr: of one code the first
    ALIKE, all with *verbose*, then also the tracebacks of faults of segprep's own. A hint stands
    once below the inputs that share it.
    """
    entries, counts = list[Skipped](), Counter[str]()
    for entry in listed:
        counts[entry.code] += 1
        if verbose or counts[entry.code] <= ALIKE:
            entries.append(entry)
    for entry, following in zip_longest(entries, entries[1:]):
        kind = "skipped" if entry.foreign else "bad input"
        reason = f"{shown(entry.path)}: {shown(entry.reason)}"
        click.echo(f"{kind} [{entry.code}]: {reason}", err=True)
        if verbose and entry.detail:
            click.echo("\n".join(map(shown, entry.detail.splitlines())), err=True)
        shared = following and (entry.code, entry.hint) == (following.code, following.hint)
        if entry.hint and not shared:
            click.echo(f"  -> {shown(entry.hint)}", err=True)
    for code, count in counts.items():
        if count > ALIKE and not verbose:
            rest = f"{count - ALIKE} more inputs with [{code}]"
            click.echo(f"  … and {rest} (--json lists them all)", err=True)


def skipped_count(listed: Sequence[Skipped]) -> None:
    """With --quiet: how many inputs were skipped, on stderr; nothing if none were."""
    if listed:
        click.echo(f"{len(listed)} inputs skipped (without --quiet they are listed)", err=True)


def plain_notes(listed: Iterable[Note]) -> list[dict[str, str]]:
    """Notes for a JSON document."""
    return [{"stem": note.stem, "code": note.code, "message": note.message} for note in listed]


def plain_skipped(listed: Iterable[Skipped]) -> list[dict[str, str]]:
    """Skipped inputs for a JSON document."""
    return [
        {
            "stem": entry.stem,
            "path": entry.path,
            "code": entry.code,
            "reason": entry.reason,
            "hint": entry.hint,
        }
        for entry in listed
    ]
