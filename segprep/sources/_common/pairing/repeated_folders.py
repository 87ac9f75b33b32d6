"""Folders of one name that repeat below a source, as in train/ and in val/."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from segprep.errors import UsageError
from segprep.names import natural_key, stem_of
from segprep.sources._common.pairing import name_rules
from segprep.sources._common.pairing.folder_names import MASKS, bare, words


def names(root: Path, images: Path, masks: Path) -> tuple[str, str]:
    """What --images and --masks take for two folders below *root*: their names in the folder that
    holds both where others below *root* hold such folders too, else their paths.
    """
    home = Path(os.path.commonpath([images, masks]))
    own = images.relative_to(home).as_posix(), masks.relative_to(home).as_posix()
    apart = "." not in own and not any((root / name).exists() for name in own)
    if apart and len(homes(root, *own)) > 1:
        return own
    return images.relative_to(root).as_posix(), masks.relative_to(root).as_posix()


def homes(root: Path, images: str, masks: str) -> list[Path]:
    """The folders below *root* in which *images* and *masks* lie beside each other, both with image
    files, in natural order; none where one of the two is no name of a folder below.
    """
    parts = [Path(images).parts, Path(masks).parts]
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in (images, masks)):
        return []
    holding = {Path(folder) for folder in name_rules.picture_folders(root)}
    above = {root.joinpath(*folder.parts[: -len(parts[0])]) for folder in holding}
    both = [home for home in above if all(home.joinpath(*own) in holding for own in parts)]
    return sorted(both, key=lambda home: natural_key(str(home)))


def nearest(root: Path, candidates: Sequence[Path], masks: Path) -> Path:
    """The one of *candidates* that shares most folders with *masks*, and of these most of its
    files' names.

    Raises UsageError where several share as many: which of them was annotated?
    """
    shared = [len(Path(os.path.commonpath([path, masks])).parts) for path in candidates]
    near = [path for path, parts in zip(candidates, shared, strict=True) if parts == max(shared)]
    if len(near) == 1:
        return near[0]
    own = stems(masks)
    others = [len(own ^ stems(path)) for path in near]
    best = [path for path, count in zip(near, others, strict=True) if count == min(others)]
    best = [path for path in best if not set(words(path.name)) & MASKS] or best
    if len(best) > 1:
        shown = [path.relative_to(root).as_posix() for path in (masks, *best)]
        ways = [
            f"--images {shlex.quote(name)} --masks {shlex.quote(shown[0])}" for name in shown[1:]
        ]
        reason = f"several folders hold images of {shown[0]}/: {', '.join(shown[1:])}"
        hint = f"choose the one that was annotated: {' or '.join(ways)}"
        raise UsageError("folders-unclear", f"{root}: {reason}", hint)
    return best[0]


def stems(folder: Path) -> set[str]:
    """The names of the image files below *folder*, without what stands for images and masks."""
    return {bare(stem_of(name)) for _, name in name_rules.image_files(folder).parts()}
