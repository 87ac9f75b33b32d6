"""The table of old and new pixel values: names, numbers, contradictions."""

from typing import Any

import pytest
from remapping.trees import NAMES, table

import segprep
from segprep.errors import SegprepError, UsageError
from segprep.remapping import table as relabelling
from segprep.remapping.table import ClassChanges


@pytest.mark.parametrize(
    ("changes", "values", "names"),
    [
        ({"map": ("cat=dog",)}, [0, 2, 1, 2], ("_background_", "cow", "dog")),
        ({"map": ("cat=dog", "dog=cat")}, [0, 3, 2, 1], NAMES),
        ({"map": ("cat=tiger",)}, [0, 1, 2, 3], ("_background_", "tiger", "cow", "dog")),
        ({"map": ("cat=pet", "dog=pet")}, [0, 1, 2, 1], ("_background_", "pet", "cow")),
        ({"map": ("cat=cow", "cow=ox")}, [0, 1, 2, 3], ("_background_", "cow", "ox", "dog")),
        ({"map": ("cat=__ignore__",)}, [0, 255, 1, 2], ("_background_", "cow", "dog")),
        ({"map": ("cat=background",)}, [0, 0, 1, 2], ("_background_", "cow", "dog")),
        ({"map": ("ignore=cow",)}, [0, 1, 2, 3], NAMES),
        ({"drop": ("cat", "dog")}, [0, 0, 1, 0], ("_background_", "cow")),
        ({"drop": ("cow",), "drop_as": "ignore"}, [0, 1, 255, 2], ("_background_", "cat", "dog")),
        ({"drop": ("_background_",), "drop_as": "ignore"}, [255, 0, 1, 2], ("cat", "cow", "dog")),
        ({"order": ("dog", "cow", "cat")}, [0, 3, 2, 1], ("_background_", "dog", "cow", "cat")),
        (
            {"order": ("dog", "background", "cow", "cat", "emu")},
            [1, 3, 2, 0],
            ("dog", "_background_", "cow", "cat", "emu"),
        ),
        (
            {"map": ("cat=pet", "dog=pet"), "order": ("cow", "pet")},
            [0, 2, 1, 2],
            ("_background_", "cow", "pet"),
        ),
    ],
)
def test_names_to_values(
    changes: dict[str, Any], values: list[int], names: tuple[str, ...]
) -> None:
    made, listed = table(**changes)
    assert ([made[n] for n in range(4)], listed) == (values, names)
    assert made[255] == (names.index("cow") if "ignore=cow" in changes.get("map", ()) else 255)


def test_the_background_is_where_the_list_says() -> None:
    made = relabelling.table(
        relabelling.named(("cat", "dog", "background")), ClassChanges(drop=("cat",))
    )
    assert (made.values, made.classes) == (
        {0: 1, 1: 0, 2: 1, 255: 255},
        segprep.Classes(("dog", "background"), background=1),
    )
    without = relabelling.table(relabelling.named(("cat", "dog")), ClassChanges(drop=("cat",)))
    assert (without.values, without.classes.names) == (
        {0: 0, 1: 1, 255: 255},
        ("_background_", "dog"),
    )


@pytest.mark.parametrize(
    ("changes", "values", "names"),
    [
        ({"map": ("1=2",)}, [0, 2, 2, 3], ("_background_", "class_1", "class_2", "class_3")),
        ({"map": ("1=2", "2=1")}, [0, 2, 1, 3], ("_background_", "class_1", "class_2", "class_3")),
        ({"map": ("3=1",)}, [0, 1, 2, 1], ("_background_", "class_1", "class_2")),
        (
            {"map": ("3=5",)},
            [0, 1, 2, 5],
            ("_background_", "class_1", "class_2", "class_3", "class_4", "class_5"),
        ),
        ({"map": ("2=255",)}, [0, 1, 255, 3], ("_background_", "class_1", "class_2", "class_3")),
        ({"map": ("1=cell",)}, [0, 1, 2, 3], ("_background_", "cell", "class_2", "class_3")),
        (
            {"map": ("2=0",), "order": ("0", "3", "1")},
            [0, 2, 0, 1],
            ("_background_", "class_3", "class_1"),
        ),
    ],
)
def test_numbers_stand_for_values_and_keep_their_places(
    changes: dict[str, Any], values: list[int], names: tuple[str, ...]
) -> None:
    made = relabelling.table(relabelling.numbered(4), ClassChanges(**changes))
    assert ([made.values[n] for n in range(4)], made.classes.names) == (values, names)


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"map": ("kat=dog",)}, "unknown-label", "did you mean cat"),
        ({"map": ("1=2",)}, "unknown-label", "1 cat"),
        ({"map": ("cat",)}, "bad-option", "OLD=NEW"),
        ({"map": ("cat=dog", "cat=cow")}, "bad-option", "both dog and cow"),
        ({"map": ("cat=dog",), "drop": ("cat",)}, "bad-option", "both"),
        ({"map": ("cat=a\nb",)}, "bad-label", "control"),
        ({"drop": ("_background_",)}, "bad-option", "background already"),
        ({"order": ("cat", "dog")}, "bad-option", "leaves out cow"),
        ({"order": ("cat", "cow", "dog", "cat")}, "bad-classes", "more than once"),
        ({"map": ("cat=dog",), "order": ("cat", "cow", "dog")}, "bad-option", "takes away"),
        ({"drop": NAMES, "drop_as": "ignore"}, "bad-classes", "no class is left"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(SegprepError) as caught:
        table(**changes)
    assert caught.value.code == code
    assert said in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("ids", ["0", "x=cat", "65536=cat", "0=cat,0=dog", "-1=cat", "0="])
def test_ids_that_cannot_be_read(ids: str) -> None:
    with pytest.raises(UsageError) as caught:
        relabelling.stated(ids)
    assert caught.value.code == "bad-option"
