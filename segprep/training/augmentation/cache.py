"""A small dataset held in memory: every image is decoded once, not once per epoch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from segprep.dataset.tree import Tree
from segprep.errors import SourceError
from segprep.training.data.pairs import Pair, View, raise_bad, read_pair, scaled

LIMIT = 2 * 1024**3  # bytes of arrays


class Cached(Sequence[Pair]):
    """The pairs of *stems* of the tree *place*, at the scale of *view* if given: read when first
    asked for, kept while all of them stay within *limit* bytes.

    What does not fit any more is read anew each time. Worker processes that are forked after
    :meth:`preload` share the arrays.
    """

    def __init__(
        self,
        place: Tree,
        stems: Sequence[str],
        classes: int | None = None,
        view: View | None = None,
        limit: int = LIMIT,
    ) -> None:
        self.place, self.stems, self.classes, self.view, self.limit = (
            place,
            tuple(stems),
            classes,
            view,
            limit,
        )
        self.held = 0  # bytes
        self._pairs: dict[int, Pair] = {}

    def __len__(self) -> int:
        return len(self.stems)

    @overload
    def __getitem__(self, number: int) -> Pair: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Pair]: ...
    def __getitem__(self, number: int | slice) -> Pair | Sequence[Pair]:
        """Pair *number*. Raises SourceError where it cannot be used."""
        if isinstance(number, slice):
            return [self[n] for n in range(*number.indices(len(self)))]
        number = range(len(self))[number]
        if (kept := self._pairs.get(number)) is not None:
            return kept
        pair = read_pair(self.place, self.stems[number], self.classes)
        pair = pair if self.view is None else scaled(pair, self.view)
        weight = pair.image.nbytes + pair.mask.nbytes
        if self.held + weight <= self.limit:
            self._pairs[number] = pair
            self.held += weight
        return pair

    def preload(self) -> bool:
        """Read every pair; whether all are in memory now.

        Raises one SegprepError that names every bad file.
        """
        bad: list[SourceError] = []
        for number in range(len(self)):
            try:
                self[number]
            except SourceError as error:
                bad.append(error)
        raise_bad(bad)
        return len(self._pairs) == len(self)


def stacked(pairs: Sequence[Pair]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Two arrays, as ``fit(x, y)`` of the tutorials takes them: (N, H, W, 3) of the images' kind,
    (N, H, W) class ids. Raises SourceError (size-mismatch).
    """
    for pair in pairs:
        if pair.mask.shape != pairs[0].mask.shape:
            found = (
                f"is {pair.mask.shape[1]}x{pair.mask.shape[0]}, {pairs[0].stem} is"
                f" {pairs[0].mask.shape[1]}x{pairs[0].mask.shape[0]}"
            )
            raise SourceError(
                Path(pair.stem),
                found,
                "letterbox or resize the images to one size first",
                "size-mismatch",
            )
    return np.stack([pair.image for pair in pairs]), np.stack([pair.mask for pair in pairs])
