"""One labelme JSON file: its shapes as listed, and what it says of its image.

Fields that do not touch the mask never refuse a file: where they cannot be right they are ignored,
with a note.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segprep.errors import ForeignFileError, SourceError
from segprep.files import MAX_BYTES, read_below
from segprep.imaging.coordinates import FARTHEST
from segprep.names import clean_label, shown
from segprep.sources._common.refusals import other_tools
from segprep.sources._common.texts import strict_json
from segprep.types import Note


@dataclass(frozen=True, slots=True)
class Annotation:
    """The file at *path*: the raw *shapes*, the image that it names (*named*, may be empty) or
    holds (*embedded*, base64), the (H, W) it was made on if *recorded*, the *version* of the
    program, and *notes* on how it was read.
    """

    path: Path
    shapes: list[Any]
    named: str
    embedded: bytes | None
    recorded: tuple[int, int] | None
    version: tuple[int, int]
    notes: tuple[Note, ...]

    def reach(self) -> tuple[float, float]:
        """The (H, W) that an image needs to hold all points; 0 where they cannot be read."""
        pairs = [pair for points in self._points() for pair in points if _is_pair(pair)]
        return (
            max((float(pair[1]) for pair in pairs), default=0.0),
            max((float(pair[0]) for pair in pairs), default=0.0),
        )

    def topmost(self) -> float:
        """The row of the topmost first point of a shape; 0 where none can be read."""
        firsts = [points[0] for points in self._points() if points]
        return min((float(pair[1]) for pair in firsts if _is_pair(pair)), default=0.0)

    def _points(self) -> Iterator[list[Any]]:
        for raw in self.shapes:
            if isinstance(raw, dict) and isinstance(raw.get("points"), list):
                yield raw["points"]


def _is_pair(pair: object) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and all(type(value) in (int, float) and abs(value) <= FARTHEST for value in pair)
    )


def load(path: Path, roots: tuple[Path, ...], encoding: str) -> Annotation:
    """The annotation at *path*.

    Raises SourceError; ForeignFileError if it is another kind of JSON.
    """
    data = read_below(path, roots, MAX_BYTES)
    parsed = strict_json.parse(data, path, cut="imageData", encoding=encoding)
    content = parsed.value
    if not _is_labelme(content) and parsed.out is None:
        raise _foreign(path, content)
    shapes = content.get("shapes") or []
    if not isinstance(shapes, list):
        raise SourceError(path, f"shapes: a list was expected, not {type(shapes).__name__}")
    recorded, notes = _recorded(content)
    embedded, named = parsed.out or content.get("imageData"), content.get("imagePath")
    if not isinstance(embedded, str | bytes | None):
        notes.append(_ignored("imageData", embedded))
        embedded = None
    if not isinstance(named, str | None):
        notes.append(_ignored("imagePath", named))
        named = None
    embedded = embedded.encode() if isinstance(embedded, str) else embedded
    if embedded and embedded[:5].lower() == b"data:":
        notes.append(Note("field-ignored", "imageData begins with data:, which was cut off"))
    notes += _encoding_notes(parsed, shapes)
    return Annotation(
        path, shapes, named or "", embedded, recorded, _version(content), tuple(notes)
    )


def label_of(raw: Mapping[str, Any]) -> str:
    """The label of a shape, cleaned; a whole number is its text. Raises ValueError."""
    label = raw.get("label")
    return clean_label(str(label) if type(label) is int else label)


def _is_labelme(content: Any) -> bool:
    return isinstance(content, dict) and bool(content.keys() & {"shapes", "imagePath", "imageData"})


def _foreign(path: Path, content: Any) -> ForeignFileError:
    """The error for JSON that is not labelme's, with the tool that wrote it where its keys tell."""
    if tool := other_tools.tool_of(content):
        reason = f"is not a labelme annotation but {tool.name} ({tool.evidence})"
        return ForeignFileError(path, reason, tool.hint)
    if not isinstance(content, dict):
        kind = type(content).__name__
        return ForeignFileError(path, f"is not a labelme annotation: a JSON {kind}, not an object")
    keys = ", ".join(shown(key) for key in list(content)[:6])
    return ForeignFileError(path, f"is not a labelme annotation but other JSON (keys: {keys})")


def _ignored(key: str, value: Any) -> Note:
    """The note on a field that is not text."""
    return Note("field-ignored", f"{key}: text was expected, not {type(value).__name__}; ignored")


def _recorded(content: Mapping[str, Any]) -> tuple[tuple[int, int] | None, list[Note]]:
    """imageHeight and imageWidth, if both are given and can be right."""
    sides: list[int] = []
    for key in ("imageHeight", "imageWidth"):
        value: Any = content.get(key)
        if value is None:
            return None, []
        number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
        if type(number) not in (int, float) or not 0 < number < math.inf:
            reason = f"{key} is {shown(repr(value))[:40]}; sizes were taken from the image"
            return None, [Note("field-ignored", reason)]
        sides.append(number)
    return (sides[0], sides[1]), []


def _version(content: Mapping[str, Any]) -> tuple[int, int]:
    """Major and minor version of the program that wrote the file; (0, 0) if it does not say."""
    match = re.match(r"v?(\d{1,6})\.(\d{1,6})", str(content.get("version", "")))
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _encoding_notes(parsed: strict_json.Parsed, shapes: list[Any]) -> list[Note]:
    """How the text was decoded, with the labels that show whether that was right."""
    if parsed.encoding == "utf-8":
        return []
    labels = {str(raw.get("label")) for raw in shapes if isinstance(raw, dict)}
    listed = ", ".join(shown(label)[:40] for label in sorted(labels)[:5])
    reason = f"read as {parsed.encoding}" + (f", with the labels {listed}" if listed else "")
    if not parsed.encoding.startswith("utf"):
        reason += "; if that is wrong, give --encoding"
    return [Note("other-encoding", reason)]
