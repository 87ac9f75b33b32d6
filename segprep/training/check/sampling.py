"""Which samples a check trains on and scores."""

from collections.abc import Sequence
from random import Random

from segprep.dataset.plausibility import tree_doubts
from segprep.dataset.tree import Tree
from segprep.errors import SegprepError
from segprep.splitting import partition
from segprep.training.check.budget import MOST_TRAIN, MOST_VAL
from segprep.training.data.lists import Selection, check_lists, draw

FEWEST = 4  # below, there is nothing to judge, whatever the lists say


def select(tree: Tree, seed: int) -> Selection:
    """The train and val lists of *tree*, sampled by *seed* where they are longer than a check can
    use.

    Raises SegprepError: empty-list (no samples, or an empty train list), no-val-images,
    no-mask-for-stem.
    """
    stems, lists = tree.stems(), tree.lists()
    if not stems:
        raise SegprepError("empty-list", f"{tree.root} has no samples", "convert some first")
    if len(stems) < FEWEST:
        return Selection(stems, ())
    notes = [note.message for note in tree_doubts(tree)]
    if "train" not in lists and "val" not in lists:
        kept = set(lists.get("test", ()))  # an official test list is nobody's to train on
        train, val = draw([stem for stem in stems if stem not in kept], seed)
        notes.append(
            f"the dataset has no train and val lists: {len(train)} images to train on and"
            f" {len(val)} to score were drawn with seed {seed}"
        )
    else:
        train, val = (tuple(dict.fromkeys(lists.get(name, ()))) for name in ("train", "val"))
        check_lists(tree, stems, ("train", train), ("val", val), scored=True)
    train, fewer = limited("train", train, MOST_TRAIN, seed)
    val, less = limited("val", val, MOST_VAL, seed)
    return Selection(train, val, (*notes, *fewer, *less))


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
