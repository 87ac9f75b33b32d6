"""VOC folders as Datumaro and CVAT read them: palette masks whose colors labelmap.txt names."""

from collections.abc import Mapping
from shlex import quote

import numpy as np

from segprep.dataset.tree import LABELMAP, LISTS
from segprep.dataset.tree_files import class_files, list_bytes
from segprep.errors import SourceError, UsageError
from segprep.targets._common import names
from segprep.types import OBJECT_IGNORE, Classes
from segprep.writer import LabeledImage, Loss

MOST_OBJECTS = 254  # Datumaro misreads object masks of 16 bits


def too_many(sample: LabeledImage) -> Loss:
    """The objects of *sample* where they do not fit 8 bits; else none."""
    if sample.objects is None:
        return Loss("", 0)
    ids = np.where(sample.objects == OBJECT_IGNORE, 0, sample.objects)
    count = int(ids.max(initial=0))
    what = "objects, more than 254 in an image, cannot be distinguished (16 bits)"
    return Loss(what, count if count > MOST_OBJECTS else 0)


def check_stem(sample: LabeledImage) -> None:
    """Raise SourceError (bad-stem) for a name that Datumaro drops: its lists have comments."""
    stem = sample.entry.stem
    if stem.startswith(("#", '"')):
        raise SourceError(
            sample.entry.mask,
            f"its name {stem!r} begins with {stem[0]}: Datumaro takes its line in the list for a"
            " comment or a quotation",
            "rename the image and its mask in the source, and convert again",
            "bad-stem",
        )


def check_names(classes: Classes) -> None:
    """Raise UsageError for a class name that labelmap.txt cannot hold or has already."""
    taken = dict.fromkeys(("background", "ignored"), "a name that labelmap.txt has a line for")
    names.refuse(classes, taken)
    for name in classes.names:
        if ":" in name or name.startswith("#"):
            why = "has a colon, which parts the columns" if ":" in name else "would be a comment"
            raise UsageError(
                "bad-classes",
                f"the class name {name!r} {why} of labelmap.txt",
                f"rename it: segprep remap --map {quote(f'{name}=NAME')}",
            )


def texts(classes: Classes, lists: Mapping[str, tuple[str, ...]]) -> dict[str, bytes]:
    """labelmap.txt, with ``background`` and ``ignored``, and *lists*."""
    renamed = Classes(names.plain(classes), classes.background)
    files = {f"{LISTS}/{name}.txt": list_bytes(stems) for name, stems in lists.items()}
    return {**files, LABELMAP: class_files(renamed)[LABELMAP]}
