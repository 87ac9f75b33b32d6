"""Which list a sample goes to, for targets that have a folder or a file per list."""

from collections.abc import Mapping

from segprep.dataset.tree import SPLITS
from segprep.types import Note
from segprep.writer import Choice, Inventory


def by_split(inventory: Inventory) -> Choice:
    """Every sample of train, val and test, each with the lists that name it; without such lists all
    samples are in train, and a note says so.
    """
    splits = {name: inventory.lists[name] for name in SPLITS if inventory.lists.get(name)}
    if not splits:
        message = "the dataset has no split: every sample is in train; segprep split draws one"
        return Choice(
            {entry.stem: ("train",) for entry in inventory.entries}, (Note("no-split", message),)
        )
    stems = {entry.stem for entry in inventory.entries}
    places: dict[str, tuple[str, ...]] = {}
    for name, listed in splits.items():
        for stem in dict.fromkeys(listed):
            if stem in stems:
                places[stem] = (*places.get(stem, ()), name)
    return Choice(places, unlisted([stem for stem in stems if stem not in places]))


def unlisted(stems: list[str]) -> tuple[Note, ...]:
    """The note that names samples in no list."""
    if not stems:
        return ()
    message = (
        f"{len(stems)} samples are in no list and were skipped, {min(stems)} first;"
        " segprep split --update places them"
    )
    return (Note("unlisted", message),)


def stems_by_split(inventory: Inventory) -> dict[str, tuple[str, ...]]:
    """The stems of each list that :func:`by_split` gives."""
    places: Mapping[str, tuple[str, ...]] = by_split(inventory).places
    result: dict[str, tuple[str, ...]] = {}
    for entry in inventory.entries:
        for name in places.get(entry.stem, ()):
            result[name] = (*result.get(name, ()), entry.stem)
    return {name: result[name] for name in SPLITS if name in result}
