"""Class and dataset names as other ecosystems want them."""

import re

from segprep.dataset import classes as class_lists
from segprep.errors import TreeError
from segprep.imaging.image import voc_colors
from segprep.types import Classes
from segprep.writer import Inventory

_NO_CLASSES = "the dataset names no classes, and this target has to list them"


def required(classes: Classes | None) -> Classes:
    """*classes*. Raises TreeError (classes-needed) where the dataset names none."""
    if classes is None:
        raise TreeError(
            "classes-needed",
            _NO_CLASSES,
            "write class_names.txt into the dataset, one name per line: line n is pixel value n",
        )
    return classes


def plain(classes: Classes) -> tuple[str, ...]:
    """The class names, with the background called ``background``."""
    return tuple(
        "background" if number == classes.background and class_lists.is_background(name) else name
        for number, name in enumerate(classes.names)
    )


def colors(classes: Classes) -> list[list[int]]:
    """VOC's color of each class."""
    table = voc_colors()
    return [list(table[3 * number : 3 * number + 3]) for number in range(len(classes.names))]


def identifier(inventory: Inventory, name: str = "") -> str:
    """*name*, else the dataset's folder name, as letters, digits and ``_``."""
    text = re.sub(r"\W+", "_", name or inventory.name, flags=re.ASCII).strip("_")
    return text or "dataset"
