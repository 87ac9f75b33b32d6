"""The images that a check trains on and scores, in memory; and the control's, whose masks are those
of other images.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from segprep.dataset.tree import Tree
from segprep.training.data.dataset import ImagePairs
from segprep.training.data.pairs import ImagePair, InputSpec, nearest
from segprep.training.progress import Moment, Watch

MEMORY, FEWEST_HELD = 2 << 30, 8  # bytes of the images of one list; images that are read anyway


def affordable(sample: Sequence[ImagePair], spec: InputSpec) -> int:
    """How many images of the size of *sample* fit the memory that a check takes."""
    each = [np.prod(spec.worked(*pair.size)) * (3 * pair.image.itemsize + 1) for pair in sample]
    return max(FEWEST_HELD, int(MEMORY // float(np.mean(each))))


def read(
    tree: Tree, name: str, stems: Sequence[str], classes: int, spec: InputSpec, watch: Watch
) -> list[ImagePair]:
    """The pairs of *stems* as *spec* has them. Raises SegprepError naming every bad file."""
    said = partial(Moment, f"reading {name}")
    pairs = ImagePairs(tree, stems, classes, spec)
    return list(pairs.survey(lambda done, total: watch(said(done, total)), 0))


def with_shuffled_masks(train: Sequence[ImagePair], seed: int) -> list[ImagePair]:
    """*train* with every mask on another image, in a ring of random order, stretched to fit."""
    order = np.random.default_rng((seed, 1)).permutation(len(train))
    ring = dict(zip(order.tolist(), np.roll(order, 1).tolist(), strict=True))
    return [
        ImagePair(pair.stem, pair.image, nearest(train[ring[n]].mask, *pair.mask.shape), pair.size)
        for n, pair in enumerate(train)
    ]
