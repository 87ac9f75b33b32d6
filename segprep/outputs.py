"""A folder that a command writes into: nothing lands outside it, no link in it is followed, and a
file is there whole or not at all.
"""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from segprep.errors import SegprepError, TreeError
from segprep.files import sync_folder, write_atomic, write_error

THREADS = 4  # the disk takes several files at once


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """The folder *root*; names in it have forward slashes."""

    root: Path

    def place(self, name: str) -> Path:
        """Where the file *name* lies; the folders on the way are made.

        Raises SegprepError for a name that leads out, TreeError where a link stands on the way.
        """
        path = self.at(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(path.parent, error) from error
        return path

    def at(self, name: str) -> Path:
        """Where the file *name* lies, or would. Raises as :meth:`place` does."""
        parts = PurePosixPath(name).parts
        if not parts or parts[0] == "/" or ".." in parts or "\0" in name or "\\" in name:
            reason = f"{name!r} would lie outside {self.root}"
            raise SegprepError("bad-stem", reason, "correct the name, or the file that gives it")
        way = self.root
        for part in parts[:-1]:
            way = way / part
            if os.path.islink(way):
                raise link_refused(way)
        return way / parts[-1]

    def write(self, name: str, data: bytes | bytearray) -> Path:
        """Write the file *name*; a link of that name is replaced. Raises as :meth:`place` does."""
        path = self.place(name)
        write_atomic(path, data)
        return path

    def remove(self, name: str) -> None:
        """Remove the file *name*, if it is there. Raises as :meth:`place` does."""
        path = self.at(name)
        try:
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
        except OSError as error:
            raise write_error(path, error) from error


def link_refused(path: Path) -> TreeError:
    """The error where a link stands in the way of writing."""
    return TreeError(
        "link-in-output",
        f"{path} is a symbolic link; files would land where it points",
        "remove the link",
    )
