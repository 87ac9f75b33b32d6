"""The files of a tree that segprep itself writes: lists, class lists; what stands in their way."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

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
    PENDING_SPLIT,
    PUBLISHING,
    RUNS,
    STAGING,
)
from segprep.errors import TreeError
from segprep.imaging.image import voc_colors
from segprep.types import Classes

_OWN = (
    *(IMAGES, MASKS, OBJECTS, "ImageSets", LISTS, STAGING, RUNS),
    *(f"{RUNS}/train", f"{RUNS}/train-check"),
    *(MANIFEST, RECORDS, LOCK, PENDING_SPLIT),
)
_STAGED = (
    *(IMAGES, MASKS, OBJECTS, "previous", "replaced", PUBLISHING),
    *("journal.jsonl", IDENTITY, RECORDS),
)


def list_bytes(stems: Iterable[str]) -> bytes:
    """A list file: one stem per line, LF, UTF-8."""
    return "".join(f"{stem}\n" for stem in stems).encode()


def class_files(classes: Classes) -> dict[str, bytes]:
    """class_names.txt (labelme's habit) and labelmap.txt (Datumaro, CVAT): name -> content."""
    colors = voc_colors()
    rows = [
        f"{re.sub('^#|:', '_', name)}:{','.join(map(str, colors[3 * n : 3 * n + 3]))}::"
        for n, name in enumerate(classes.names)
    ]
    if classes.ignore is not None:
        rows.append(
            f"ignored:{','.join(map(str, colors[3 * classes.ignore : 3 * classes.ignore + 3]))}::"
        )
    return {
        CLASS_NAMES: "".join(f"{name}\n" for name in classes.names).encode(),
        LABELMAP: (
            "".join(f"{row}\n" for row in ["# label:color_rgb:parts:actions", *rows]).encode()
        ),
    }


def occupied(root: Path) -> str | None:
    """The first thing at *root* that a conversion would write over, or None."""
    for name in (IMAGES, MASKS, OBJECTS, LISTS):
        if (root / name).is_dir() and any((root / name).iterdir()):
            return name
    return next((name for name in (CLASS_NAMES, LABELMAP, RECORDS) if (root / name).exists()), None)


def guard_links(root: Path) -> None:
    """Raise TreeError if a symbolic link stands where segprep writes or deletes: files would land,
    or be lost, elsewhere. The first step of every command that writes into a tree.
    """
    for name in (*_OWN, *(f"{STAGING}/{name}" for name in _STAGED)):
        if os.path.islink(root / name):
            raise TreeError(
                "link-in-output",
                f"{root / name} is a symbolic link; files would land where it points",
                "remove the link",
            )
