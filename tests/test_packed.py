"""Long lists in little memory: they hold exactly what was put in."""

import pickle
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segprep.checks._common.packed_digests import PackedDigests
from segprep.chunks import Chunks
from segprep.packed import PackedNames, PackedPaths
from segprep.packed_items import FirstLabels, PackedItems
from segprep.sources._common.pairing import matching
from segprep.sources._common.pairing.name_rules import Folders
from segprep.types import Item

NAMES = st.lists(st.text(st.characters(codec=None), max_size=6), max_size=12)


@given(NAMES, NAMES)
def test_names_are_as_they_were_added(names: list[str], others: list[str]) -> None:
    packed = PackedNames(names)
    assert list(packed) == packed[:] == names
    assert list(packed.ordered()) == sorted(names)
    for name in [*others, *names]:
        number = packed.find(name)
        assert (name in packed) == (name in names) == (number >= 0)
        assert number < 0 or number == len(names) - 1 - names[::-1].index(name)


def test_a_name_added_after_a_search_is_found() -> None:
    packed = PackedNames(["b", "d"])
    assert packed.find("a") == -1
    for number, name in enumerate(("a", "c"), 2):
        packed.append(name)
        assert packed.find(name) == number
        assert packed.find("d") == 1


def test_paths_keep_their_folders() -> None:
    paths = [Path("/a/x"), Path("/b/x"), Path("/a/y"), Path("z"), Path("/w")]
    packed = PackedPaths()
    for path in paths:
        packed.append(path)
    assert list(packed) == packed[:] == paths
    assert list(packed.chosen([3, 0])) == [paths[3], paths[0]]
    with pytest.raises(IndexError):
        packed[5]


ITEMS = [
    Item("a", Path("/s/a.png"), (Path("/m/a.png"), Path("/n/a.png")), {"k": 1}, "g"),
    Item("b", None, (Path("/m/b.json"),)),
    Item("c", Path("/s/c.png"), (Path("/s/c.png"),), [2], "g"),
    Item("d", Path("/s/d.png"), ()),
]


def test_items_are_as_they_were_added() -> None:
    packed = PackedItems(ITEMS)
    assert list(packed) == packed[:] == ITEMS
    assert list(map(repr, packed)) == list(map(repr, ITEMS))
    assert packed[-1] == ITEMS[-1]
    assert packed[0].payload is ITEMS[0].payload
    assert list(packed.chosen([2, 0])) == [ITEMS[2], ITEMS[0]]
    assert packed.chosen(range(4)) is packed
    assert [item.payload for item in packed.with_payload(7)] == [7] * 4
    assert PackedItems.of(packed) is packed


def test_first_labels_leave_out_images_that_are_their_own() -> None:
    labels = FirstLabels(PackedItems(ITEMS[:3]))
    assert list(labels) == labels[:] == [Path("/m/a.png"), Path("/m/b.json")]


def _peak(folder: Path, count: int) -> int:
    """The bytes that pairing *count* images with their masks takes at most."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            (folder / kind / f"sample_{number:06}.png").touch()
    tracemalloc.start()
    try:
        pairing = matching.match(folder, [Folders(folder / "images", folder / "masks")])
        assert len(pairing.items) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_pairing_takes_little_memory(tmp_path: Path) -> None:
    """Path objects took 1,500 bytes a sample."""
    few, many = _peak(tmp_path / "few", 1000), _peak(tmp_path / "many", 4000)
    assert (many - few) / 3000 < 500


def test_digests_are_found_by_name() -> None:
    digests = PackedDigests([("b/é.png", "ab" * 20), ("a.jpg", "0c" * 20)])
    assert len(digests) == 2
    assert digests[digests.names.find("a.jpg")] == "0c" * 20
    assert digests[digests.names.find("b/é.png")] == "ab" * 20
    assert digests.names.find("c") == -1


def test_a_cut_is_small_and_holds_the_same() -> None:
    """What is sent to a worker: part of the items, as they are."""
    items = PackedItems()
    for number in range(1000):
        folder, payload = f"/data/{number // 300}", ("kind", number // 400)
        paths = [(folder, f"é{number}.jpg"), (f"{folder}/masks", f"{number}.png")]
        items.add(f"s{number}", paths, payload, f"g{number // 100}", imaged=number % 7 > 0)
    for start, stop in ((0, 1000), (0, 1), (290, 310), (999, 1000), (990, 1200), (5, 5)):
        part = items.cut(start, stop)
        assert list(part) == items[start:stop]
        assert list(pickle.loads(pickle.dumps(part))) == items[start:stop]
        assert [part.stems.find(item.stem) for item in part] == [*range(len(part))]
    assert len(pickle.dumps(items.cut(0, 10))) < 1500
    assert list(Chunks(items, 300, seconds=1).next()) == items[:300]
