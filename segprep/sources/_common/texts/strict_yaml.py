"""YAML from bytes, as plain values: no tags, no anchors (which can multiply without end)."""

import re
from pathlib import Path
from typing import Any

import yaml

from segprep.errors import SourceError
from segprep.names import shown

MAX_LENGTH = 200_000  # bytes, three seconds to parse; a class list with its paths has some thousand
DEEPEST = 100  # brackets within each other: the scanner's time grows with their square


def parse(data: bytes, path: Path) -> dict[str, Any]:
    """The mapping in *data*. Raises SourceError (bad-yaml)."""
    if len(data) > MAX_LENGTH:
        reason = f"has {len(data)} bytes; {MAX_LENGTH} are allowed"
        raise SourceError(path, reason, "is this the right file?", "bad-yaml")
    try:
        text = data.decode("utf-8-sig")
        _refuse_deep(text, path)
        for token in yaml.scan(text):
            if isinstance(token, yaml.AliasToken | yaml.TagToken):
                what = "aliases (*name)" if isinstance(token, yaml.AliasToken) else "tags (!name)"
                raise SourceError(path, f"has {what}", "write the values out", "bad-yaml")
        value = yaml.safe_load(text)
    except SourceError:
        raise
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        first = (str(error).splitlines() or [""])[0]
        reason = f"is not valid YAML: {shown(first)}"
        raise SourceError(path, reason, "open it in an editor", "bad-yaml") from error
    if not isinstance(value, dict):
        raise SourceError(
            path, f"holds a {type(value).__name__}, not keys with values", "", "bad-yaml"
        )
    return {str(key): entry for key, entry in value.items()}


def _refuse_deep(text: str, path: Path) -> None:
    """Raise SourceError where more than DEEPEST brackets stand within each other."""
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        if depth > DEEPEST:
            reason = f"nests more than {DEEPEST} brackets"
            raise SourceError(path, reason, "is this the right file?", "bad-yaml")
