"""Whether a value is what a setting, an option of a network or a parameter of an augmentation
takes; all three come from files and command lines.
"""

from types import UnionType
from typing import Any, Literal, get_args, get_origin

from segprep.errors import UsageError

MOST = 1e300  # beyond it a number is as good as infinite


def need(name: str, value: Any, kind: Any, low: float = -MOST, high: float = MOST) -> None:
    """Raise UsageError (bad-option) unless *value* is of *kind*: int, float (whole numbers, too),
    bool, str, a Literal, ``tuple[float, ...]``, or two rising numbers, ``tuple[float, float]``.
    Numbers are from *low* to *high*.
    """
    if not _fits(value, kind, low, high):
        hint = f"it has to be {_expected(kind, low, high)}"
        raise UsageError("bad-option", f"{name} is {value!r}", hint)


def _fits(value: Any, kind: Any, low: float, high: float) -> bool:
    parts = get_args(kind)
    if get_origin(kind) is Literal:
        return value in parts
    if isinstance(kind, UnionType):
        return any(_fits(value, part, low, high) for part in parts)
    if get_origin(kind) is tuple:
        numbers = isinstance(value, list | tuple) and all(
            _fits(number, parts[0], low, high) for number in value
        )
        return numbers and (parts[1] is ... or (len(value) == 2 and value[0] <= value[1]))
    if kind in (int, float):
        number = isinstance(value, int if kind is int else int | float)
        return number and not isinstance(value, bool) and low <= value <= high
    return isinstance(value, kind)


def _expected(kind: Any, low: float, high: float) -> str:
    limits = "" if high == MOST else f" from {low:g} to {high:g}"
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    if get_origin(kind) is tuple:
        return "numbers, as in [1, 2]" if ... in get_args(kind) else f"two rising numbers{limits}"
    words = {int: "a whole number", bool: "true or false", str: "text"}
    return words.get(kind, "a number") + limits
