"""Where a path that an annotation names leads, and whether that lies outside the roots."""

import os
import re
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

from segprep.files.open_folders import is_below

_OF_PATHS = re.compile(r"[/\\:\0]")


def is_file_name(named: str) -> bool:
    """Whether *named* is the name of a file alone, as nearly always."""
    return named not in ("", ".", "..") and not _OF_PATHS.search(named)


def meant(named: str, beside: Path) -> Path:
    """The place that *named* means, seen from the folder *beside*; drive letters are dropped."""
    if is_file_name(named):
        return Path(os.path.normpath(f"{beside}{os.sep}{named}"))
    pure = PureWindowsPath(named)
    return Path(
        os.path.normpath(
            beside
            / (
                Path(named)
                if Path(named).is_absolute()
                else Path(*pure.relative_to(pure.anchor).parts)
            )
        )
    )


def escapes(named: str, beside: Path, roots: Sequence[Path]) -> bool:
    """Whether *named* is a URL or means a place outside *roots*."""
    return "://" in named or "\0" in named or not inside(meant(named, beside), roots)


def inside(path: Path, roots: Sequence[Path]) -> bool:
    """Whether the absolute, normal *path* is one of *roots* or below it."""
    return is_below(str(path), tuple(roots))
