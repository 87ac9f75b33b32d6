"""What the images and masks say before any training: read some of the train list, reduced first
where they are large, and look for what makes a training pointless.
"""

from collections.abc import Sequence
from random import Random

from segprep.dataset.tree import Tree
from segprep.errors import SourceError
from segprep.splitting.partition import shuffled
from segprep.training.check import alignment, causes, polarity
from segprep.training.check.verdict import Reason
from segprep.training.data.pairs import ImagePair, InputSpec, raise_bad, read_pair, scaled
from segprep.training.progress import Moment, Watch

SURVEYED = 48  # images for budget and alignment
LONGEST = 1024  # pixels of the longer side; nothing here needs more, and 12 megapixels take seconds


def read(
    tree: Tree, stems: Sequence[str], classes: int, seed: int, watch: Watch
) -> list[ImagePair]:
    """Up to SURVEYED pairs of *stems*, none longer than LONGEST; their ``size`` is that on disk.

    Raises SegprepError naming every bad file.
    """
    chosen, bad, pairs = sorted(shuffled(stems, Random(seed))[:SURVEYED]), [], []
    for stem in chosen:
        try:
            pairs.append(reduced(read_pair(tree, stem, classes)))
        except SourceError as error:
            bad.append(error)
        watch(Moment("surveying", len(pairs) + len(bad), len(chosen)))
    raise_bad(bad)
    return pairs


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
