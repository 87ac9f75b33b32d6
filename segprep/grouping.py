"""Which samples stay together: groups by a regular expression over stems, or by a CSV table."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from segprep.errors import UsageError
from segprep.names import stem_of


def groups_of(stems: Sequence[str], group_by: str | None) -> dict[str, str]:
    """Stem -> group. Raises UsageError for an expression or table that leaves stems without one."""
    if group_by is None:
        return {stem: stem for stem in stems}
    table = Path(group_by)
    if table.suffix.lower() == ".csv" or table.is_file():
        table_groups = _table(table)
        groups = {stem: table_groups.get(stem, "") for stem in stems}
    else:
        try:
            pattern = re.compile(group_by)
        except re.error as error:
            raise UsageError(
                "bad-group",
                f"--group-by {group_by!r} is no regular expression: {error}",
                r"for example --group-by '^(patient\d+)_'",
            ) from error
        matches = {stem: pattern.search(stem) for stem in stems}
        groups = {
            stem: (match[1] if pattern.groups else match[0]) or "" if match else ""
            for stem, match in matches.items()
        }
    if without := [stem for stem in stems if not groups[stem]]:
        raise UsageError(
            "bad-group",
            f"--group-by {group_by} gives {len(without)} samples no group:"
            f" {', '.join(without[:5])}",
            "correct the expression or the table",
        )
    return groups


def _table(path: Path) -> dict[str, str]:
    try:
        rows = [row for row in csv.reader(path.read_text("utf-8-sig").splitlines()) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            "bad-group", f"{path}: {error}", "give a UTF-8 CSV file with the columns stem,group"
        ) from error
    if short := [row for row in rows if len(row) < 2]:
        raise UsageError(
            "bad-group",
            f"{path}: a row has {len(short[0])} column: {short[0]}",
            "give the columns stem,group",
        )
    exact = {row[0].strip(): row[1].strip() for row in rows}
    return {stem_of(stem): group for stem, group in exact.items()} | exact
