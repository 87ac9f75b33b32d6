"""Which samples a check trains on and scores."""

from random import Random

from segprep.conversion import tree_source
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
    no-mask-for-stem, palette-ambiguous.
    """
    stems, lists = tree.stems(), tree.lists()
    if not stems:
        raise SegprepError("empty-list", f"{tree.root} has no samples", "convert some first")
    tree_source.check_palettes(tree, [tree.mask_path(stem) for stem in stems])
    if len(stems) < FEWEST:
        return Selection(stems, ())
    doubts = [note.message for note in tree_doubts(tree)]
    if "train" not in lists and "val" not in lists:
        kept = set(lists.get("test", ()))  # an official test list is nobody's to train on
        train, val = draw([stem for stem in stems if stem not in kept], seed)
        return _limited(
            train,
            val,
            seed,
            [
                *doubts,
                f"the dataset has no train and val lists: {len(train)} images to train on and"
                f" {len(val)} to score were drawn with seed {seed}",
            ],
        )
    train, val = (tuple(dict.fromkeys(lists.get(name, ()))) for name in ("train", "val"))
    check_lists(tree, stems, ("train", train), ("val", val), scored=True)
    return _limited(train, val, seed, doubts)


def _limited(
    train: tuple[str, ...], val: tuple[str, ...], seed: int, notes: list[str]
) -> Selection:
    parts = []
    for name, stems, most in (("train", train, MOST_TRAIN), ("val", val, MOST_VAL)):
        if len(stems) > most:
            notes.append(f"{most} of the {len(stems)} images of {name} were drawn with seed {seed}")
        parts.append(
            stems
            if len(stems) <= most
            else partition.natural(partition.shuffled(stems, Random(seed))[:most])
        )
    return Selection(parts[0], parts[1], tuple(notes))
