"""The names of very many files, eight bytes each, and which other names are not among them."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from blake3 import blake3

BATCH = 4096


def hashes(names: Iterable[str]) -> bytes:
    """64 bits of BLAKE3 of each of *names*."""
    return b"".join(blake3(os.fsencode(name)).digest(8) for name in names)


def others(names: Iterable[str], listed: bytes | bytearray) -> Iterator[str]:
    """Those of *names* whose hashes are not *listed*, in their order."""
    ordered, left = np.sort(np.frombuffer(listed, np.uint64)), iter(names)
    if not ordered.size:
        yield from left
        return
    while batch := list(islice(left, BATCH)):
        own = np.frombuffer(hashes(batch), np.uint64)
        nearest = ordered[np.minimum(np.searchsorted(ordered, own), ordered.size - 1)]
        yield from (batch[at] for at in (nearest != own).nonzero()[0])
