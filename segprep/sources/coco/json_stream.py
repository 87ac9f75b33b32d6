"""JSON objects with lists too long to hold: their elements are handed out, a hundred or so at a
time, each with its own text.

An annotation file of 450 MB becomes some 4 GB of Python objects when it is parsed as a whole; part
by part it takes little more than its text.
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

Each = Callable[[int, list[Any], list[str]], None]
_BLANKS = re.compile(r"[ \t\n\r]*")
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
_BETWEEN = re.compile(r"\}[ \t\n\r]*,[ \t\n\r]*\{[ \t\n\r]*\"[^\"\\]*\"")
_LOOSE = json.JSONDecoder()
_EXACT = 2.0**63  # whole numbers from here on become floats in orjson
_BATCH, _LONGEST = 1 << 16, 1 << 20  # characters that are parsed together; of one element


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
    there in order, several at a time, as (position of the first, values, texts).

    Elements are parsed as they are found: NaN passes, of equal keys the last one counts, and whole
    numbers beyond 64 bits may be rounded (see :func:`exact`); look again (:func:`element`) before
    you trust them. All else is strict. Raises SourceError.
    """
    try:
        text = data.decode(json.detect_encoding(data))
        del data  # as large as the text
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


def exact(value: Any, text: str) -> Any:
    """An element's *value* with whole numbers of any length, in it and in the objects that it
    lists; deeper ones may be rounded.
    """
    entries = [*value.values()] if isinstance(value, dict) else []
    for listed in [entry for entry in entries if isinstance(entry, list)]:
        entries += (e for inner in listed if isinstance(inner, dict) for e in inner.values())
    rounded = any(type(entry) is float and not abs(entry) < _EXACT for entry in entries)
    return _LOOSE.decode(text) if rounded else value


def _list(text: str, at: int, each: Each) -> int:
    """Hand out the elements of the list that begins at *at*; where it ends."""
    number, alone, between = 0, at, ""  # elements are parsed one by one up to *alone*
    at, closed = _opened(text, at + 1, "]")
    while not closed:
        batch = _batch(text, at, between) if between and at >= alone else None
        if batch is None:
            alone = max(alone, at + _BATCH)
            value, end = _LOOSE.raw_decode(text, at)
            batch = [value], [text[at:end]], end
            if not number and (match := _BETWEEN.match(text, end - 1)):
                alone, between = at, match[0]
        values, texts, end = batch
        each(number, values, texts)
        number += len(values)
        if comma := _COMMA.match(text, end):
            at = comma.end()
        else:
            at, closed = _next(text, end, "]")
    return at


def _batch(text: str, at: int, between: str) -> tuple[list[dict[str, Any]], list[str], int] | None:
    """The objects from *at* on that end before one of *between*, parsed together by a faster
    parser, with their texts, and where they end; None if it refuses them, or if it is not clear
    which text is whose.
    """
    end = text.rfind(between, at, at + _BATCH) + 1
    end = end or text.find(between, at, at + _LONGEST) + 1
    try:
        values = orjson.loads(f"[{text[at:end]}]")
    except ValueError:
        return None
    if {*map(type, values)} != {dict}:
        return None
    texts = _texts(text, at, end, values)
    return (values, texts, end) if texts else None


def _texts(text: str, at: int, end: int, values: list[dict[str, Any]]) -> list[str]:
    """The text of each of *values*, which are the objects from *at* to *end*; none if strings there
    have braces, or an object one key twice, so that there are more braces than objects.
    """
    texts, braces = list[str](), text.count("}", at, end)
    nested = braces - len(values)
    for value in values:
        close, size = text.find("}", at) + 1, 1
        while nested and text.count("{", at, close) > size:
            close, size = text.find("}", close) + 1, size + 1
        if size > 1 and size != 1 + sum(map(_objects, value.values())):
            return []
        texts.append(text[at:close])
        braces -= size
        at = text.find("{", close)
    return texts if not braces else []


def _objects(entry: Any) -> int:
    """How many objects *entry* is or lists; deeper ones are not counted."""
    if type(entry) is list:
        return [*map(type, entry)].count(dict) if entry and type(entry[0]) is dict else 0
    return int(type(entry) is dict)


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
