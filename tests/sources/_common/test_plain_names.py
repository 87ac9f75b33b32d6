"""Names that are worked on all at once are judged, cut and paired as each by itself."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segprep.names import stem_fault, stem_key, stem_of
from segprep.packed import PackedNames, PackedPaths
from segprep.sources._common.pairing import name_rules, plain_names
from segprep.sources._common.pairing.joined_files import JoinedFiles
from segprep.sources._common.pairing.name_rules import Folders

LETTERS = st.text("aAbB019. _-~:*\x1f\x7fconCOM", max_size=8)
NAMES = st.lists(LETTERS | st.just("con.png") | st.just("x" * 201), max_size=9)


@given(NAMES)
def test_every_name_with_a_fault_is_doubted(names: list[str]) -> None:
    faulty = {number for number, name in enumerate(names) if stem_fault(name)}
    assert faulty <= {*plain_names.doubtful(PackedNames(names)).tolist()}


@given(NAMES)
def test_keys_are_equal_where_stems_would_collide(names: list[str]) -> None:
    packed = PackedNames(names)
    for keys, cut in (
        (plain_names.stem_keys(packed), stem_of),
        (plain_names.name_keys(packed), str),
    ):
        expected = [stem_key(cut(name)) for name in names]
        numbers = keys.tolist()
        pairs = [(n, m) for n in range(len(names)) for m in range(n)]
        assert all((numbers[n] == numbers[m]) == (expected[n] == expected[m]) for n, m in pairs)


@given(NAMES)
def test_stems_are_those_of_each_name(names: list[str]) -> None:
    turned = np.arange(len(names), dtype=np.int64)[::-1]
    stems = plain_names.stems(PackedNames(names), turned) if names else ()
    assert [*stems] == [stem_of(name) for name in reversed(names)]


ENDS = st.sampled_from([".png", ".JPG", ".b.png"])
FILES = st.lists(st.tuples(st.sampled_from(["", "in", "in/out"]), st.text("ab1", min_size=1), ENDS))


@given(FILES, FILES)
def test_pairs_are_those_that_names_with_an_accent_have(
    images: list[tuple[str, str, str]], masks: list[tuple[str, str, str]]
) -> None:
    """One letter beyond ASCII, and each name is looked at by itself."""
    every = []
    for letter in ("e", "é"):
        sides = []
        for kind, files in (("images", images), ("masks", masks)):
            paths = PackedPaths()
            for folder, stem, end in sorted(set(files)):
                paths.add(f"/s/{kind}/{folder}".rstrip("/"), f"{letter}{stem}{end}")
            sides.append(paths)
        pair = Folders(Path("/s/images"), Path("/s/masks"))
        rule, partners = name_rules.best(sides[0], sides[1], pair, "name")
        joined = JoinedFiles(Path("/s"), "name")
        joined.add_all(partners, lambda folder: folder[-2:], rule)
        single = JoinedFiles(Path("/s"), "name")
        for mask, image in partners.numbers():
            part = sides[0].part(image)
            single.add(part, sides[1].part(mask), part[0][-2:], rule)
        assert [*joined.items] == [*single.items]
        skipped: list[object] = []
        kept = [item.stem for item in joined.unique(skipped)]  # type: ignore[arg-type]
        told = [*map(repr, skipped), [*partners.of_mask], [*partners.of_image], kept]
        every.append(str(told).replace("é", "e"))
    assert every[0] == every[1]
