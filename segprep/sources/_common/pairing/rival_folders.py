"""Several folders that hold masks of the same images: only the user knows which is the truth."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from segprep.errors import UsageError
from segprep.sources._common.pairing import repeated_folders
from segprep.sources._common.pairing.folder_names import MASKS, shows_view, words

VIEWS = {"mask", "masks", "fov", "roi", "view", "field"}
DRAWINGS = {"manual", "vessel", "vessels", "label", "labels", "gt", "truth", "groundtruth", "av"}


class RivalFoldersError(UsageError):
    """Several folders hold masks of the same images."""


def error(root: Path, images: Path, masks: Sequence[Path]) -> RivalFoldersError:
    """The error for several folders of *masks* of the same *images*."""
    names = [path.relative_to(root).as_posix() for path in masks]
    source = images.relative_to(root).as_posix()
    start = f"--images {shlex.quote(source)} --masks"
    both = [repeated_folders.names(root, images, path) for path in masks]
    hints = " or ".join(
        f"--images {shlex.quote(name)} --masks {shlex.quote(own)}" for name, own in both
    )
    said = {path: set(words(Path(path).name)) for path in names}
    sure = [path for path in names if shows_view(Path(path).name) or said[path] & VIEWS - MASKS]
    views = sure or [path for path in names if said[path] & VIEWS]
    others = [path for path in names if path not in views]
    drawings = [path for path in others if said[path] & DRAWINGS] or (others if sure else [])
    if views and drawings:
        given = f"{start} {shlex.quote(drawings[0])} --view {shlex.quote(views[0])}"
        hints += f"; if {views[0]} is the field of view of a camera, with binary: {given}"
    return RivalFoldersError(
        "folders-unclear",
        f"{root}: several folders hold masks of {source}/: {', '.join(names)}; which is the truth?",
        f"choose one: {hints}",
    )
