"""Unfinished work in OUT/.segprep-incomplete: a journal of finished Records, publishing by renames,
one run at a time.

    identity.json   whose work this is: source, options, class list
    journal.jsonl   finished Records; a torn last line is dropped
    previous/       the manifest and the lists that publishing replaces
    replaced/       folders that --overwrite takes out of the way
    JPEGImages/ …   files to publish

A killed run leaves this folder behind; every file in it is trusted only after its digest was
checked, so nothing here needs to be forced to the disk before publishing.
"""

import errno
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from segprep import jsontext
from segprep.dataset import shards
from segprep.dataset.manifest import MANIFEST, RECORDS
from segprep.dataset.tree import (
    CLASS_NAMES,
    IDENTITY,
    IMAGES,
    LABELMAP,
    LISTS,
    LOCK,
    MASKS,
    OBJECTS,
    PUBLISHING,
    STAGING,
    read_lists,
)
from segprep.dataset.tree_files import guard_links, list_bytes
from segprep.errors import LockedError, SegprepError, SourceError
from segprep.files import (
    digest,
    read_inside,
    sync_file,
    sync_files,
    sync_folder,
    write_atomic,
    write_error,
)
from segprep.files.folders import remove_folder
from segprep.outputs import OutputFolder
from segprep.packed import PackedNames

_unlocked: ContextVar[bool] = ContextVar("segprep_unlocked", default=False)
LONGEST_JOURNAL = 4 << 30  # bytes; a line is about 1 KB
_THREADS, _BLOCK = 4, 64  # that force files to the disk, so many files each in turn


@contextmanager
def lock(root: Path) -> Iterator[None]:
    """Hold *root* for this run. Raises LockedError at once if another run does, TreeError if a link
    stands where files would be written. The lock dies with the process.
    """
    guard_links(root)
    if _unlocked.get():
        yield
        return
    import filelock  # most calls lock nothing

    path = root / LOCK
    held = filelock.FileLock(path)
    try:
        held.acquire(blocking=False)
    except filelock.Timeout as error:
        raise LockedError(
            "locked", f"another segprep run is working on {root}", "wait until it has finished"
        ) from error
    except NotImplementedError as error:  # what filelock makes of ENOSYS
        raise _no_locks(root) from error
    except OSError as error:
        if error.errno in _LOCKS_REFUSED:
            raise _no_locks(root) from error
        raise write_error(path, error) from error
    try:
        yield
    finally:
        with suppress(OSError):  # a stale lock file is harmless
            # while it is held: who opened it before us fails to lock and gives up
            path.unlink(missing_ok=True)
        held.release()


_LOCKS_REFUSED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)


def _no_locks(root: Path) -> SegprepError:
    return SegprepError(
        "locks-unsupported",
        f"the file system of {root} does not support locks, so two runs could collide there",
        "write to a local disk and copy the result; or give --no-lock where no other run can be",
    )


@contextmanager
def unlocked() -> Iterator[None]:
    """Take no locks meanwhile: for file systems without any, where nobody else is at work."""
    token = _unlocked.set(True)
    try:
        yield
    finally:
        _unlocked.reset(token)


