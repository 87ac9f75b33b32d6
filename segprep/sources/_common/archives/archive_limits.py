"""What an archive may hold: members, their number and sizes, and the errors beyond that."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from segprep.errors import SegprepError

MOST_MEMBERS = 300_000
MOST_BYTES = 256 << 30
MOST_RATIO, FREE_OF_RATIO = 200, 64 << 20  # images do not shrink; small archives may
BY_HAND = "look at what is in it; if it is right, unpack it yourself and give the folder"


@dataclass(frozen=True, slots=True)
class Member:
    """One file or *folder* of an archive: the *parts* of its path (none: it is skipped), its
    *size* in bytes, and how it is opened.
    """

    parts: tuple[str, ...]
    size: int
    folder: bool
    open: Callable[[], IO[bytes] | None]


@dataclass(slots=True)
class Allowance:
    """Counts what is unpacked from the archive *path* of *packed* bytes, with *room* bytes free."""

    path: Path
    packed: int
    room: int
    members: int = 0
    size: int = 0

    def add(self, member: Member) -> None:
        """Count *member*, before it is written. Raises SegprepError (archive-too-large)."""
        self.members += 1
        self.size += member.size
        if self.members > MOST_MEMBERS:
            raise too_large(self.path, f"has more than {MOST_MEMBERS} members")
        if self.size > MOST_BYTES:
            raise too_large(self.path, f"unpacks to more than {MOST_BYTES >> 30} GiB")
        if self.size > max(FREE_OF_RATIO, MOST_RATIO * self.packed):
            why = f"unpacks to {self.size >> 20} MiB or more from {self.packed} bytes"
            raise too_large(self.path, f"{why}: more than {MOST_RATIO} times its size")
        if self.size > self.room:
            why = f"unpacks to {self.size >> 20} MiB or more; the temporary folder has room for"
            hint = "set TMPDIR to a folder with more room, or unpack it yourself"
            raise too_large(self.path, f"{why} {self.room >> 20} MiB", hint)


def too_large(path: Path, why: str, hint: str = BY_HAND) -> SegprepError:
    """The error beyond a limit."""
    return SegprepError("archive-too-large", f"{path}: {why}", hint)


def damaged(path: Path, why: str, hint: str = "copy or download it again") -> SegprepError:
    """The error where an archive cannot be read as a whole."""
    return SegprepError("archive-unreadable", f"{path}: cannot be unpacked: {why}", hint)
