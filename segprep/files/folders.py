"""Folders: every file below, in name order, whatever the depth; and their removal."""

import os
import shutil
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from segprep.errors import SourceError


def walk(root: Path) -> Iterator[Path]:
    """Every entry below *root* that is not a folder, hidden names skipped, folders in name order;
    links to folders are not entered.

    Raises SourceError where a folder cannot be listed.
    """
    return (Path(folder, name) for folder, name in listing(str(root)))


def listing(root: str) -> Iterator[tuple[str, str]]:
    """What :func:`walk` finds, as (folder, name): a path object takes ten times the memory of a
    name. No depth of folders is too deep.
    """
    return ((folder, name) for folder, names in listed_by_folder(root) for name in names)


def listed_by_folder(root: str) -> Iterator[tuple[str, list[str]]]:
    """What :func:`listing` finds, in its order: a folder, and names that follow each other."""
    waiting = [(root, *_entries(root))]
    while waiting:
        folder, names, folders = waiting.pop()
        if not folders:
            yield folder, names
            continue
        inner = folders.pop()
        at = bisect_left(names, inner)
        if names[:at]:
            yield folder, names[:at]
        path = os.path.join(folder, inner)
        waiting += [(folder, names[at + 1 :], folders), (path, *_entries(path))]


def _entries(folder: str) -> tuple[list[str], list[str]]:
    """The names in *folder* in order, and those of folders, the last one first. Raises
    SourceError.
    """
    names, folders = list[str](), list[str]()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:  # none is kept: one takes four times the memory of its name
                if (name := entry.name)[0] != ".":
                    names.append(name)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(name)
    except OSError as error:
        raise SourceError(
            Path(folder),
            f"cannot be listed: {error.strerror}",
            "check its permissions",
            "unreadable",
        ) from error
    names.sort()
    folders.sort(reverse=True)
    return names, folders


def remove_folder(path: Path) -> None:
    """Remove the folder *path* and what it holds, as far as the system lets it. What is not a
    folder stays: shutil.rmtree opens a pipe, and waits for ever.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
