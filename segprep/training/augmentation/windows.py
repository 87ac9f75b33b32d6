"""The crops that a network is trained on: an endless, seeded row over image and mask pairs."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from segprep.errors import SegprepError
from segprep.training.augmentation.geometry import PLAIN, Geometry, draw, draw_light, window
from segprep.training.data.pairs import ImagePair, InputSpec, normalized, padding
from segprep.types import IGNORE

TRIES = 64


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """An endless row of augmented windows over *pairs*: number n is sample n % len(pairs) of epoch
    n // len(pairs), each once per epoch, in an order that is drawn again for every epoch.

    A window depends on (seed, n) alone: not on what was asked for before, nor on the number of
    workers. Without *augmented*, windows lie at random but upright and untinted.
    """

    def __init__(
        self, pairs: Sequence[ImagePair], view: InputSpec, seed: int, *, augmented: bool = True
    ) -> None:
        if not len(pairs):
            reason = "no images to train on"
            raise SegprepError("empty-list", reason, "split the dataset, or fix the list train.txt")
        self.pairs, self.view, self.seed, self.augmented = pairs, view, seed, augmented
        self._classes_of: dict[str, NDArray[np.intp]] = {}
        self._epoch = (-1, np.zeros(0, np.int64))  # number and order of the latest

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        """(3, S, S) float32, normalized, and (S, S) int64."""
        epoch, position = divmod(number, len(self.pairs))
        pair = self.pairs[self.position(number)]
        rng = np.random.default_rng((self.seed, epoch, position))
        geometry = self._geometry(pair, rng)
        light = draw_light(rng) if self.augmented else PLAIN
        outside = padding(self.view, pair.image.dtype)
        values, mask = window(pair.image, pair.mask, geometry, outside, light)
        return normalized(values, self.view), torch.from_numpy(mask.astype(np.int64))

    def position(self, number: int) -> int:
        """Which of the pairs is sample *number*."""
        epoch, offset = divmod(number, len(self.pairs))
        if self._epoch[0] != epoch:
            order = np.random.default_rng((self.seed, epoch)).permutation(len(self.pairs))
            self._epoch = (epoch, order)
        return int(self._epoch[1][offset])

    def _geometry(self, pair: ImagePair, rng: np.random.Generator) -> Geometry:
        """Centered if letterboxed, else at random, every third around a pixel of a drawn class."""
        height, width = pair.mask.shape
        size = self.view.size
        center = [_inside(rng.random(), side, size) for side in (height, width)]
        if self.view.scale is not None and rng.random() < 1 / 3:
            center = self._on_class(pair, rng, center)
        if self.augmented:
            return draw(center[0], center[1], size, rng)
        return Geometry(center[0], center[1], size)

    def _present(self, pair: ImagePair) -> NDArray[np.intp]:
        """The classes of *pair*, counted once."""
        if pair.stem not in self._classes_of:
            self._classes_of[pair.stem] = np.flatnonzero(
                np.bincount(pair.mask.reshape(-1), minlength=256)[:IGNORE]
            )
        return self._classes_of[pair.stem]

    def _on_class(
        self, pair: ImagePair, rng: np.random.Generator, center: list[float]
    ) -> list[float]:
        if not len(present := self._present(pair)):
            return center
        class_id, flat = present[int(rng.random() * len(present))], pair.mask.reshape(-1)
        # looking through a large mask costs more than all else
        tried = (rng.random(TRIES) * flat.size).astype(np.intp)
        hits = tried[flat[tried] == class_id]
        places = hits if len(hits) else np.flatnonzero(flat == class_id)
        row, column = divmod(int(places[int(rng.random() * len(places))]), pair.mask.shape[1])
        size = self.view.size
        return [
            _near(at, side, size) for at, side in zip((row, column), pair.mask.shape, strict=True)
        ]


def _inside(share: float, side: int, size: int) -> float:
    """A window's center along one axis: uniform where it fits; a shorter *side* is centered."""
    return (size - 1) / 2 + (
        int(share * (side - size + 1)) if side > size else -((size - side) // 2)
    )


def _near(at: int, side: int, size: int) -> float:
    """The center next to *at* for which the window lies inside; a short *side* is centered."""
    return (size - 1) / 2 + (
        min(max(at - size // 2, 0), side - size) if side > size else -((size - side) // 2)
    )
