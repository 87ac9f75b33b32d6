"""What the images and masks say before any training: read some of the train list, reduced first
where they are large, and look for what makes a training pointless.
"""

from collections.abc import Sequence
from random import Random

from segprep.dataset.tree import Tree
from segprep.splitting.partition import shuffled
from segprep.training.check import alignment, causes, polarity
from segprep.training.check.verdict import Reason
from segprep.training.data.dataset import ImagePairs
from segprep.training.data.pairs import ImagePair, InputSpec, scaled
from segprep.training.progress import Moment, Watch

SURVEYED = 48  # images for budget and alignment
LONGEST = 1024  # pixels of the longer side; nothing here needs more, and 12 megapixels take seconds


def read(
    tree: Tree, stems: Sequence[str], classes: int, seed: int, watch: Watch
) -> list[ImagePair]:
    """Up to SURVEYED pairs of *stems*, none longer than LONGEST; their ``size`` is that on disk.

    Raises SegprepError naming every bad file.
    """
    chosen = sorted(shuffled(stems, Random(seed))[:SURVEYED])
    pairs = ImagePairs(tree, chosen, classes, InputSpec(LONGEST, 1.0, (), ()))
    told = pairs.survey(lambda done, total: watch(Moment("surveying", done, total)), 0)
    return [reduced(pair) for pair in told]


def reduced(pair: ImagePair) -> ImagePair:
    """*pair* at most LONGEST pixels long."""
    factor = LONGEST / max(pair.size)
    if factor >= 1:
        return pair
    return scaled(pair, InputSpec(LONGEST, factor, (0.0,) * 3, (1.0,) * 3))


def reasons(sample: Sequence[ImagePair]) -> list[Reason]:
    """What *sample* gives away: noise, masks that fit their images only elsewhere or not at all,
    two polarities.
    """
    return [
        *causes.of_images(sample),
        *causes.of_alignment(alignment.measure(sample)),
        *polarity.reasons(sample),
    ]
