"""Where a path really leads: only files below given roots are opened."""

import os
import stat
from functools import cache
from pathlib import Path

from segprep.errors import SourceError, UsageError
from segprep.files import open_folders
from segprep.files.inputs import saw, watched
from segprep.files.open_folders import is_below


def resolve_below(path: Path, roots: tuple[Path, ...]) -> Path:
    """The real path of *path*, which must lie below one of the (resolved) *roots*.

    Raises SourceError.
    """
    if _is_plain_file(path, roots):
        return path
    text = str(path)
    if "\0" in text:
        raise SourceError(
            Path(text.replace("\0", "\\0")),
            "the path has a NUL character",
            code="path-outside-root",
        )
    lexical = os.path.normpath(text)
    if not is_below(lexical, roots):
        raise SourceError(
            path,
            "lies outside the source folder",
            "move it in, or name its folder with --image-root",
            "path-outside-root",
        )
    try:
        real = lexical if _has_no_link(lexical, roots) else os.path.realpath(lexical, strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(path, f"cannot be read: {reason}", code="unreadable") from error
    if not is_below(real, roots):
        raise SourceError(
            path,
            "is a link that leads out of the source folder",
            f"copy the file in, or name a folder above {real} with --image-root (convert)",
            "link-outside-root",
        )
    return Path(real)


def _has_no_link(text: str, roots: tuple[Path, ...]) -> bool:
    """Whether no part of *text* below its root is a link; the roots are resolved already.

    Raises OSError where a part is missing.
    """
    inputs = watched()
    root = max((str(folder) for folder in roots if is_below(text, (folder,))), key=len)
    plain = inputs.folders if inputs else set()
    parts = [text]
    while len(parent := os.path.dirname(parts[-1])) > len(root) and parent not in plain:
        parts.append(parent)
    if any(stat.S_ISLNK(os.lstat(part).st_mode) for part in reversed(parts)):
        return False
    plain.update(parts[1:])
    return True


def _is_plain_file(path: Path, roots: tuple[Path, ...]) -> bool:
    """Whether *path* is a regular file below *roots*, no part of it a link, and its folder's handle
    shows that at once; False where it has to be looked up with care.
    """
    if (entry := open_folders.placed(path, roots)) is None:
        return False
    try:
        state = os.stat(entry[0], dir_fd=entry[1], follow_symlinks=False)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(state.st_mode)


def find_below(path: Path, roots: tuple[Path, ...]) -> bool:
    """Whether *path* is an existing file below *roots*.

    Anything outside counts as absent; its content is never opened.
    """
    if _is_plain_file(path, roots):
        return True
    try:
        present = resolve_below(path, roots).is_file()
    except SourceError as error:
        if error.code == "link-outside-root":
            raise
        present = False
    if not present:
        saw(path, None)
    return present


def is_file(text: str | Path) -> bool:
    """Whether *text* names a file; text that no file name can be (too long, a NUL) is none."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def real_folders(source: Path, further: tuple[Path, ...] = ()) -> tuple[Path, ...]:
    """The folders that a reader may open, resolved; the source first.

    Raises UsageError if one is not a folder.
    """
    return _resolved(
        _absolute(source, tuple(further)) or tuple(map(os.path.abspath, (source, *further)))
    )


@cache
def _absolute(source: Path, further: tuple[Path, ...]) -> tuple[str, ...]:
    """The normal paths of folders; () where one depends on the current folder."""
    paths = (source, *further)
    return tuple(map(os.path.abspath, paths)) if all(map(os.path.isabs, paths)) else ()


@cache
def _resolved(paths: tuple[str, ...]) -> tuple[Path, ...]:
    for path in paths:
        if not os.path.isdir(path):
            raise UsageError("bad-option", f"{path} is not a folder", "give an existing folder")
    return tuple(Path(path).resolve() for path in paths)
