"""Folders of one name that repeat below a source, as in train/ and in val/."""

import os
from pathlib import Path

from segprep.files import listing
from segprep.imaging.image import SUFFIXES
from segprep.names import natural_key


def homes(root: Path, images: str, masks: str) -> list[Path]:
    """The folders below *root* in which *images* and *masks* lie beside each other, both with image
    files, in natural order; none where one of the two is no name of a folder below.
    """
    parts = [Path(images).parts, Path(masks).parts]
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in (images, masks)):
        return []
    holding = {
        Path(folder)
        for folder, name in listing(str(root))
        if os.path.splitext(name)[1].lower() in SUFFIXES
    }
    above = {root.joinpath(*folder.parts[: -len(parts[0])]) for folder in holding}
    both = [home for home in above if all(home.joinpath(*own) in holding for own in parts)]
    return sorted(both, key=lambda home: natural_key(str(home)))
