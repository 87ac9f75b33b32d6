"""Samples one after the other, without end, each augmented from its own randomness; batches of them
with a stated tail; tensors for the trainer.

Sample number n is one of epoch n // N, each sample once per epoch, in an order that is drawn anew
for every epoch. It depends on (seed, n) alone: not on what was asked for before, nor on the number
of workers.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from segprep.errors import SegprepError
from segprep.training.augmentation.letterbox import Letterbox
from segprep.training.augmentation.steps import Image, Mask, Step, applied, need
from segprep.training.augmentation.windows import Windows
from segprep.training.data.pairs import Pair, View, brightest, normalised, padding

Tail = Literal["keep", "drop", "wrap"]


class Stream:
    """An endless row over *pairs*, to be asked for any number; *steps* are done in turn. Without
    *shuffle* the order stays (validation).

    Raises SegprepError (empty-list).
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        steps: Sequence[Step] = (),
        seed: int = 0,
        *,
        shuffle: bool = True,
    ) -> None:
        if not len(pairs):
            raise SegprepError(
                "empty-list",
                "there is no image to train on",
                "split the dataset, or mend the list train.txt",
            )
        self.pairs, self.steps, self.seed, self.shuffle = pairs, tuple(steps), seed, shuffle

    def position(self, number: int) -> int:
        """Which of the pairs is sample *number*."""
        epoch, place = divmod(number, len(self.pairs))
        return (
            int(np.random.default_rng((self.seed, epoch)).permutation(len(self.pairs))[place])
            if self.shuffle
            else place
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


def batch_numbers(samples: int, batch: int, tail: Tail = "keep") -> Iterator[range]:
    """The numbers of one batch after another, without end, over epochs of *samples*.

    *tail* says what becomes of an epoch's last batch where N is no multiple of *batch*: keep = it
    is smaller (30 by 20: 20, 10, 20, 10), drop = it is left out, wrap = it is filled up from the
    next epoch. Raises UsageError (bad-option), also where drop would leave nothing.
    """
    need(
        isinstance(batch, int) and batch >= 1,
        f"batch has to be a whole number from 1, not {batch!r}",
    )
    need(tail in get_args(Tail), f"tail has to be one of {', '.join(get_args(Tail))}, not {tail!r}")
    need(
        tail != "drop" or samples >= batch,
        f"{samples} samples fill no batch of {batch}",
        "take a smaller batch, or tail keep",
    )
    if tail == "wrap":
        return (range(n * batch, (n + 1) * batch) for n in count())
    each = samples // batch * batch if tail == "drop" else samples
    return (
        range(epoch * samples + at, epoch * samples + min(at + batch, each))
        for epoch in count()
        for at in range(0, each, batch)
    )


class Chained(Windows):
    """:class:`~segprep.training.data.Windows` whose windows come from *steps*: for the trainer's
    ``batches``. Sizes that differ are letterboxed into the view.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        view: View,
        seed: int,
        steps: Sequence[Step],
        *,
        shuffle: bool = True,
    ) -> None:
        super().__init__(pairs, view, seed)
        self.stream = Stream(pairs, steps, seed, shuffle=shuffle)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        """(3, S, S) float32, normalised, and (S, S) int64, 255 where ignored."""
        image, mask = self.stream[number]
        side = self.view.size
        if mask.shape != (side, side):
            grey = int(np.rint(float(padding(self.view, image.dtype)[0]) * 255))
            image, mask = Letterbox(side, side, grey)(image, mask)
        values = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1) / brightest(
            image.dtype
        )
        return normalised(values, self.view), torch.from_numpy(mask.astype(np.int64))
