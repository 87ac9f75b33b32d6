"""Which samples must stay together: groups by a regular expression over stems, or by a CSV
table.
"""

import csv
import json
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from segprep.errors import SourceError, UsageError
from segprep.files import is_file, read_file
from segprep.names import stem_of, unsharded


def groups_of(
    stems: Sequence[str], group_by: str | None, *, sharded: bool = False
) -> dict[str, str]:
    """Stem -> group; the shard of a *sharded* stem does not count. Raises UsageError for an
    expression or table that leaves stems without one.
    """
    if group_by is None:
        return {stem: stem for stem in stems}
    if sharded:
        groups = groups_of([unsharded(stem) for stem in stems], group_by)
        return {stem: groups[unsharded(stem)] for stem in stems}
    table = Path(group_by)
    if table.suffix.lower() == ".csv" or is_file(table):
        named = _table(table)
        groups = {stem: named.get(stem, "") for stem in stems}
    else:
        groups = _matched(stems, group_by)
    if without := [stem for stem in stems if not groups[stem]]:
        raise UsageError(
            "bad-group",
            f"--group-by {group_by} gives {len(without)} samples no group:"
            f" {', '.join(without[:5])}",
            "correct the expression or the table",
        )
    return groups


def _matched(stems: Sequence[str], expression: str) -> dict[str, str]:
    """Stem -> the first group of *expression*, or the whole match; "" where it does not match.

    The matching runs in a process of its own, because no thread can stop a regular expression that
    backtracks for ever. Its computing time is limited, so that a busy machine does not matter.
    Raises UsageError for a bad expression, or one that takes too long.
    """
    example = r"for example --group-by '^(patient\d+)_'"
    if not expression:
        raise UsageError("bad-group", "--group-by is empty, so nothing would be grouped", example)
    try:
        re.compile(expression)
    except (re.error, OverflowError, RecursionError, MemoryError) as error:
        raise UsageError(
            "bad-group",
            f"--group-by {expression!r} is not a regular expression: {error}",
            example,
        ) from error
    seconds = SECONDS + len(stems) / 10_000
    question = json.dumps([expression, list(stems), seconds]).encode()
    timed = hasattr(signal, "setitimer")
    try:
        answer = subprocess.run(
            [sys.executable, "-I", "-c", _MATCH],
            input=question,
            capture_output=True,
            timeout=None if timed else seconds,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        code = error.returncode if isinstance(error, subprocess.CalledProcessError) else 0
        if isinstance(error, subprocess.TimeoutExpired) or (timed and code == -signal.SIGPROF):
            raise UsageError(
                "bad-group",
                f"--group-by {expression!r} takes more than {SECONDS:g} seconds; it backtracks",
                f"avoid nested repetitions; {example}",
            ) from error
        raise UsageError(
            "bad-group", f"--group-by {expression!r} cannot be matched: {error}", example
        ) from error
    return dict(zip(stems, json.loads(answer.stdout), strict=True))


SECONDS = 10.0  # of computing time that an expression may take
_MATCH = """
import json, re, signal, sys
expression, stems, seconds = json.load(sys.stdin)
if hasattr(signal, "setitimer"):
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
pattern = re.compile(expression)
matches = map(pattern.search, stems)
index = 1 if pattern.groups else 0
print(json.dumps([match[index] or "" if match else "" for match in matches]))
"""


def _table(path: Path) -> dict[str, str]:
    try:
        text = read_file(path).decode("utf-8-sig")
        rows = [row for row in csv.reader(text.splitlines()) if row]
    except (SourceError, UnicodeDecodeError, csv.Error) as error:
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
