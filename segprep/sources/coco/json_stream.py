"""JSON objects with lists too long to hold: their elements are handed out one by one, each with its
own text.

An annotation file of 450 MB becomes some 4 GB of Python objects when it is parsed as a whole;
element by element it takes little more than its text.
"""

import gc
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from segprep.errors import SourceError
from segprep.names import shown

Each = Callable[[int, Any, str], None]
_BLANKS = re.compile(r"[ \t\n\r]*")
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
_LOOSE = json.JSONDecoder()
_EXACT = 2.0**63  # whole numbers from here on become floats in orjson


class TwinKeyError(ValueError):
    """An object has one key twice."""


def no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A hook for the json module that raises TwinKeyError instead of keeping the last of two equal
    keys.
    """
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise TwinKeyError(f"key {shown(key)!r} occurs twice in one object")
        result[key] = value
    return result


_STRICT = json.JSONDecoder(object_pairs_hook=no_twins)


def parse(data: bytes, path: Path, each: Mapping[str, Each]) -> dict[str, Any]:
    """The JSON object in *data* (UTF-8, 16 or 32) less the lists named in *each*, whose elements go
    there as (position, value, text), in order.

    Elements are parsed as they are found: NaN passes, of equal keys the last one counts, and whole
    numbers beyond 64 bits may be rounded in lists; look again (:func:`element`) before you trust
    them. All else is strict. Raises SourceError.
    """
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise SourceError(
            path, f"the text is not Unicode: {error}", "save it as UTF-8", "bad-encoding"
        ) from error
    collects = gc.isenabled()
    gc.disable()  # nothing of what is made here refers to itself: looking would cost a tenth
    try:
        return _object(text, each)
    except TwinKeyError as error:
        raise SourceError(path, str(error), "delete one of the two", "duplicate-key") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SourceError(
            path,
            f"is not valid JSON: {shown(error) or type(error).__name__}",
            "restore the file, or export it again",
            "bad-json",
        ) from error
    finally:
        if collects:
            gc.enable()


def element(text: str) -> Any:
    """The value of one element's *text*. Raises TwinKeyError; NaN passes."""
    return _STRICT.decode(text)


def _object(text: str, each: Mapping[str, Each]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    at, closed = _opened(text, _after(text, 0, "{"), "}")
    while not closed:
        key, at = _STRICT.raw_decode(text, at)
        if not isinstance(key, str):
            raise json.JSONDecodeError("Expecting a key in double quotes", text, at)
        if key in content:
            raise TwinKeyError(f"key {shown(key)!r} occurs twice in one object")
        at = _after(text, at, ":")
        if key in each and text.startswith("[", at):
            content[key], at = [], _list(text, at, each[key])
        else:
            content[key], at = _STRICT.raw_decode(text, at)
        at, closed = _next(text, at, "}")
    if _blanks(text, at) != len(text):
        raise json.JSONDecodeError("Extra data", text, at)
    return content


def _list(text: str, at: int, each: Each) -> int:
    """Hand out the elements of the list that begins at *at*; where it ends."""
    number = 0
    at, closed = _opened(text, at + 1, "]")
    while not closed:
        end = text.find("}", at) + 1
        part = text[at:end]
        if (value := _plain(part)) is None:
            value, end = _LOOSE.raw_decode(text, at)
            part = text[at:end]
        each(number, value, part)
        number += 1
        if text.startswith(", ", end) and text.startswith("{", end + 2):
            at = end + 2  # as nearly all programs write it
        elif comma := _COMMA.match(text, end):
            at = comma.end()
        else:
            at, closed = _next(text, end, "]")
    return at


def _plain(part: str) -> dict[str, Any] | None:
    """The object of *part*, by a faster parser, if it holds no other object, and no number so large
    that this parser may not keep all its digits; else None.
    """
    try:
        value = orjson.loads(part)
    except ValueError:
        return None
    if type(value) is not dict:
        return None
    for entry in value.values():
        if type(entry) is float and not abs(entry) < _EXACT:
            return None
    return value


def _opened(text: str, at: int, close: str) -> tuple[int, bool]:
    """Where the first member begins, and whether there is none."""
    at = _blanks(text, at)
    return (at + 1, True) if text.startswith(close, at) else (at, False)


def _next(text: str, at: int, close: str) -> tuple[int, bool]:
    """Where the next member begins, or what follows *close*."""
    at = _blanks(text, at)
    if text.startswith(close, at):
        return at + 1, True
    return _after(text, at, ","), False


def _after(text: str, at: int, sign: str) -> int:
    """Where the token after *sign* begins, which must be the next one."""
    at = _blanks(text, at)
    if not text.startswith(sign, at):
        raise json.JSONDecodeError(f"Expecting {sign!r}", text, at)
    return _blanks(text, at + 1)


def _blanks(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at
