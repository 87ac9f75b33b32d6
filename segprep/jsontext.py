"""One way to write and read JSON: every number finite, UTF-8, whatever characters a name holds."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

import orjson


def finite(value: Any) -> Any:
    """*value* with None in place of every float that is not finite, as JSON needs it."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def text(value: Any, *, compact: bool = False) -> str:
    """*value* as JSON without a newline at its end: indented, or *compact* on one line.

    Characters stay as they are; those that UTF-8 cannot hold (a file name that is not text) are
    written with backslashes.
    """
    return _dumped(value, compact).encode("utf-8", "backslashreplace").decode()


def encoded(value: Any, *, compact: bool = False) -> bytes:
    """:func:`text` as UTF-8 with a newline: the content of a file, or one of its lines."""
    return f"{_dumped(value, compact)}\n".encode("utf-8", "backslashreplace")


def line(value: Any) -> bytes:
    """:func:`encoded`, compact, of what holds no float: by orjson, but for what it refuses."""
    try:
        return b"%b\n" % orjson.dumps(value)  # a copy: what orjson returns holds 1 kB of memory
    except TypeError:
        return encoded(value, compact=True)


def parsed(line: bytes) -> Any:
    """The JSON of one line that this program wrote: by orjson, but for what it refuses (half of a
    surrogate pair, as names of files may hold). Raises ValueError.
    """
    try:
        return orjson.loads(line)
    except ValueError:
        return json.loads(line)


def _dumped(value: Any, compact: bool) -> str:
    layout: dict[str, Any] = {"separators": (",", ":")} if compact else {"indent": 1}
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, **layout)
    except ValueError:
        return json.dumps(finite(value), ensure_ascii=False, **layout)
