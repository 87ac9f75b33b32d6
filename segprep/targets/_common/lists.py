"""Which list a sample goes to, for targets that have a folder or a file per list."""

from collections.abc import Iterable, Iterator, Mapping

from segprep.dataset.tree import SPLITS
from segprep.types import Note
from segprep.writer import Choice, Inventory

_BOTH = "trainval"


def has_split(inventory: Inventory) -> bool:
    """Whether any of train, val, test and trainval names samples."""
    return any(inventory.lists.get(name) for name in (*SPLITS, _BOTH))


def by_split(inventory: Inventory) -> Choice:
    """Every sample of train, val and test, each with the lists that name it; without such lists all
    samples are in train, and trainval is train where these two are missing. Notes say so, and which
    list is empty, and that lists share samples.
    """
    splits = {name: inventory.lists[name] for name in SPLITS if inventory.lists.get(name)}
    notes = list(_missing(inventory, splits))
    if inventory.lists.get(_BOTH) and not splits.keys() & {"train", "val"}:
        splits = {"train": inventory.lists[_BOTH], **splits}
        notes = [Note("no-split", f"the dataset has no train and no val list: {_BOTH} is train")]
    elif not splits:
        message = "the dataset has no split: every sample is in train; segprep split makes one"
        return Choice(
            {entry.stem: ("train",) for entry in inventory.entries}, (Note("no-split", message),)
        )
    stems = {entry.stem for entry in inventory.entries}
    places: dict[str, tuple[str, ...]] = {}
    for name, listed in splits.items():
        for stem in dict.fromkeys(listed):
            if stem in stems:
                places[stem] = (*places.get(stem, ()), name)
    notes += _shared(places)
    return Choice(places, (*notes, *unlisted([stem for stem in stems if stem not in places])))


def _missing(inventory: Inventory, splits: Mapping[str, tuple[str, ...]]) -> Iterator[Note]:
    """A note for each of train, val and test that is empty, and for a missing train."""
    for name in SPLITS:
        if name not in splits and (name == "train" or name in inventory.lists):
            what = "empty" if name in inventory.lists else "missing"
            yield Note("empty-split", f"the list {name} is {what}: the export has no {name}")


def _shared(places: Mapping[str, tuple[str, ...]]) -> list[Note]:
    """The note that samples are in several lists."""
    several = [stem for stem, names in places.items() if len(names) > 1]
    if not several:
        return []
    message = (
        f"{len(several)} samples are in several lists, {several[0]} first"
        f" ({', '.join(places[several[0]])}): scores would be measured on training images;"
        " segprep split --overwrite draws disjoint lists"
    )
    return [Note("lists-overlap", message)]


def in_order(names: Iterable[str]) -> list[str]:
    """The lists *names*, train before val before test. README.txt loads the first: an export of
    val alone has no train.
    """
    present = set(names)
    return [name for name in SPLITS if name in present]


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
    if not has_split(inventory):
        return {"train": tuple(entry.stem for entry in inventory.entries)}
    places = by_split(inventory).places
    result: dict[str, list[str]] = {}
    for entry in inventory.entries:
        for name in places.get(entry.stem, ()):
            result.setdefault(name, []).append(entry.stem)
    return {name: tuple(result[name]) for name in SPLITS if name in result}
