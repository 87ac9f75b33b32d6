"""The classes of several trees as one list, by name."""

from collections.abc import Sequence
from itertools import chain

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
    class names, and for more classes than a mask can hold.
    """
    lists = [tree_source.classes_of(dataset) for dataset in trees]
    grounds = [
        classes.names[classes.background] for classes in lists if classes.background is not None
    ]
    united_names = [
        [
            grounds[0] if value == classes.background else name
            for value, name in enumerate(classes.names)
        ]
        for classes in lists
    ]
    names, notes = list[str](), list[Note]()
    for name in chain.from_iterable(united_names):
        if name not in names:
            notes += _variants(name, names)
            names.append(name)
    if len(names) > class_lists.MOST:
        raise TreeError(
            "too-many-classes",
            f"{len(names)} classes together; a mask holds {class_lists.MOST}",
            "merge some first: segprep remap --map OLD=NEW",
        )
    tables = [
        bytes([*map(names.index, listed), *range(len(listed), 256)]) for listed in united_names
    ]
    return (
        Classes(tuple(names), names.index(grounds[0]) if grounds else None, IGNORE),
        tables,
        notes,
    )


def _variants(name: str, names: Sequence[str]) -> list[Note]:
    like = [other for other in names if variant_key(other) == variant_key(name)]
    message = (
        f"the classes {like[0]!r} and {name!r} differ only in case, blanks or invisible characters"
        f" and stay two; unite them with segprep remap --map {name!r}={like[0]!r}"
        if like
        else ""
    )
    return [Note("label-variant", message)] if like else []
