"""Groups of samples that stay in one list: those of the user, joined where they share an image."""

from collections.abc import Mapping, Sequence

from segprep.dataset.equal_images import Equal, listed
from segprep.dataset.tree import SPLITS
from segprep.names import natural_key
from segprep.types import Note


def joined(
    groups: Mapping[str, str], sets: Equal, fixed: Mapping[str, int], keep: Sequence[str] = ()
) -> tuple[dict[str, str], Equal]:
    """*groups* (stem -> group) with the groups of equal images joined; and the sets of equal images
    that could not be, because they are *fixed* (stem -> part) to two parts already, or because one
    is in a list that is kept and would grow.
    """
    parents = {group: group for group in groups.values()}
    homes = _homes(groups, fixed)
    closed = {SPLITS.index(name) for name in keep}

    def root(group: str) -> str:
        while parents[group] != group:
            group = parents[group]
        return group

    apart = []
    for equal in sets:
        present = [stem for stem in equal if stem in groups]
        first, *others = sorted({root(groups[stem]) for stem in present}, key=natural_key) or [""]
        lists = set().union(*(homes.get(group, set()) for group in (first, *others)))
        grows = bool(lists & closed) and not all(stem in fixed for stem in present)
        if len(lists) > 1 or (others and grows):
            apart.append(equal)
            continue
        for other in others:
            parents[other] = first
        homes[first] = lists
    return {stem: root(group) for stem, group in groups.items()}, tuple(apart)


def _homes(groups: Mapping[str, str], fixed: Mapping[str, int]) -> dict[str, set[int]]:
    homes: dict[str, set[int]] = {}
    for stem, part in fixed.items():
        if stem in groups:
            homes.setdefault(groups[stem], set()).add(part)
    return homes


def equal_notes(sets: Equal, apart: Equal) -> list[Note]:
    """What a person should know of equal images: which stay together, and which do not."""
    together = tuple(equal for equal in sets if equal not in apart)
    notes = []
    if together:
        count = sum(map(len, together))
        notes.append(
            Note(
                "equal-images",
                f"{count} samples share {len(together)} images byte for byte; equal images stay in"
                f" one list: {listed(together)}",
            )
        )
    if apart:
        notes.append(
            Note(
                "equal-images-apart",
                f"{len(apart)} images lie in two lists under different names: {listed(apart)}."
                " Training images are scored too; split again with --overwrite to avoid that",
            )
        )
    return notes
