"""Samples one after the other, without end, each augmented from its own randomness; tensors for the
trainer.

Sample number n is one of epoch n // N, each sample once per epoch, in an order that is drawn again
for every epoch. It depends on (seed, n) alone: not on what was asked for before, nor on the number
of workers.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from segprep.errors import SegprepError
from segprep.training.augmentation.letterbox import Letterbox
from segprep.training.augmentation.steps import Image, Mask, Transform, applied
from segprep.training.augmentation.windows import Windows
from segprep.training.data.pairs import ImagePair, InputSpec, brightest, normalized, padding


class Stream:
    """An endless row over *pairs*, to be asked for any number; *steps* are done in turn. Without
    *shuffle* the order stays (validation).

    Raises SegprepError (empty-list).
    """

    def __init__(
        self,
        pairs: Sequence[ImagePair],
        steps: Sequence[Transform] = (),
        seed: int = 0,
        *,
        shuffle: bool = True,
    ) -> None:
        if not len(pairs):
            raise SegprepError(
                "empty-list",
                "no images to train on",
                "split the dataset, or fix the list train.txt",
            )
        self.pairs, self.steps, self.seed, self.shuffle = pairs, tuple(steps), seed, shuffle

    def position(self, number: int) -> int:
        """Which of the pairs is sample *number*."""
        epoch, offset = divmod(number, len(self.pairs))
        return (
            int(np.random.default_rng((self.seed, epoch)).permutation(len(self.pairs))[offset])
            if self.shuffle
            else offset
        )

    def stem(self, number: int) -> str:
        """The stem of sample *number*."""
        return self.pairs[self.position(number)].stem

    def __getitem__(self, number: int) -> tuple[Image, Mask]:
        """Sample *number*: (H, W, 3) of the image's kind, and (H, W) uint8."""
        if number < 0:
            raise IndexError(number)
        pair = self.pairs[self.position(number)]
        rng = np.random.default_rng((self.seed, *divmod(number, len(self.pairs)), 1))
        return applied(self.steps, pair.image, pair.mask, rng)


class Chained(Windows):
    """:class:`~segprep.training.augmentation.windows.Windows` that come from *steps*: for the
    trainer's ``batches``. Sizes that differ are letterboxed into the view.
    """

    def __init__(
        self,
        pairs: Sequence[ImagePair],
        view: InputSpec,
        seed: int,
        steps: Sequence[Transform],
        *,
        shuffle: bool = True,
    ) -> None:
        super().__init__(pairs, view, seed)
        self.stream = Stream(pairs, steps, seed, shuffle=shuffle)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        """(3, S, S) float32, normalized, and (S, S) int64, 255 where ignored."""
        image, mask = self.stream[number]
        side = self.view.size
        if mask.shape != (side, side):
            gray = int(np.rint(float(padding(self.view, image.dtype)[0]) * 255))
            image, mask = Letterbox(side, side, gray)(image, mask)
        values = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1) / brightest(
            image.dtype
        )
        return normalized(values, self.view), torch.from_numpy(mask.astype(np.int64))
