"""Class and dataset names as other ecosystems want them."""

import re
from collections.abc import Mapping
from shlex import quote

from segprep.dataset import classes as class_lists
from segprep.errors import TreeError, UsageError
from segprep.imaging.image import voc_colors
from segprep.names import stem_key
from segprep.types import Classes, Note
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
    """The class names, with the background called ``background`` unless another class is."""
    taken = "background" in classes.names
    return tuple(
        "background"
        if number == classes.background and class_lists.is_background(name) and not taken
        else name
        for number, name in enumerate(classes.names)
    )


def refuse(classes: Classes, reserved: Mapping[str, str]) -> None:
    """Raise UsageError (bad-classes) for a class that bears one of the *reserved* names (name ->
    why it is); the background may bear its own.
    """
    for number, name in enumerate(classes.names):
        if name in reserved and not (name == "background" and number == classes.background):
            raise UsageError(
                "bad-classes",
                f"the class {name!r} has {reserved[name]}",
                f"rename it: segprep remap --map {quote(f'{name}=NAME')}",
            )


def flat(stem: str) -> str:
    """*stem* as a name without folders: ``city/a`` is ``city_a``."""
    return stem.replace("/", "_")


def joined(renamed: Mapping[str, str]) -> tuple[Note, ...]:
    """The note that stems with folders got other names (stem -> name). Raises UsageError
    (stem-collision) where two got the same one.
    """
    first: dict[str, str] = {}
    for stem, name in renamed.items():
        if (other := first.setdefault(stem_key(name), stem)) != stem:
            reason = f"the samples {other} and {stem} would both be called {name}"
            raise UsageError("stem-collision", reason, "rename one")
    nested = [stem for stem, name in renamed.items() if not name.endswith(stem)]
    if not nested:
        return ()
    what = f"{len(nested)} names have folders; {nested[0]} became {renamed[nested[0]]}"
    return (Note("stem-joined", what),)


def colors(classes: Classes) -> list[list[int]]:
    """VOC's color of each class."""
    table = voc_colors()
    return [list(table[3 * number : 3 * number + 3]) for number in range(len(classes.names))]


def identifier(inventory: Inventory, name: str = "") -> str:
    """*name*, else the dataset's folder name, as letters, digits and ``_``."""
    text = re.sub(r"\W+", "_", name or inventory.name, flags=re.ASCII).strip("_")
    return text or "dataset"
