"""Folders: every file below, in name order, whatever the depth; and their removal."""

import os
import shutil
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
    waiting = [_entries(root)]
    while waiting:
        folder, entries = waiting[-1]
        for name, is_folder in entries:
            if is_folder:
                waiting.append(_entries(os.path.join(folder, name)))
                break
            yield folder, name
        else:
            waiting.pop()


def _entries(folder: str) -> tuple[str, Iterator[tuple[str, bool]]]:
    """*folder*, and its entries in name order: name, is it a folder. Raises SourceError."""
    try:
        names, folders = list[str](), set[str]()
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    names.append(entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        folders.add(entry.name)
    except OSError as error:
        raise SourceError(
            Path(folder),
            f"cannot be listed: {error.strerror}",
            "check its permissions",
            "unreadable",
        ) from error
    names.sort()
    return folder, ((name, name in folders) for name in names)


def remove_folder(path: Path) -> None:
    """Remove the folder *path* and what it holds, as far as the system lets it. What is not a
    folder stays: shutil.rmtree opens a pipe, and waits for ever.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
