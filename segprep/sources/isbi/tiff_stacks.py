"""TIFF files of many pages: how many there are, and one page at a time."""

import io
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from segprep.errors import SourceError
from segprep.files import digest, read_below, watch
from segprep.imaging import image, tiff
from segprep.types import MAX_PIXELS

MOST_PAGES = 10_000
AHEAD, AHEAD_BYTES = 8, 64 * 1024 * 1024  # as many pages as a worker gets at a time
_DESCRIPTION = 270
_SLICES = re.compile(rb"ImageJ.*?\bimages=(\d{1,9})\b", re.DOTALL)
_BROKEN = (
    *image.DECODING_ERRORS,
    TypeError,
    LookupError,
    struct.error,
)  # what Pillow raises from a damaged page directory
_held: dict[
    tuple[Path, str], "_Open"
] = {}  # the stacks in use, a volume and its labels: every page would read all of them again
_ahead: dict[
    tuple[Path, str], dict[int, bytes]
] = {}  # pages that were decoded on the way to another, by number


@dataclass(frozen=True, slots=True)
class Stack:
    """A TIFF file at *path* (absolute) with *pages* pages; *digest* is its content's."""

    path: Path
    pages: int
    digest: str


class _Open:
    """The content of a stack in memory, and where its pages begin: Pillow would find each page by
    walking past all before it.
    """

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self.stream = io.BytesIO(content)
        self.first, self.places = tiff.page_places(content)
        self.page = 0

    def at(self, number: int) -> io.BytesIO:
        """The file, whose first page is now page *number* (or 0, where the places are unknown)."""
        if number < len(self.places) and number != self.page:
            with self.stream.getbuffer() as content:
                content[self.first] = self.places[number]
            self.page = number
        self.stream.seek(0)
        return self.stream


def survey(path: Path, roots: tuple[Path, ...], limit: int = MAX_PIXELS) -> Stack:
    """Count the pages of the file at *path*. Raises SourceError."""
    data = read_below(path, roots)
    with image.opened(data, path, limit) as picture:
        pages = _count(picture, path)
        picture.seek(0)
        described = str(getattr(picture, "tag_v2", {}).get(_DESCRIPTION, "")).encode(
            "utf-8", "replace"
        )
    if (slices := _SLICES.search(described)) and int(slices[1]) != pages:
        reason = f"says that it holds {int(slices[1])} images, but {pages} pages can be read"
        raise SourceError(
            path,
            reason,
            "open it in ImageJ and save it as plain TIFF, or save the slices one by one",
            "stack-length",
        )
    stack = Stack(path, pages, digest(data))
    _hold(stack, data)
    return stack


def _count(picture: Image.Image, path: Path) -> int:
    """The number of pages; each says where the next begins; *picture* stays at the last."""
    for number in range(1, MOST_PAGES + 1):
        try:
            picture.seek(number)
        except EOFError:
            return number
        except _BROKEN as error:
            raise _damaged(path, error) from error
    raise SourceError(
        path, f"has more than {MOST_PAGES} pages", "split it into several files", "file-too-large"
    )


def page(stack: Stack, number: int, roots: tuple[Path, ...], limit: int = MAX_PIXELS) -> bytes:
    """Page *number* (from 0) as a TIFF file of its own, its pixel type kept. Raises SourceError.

    Whoever watches the files read here sees none: they belong to all pages, which the stack's
    digest stands for.
    """
    key = stack.path, stack.digest
    if number not in _ahead.get(key, {}):
        _ahead[key] = _read_ahead(stack, number, roots, limit)
        while len(_ahead) > 2:
            del _ahead[next(iter(_ahead))]
    return _ahead[key][number]


def _read_ahead(stack: Stack, first: int, roots: tuple[Path, ...], limit: int) -> dict[int, bytes]:
    """Page *first* and some that follow it. A fault of a later page is left for its own turn."""
    pages: dict[int, bytes] = {}
    held = _content(stack, roots)
    for number in range(first, min(first + AHEAD, stack.pages)):
        try:
            with image.opened(held.at(number), stack.path, limit) as picture:
                pages[number] = _single(picture, number - held.page, stack.path, limit)
        except SourceError:
            if number == first:
                raise
            break
        if sum(map(len, pages.values())) > AHEAD_BYTES:
            break
    return pages


def _single(picture: Image.Image, number: int, path: Path, limit: int) -> bytes:
    out = io.BytesIO()
    try:
        picture.seek(number)
    except _BROKEN as error:
        raise _damaged(path, error) from error
    if picture.width * picture.height > limit:
        reason = f"{picture.width}x{picture.height} pixels; {limit} are allowed"
        raise SourceError(
            path, reason, "raise --max-pixels if the image is genuine", "image-too-large"
        )
    try:
        picture.save(out, "TIFF", compression="raw")
    except _BROKEN as error:
        raise _damaged(path, error) from error
    return out.getvalue()


def _damaged(path: Path, error: Exception) -> SourceError:
    return SourceError(
        path, f"cannot be decoded: {error}", "restore the file from its origin", "image-damaged"
    )


def _content(stack: Stack, roots: tuple[Path, ...]) -> _Open:
    if (stack.path, stack.digest) not in _held:
        with watch():
            data = read_below(stack.path, roots)
        if digest(data) != stack.digest:
            raise SourceError(
                stack.path,
                "was changed while it was being read",
                "re-run the command",
                "unreadable",
            )
        _hold(stack, data)
    return _held[stack.path, stack.digest]


def _hold(stack: Stack, data: bytes) -> None:
    _held[stack.path, stack.digest] = _Open(data)
    while len(_held) > 2:
        del _held[next(iter(_held))]
