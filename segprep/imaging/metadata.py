"""Image files without what they tell beside the picture: where and when it was taken, by whom.

Formats: JPEG, ITU-T T.81 annex B; PNG, W3C third edition. Pixels, color profile and the bytes of
the compressed picture stay as they are.
"""

import struct
from collections.abc import Iterator

_TEXTS = (b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME")
_KEPT = (0xE0, 0xEE)  # JFIF and Adobe: how the colors are coded
_COMMENT, _SCAN, _END = 0xFE, 0xDA, 0xD9


def stripped(data: bytes, format: str) -> bytes:
    """*data*, a whole JPEG or PNG file, without metadata; what follows its end goes too."""
    return b"".join(_jpeg(data) if format == "JPEG" else _png(data))


def _png(data: bytes) -> Iterator[bytes]:
    yield data[:8]
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunk = data[at : at + 12 + length]
        if chunk[4:8] not in _TEXTS:
            yield chunk
        if chunk[4:8] == b"IEND":
            return
        at += len(chunk)


def _jpeg(data: bytes) -> Iterator[bytes]:
    yield data[:2]
    at = 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF:
            break
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker == _END:
            yield data[at : at + 2]
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        segment = data[at : at + 2 + length]
        at += len(segment)
        if not _tells(marker, segment):
            yield segment
        if marker == _SCAN:
            end = _scan_end(data, at)
            yield data[at:end]
            at = end
    yield data[at:]


def _tells(marker: int, segment: bytes) -> bool:
    """Whether a segment describes more than the picture: comments, Exif, XMP, previews."""
    if marker == 0xE2:
        return not segment[4:].startswith(b"ICC_PROFILE\0")
    return marker == _COMMENT or (0xE0 <= marker <= 0xEF and marker not in _KEPT)


def _scan_end(data: bytes, at: int) -> int:
    """Where the coded picture that begins at *at* ends: at the next marker but a restart."""
    while 0 <= (at := data.find(b"\xff", at)) < len(data) - 1:
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2
    return len(data)
