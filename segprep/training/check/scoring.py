"""A trained network against the truth: its scores while training and at the end, and the samples
that it disagrees with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from segprep.dataset.tree import Tree
from segprep.metrics import confusion
from segprep.training import losses
from segprep.training.check import kinds, outcome, placement
from segprep.training.check.budget import Budget
from segprep.training.check.piece_sizes import PieceSizes
from segprep.training.check.suspects import Suspect, disagreement, outliers, ranked, recall
from segprep.training.check.verdict import Counts
from segprep.training.data.pairs import ImagePair, nearest, read_truth
from segprep.training.inference.tiles import net_of, probabilities
from segprep.training.logits import likeliest, mask_of
from segprep.training.progress import Moment, Watch
from segprep.training.trainer.distributed import ProcessGroup
from segprep.training.trainer.validation import validate
from segprep.types import IGNORE

RANKED = 400  # train images that are ranked as suspects
NEAR = 6  # pixels
TOLD = 200  # suspects whose fault is looked for


@dataclass(frozen=True, slots=True)
class Judge:
    """All that scoring needs beside network and pairs. ImagePairs are at the scale of *plan*."""

    dataset: Tree
    classes: int
    plan: Budget
    device: str
    watch: Watch

    def validate(self, network: nn.Module, val: Sequence[ImagePair]) -> tuple[float, float]:
        """(cross-entropy, mIoU) over *val* at the scale of the plan."""
        group = ProcessGroup(0, 1, self.device)
        sigmoid = self.plan.config.head == "sigmoid"
        loss = losses.make("bce", 1) if sigmoid else losses.make("ce", self.classes)
        figures = validate(network, val, self.plan.view, loss, self.classes, group)
        return figures.loss, figures.miou

    def counts(self, network: nn.Module, pairs: Sequence[ImagePair]) -> Counts:
        """(N, C, C): the confusion matrix of every pair."""
        return np.stack(
            [
                confusion.count(pair.mask, self.predicted(network, pair), self.classes)
                for pair in pairs
            ]
        )

    def predicted(self, network: nn.Module, pair: ImagePair) -> NDArray[np.uint8]:
        """(h, w) class ids."""
        return likeliest(self._probabilities(network, pair))

    def _probabilities(self, network: nn.Module, pair: ImagePair) -> Tensor:
        net = net_of(network, [""] * self.classes, self.plan.view, self.device)
        return probabilities(net, [pair.image])[0]

    def score(
        self, network: nn.Module, val: Sequence[ImagePair], new: Path
    ) -> tuple[Counts, Counts, Counts]:
        """Counts (N, C, C) of val: at the images' own size (predictions are written), at the plan's
        scale, and there against other images' masks.
        """
        final, work, others = [], [], []
        order = np.random.default_rng((self.plan.config.seed, 2)).permutation(len(val))
        position = {int(n): at for at, n in enumerate(order)}
        rings = range(1, min(5, len(val)))
        for n, pair in enumerate(val):
            probabilities = self._probabilities(network, pair)
            mask, guess = mask_of(probabilities, pair.size), likeliest(probabilities)
            outcome.write_prediction(new, pair.stem, mask)
            final.append(
                confusion.count(
                    read_truth(self.dataset, pair.stem, self.classes), mask, self.classes
                )
            )
            work.append(confusion.count(pair.mask, guess, self.classes) * max(1, len(rings)))
            strange = [
                nearest(val[int(order[(position[n] + ring) % len(val)])].mask, *pair.mask.shape)
                for ring in rings
            ]
            others.append(
                sum(
                    (confusion.count(pair, guess, self.classes) for pair in strange),
                    np.zeros_like(work[-1]),
                )
            )
            self.watch(Moment("scoring", n + 1, len(val)))
        return np.stack(final), np.stack(work), np.stack(others)

    def rank(
        self,
        network: nn.Module,
        train: Sequence[ImagePair],
        val: Sequence[ImagePair],
        unlearned: Sequence[int] = (),
    ) -> tuple[tuple[Suspect, ...], Counts]:
        """Every image that was read, the most suspect first; and the counts (N, C, C) of those that
        were trained on.

        Pixels of *unlearned* classes say nothing about the masks, nor do predicted pieces that are
        far too large for their class: they count in no ranking.
        """
        suspects, counts = [], []
        sizes = PieceSizes((pair.stem, pair.mask) for pair in (*train, *val))
        some = sorted(
            np.random.default_rng((self.plan.config.seed, 3))
            .permutation(len(train))[:RANKED]
            .tolist()
        )
        pairs = [(train[m], True) for m in some] + [(pair, False) for pair in val]
        misplaced = placement.misplaced([pair for pair, _ in pairs])
        for n, (pair, seen) in enumerate(pairs):
            probabilities = self._probabilities(network, pair)
            guess = likeliest(probabilities)
            mask = np.where(
                sizes.implausible(guess, pair.stem), IGNORE, without(pair.mask, unlearned)
            ).astype(np.uint8)
            suspects.append(
                Suspect(
                    pair.stem,
                    *disagreement(probabilities, mask),
                    seen,
                    misplaced=round(misplaced.get(pair.stem, 0.0), 3),
                    told=round(placement.told_gain(pair, guess), 3),
                    seen=round(recall(guess, mask), 3),
                )
            )
            if seen:
                counts.append(confusion.count(pair.mask, guess, self.classes))
            self.watch(Moment("ranking suspects", n + 1, len(pairs)))
        return ranked(suspects), np.stack(counts)

    def told(
        self,
        network: nn.Module,
        suspects: tuple[Suspect, ...],
        pairs: Mapping[str, ImagePair],
        names: Sequence[str],
        background: int | None,
    ) -> tuple[Suspect, ...]:
        """*suspects*; of those that stand out, what is wrong."""
        wrong = {suspect.stem for suspect in outliers(suspects)[:TOLD]}
        masks = {stem: pairs[stem].mask for stem in wrong}
        return tuple(
            suspect
            if suspect.stem not in wrong
            else replace(
                suspect,
                kind=kinds.of_mask(
                    self.predicted(network, pairs[suspect.stem]),
                    pairs[suspect.stem].mask,
                    {stem: mask for stem, mask in masks.items() if stem != suspect.stem},
                    names,
                    background,
                ),
            )
            for suspect in suspects
        )


def without(mask: NDArray[np.uint8], classes: Sequence[int]) -> NDArray[np.uint8]:
    """*mask* (h, w) with the pixels of *classes* ignored, and NEAR pixels around them: what is
    predicted in their place does not end exactly where they do.
    """
    places = np.isin(mask, classes)
    if not places.any():
        return mask
    from scipy.ndimage import binary_dilation

    return np.where(binary_dilation(places, iterations=NEAR), np.uint8(IGNORE), mask)
