"""Masks of class ids that went through a lossy compression: it smears ids along outlines into
other ids.
"""

from pathlib import Path

from segprep.errors import SourceError
from segprep.imaging import tiff

_JPEG = b"\xff\xd8\xff"
_TIFF_JPEG = (6, 7, 34_892)  # old and new JPEG, lossy JPEG of DNG
_HINT = (
    "export the masks again as PNG; masks of two classes: segprep convert binary --foreground; if"
    " their values are sound all the same, say what they mean: --ids VALUE=NAME,…"
)


def refuse(data: bytes, path: Path, *, stated: bool) -> None:
    """Raise SourceError (values-unclear) where the mask *data* is lossy, unless the meaning of its
    values is *stated* one by one.
    """
    kind = _kind(data)
    if kind and not stated:
        reason = (
            f"is a {kind} file, which does not keep class ids: it creates others along outlines"
        )
        raise SourceError(path, reason, _HINT, "values-unclear")


def _kind(data: bytes) -> str:
    """The name of the lossy format that *data* are in; "" for all others."""
    if data.startswith(_JPEG):
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "lossy WebP" if _has_lossy_frame(data) else ""
    layout = tiff.first(data)
    return (
        "JPEG-compressed TIFF" if layout and layout.number(tiff.COMPRESSION) in _TIFF_JPEG else ""
    )


def _has_lossy_frame(data: bytes) -> bool:
    """Whether a WebP file has a chunk of lossy pixels (VP8, not VP8L)."""
    at = 12
    while at + 8 <= len(data):
        if data[at : at + 4] == b"VP8 ":
            return True
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return False