@dataclass(frozen=True, slots=True)
class Staging:
    """The unfinished work inside the tree *root*."""

    root: Path

    @property
    def folder(self) -> Path:
        """Where the unfinished work lies."""
        return self.root / STAGING

    @property
    def publishing(self) -> bool:
        """Whether a run was killed while it published: part of the tree lies here."""
        return (self.folder / PUBLISHING).exists()

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Prepare the folder for work of this *identity*; what was finished under another one (a
        changed class list, say) is not used.
        """
        guard_links(self.root)
        path, content = self.folder / IDENTITY, self.render(identity)
        before = self._read(IDENTITY)
        if before is None:
            self.discard()  # what a killed cleaning up left
        elif before != content:
            (self.folder / "journal.jsonl").unlink(missing_ok=True)
        try:
            for name in (IMAGES, MASKS, OBJECTS):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(self.folder, error) from error
        write_atomic(path, content)

    @staticmethod
    def render(identity: Mapping[str, Any]) -> bytes:
        """*identity* as the bytes of identity.json."""
        return jsontext.encoded(identity)

    def identity(self) -> Mapping[str, Any] | None:
        """Whose work lies in the folder, or None."""
        try:
            content = json.loads(self._read(IDENTITY) or b"null")
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    def _read(self, name: str) -> bytes | None:
        """The content of the file *name* in the folder, or None where it cannot be read safely."""
        try:
            return read_inside(self.root, f"{STAGING}/{name}", LONGEST_JOURNAL)
        except SourceError:
            return None

    def discard(self) -> None:
        """Delete the folder, its identity first: without that the rest means nothing."""
        with suppress(OSError):
            (self.folder / IDENTITY).unlink(missing_ok=True)
        remove_folder(self.folder)

    def previous(self) -> "tuple[Path, Path]":
        """Manifest and records that the tree had: in place, or already moved aside by a publishing
        that was killed.
        """
        aside = self.folder / "previous"
        home = self.root if (self.root / MANIFEST).is_file() else aside
        records = (folder / RECORDS for folder in (home, aside, self.root))
        return home / MANIFEST, next((path for path in records if path.is_file()), home / RECORDS)

    def lists(self) -> dict[str, tuple[str, ...]]:
        """The lists that the tree had before publishing began."""
        return read_lists(self.root, f"{STAGING}/previous" if self.publishing else LISTS)

    def holds(self, name: str, expected: str) -> bool:
        """Whether the file *name* (relative) is there with digest *expected*, staged or published.

        Raises SourceError where the file is there but the system cannot read it.
        """
        for folder in (f"{STAGING}/", ""):
            try:
                data = read_inside(self.root, folder + name)
            except SourceError as error:
                if error.code != "unreadable" or not os.path.lexists(self.root / name):
                    continue
                raise
            if data is not None and digest(data) == expected:
                return True
        return False

    def publish(
        self,
        belonging: Callable[[str, PackedNames], PackedNames],
        removed: Iterable[str],
        described: Mapping[str, bytes | Path],
        *,
        replace: bool,
    ) -> bool:
        """Move the staged files that belong to it (*belonging*: those of the names in a folder
        that do) into the tree, take
        *removed* out, write *described* (name -> content, or the staged file that holds it), the
        manifest last.

        *replace*: whatever the tree's folders held before is taken out of the way first. Files,
        then names, are forced to the disk before the manifest says that the tree is complete.
        Whether the folders were moved as a whole: then files are in the states they were in.
        """
        from concurrent.futures import ThreadPoolExecutor

        listed = {kind: shards.names_in(self.folder / kind) for kind in (IMAGES, MASKS, OBJECTS)}
        staged = {kind: belonging(kind, names) for kind, names in listed.items()}
        try:
            with ThreadPoolExecutor(_THREADS) as pool:  # the disk takes several at once
                list(pool.map(partial(self._sync, staged), range(_THREADS)))
            self._open(replace)
            moved = [
                self._move(kind, names, alone=len(names) == len(listed[kind]))
                for kind, names in staged.items()
            ]
            shards.remove(self.root, gone := [*removed])
            for folder in shards.homes(self.root, staged, gone):
                sync_folder(folder)
            for name, content in sorted(described.items(), key=lambda pair: pair[0] == MANIFEST):
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                if isinstance(content, Path):
                    sync_file(content)
                    os.replace(content, self.root / name)
                    sync_folder(self.root)
                else:
                    write_atomic(self.root / name, content)
        except OSError as error:
            raise write_error(Path(error.filename or self.root), error) from error
        self.discard()
        return all(moved)

    def _move(self, kind: str, names: Sequence[str], *, alone: bool) -> bool:
        """Move the staged files *names* of one folder into the tree: the folder as a whole where
        the tree has none and they are *alone* in it. Whether it was.
        """
        origin, home = self.folder / kind, self.root / kind
        if not names:
            return True
        if alone and not os.path.lexists(home):
            os.replace(origin, home)
            return True
        for shard in {name.rpartition("/")[0] for name in names}:
            OutputFolder(self.root).place(f"{kind}/{shard}/_")
        for name in names:
            os.replace(os.path.join(origin, name), os.path.join(home, name))
        return False

    def _sync(self, staged: Mapping[str, PackedNames], first: int) -> None:
        """Force every fourth block of the *staged* files to the disk, from the *first* on."""
        for kind, names in staged.items():
            starts = range(first * _BLOCK, len(names), _THREADS * _BLOCK)
            blocks = (names.cut(start, min(start + _BLOCK, len(names))) for start in starts)
            if starts:
                sync_files(str(self.folder / kind), chain.from_iterable(blocks))

    def _open(self, replace: bool) -> None:
        """Take the old manifest, and with *replace* the old folders, out of the tree.

        Safe to repeat after a kill.
        """
        opened = self.folder / PUBLISHING
        if opened.exists():
            return
        (self.folder / "previous").mkdir(exist_ok=True)
        for name in (MANIFEST, RECORDS):
            if (self.root / name).is_file():
                os.replace(self.root / name, self.folder / "previous" / name)
        for name, stems in () if replace else self.lists().items():
            write_atomic(self.folder / f"previous/{name}.txt", list_bytes(stems))
        if replace:
            (self.folder / "replaced").mkdir(exist_ok=True)
            for name in (IMAGES, MASKS, OBJECTS, LISTS, CLASS_NAMES, LABELMAP):
                if (self.root / name).exists():
                    aside = self.folder / "replaced" / Path(name).name
                    remove_folder(aside)  # of a run killed while it cleaned up
                    os.replace(self.root / name, aside)
        write_atomic(opened, b"")
