"""Where a path that an annotation names leads, and whether that lies outside the roots."""

import os
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath


def meant(named: str, beside: Path) -> Path:
    """The place that *named* means, seen from the folder *beside*; drive letters are dropped."""
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
    return any(path.is_relative_to(root) for root in roots)
