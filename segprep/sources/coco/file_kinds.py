"""What a JSON file is, by its name and its two ends: instances, stuff or panoptic; train or val."""

import codecs
import re
from pathlib import Path
from typing import Literal

from segprep.errors import SourceError
from segprep.files import open_inside, resolve_below
from segprep.names import stem_of
from segprep.sources._common.pairing.folder_names import words
from segprep.sources._common.pairing.official_lists import SPLITS

_MARKS = codecs.BOM_UTF8 + codecs.BOM_UTF16_LE + codecs.BOM_UTF16_BE  # as bytes to skip
_PEEK = 1 << 16  # bytes at either end of a file that show what it is
_MARK = re.compile(rb'"(?:segments_info|segmentation|category_id)"\s*:')
_OUTLINE = re.compile(rb'"segmentation"\s*:\s*+(?!null|\[[\s\[\]]*\]\s*[,}])')
_OTHERS = re.compile(rb'\A\W*"image"\s*:\s*\{|"label_status"\s*:')  # SA-1B, Segments.ai
_KEYS = tuple(
    re.compile(rb'"%s"\s*:\s*\[' % key) for key in (b"images", b"annotations", b"categories")
)


def split_of(path: Path) -> str:
    """The official list that a file's name, or its folder's, stands for: instances_val2017.json is
    "val"; "" if none.
    """
    near = (*words(stem_of(path.name)), *words(path.parent.name))
    return next((SPLITS[word] for word in near if word in SPLITS), "")


def kind_of(path: Path) -> str:
    """A file's name less the words that stand for a split or a year: instances, panoptic, stuff."""
    return " ".join(
        word for word in words(stem_of(path.name)) if word not in SPLITS and not word.isdecimal()
    )


def has_outline(text: bytes) -> bool:
    """Whether the *text* of annotations has a segmentation that is not empty."""
    return bool(_OUTLINE.search(text))


def looks_like(path: Path, roots: tuple[Path, ...]) -> Literal["", "boxes", "outlines"]:
    """What *path* holds if it begins and ends like a COCO file with things to draw: outlines
    (segments, too), or boxes alone as far as is seen; its middle is not read. "" for another file.

    Raises SourceError.
    """
    real = resolve_below(path, roots)
    if not real.is_file():
        raise SourceError(path, "is not a regular file", "remove it from the folder", "not-a-file")
    try:
        return _looks_like(real)
    except OSError as error:
        raise SourceError(
            path, f"cannot be read: {error.strerror}", "check its permissions", "unreadable"
        ) from error


def _looks_like(path: Path) -> Literal["", "boxes", "outlines"]:
    with open_inside(path.parent, path.name) as file:
        ends = file.read(_PEEK).replace(b"\0", b"")  # UTF-16 and UTF-32: the keys are ASCII
        if not ends.lstrip(_MARKS + b" \t\r\n").startswith(b"{"):
            return ""
        size = file.seek(0, 2)
        file.seek(max(_PEEK, size - _PEEK))
        ends += b"\n" + file.read(_PEEK).replace(b"\0", b"")
    keys = [bool(key.search(ends)) for key in _KEYS]
    if not (all(keys) or (any(keys) and _MARK.search(ends))) or _OTHERS.search(ends):
        return ""
    boxes = b'"bbox"' in ends and not has_outline(ends) and b'"segments_info"' not in ends
    return "boxes" if boxes else "outlines"
