"""Keys of many names at once are those of each by itself."""

import os

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segprep.files import path_keys
from segprep.packed import PackedNames

NAMES = st.lists(st.text(st.characters(codec=None, exclude_characters="\0/"), max_size=9))


@given(NAMES, st.integers(0, 2**64 - 1))
def test_many_names_have_the_keys_of_each(names: list[str], start: int) -> None:
    encoded = [name.encode("utf-8", "surrogatepass") for name in names]
    expected = [path_keys.key(name, start) for name in encoded]
    assert path_keys.keys_of(PackedNames(names), start).tolist() == expected
    assert path_keys.keys_of_list(encoded, start).tolist() == expected
    both = path_keys.longer(np.array(expected, np.uint64), b".png").tolist()
    assert both == [path_keys.key(name + b".png", start) for name in encoded]


def test_a_name_goes_on_from_its_folder() -> None:
    home = path_keys.folder_key(os.path.join("a", "b"))
    assert path_keys.key(b"c", home) == path_keys.key(os.fsencode(os.path.join("a", "b", "c")))
    assert path_keys.folder_key(os.path.join("a", "b", "")) == home


@given(NAMES)
def test_extensions_are_cut_as_python_cuts_them(names: list[str]) -> None:
    shown = [name for name in names if not name.startswith(".") and name]
    text, starts = path_keys.parts(PackedNames(shown))
    ends = path_keys.without_extension(text, starts[:-1], starts[1:])
    cut = [bytes(text[start:end]) for start, end in zip(starts[:-1], ends, strict=True)]
    expected = [os.path.splitext(name)[0].encode("utf-8", "surrogatepass") for name in shown]
    assert cut == expected


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4), st.integers(0, 2**64 - 1))
def test_mixed_keys_are_those_of_each_and_have_an_order(numbers: list[int], other: int) -> None:
    keys = np.array(numbers, np.uint64)
    whole = path_keys.mixed(keys, other).tolist()
    assert whole == [path_keys.mixed(keys[n : n + 1], other)[0] for n in range(len(keys))]
    turned = path_keys.mixed(np.array([other], np.uint64), numbers[0])[0]
    assert turned != whole[0] or other == numbers[0]


@given(NAMES, st.data())
def test_names_are_taken_over_by_number(names: list[str], data: st.DataObject) -> None:
    chosen = data.draw(
        st.lists(st.sampled_from(range(len(names))), unique=True) if names else st.just([])
    )
    packed = PackedNames(["first"])
    packed.extend(PackedNames(names), sorted(chosen))
    packed.append("last")
    assert [*packed] == ["first", *(names[n] for n in sorted(chosen)), "last"]
    assert packed.find("last") == len(packed) - 1
