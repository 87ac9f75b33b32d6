"""Faults that a set of masks can have, put in on purpose: a tree is copied, and its masks (or
images) are corrupted.
"""

import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from segprep import read_mask, write_mask
from segprep.dataset.tree import Tree
from segprep.training.data.pairs import nearest

Mask = np.ndarray


def copy(tree: Path, out: Path) -> Tree:
    """A copy of *tree* without manifest and runs, so that nothing speaks of the former masks.

    Class names stay.
    """
    shutil.rmtree(out, ignore_errors=True)
    for name in ("JPEGImages", "SegmentationClass", "ImageSets"):
        shutil.copytree(tree / name, out / name)
    (out / "class_names.txt").write_bytes((tree / "class_names.txt").read_bytes())
    return Tree(out)


def every(change: Callable[[Mask], Mask]) -> Callable[[Tree, int], None]:
    """Spoil each mask by itself."""

    def spoil(place: Tree, seed: int) -> None:
        for stem in place.stems():
            write_mask(
                place.mask_path(stem),
                np.ascontiguousarray(change(read_mask(place.mask_path(stem)))),
            )

    return spoil


def shuffled(place: Tree, seed: int) -> None:
    """Every mask on another image, stretched to fit."""
    stems = place.stems()
    ring = np.random.default_rng(seed).permutation(len(stems))
    masks = {stem: read_mask(place.mask_path(stem)) for stem in stems}
    for at, n in enumerate(ring):
        own, other = stems[int(n)], stems[int(ring[at - 1])]
        write_mask(place.mask_path(own), nearest(masks[other], *masks[own].shape))


def noise(place: Tree, seed: int) -> None:
    """Images of noise under the true masks."""
    rng = np.random.default_rng(seed)
    for stem in place.stems():
        path = place.image_path(stem)
        assert path is not None
        path.unlink()
        Image.fromarray(
            rng.integers(0, 256, (*read_mask(place.mask_path(stem)).shape, 3)).astype(np.uint8)
        ).save(path.with_suffix(".png"))


def single(place: Tree, seed: int) -> None:
    """One image only."""
    for stem in place.stems()[1:]:
        place.mask_path(stem).unlink()
    shutil.rmtree(place.root / "ImageSets")


def quarter(mask: Mask) -> Mask:
    """Moved down and right by a quarter; what leaves on one side comes back on the other."""
    return np.roll(mask, (mask.shape[0] // 4, mask.shape[1] // 4), (0, 1))


def twentieth(mask: Mask) -> Mask:
    """Moved down and right by 5 %."""
    return np.roll(mask, (mask.shape[0] // 20, mask.shape[1] // 20), (0, 1))


def back(mask: Mask) -> Mask:
    """Moved up and left by 5 %."""
    return np.roll(mask, (-(mask.shape[0] // 20), -(mask.shape[1] // 20)), (0, 1))


def share_of(stems: Sequence[str], share: float, seed: int) -> set[str]:
    """A random share of *stems*, at least one."""
    order = np.random.default_rng((seed, 7)).permutation(len(stems))
    return {stems[int(n)] for n in order[: max(1, round(share * len(stems)))]}


def changed(place: Tree, stems: Collection[str], change: Callable[[Mask], Mask]) -> None:
    """Change the masks of *stems*."""
    for stem in stems:
        path = place.mask_path(stem)
        write_mask(path, np.ascontiguousarray(change(read_mask(path))))


def inverted(place: Tree, seed: int) -> None:
    """Half of the masks: background and the first class change places."""
    swap = np.arange(256, dtype=np.uint8)
    swap[:2] = 1, 0
    changed(place, share_of(place.stems(), 0.5, seed), lambda mask: swap[mask])


def erased(place: Tree, seed: int) -> None:
    """Every class but 0 is erased from train; val keeps all of them."""
    changed(place, place.lists()["train"], lambda mask: np.where(mask == 255, mask, 0))


def white(place: Tree, seed: int) -> None:
    """Class 1 is written as 255."""
    changed(place, place.stems(), lambda mask: np.where(mask == 1, 255, mask).astype(np.uint8))


def some(place: Tree, seed: int) -> set[str]:
    """A tenth of the masks of train and val belong to other images, or are mirrored."""
    lists = place.lists()
    chosen = sorted(share_of(sorted((*lists["train"], *lists["val"])), 0.1, seed))
    masks = {stem: read_mask(place.mask_path(stem)) for stem in chosen}
    for n, stem in enumerate(chosen):
        other = masks[chosen[n - 1]]
        mask = nearest(other, *masks[stem].shape) if n % 2 else masks[stem][:, ::-1]
        write_mask(place.mask_path(stem), np.ascontiguousarray(mask))
    return set(chosen)


SUSPECTS = ("suspects",)  # wanted where the set is learnable and single masks are spoiled
SETS: dict[str, tuple[Callable[[Tree, int], set[str] | None], tuple[str, ...]]] = {
    # name: (how, causes of which one has to be named; none: learnable, no mask stands out)
    "clean": (lambda place, seed: None, ()),
    "some": (some, SUSPECTS),
    "shuffled": (shuffled, ("no-better-than-control", "masks-unrelated")),
    "shifted": (every(quarter), ("misaligned",)),
    "near": (every(twentieth), ("misaligned",)),
    "back": (every(back), ("misaligned",)),
    "mirrored": (every(lambda mask: mask[:, ::-1]), ("misaligned",)),
    "inverted": (inverted, ("mixed-polarity",)),
    "erased": (erased, ("val-unlike-train",)),
    "white": (white, ("values-unclear",)),
    "noise": (noise, ("images-are-noise",)),
    "constant": (every(np.zeros_like), ("labels-constant",)),
    "ignored": (every(lambda mask: np.full_like(mask, 255)), ("all-ignored",)),
    "single": (single, ("too-few-images",)),
}


def flipped(mask: Mask, rng: np.random.Generator) -> Mask:
    """Mirrored along one axis."""
    return mask[::-1] if rng.random() < 0.5 else mask[:, ::-1]


def without_objects(mask: Mask, rng: np.random.Generator, share: float = 1 / 3) -> Mask:
    """A third of the objects, at least one, painted over with class 0."""
    from skimage.measure import label

    pieces = label(mask > 0)
    ids = np.arange(1, pieces.max() + 1)
    gone = rng.permutation(ids)[: max(1, round(len(ids) * share))]
    return np.where(np.isin(pieces, gone), 0, mask).astype(np.uint8)
