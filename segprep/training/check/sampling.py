"""Which samples a check trains on and scores."""

from collections.abc import Sequence
from random import Random

from segprep.dataset.tree import Tree
from segprep.splitting import partition
from segprep.train_config import Config
from segprep.training.check.budget import MOST_TRAIN, MOST_VAL
from segprep.training.data.dataset import select_lists
from segprep.training.data.lists import Selection

FEWEST = 4  # below, there is nothing to judge, whatever the lists say


def select(tree: Tree, seed: int) -> Selection:
    """The train and val lists of *tree*, sampled by *seed* where they are longer than a check can
    use. Raises SegprepError as :func:`select_lists` does.
    """
    stems = tree.stems()
    if 0 < len(stems) < FEWEST:
        return Selection(stems, ())
    chosen = select_lists(tree, Config(seed=seed), judged=True)
    train, fewer = limited("train", chosen.train, MOST_TRAIN, seed)
    val, less = limited("val", chosen.val, MOST_VAL, seed)
    return Selection(train, val, (*chosen.notes, *fewer, *less))


def limited(
    name: str, stems: Sequence[str], most: int, seed: int, why: str = ""
) -> tuple[tuple[str, ...], list[str]]:
    """At most *most* of the *stems* of the list *name*, drawn by *seed*, and a note if they are
    fewer, with the reason *why*.
    """
    if len(stems) <= most:
        return tuple(stems), []
    note = f"{most} of the {len(stems)} images of {name} were drawn with seed {seed}{why}"
    return partition.natural(partition.shuffled(stems, Random(seed))[:most]), [note]
