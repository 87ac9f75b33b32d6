"""A folder that a command writes into: nothing lands outside it, no link in it is followed, and a
file is there whole or not at all.

Three ways to publish, all forced to the disk before a name is given: one file (``write``), several
files with the one that describes them last (``batch``, ``adopt``), a whole folder (``swap``). A
dataset has a fourth, in dataset/staging.py, since a conversion resumes file by file.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from segprep.errors import SegprepError, TreeError
from segprep.files import (
    remove_folder,
    sync_file,
    sync_folder,
    write_atomic,
    write_error,
    write_staged,
)

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

    def write_all(self, contents: Mapping[str, bytes], *, last: str = "") -> None:
        """Write the files of *contents* by name, as a :class:`Batch`; *last* gets its name last."""
        with self.batch() as batch:
            for name, content in contents.items():
                batch.add(name, content)
            batch.publish(last=last)

    @contextmanager
    def batch(self) -> Iterator["Batch"]:
        """A batch of files for this folder; what was not published is removed at its end."""
        batch = Batch(self)
        try:
            yield batch
        finally:
            for part in batch.parts.values():
                with suppress(OSError):
                    part.unlink(missing_ok=True)

    def adopt(
        self,
        parts: Mapping[str, Path],
        *,
        last: str = "",
        without: Callable[[], None] | None = None,
    ) -> None:
        """Give the finished files *parts* their names in this folder: all are forced to the disk
        before the first gets its name. *without* removes what must not lie beside them, just before
        that; the file *last* gets its name when all others have theirs.

        Raises as :meth:`place` does; SegprepError (write-failed).
        """
        from concurrent.futures import ThreadPoolExecutor

        places = {name: self.place(name) for name in parts}
        try:
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(sync_file, parts.values()))
            if without is not None:
                without()
            for name in sorted(parts, key=lambda name: name == last):
                if name == last:
                    _sync_folders(places.values())
                os.replace(parts[name], places[name])
            _sync_folders(places.values())
        except OSError as error:
            raise write_error(Path(error.filename or self.root), error) from error


@dataclass
class Batch:
    """Files that get their names together, or not at all; until then each lies beside its name as
    ``.NAME.part``.
    """

    folder: OutputFolder
    parts: dict[str, Path] = field(default_factory=dict)

    def add(self, name: str, data: bytes) -> None:
        """Write *data*, which is to be the file *name*. Raises as OutputFolder.place does;
        SegprepError (write-failed), also where fewer bytes arrived.
        """
        path = self.folder.place(name)
        self.parts[name] = part = path.with_name(f".{path.name}.part")
        write_staged(part, data)
        if (kept := part.stat().st_size) != len(data):
            lost = OSError(errno.EIO, f"{kept} of {len(data)} bytes arrived")
            raise write_error(path, lost)

    def publish(self, *, last: str = "", without: Callable[[], None] | None = None) -> None:
        """What :meth:`OutputFolder.adopt` does with the files added so far."""
        self.folder.adopt(self.parts, last=last, without=without)
        self.parts.clear()


def force(folder: Path, written: Iterable[Path] | None = None) -> None:
    """Force the files *written* in *folder*, by default all, and every name to the disk.

    Raises OSError.
    """
    from concurrent.futures import ThreadPoolExecutor

    files = [*(written if written is not None else filter(Path.is_file, folder.rglob("*")))]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(_sync_files, (files[n::THREADS] for n in range(THREADS))))
    for inner, _, _ in os.walk(folder):
        sync_folder(Path(inner))


def swap(new: Path, out: Path, old: Path) -> None:
    """Put the finished folder *new*, which was forced to the disk, at *out*, and what was there at
    *old*. A run killed between the two renames leaves nothing at *out*: see :func:`restore`.

    Raises OSError.
    """
    if out.exists():
        remove_folder(old)
        os.replace(out, old)
    os.replace(new, out)
    sync_folder(out.absolute().parent)


def restore(out: Path, old: Path) -> None:
    """Put *old* back where :func:`swap` was killed between its two renames. Raises OSError."""
    if old.is_dir() and not old.is_symlink() and not os.path.lexists(out):
        os.replace(old, out)


def _sync_files(files: Iterable[Path]) -> None:
    for path in files:
        sync_file(path)


def _sync_folders(places: Iterable[Path]) -> None:
    for folder in sorted({path.parent for path in places}):
        sync_folder(folder)


def link_refused(path: Path) -> TreeError:
    """The error where a link stands in the way of writing."""
    return TreeError(
        "link-in-output",
        f"{path} is a symbolic link; files would land where it points",
        "remove the link",
    )
