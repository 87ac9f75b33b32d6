"""The classes of several trees as one list, by name."""

from collections.abc import Sequence

from segprep.conversion import tree_source
from segprep.dataset import classes as class_lists
from segprep.dataset.tree import Tree
from segprep.errors import TreeError
from segprep.names import variant_key
from segprep.types import IGNORE, Classes, Note


def united(trees: Sequence[Tree]) -> tuple[Classes, list[bytes], list[Note]]:
    """The classes of all *trees* in the order they appear, each tree's lookup table (old value ->
    new), and a note for names that differ by case or blanks only.

    The backgrounds are one class, whatever they are called. Raises TreeError for a tree without
    class names.
    """
    names, tables, notes = list[str](), list[bytes](), list[Note]()
    background = None
    for place in trees:
        classes = tree_source.classes_of(place)
        table = bytearray(range(256))
        for value, name in enumerate(classes.names):
            if value == classes.background:
                background = name if background is None else background
                name = background  # noqa: PLW2901
            if name not in names:
                notes += _variants(name, names)
                names.append(name)
            table[value] = names.index(name)
        tables.append(bytes(table))
    if len(names) > class_lists.MOST:
        raise TreeError(
            "too-many-classes",
            f"{len(names)} classes together; a mask holds {class_lists.MOST}",
            "merge some first: segprep remap --map OLD=NEW",
        )
    at = names.index(background) if background is not None else None
    return Classes(tuple(names), at, IGNORE), tables, notes


def _variants(name: str, names: Sequence[str]) -> list[Note]:
    like = [other for other in names if variant_key(other) == variant_key(name)]
    message = (
        f"the classes {like[0]!r} and {name!r} differ only in case, blanks or invisible signs and"
        f" stay two; unite them with segprep remap --map {name!r}={like[0]!r}"
        if like
        else ""
    )
    return [Note("label-variant", message)] if like else []
