"""A file of the dataset that an export may need: what the records tell of it is believed while the
index beside the tree shows that it has not changed; then only its first bytes are read.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from segprep.errors import SourceError
from segprep.files import Mark, digest, probe_below, read_below, states
from segprep.files.inputs import saw
from segprep.imaging import headers, image, png, transcoding
from segprep.types import Entry

_HEAD = 4096  # bytes: the header of a plain JPEG or PNG
_LONG_HEAD = 1 << 18  # with EXIF, which has 64 kB at most, a preview and a color profile


@dataclass(slots=True)
class StoredFile:
    """The file *path*, which lies below one of *roots*; *recorded*: the digest that its record
    has, or "". Where its first bytes, the *head*, and its *state* are given, it has not
    changed since that was made.
    """

    path: Path
    roots: tuple[Path, ...]
    recorded: str = ""
    head: bytes = b""
    state: os.stat_result | None = None
    _content: bytes | None = field(init=False, default=None)
    _digest: str = field(init=False, default="")

    def __post_init__(self) -> None:
        if self.untouched:
            saw(self.path, Mark(self.recorded))

    @property
    def untouched(self) -> bool:
        """Whether it is known to be as its record says."""
        return self.state is not None

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
        if not self.head.startswith(b"\xff\xd8\xff"):
            return image.header(self.content(), self.path, limit)
        plain = headers.of_jpeg(self.head)
        if plain and plain.width * plain.height <= limit:
            return plain
        if self._content is None and len(self.head) == _HEAD:
            long = probe_below(self.path, self.roots, _LONG_HEAD)[0]
            with suppress(SourceError):  # it may be longer still
                return image.header(long, self.path, limit)
        return image.header(self.content(), self.path, limit)

    def plain_shape(self, limit: int) -> tuple[int, int] | None:
        """What :func:`png.plain_shape` tells of it."""
        return png.plain_shape(self.head if self.untouched else self.content(), limit)


def stored_files(entry: Entry, roots: tuple[Path, ...]) -> tuple[StoredFile, StoredFile]:
    """Image and mask of *entry*. Raises SourceError."""
    paths, told = (entry.image, entry.mask), entry.content
    digests = (told.image, told.mask) if told else ("", "")
    if told and told.key != states.UNKNOWN:
        probes = [probe_below(path, roots, _HEAD) for path in paths]
        seen = [state for _, state in probes]
        with suppress(OSError):
            seen += [os.lstat(entry.objects)] if entry.objects else []
        if states.are(seen, told.key):
            picture, drawing = probes
            return (
                StoredFile(paths[0], roots, digests[0], *picture),
                StoredFile(paths[1], roots, digests[1], *drawing),
            )
    return StoredFile(paths[0], roots, digests[0]), StoredFile(paths[1], roots, digests[1])
