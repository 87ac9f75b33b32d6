"""Strict JSON from bytes: any of the encodings that annotation tools write, no silent duplicate
keys.

NaN and infinity are read, since they may stand in fields that nobody needs; whoever uses a number
checks that it is finite. A long base64 string under one key can be cut out by byte search before
the text is parsed, which halves the time.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segprep.errors import SourceError
from segprep.names import shown
from segprep.sources._common import text_encoding

_OPENING = re.compile(rb'\s*:\s*"')
WORTH_CUTTING = 1024  # bytes
_CUT = "segprep:cut:imagedata"  # shorter than any string that is cut, so that no real one is this


@dataclass(frozen=True, slots=True)
class Parsed:
    """The JSON *value*, the *encoding* it was read in, and the string that was cut *out* (raw
    bytes), if any.
    """

    value: Any
    encoding: str
    out: bytes | None = None


def parse(data: bytes, path: Path, cut: str = "", encoding: str = "auto") -> Parsed:
    """Parse *data*; the string value of the top-level key *cut* is not parsed but returned as
    ``out``. Raises SourceError.
    """
    start, end = _span(data, cut) if cut and b"\0" not in data[:4] else (0, 0)
    if end - start >= WORTH_CUTTING:
        rest = data[:start] + _CUT.encode() + data[end:]
        text, name = text_encoding.decoded(rest, path, encoding)
        value = _load(text, path)
        if isinstance(value, dict) and value.get(cut) == _CUT:
            del value[cut]
            return Parsed(value, name, data[start:end])
    text, name = text_encoding.decoded(data, path, encoding)
    return Parsed(_load(text, path), name)


def _span(raw: bytes, key: str) -> tuple[int, int]:
    """Where the string value of *key* begins and ends, if it stands there without an escape; else
    (0, 0). The parser checks that it is the key's.
    """
    opening = _OPENING.match(raw, raw.find(b'"%s"' % key.encode()) + len(key) + 2)
    if not opening:
        return 0, 0
    end = raw.find(b'"', opening.end())
    return (opening.end(), end) if raw.find(b"\\", opening.end(), end) < 0 else (0, 0)


def _load(text: str, path: Path) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique_keys)
    except _RepeatedKeyError as error:
        reason = f"key {error} stands twice in one object"
        raise SourceError(path, reason, "delete one of the two", "duplicate-key") from error
    except (ValueError, RecursionError, MemoryError) as error:
        reason = f"is not valid JSON: {shown(error) or type(error).__name__}"
        hint = "open it in an editor, or annotate again"
        raise SourceError(path, reason, hint, "bad-json") from error


class _RepeatedKeyError(Exception):
    pass


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for n, key in enumerate(keys) if key in keys[:n])
        raise _RepeatedKeyError(repr(shown(repeated)))
    return value
