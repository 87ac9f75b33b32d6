"""XML from bytes without the parts that are dangerous: no document type, no entities of its own."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring

from segprep.errors import SourceError
from segprep.names import shown

_DECLARED = re.compile(rb"<\s*!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
MAX_DEPTH = 200


def parse(data: bytes, path: Path) -> Element:
    """The root element of *data*. Raises SourceError (bad-xml)."""
    plain = data.replace(b"\0", b"")  # UTF-16 hides the words otherwise
    if _DECLARED.search(plain):
        raise SourceError(
            path, "has a document type or entities, which are not read", "remove them", "bad-xml"
        )
    try:
        root = fromstring(data)
    except (ParseError, ValueError, LookupError) as error:
        raise SourceError(
            path, f"is not valid XML: {shown(error)}", "export it again", "bad-xml"
        ) from error
    if _depth(root) > MAX_DEPTH:
        raise SourceError(path, f"is nested deeper than {MAX_DEPTH} levels", "", "bad-xml")
    return root


def number(element: Element, key: str, path: Path, address: str) -> float:
    """The attribute *key* of *element* as a number. Raises SourceError."""
    text = element.get(key)
    try:
        return float(text or "")
    except ValueError:
        raise SourceError(path, f"{address}: {key}={shown(text)} is not a number") from None


def whole(text: str | None, path: Path, address: str) -> int:
    """*text* as a whole number of at most nine digits. Raises SourceError."""
    stripped = (text or "").strip()
    if not re.fullmatch(r"-?[0-9]{1,9}", stripped):
        raise SourceError(path, f"{address}: {shown(text)} is not a whole number")
    return int(stripped)


def _depth(root: Element) -> int:
    level, depth = [root], 0
    while level and depth <= MAX_DEPTH:
        level, depth = [child for element in level for child in element], depth + 1
    return depth
