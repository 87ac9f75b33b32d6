"""Do corrupted masks stand first in the ranking? 10 % of the masks of train and val are swapped,
flipped or robbed of objects; area under the ROC curve of the order that the report shows.

    python tests/verdicts/suspects.py TREE [--kinds swap,flip,missing] [--draws 5] [--steps 600]

One run of train-check per draw: its 10 % are dealt out to the kinds in turn, and each kind is held
against the clean images. Pooled over draws, and said apart for images that the ranking model was
trained on and those it never saw.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import spoiling
from sklearn.metrics import roc_auc_score

import segprep
from segprep.dataset.tree import Tree


def spoil(place: Tree, kinds: list[str], draw: int) -> dict[str, str]:
    """Stem -> what was done to its mask."""
    rng, lists = np.random.default_rng(100 + draw), place.lists()
    stems = sorted((*lists["train"], *lists["val"]))
    chosen = [
        stems[int(n)]
        for n in rng.permutation(len(stems))[: max(2 * len(kinds), round(len(stems) / 10))]
    ]
    done = {stem: kinds[n % len(kinds)] for n, stem in enumerate(chosen)}
    masks = {stem: segprep.read_mask(place.mask_path(stem)) for stem in chosen}
    ring = [stem for stem in chosen if done[stem] == "swap"]
    for stem in chosen:
        if done[stem] == "swap":
            made = spoiling.nearest(
                masks[ring[(ring.index(stem) + 1) % len(ring)]], *masks[stem].shape
            )
        else:
            made = (
                spoiling.flipped(masks[stem], rng)
                if done[stem] == "flip"
                else spoiling.without_objects(masks[stem], rng)
            )
        segprep.write_mask(place.mask_path(stem), np.ascontiguousarray(made))
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--kinds", default="swap,flip,missing")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--steps", type=int)
    given = parser.parse_args()
    pooled: dict[str, list[tuple[float, bool, bool]]] = defaultdict(
        list
    )  # kind -> (place in the ranking, corrupted, seen in training)
    with tempfile.TemporaryDirectory() as folder:
        for draw in range(given.draws):
            place = spoiling.copy(given.tree, Path(folder) / "corrupted")
            done = spoil(place, given.kinds.split(","), draw)
            found = segprep.train_check(place.root, seed=draw, steps=given.steps)
            for position, one in enumerate(found.suspects):
                for kind in given.kinds.split(","):
                    if done.get(one.stem, kind) == kind:
                        share = -position / len(found.suspects)  # draws are pooled
                        pooled[kind].append((share, one.stem in done, one.training))
            print(
                f"draw {draw}: {found.verdict}, mIoU {found.miou:.3f}, {found.seconds:.0f} s",
                flush=True,
            )
            show(pooled)


def show(pooled: dict[str, list[tuple[float, bool, bool]]]) -> None:
    for kind, rows in pooled.items():
        scores, corrupted, seen = (np.array(column) for column in zip(*rows, strict=True))
        text = []
        for name, part in (
            ("all", np.ones_like(seen)),
            ("seen in training", seen),
            ("never seen", ~seen),
        ):
            if 0 < corrupted[part].sum() < part.sum():
                text.append(
                    f"{name} {roc_auc_score(corrupted[part], scores[part]):.3f}"
                    f" ({corrupted[part].sum()} of {part.sum()})"
                )
        print(f"  {kind:8} AUC: {', '.join(text)}", flush=True)


if __name__ == "__main__":
    main()
