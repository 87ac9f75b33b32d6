"""The stems of several trees in one: the same names, but for those that several trees use."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from segprep.dataset.shards import flat_stems
from segprep.dataset.tree import Tree
from segprep.names import stem_key, unsharded
from segprep.types import Entry, Note


def united(
    entries: Sequence[tuple[int, Entry]], trees: Sequence[Tree]
) -> dict[tuple[int, str], str]:
    """(tree, stem) -> stem in the result: prefixed with the tree's folder where it is not alone."""
    owners: dict[str, set[int]] = defaultdict(set)
    flat = [
        flat_stems(dataset, (entry.stem for owner, entry in entries if owner == number))
        for number, dataset in enumerate(trees)
    ]
    for number, entry in entries:
        owners[stem_key(flat[number][entry.stem])].add(number)
    prefixes = [dataset.root.name for dataset in trees]
    if len(set(prefixes)) < len(prefixes):
        prefixes = [f"{name}{number + 1}" for number, name in enumerate(prefixes)]
    return {
        (number, entry.stem): (
            f"{prefixes[number]}_{flat[number][entry.stem]}"
            if len(owners[stem_key(flat[number][entry.stem])]) > 1
            else flat[number][entry.stem]
        )
        for number, entry in entries
    }


def notes(names: Mapping[tuple[int, str], str]) -> list[Note]:
    """A note where a stem became another: (tree, stem) -> stem in the result."""
    changed = [(old, new) for (_, old), new in names.items() if unsharded(old) != new]
    if not changed:
        return []
    message = (
        f"{len(changed)} samples have names that several datasets use, and got their folder in"
        f" front: {changed[0][0]} became {changed[0][1]}"
    )
    return [Note("stem-prefixed", message)]
