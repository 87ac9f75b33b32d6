"""JSON as every target writes it: UTF-8, LF, equal for equal content."""

import json
from collections.abc import Iterable
from typing import Any


def document(content: Any) -> bytes:
    """*content* as one indented JSON document."""
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def line(content: Any) -> bytes:
    """*content* as one line."""
    return (json.dumps(content, ensure_ascii=False) + "\n").encode()


def lines(parts: Iterable[bytes]) -> list[Any]:
    """The content of :func:`line`, for each of *parts*."""
    return [json.loads(part) for part in parts]
