"""What a file is that should be an image and is not, and what is told where decoding fails."""

from pathlib import Path

from segprep.errors import SourceError
from segprep.imaging import tiff

_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<script")
_OTHERS = {
    b"PK\x03\x04": ("a zip archive", "unpack it"),
    b"\x1f\x8b": ("a gzip archive", "unpack it"),
    b"%PDF": ("a PDF document", "export its pages as PNG"),
    b"\x93NUMPY": ("a NumPy array", "save it as PNG: segprep.write_mask(path, array)"),
    b"\x89HDF": ("an HDF5 or MATLAB 7.3 file", "export its arrays as PNG"),
    b"MATLAB": ("a MATLAB file", "export its arrays as PNG: scipy.io.loadmat, segprep.write_mask"),
    b"\x00\x00\x00\x0cjP": ("a JPEG 2000 file", "convert it to PNG"),
    b"8BPS": ("a Photoshop file", "export it as PNG"),
}
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF"}


def cause(data: bytes) -> tuple[str, str]:
    """What the content *data* is and what to do about it; two empty texts where that is unknown."""
    head = data[:512].lstrip()
    if head[:16].lower().startswith(_PAGES):
        return (
            "a web page or XML, not an image; most likely an error page of the download",
            "download the file again, and look at what it says in a text editor",
        )
    if data.startswith((b"\x89PNG\n\x1a\n", b"\x89PNG\r\n\x1a\r\n", b"\x89PNG\r\r\n")):
        return (
            "a PNG whose bytes were changed by a line-ending conversion",
            "transfer it again in binary mode (git: put '*.png binary' into .gitattributes)",
        )
    if data.startswith(b"\xef\xbf\xbdPNG"):
        return "a PNG that was saved as text", "transfer it again in binary mode"
    if head.startswith((b"{", b"[")):
        return "JSON text, not an image", "give the annotation's own format, see segprep convert"
    kind = next((words for start, words in _OTHERS.items() if data.startswith(start)), None)
    if kind:
        return f"{kind[0]}, not an image", kind[1]
    layout = tiff.first(data)
    if layout and layout.bits > 32:
        what = f"a TIFF of numbers of {layout.bits} bits, which no image here has"
        return what, "save it with 8 or 16 bits per channel"
    if not data.strip(b"\0"):
        return "empty: all of its bytes are zero", "restore the file from its origin"
    for start, kind_of_file in _SIGNATURES.items():
        if data.startswith(start):
            return f"a damaged {kind_of_file}", "restore the file from its origin"
    return "", ""


def refusal(path: Path, error: Exception) -> SourceError:
    """What a person is told of an *error* of decoding the image at *path*."""
    if isinstance(error, MemoryError):
        hint = "check that the file is genuine; then raise --max-memory, or use fewer --jobs"
        reason = "needs more memory than is available, or than --max-memory allows"
        return SourceError(path, reason, hint, "memory-limit")
    reason = f"cannot be decoded: {error}"
    return SourceError(path, reason, "restore the file from its origin", "image-damaged")


def several_frames(path: Path) -> SourceError:
    """The refusal (mask-frames) of a mask at *path* in which nobody knows the frame that counts."""
    return SourceError(
        path,
        "holds several frames or pages; a mask has one",
        "save the frame that is the mask as a file of its own; a TIFF stack of many masks is read"
        " by: segprep convert isbi",
        "mask-frames",
    )
