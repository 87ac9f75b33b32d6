"""A source that came as one zip or tar file: unpacked with care into a temporary folder, which is
gone when the work is done.

Nothing is written outside that folder: links, devices, absolute names and names with ``..`` refuse
the archive, and so do encrypted members, members that share bytes, and more members, bytes or
compression than a dataset has. What macOS and Windows add (``__MACOSX``, ``.DS_Store``) is skipped.
"""

import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from segprep.errors import SegprepError
from segprep.files import digest_file, write_error
from segprep.imaging import damage
from segprep.sources._common.archives import archive_tar, archive_zip
from segprep.sources._common.archives.archive_limits import Allowance, Member, damaged
from segprep.sources._common.archives.archive_names import unsafe
from segprep.sources._common.pairing.folder_names import IMAGES, MASKS, words
from segprep.sources._common.pairing.official_lists import SPLITS
from segprep.types import Note, Progress, no_progress

SUFFIXES = (".zip", ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2")
OTHERS = (".7z", ".rar", ".gz", ".bz2", ".xz", ".txz", ".zst")
_BLOCK = 1 << 20
_FAULTS = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The archive at *path*, its *digest*, and where its content lies now: below *folder*; *home*
    is that folder, or the only folder in it. *notes* are what a person should know.
    """

    path: Path
    digest: str
    folder: Path
    home: Path
    notes: tuple[Note, ...] = ()

    def outer(self, text: str) -> str:
        """*text* with the archive's name for that of the temporary folder."""
        return text.replace(str(self.folder), str(self.path))

    def inner(self, path: Path) -> Path:
        """Where the file lies that :meth:`outer` calls *path*."""
        inside = path.is_relative_to(self.path)
        return self.folder / path.relative_to(self.path) if inside else path


_open: ContextVar[tuple[Unpacked, ...]] = ContextVar("segprep_archives", default=())


def is_archive(source: Path) -> bool:
    """Whether *source* is a file that has to be unpacked before it can be read."""
    return source.is_file() and source.name.lower().endswith((*SUFFIXES, *OTHERS))


@contextmanager
def opened(source: Path, progress: Progress[Any] = no_progress) -> Iterator[Unpacked | None]:
    """The content of *source* if it is an archive, else None; opened once for nested calls.

    Raises SegprepError: archive-unsafe, archive-too-large, archive-unreadable.
    """
    if not is_archive(source):
        yield None
        return
    path = source.resolve()
    for archive in _open.get():
        if archive.path == path:
            yield archive
            return
    with tempfile.TemporaryDirectory(prefix="segprep-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        notes = list[str]()
        _unpack(path, folder, notes, progress)
        if not any(folder.iterdir()):
            raise damaged(path, "it holds no files")
        home = _home(folder)
        if home != folder:
            inside = home.relative_to(folder).as_posix()
            notes.append(f"{path.name}: the source is its only folder, {inside}/")
        told = tuple(Note("archive-unpacked", text) for text in notes)
        archive = Unpacked(path, digest_file(path), folder, home, told)
        token = _open.set((*_open.get(), archive))
        try:
            yield archive
        finally:
            _open.reset(token)


def _unpack(path: Path, folder: Path, notes: list[str], progress: Progress[Any]) -> None:
    try:
        with open(path, "rb") as file:
            start = file.read(512)
            file.seek(0)
            allowance = Allowance(path, path.stat().st_size, _free(folder))
            if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
                with archive_zip.opened(path, file) as archive:
                    _write(
                        path, archive_zip.members(path, archive, notes), folder, allowance, progress
                    )
            elif start.startswith((b"\x1f\x8b", b"BZh")) or start[257:262] == b"ustar":
                _write_tar(path, file, folder, notes, allowance)
            else:
                raise _unknown(path, start)
    except _FAULTS as error:
        if isinstance(error, SegprepError):
            raise
        raise damaged(path, str(error) or "it is cut off") from error
    except OSError as error:
        if error.errno is None:  # gzip's own
            raise damaged(path, str(error)) from error
        raise write_error(Path(error.filename or folder), error) from error


def _free(folder: Path) -> int:
    """The bytes that may be written to *folder*; a tenth of the disk's free space stays."""
    return shutil.disk_usage(folder).free * 9 // 10


def _write_tar(
    path: Path, file: IO[bytes], folder: Path, notes: list[str], allowance: Allowance
) -> None:
    content = archive_tar.opened(path, file)
    try:
        _write(path, archive_tar.members(path, content, notes), folder, allowance, no_progress)
    except tarfile.ReadError as error:
        if allowance.members:
            raise
        why = "no tar file is in it" if content.file is not file else str(error)
        raise damaged(path, why, "unpack it yourself, and give the folder") from error


def _write(
    path: Path,
    members: Iterable[Member],
    folder: Path,
    allowance: Allowance,
    progress: Progress[Any],
) -> None:
    """Write all *members* below *folder*; with a list, nothing before all of them are counted."""
    if isinstance(members, list):
        whole = Allowance(path, allowance.packed, allowance.room)
        for member in members:
            whole.add(member)
        members = progress(members, len(members), "unpacking")
    for member in members:
        allowance.add(member)
        if member.parts:
            _create(path, member, folder.joinpath(*member.parts))


def _create(path: Path, member: Member, target: Path) -> None:
    name = "/".join(member.parts)
    try:
        (target if member.folder else target.parent).mkdir(parents=True, exist_ok=True)
        if member.folder:
            return
        with open(target, "xb") as file, _content(member) as content:
            left = member.size
            while block := content.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise damaged(path, f"{name} is longer than the {member.size} bytes stated")
                file.write(block)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise unsafe(path, name, "is in it twice, or as a file and as a folder") from error
    if left:
        raise damaged(path, f"{name} is shorter than the {member.size} bytes stated")


def _content(member: Member) -> IO[bytes]:
    content = member.open()
    if content is None:
        raise EOFError(f"{'/'.join(member.parts)} has no content")
    return content


def _home(folder: Path) -> Path:
    """*folder*, or the folder that is all it holds; one called images or train means something."""
    while True:
        with os.scandir(folder) as entries:
            listed = [entry for entry in entries if not entry.name.startswith(".")]
        if len(listed) != 1 or not listed[0].is_dir(follow_symlinks=False):
            return folder
        if set(words(listed[0].name)) & (IMAGES | MASKS | SPLITS.keys()):
            return folder
        folder = Path(listed[0])


def _unknown(path: Path, start: bytes) -> SegprepError:
    """Why a file that is called an archive is none that can be read."""
    if path.name.lower().endswith(OTHERS) and not path.name.lower().endswith(SUFFIXES):
        hint = "unpack it yourself, and give the folder; zip, tar, tar.gz and tar.bz2 are read"
        return damaged(path, f"{path.suffix} files are not read", hint)
    what, hint = damage.cause(start)
    what = what.replace(", not an image", "")
    if start.startswith(b"version https://git-lfs"):
        what, hint = "a Git LFS pointer", "fetch the file: git lfs pull"
    if not start:
        what, hint = "empty", "copy or download it again"
    return damaged(
        path,
        f"the file is {what or 'no zip and no tar file'}",
        hint or "copy or download it again, or give the folder",
    )
