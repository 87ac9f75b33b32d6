"""Names: stems, natural order, what no system can store, labels that look alike, text that is safe
to show.
"""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segprep import names
from segprep.names import (
    MAX_STEM_BYTES,
    clean_label,
    natural_key,
    nearest,
    shown,
    stem_fault,
    stem_key,
    stem_of,
    unknown,
    variant_key,
)

quick = settings(max_examples=50, deadline=None)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.json", "a"),
        ("a.b.json", "a.b"),
        ("a", "a"),
        (".x", ".x"),
        (".x.png", ".x"),
        ("a.", "a"),
        ("", ""),
        ("猫 1.jpg", "猫 1"),
    ],
)
def test_a_stem_is_the_name_without_its_last_extension(name: str, stem: str) -> None:
    assert stem_of(name) == stem


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Cat", "cAT", True),
        ("\u00e9", "e\u0301", True),
        ("Straße", "STRASSE", True),
        ("a1", "a01", False),
    ],
)
def test_stems_collide_by_case_and_composition(one: str, other: str, same: bool) -> None:
    assert (stem_key(one) == stem_key(other)) is same


def test_natural_order_counts() -> None:
    names = ["a10", "b", "a2", "A1", "10", "9", "a2b10", "a2b9", "a", ""]
    assert sorted(names, key=natural_key) == [
        "",
        "9",
        "10",
        "a",
        "A1",
        "a2",
        "a2b9",
        "a2b10",
        "a10",
        "b",
    ]


def test_natural_order_takes_digits_of_every_script_and_odd_ones() -> None:
    """A superscript is a digit to str.isdigit, but int() refuses it."""
    assert sorted(["x\u0663", "x2", "x\u00b2", "x10"], key=natural_key)[:3] == [
        "x2",
        "x\u0663",
        "x10",
    ]


def _parts(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Natural order spelled out: numbers before words, a number by its value."""
    parts = re.split(r"(\d+)", unicodedata.normalize("NFC", name).casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p], name


@quick
@given(st.lists(st.text("aA01 2é.²\0\1\2\3x90\u0663", max_size=8)))
def test_natural_order_is_that_of_numbers_and_words(names: list[str]) -> None:
    assert sorted(names, key=natural_key) == sorted(names, key=_parts)


@quick
@given(st.lists(st.text("aA01 2é.²", max_size=6), unique=True))
def test_natural_order_is_total_and_does_not_depend_on_the_order_given(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)
    assert len({repr(natural_key(name)) for name in names}) == len(names)


@pytest.mark.parametrize(
    "stem",
    [
        "a",
        "a b",
        "a.b",
        "猫",
        ".x",
        "console",
        "com10",
        "x" * MAX_STEM_BYTES,
        "é" * (MAX_STEM_BYTES // 2),
    ],
)
def test_good_stems(stem: str) -> None:
    assert stem_fault(stem) is None


@pytest.mark.parametrize(
    ("stem", "why"),
    [
        *[(stem, "blank") for stem in ("", " ", " a", "a ", "a\t", "a\u3000")],
        *[(stem, "separator") for stem in ("a/b", "a\\b", "a\nb", "a\0b", "a\u2028b", "a\udc80b")],
        *[(stem, "Windows") for stem in ("a.", "con", "NUL", "Com1", "lpt9.tar", "aux.")],
        *[
            (stem, "longer")
            for stem in ("x" * (MAX_STEM_BYTES + 1), "é" * (MAX_STEM_BYTES // 2 + 1))
        ],
    ],
)
def test_bad_stems_say_why(stem: str, why: str) -> None:
    assert why in (stem_fault(stem) or "")


def test_labels_are_composed_and_trimmed() -> None:
    assert clean_label("  cafe\u0301 \n") == "caf\u00e9"
    assert len(clean_label("x" * 200)) == 200


@pytest.mark.parametrize(
    ("label", "why"),
    [
        (None, "not NoneType"),
        (7, "not int"),
        ("", "empty"),
        (" \u3000", "empty"),
        ("x" * 201, "201"),
        ("a\x1b[31m", r"a\\x1b\[31m"),
        ("a\u2028b", "control"),
        ("\ud800", "control"),
    ],
)
def test_bad_labels_say_why(label: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        clean_label(label)


@quick
@given(st.text())
def test_cleaning_twice_changes_nothing_more(label: str) -> None:
    try:
        once = clean_label(label)
    except ValueError:
        return
    assert clean_label(once) == once


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Cat", "cat", True),
        ("c a t", "cat", True),
        ("ｃａｔ", "cat", True),
        ("ca\u200bt", "cat", True),
        ("ca\u00adt", "cat", True),
        ("cats", "cat", False),
    ],
)
def test_labels_that_look_alike(one: str, other: str, same: bool) -> None:
    assert (variant_key(one) == variant_key(other)) is same


@pytest.mark.parametrize(
    ("word", "known"),
    [("catt", "cat"), ("CAT", "cat"), ("d o g", "dog"), ("zebra", None), ("", None)],
)
def test_the_nearest_name(word: str, known: str | None) -> None:
    assert nearest(word, iter(["dog", "cat"])) == known


def test_no_known_name_is_near_nothing() -> None:
    assert nearest("cat", []) is None


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain 猫 é", "plain 猫 é"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\u202eb", "a\\u202eb"),
        ("\udc80", "\\udc80"),
        (7, "7"),
    ],
)
def test_text_is_shown_safely(text: object, safe: str) -> None:
    assert shown(text) == safe


@quick
@given(st.text(st.characters()))
def test_nothing_shown_can_steer_a_terminal(text: str) -> None:
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown(text))
    shown(text).encode()


def test_an_unknown_name_is_answered_with_the_nearest_and_with_all() -> None:
    assert unknown("loss", "dise", ["ce", "dice"]) == (
        "there is no loss 'dise'",
        "did you mean dice? there are: ce, dice",
    )
    assert unknown("list", "x", [])[1] == "there are: none"


def test_a_long_list_of_names_is_cut() -> None:
    names = [f"class_{n:03}" for n in range(60)]
    assert unknown("class", "zebra", names)[1].endswith("class_029 and 30 more")


@pytest.mark.parametrize("listed", [(), ("a2", "a10", "b"), ("a10", "a2", "A1"), ("b", "a", "b")])
def test_natural_order_is_that_of_the_key(
    listed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = sorted(listed, key=names.natural_key)
    assert names.natural_order(iter(listed)) == expected
    monkeypatch.setattr(names, "sorted", pytest.fail, raising=False)
    assert names.natural_order(expected) == expected  # and nothing was sorted again
