"""Strict JSON from bytes: any of the encodings that annotation tools write, no silent duplicate
keys, no NaN.

A long base64 string under one key can be cut out by byte search before the text is parsed, which
halves the time.
"""

import codecs
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segprep.errors import SourceError
from segprep.names import shown

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OPENING = re.compile(rb'\s*:\s*"')
WORTH_CUTTING = 1024  # bytes
_CUT = "\ue000segprep:cut\ue000"  # private-use characters: no real value looks like this


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
    raw, used = _as_utf8(data, path, encoding)
    start, end = _span(raw, cut) if cut else (0, 0)
    if end - start >= WORTH_CUTTING:
        value = _load(_text(raw[:start] + _CUT.encode() + raw[end:], path), path)
        if isinstance(value, dict) and value.get(cut) == _CUT:
            del value[cut]
            return Parsed(value, used, raw[start:end])
    return Parsed(_load(_text(raw, path), path), used)


def _span(raw: bytes, key: str) -> tuple[int, int]:
    """Where the string value of *key* begins and ends, if it stands there without an escape; else
    (0, 0). The parser checks the find.
    """
    opening = _OPENING.match(raw, raw.find(b'"%s"' % key.encode()) + len(key) + 2)
    if not opening:
        return 0, 0
    end = raw.find(b'"', opening.end())
    return (opening.end(), end) if raw.find(b"\\", opening.end(), end) < 0 else (0, 0)


def _as_utf8(data: bytes, path: Path, encoding: str) -> tuple[bytes, str]:
    """*data* as UTF-8 bytes without a mark, and the encoding it was in."""
    guess = (
        encoding
        if encoding != "auto"
        else next((name for mark, name in _BOMS if data.startswith(mark)), "")
    )
    if not guess and b"\0" in data[:4]:
        guess = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    if guess == "utf-8-sig":
        return data[3:], "utf-8"
    if not guess:
        try:
            data.decode("utf-8")
            return data, "utf-8"
        except UnicodeDecodeError:
            guess = "gb18030"
    try:
        return data.decode(guess).encode("utf-8"), guess
    except (UnicodeError, LookupError) as error:
        raise SourceError(
            path, f"the text is not {guess}: {error}", "save it as UTF-8", "bad-encoding"
        ) from error


def _text(raw: bytes, path: Path) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(
            path, f"the text is not UTF-8: {error}", "save it as UTF-8", "bad-encoding"
        ) from error


def _load(text: str, path: Path) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except _TwinKeyError as error:
        raise SourceError(
            path,
            f"key {error} stands twice in one object",
            "delete one of the two",
            "duplicate-key",
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SourceError(
            path,
            f"is not valid JSON: {shown(error) or type(error).__name__}",
            "open it in an editor, or annotate again",
            "bad-json",
        ) from error


class _TwinKeyError(Exception):
    pass


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        twin = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _TwinKeyError(repr(shown(twin)))
    return result


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no number that JSON allows")
