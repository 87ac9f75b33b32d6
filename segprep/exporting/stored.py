"""A file of the dataset that an export may need: what the records tell of it is believed while the
index beside the tree knows that nobody touched it, and then only its first bytes are read.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from segprep.errors import SourceError
from segprep.files import Mark, digest, probe_below, read_below
from segprep.files.inputs import saw
from segprep.files.states import latest
from segprep.imaging import headers, image, png, transcoding
from segprep.types import Entry

_HEAD = 4096  # bytes: the header of a plain JPEG or PNG
_LONG_HEAD = 1 << 18  # with EXIF, which has 64 kB at most, a preview and a color profile


@dataclass(slots=True)
class StoredFile:
    """The file *path*, which lies below one of *roots*; *recorded*: the digest that its record
    has, or "". Where it is *untouched*, it was last changed before the moment *until*.
    """

    path: Path
    roots: tuple[Path, ...]
    recorded: str = ""
    until: int = -1
    untouched: bool = field(init=False, default=False)
    state: os.stat_result | None = field(init=False, default=None)
    _head: bytes = field(init=False, default=b"")
    _content: bytes | None = field(init=False, default=None)
    _digest: str = field(init=False, default="")

    def __post_init__(self) -> None:
        if self.until >= 0 and self.recorded:
            self._head, self.state = probe_below(self.path, self.roots, _HEAD)
            self.untouched = latest(self.state) < self.until
        if self.untouched:
            saw(self.path, Mark(self.recorded))

    def content(self) -> bytes:
        """All bytes of it. Raises SourceError."""
        if self._content is None:
            self._content = read_below(self.path, self.roots)
        return self._content

    def digest(self) -> str:
        """The digest of its content. Raises SourceError."""
        if not self._digest:
            self._digest = self.recorded if self.untouched else digest(self.content())
        return self._digest

    def header(self, limit: int) -> image.Header:
        """What it says of itself as an image of *limit* pixels at most. Raises SourceError, also
        where no record describes its content, and its pixels are not whole.
        """
        if not self.untouched:
            head = image.header(self.content(), self.path, limit)
            if self.digest() != self.recorded:
                transcoding.intact(self.content(), self.path, head.format, limit)
            return head
        if not self._head.startswith(b"\xff\xd8\xff"):
            return image.header(self.content(), self.path, limit)
        plain = headers.of_jpeg(self._head)
        if plain and plain.width * plain.height <= limit:
            return plain
        if self._content is None and len(self._head) == _HEAD:
            long = probe_below(self.path, self.roots, _LONG_HEAD)[0]
            with suppress(SourceError):  # it may be longer still
                return image.header(long, self.path, limit)
        return image.header(self.content(), self.path, limit)

    def plain_shape(self, limit: int) -> tuple[int, int] | None:
        """What :func:`png.plain_shape` tells of it."""
        return png.plain_shape(self._head if self.untouched else self.content(), limit)


def stored_files(
    entry: Entry, roots: tuple[Path, ...], until: int = -1
) -> tuple[StoredFile, StoredFile]:
    """Image and mask of *entry*. Raises SourceError."""
    said = (entry.content.image, entry.content.mask) if entry.content else ("", "")
    picture, drawing = (
        StoredFile(path, roots, recorded, until)
        for path, recorded in zip((entry.image, entry.mask), said, strict=True)
    )
    return picture, drawing
