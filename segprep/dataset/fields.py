"""Types of what segprep.json and records.jsonl say, checked once where they are loaded, so that a
damaged or manipulated file is refused with the address of what is wrong.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from segprep.names import clean_label, stem_fault, unsharded
from segprep.types import IGNORE

_DIGEST = re.compile(r"[0-9a-f]{40}")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")
_FOLDERS = {
    "image": "JPEGImages",
    "mask": "SegmentationClass",
    "objects": "SegmentationObject",
}
Check = Callable[[Any, str], Any]


def _typed(kind: type, word: str) -> Check:
    def check(value: Any, address: str) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"{address}: must be {word}, is {type(value).__name__}")
        return value

    return check


text, mapping = _typed(str, "text"), _typed(dict, "an object")
array, integer = _typed(list, "an array"), _typed(int, "a whole number")


def count(value: Any, address: str) -> int:
    """A whole number from 0."""
    number: int = integer(value, address)
    if number < 0:
        raise ValueError(f"{address}: must not be negative, is {number}")
    return number


def optional(check: Check) -> Check:
    """What *check* demands, or null."""
    return lambda value, address: None if value is None else check(value, address)


def each(check: Check) -> Check:
    """An array whose elements pass *check*."""

    def checked(value: Any, address: str) -> list[Any]:
        return [check(item, f"{address}[{n}]") for n, item in enumerate(array(value, address))]

    return checked


def values(check: Check) -> Check:
    """An object whose values pass *check*."""

    def checked(value: Any, address: str) -> dict[str, Any]:
        content = mapping(value, address)
        try:
            return {key: check(item, address) for key, item in content.items()}
        except ValueError:  # which of them?
            return {key: check(item, f"{address}.{key}") for key, item in content.items()}

    return checked


def hexadecimal(value: Any, address: str) -> str:
    """A digest: 40 hex digits."""
    if not _DIGEST.fullmatch(text(value, address)):
        raise ValueError(f"{address}: must be a digest of 40 hex digits")
    return str(value)


def stem(value: Any, address: str) -> str:
    """A sample's name that is safe on every system, with or without a shard."""
    if fault := stem_fault(unsharded(text(value, address)), portable=False):
        raise ValueError(f"{address}: the name {value!r} {fault}")
    return str(value)


def class_names(value: Any, address: str) -> tuple[str, ...]:
    """The class list: at most 255 plain names, none twice."""
    names = tuple(clean_label(text(name, address)) for name in array(value, address))
    if len(names) > IGNORE or len(set(names)) < len(names):
        raise ValueError(f"{address}: must be at most {IGNORE} different names")
    return names


def class_id(value: Any, address: str) -> int:
    """A pixel value, 0 to 255."""
    if count(value, address) > IGNORE:
        raise ValueError(f"{address}: must be a pixel value, 0 to {IGNORE}, is {value}")
    return int(value)


def file_name(name: Any, kind: str, sample: str) -> str:
    """The relative file of *sample*: the folder of its *kind*, the stem, an extension, no more."""
    folder = _FOLDERS[kind]
    start = f"{folder}/{sample}"
    if not text(name, kind).startswith(start) or not _SUFFIX.fullmatch(name[len(start) :]):
        raise ValueError(f"{kind}: must be {start}.EXTENSION, is {name!r}")
    return str(name)


def fields(content: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    """Every field of *checks* in *content*, checked. Raises ValueError with its address."""
    missing: Sequence[str] = [name for name in checks if name not in content]
    if missing:
        raise ValueError(f"{missing[0]}: is missing")
    return {name: check(content[name], name) for name, check in checks.items()}


def split_record(value: Any, address: str) -> dict[str, Any]:
    """The split record: known fields have their types, further fields are kept."""
    checks = {
        "seed": integer,
        "ratio": text,
        "group_by": optional(text),
        "stratify": optional(text),
        "folds": count,
        "keep": each(text),
        "counts": values(count),
        "vanished": values(text),
    }
    content = mapping(value, address)
    present = {name: check for name, check in checks.items() if name in content}
    return {**content, **fields(content, present)}
