"""Packed items of which no two have stems that would collide, found in bulk."""

from collections.abc import Callable

import numpy as np

from segprep.names import stem_fault, stem_key
from segprep.packed_items import PackedItems
from segprep.sources._common.pairing import plain_names, stems
from segprep.types import Item, Skipped


def unique(
    items: PackedItems, skipped: list[Skipped], shown: Callable[[Item], Item] = lambda item: item
) -> PackedItems:
    """The *items* by stem; what :func:`stems.unique` refuses of them, as they are *shown*, goes to
    *skipped*.
    """
    names = items.stems
    plain = names.is_ascii()
    if plain:
        keys = plain_names.name_keys(names)
    else:
        hashes = (hash(stem_key(name)) for name in names)
        keys = np.fromiter(hashes, np.int64, len(names)).view(np.uint64)
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    shared = counts[inverse] > 1
    asked = plain_names.doubtful(names).tolist() if plain else range(len(names))
    faulty = {n for n in asked if stem_fault(names[n])}
    doubtful = sorted(faulty.union(np.flatnonzero(shared).tolist()))
    suspects = {n: shown(items[n]) for n in doubtful}
    kept = set(map(id, stems.unique(suspects.values(), skipped)))
    refused = {n for n, item in suspects.items() if id(item) not in kept}
    order = names.in_order()
    return items.chosen([n for n in order if n not in refused] if refused else order)
