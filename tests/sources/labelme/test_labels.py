"""The class list: where it came from is said, lists that were not read are named, typos shown."""

from pathlib import Path

import pytest

from segprep.errors import UnknownClassError
from segprep.sources._common.classes import class_list
from segprep.sources.labelme import Reader

from .makers import annotate, box, picture, sample


def messages(folder: Path, code: str) -> list[str]:
    return [note.message for note in Reader(folder).scan().notes if note.code == code]


def test_an_unknown_label_names_the_list_and_its_first_entries(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("_background_\ndog\ncow\n")
    annotate(tmp_path, "a", box("cat"), box("cat"), box("horse"))
    picture(1).save(tmp_path / "a.png")
    with pytest.raises(UnknownClassError) as caught:
        sample(tmp_path)
    assert "'cat' is not in the class list (labels.txt: _background_, dog, cow)" in str(
        caught.value
    )
    assert "nor are 'horse'" in str(caught.value)


def test_the_hint_can_be_pasted(tmp_path: Path) -> None:
    annotate(tmp_path, "a", box("Whole vertebrae"))
    picture(1).save(tmp_path / "a.png")
    with pytest.raises(UnknownClassError) as caught:
        sample(tmp_path, classes="cat")
    assert "--map 'Whole vertebrae=NAME', --exclude 'Whole vertebrae'" in caught.value.hint


@pytest.mark.parametrize("name", ["label.txt", "classes.txt", "_classes.csv", "class_names.txt"])
def test_a_list_that_was_not_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("water\nroad\n")
    annotate(tmp_path, "a", box("road"), box("water"))
    found = messages(tmp_path, "classes-inferred")
    assert any(name in message and "give --classes" in message for message in found)


def test_a_typo_is_pointed_out(tmp_path: Path) -> None:
    annotate(tmp_path, "a", *[box("crop")] * 4, box("ccrop"), box("cat1"), *[box("cat2")] * 3)
    (message,) = messages(tmp_path, "label-typo")
    assert "'ccrop' occurs once and is one letter off 'crop' (4 times)" in message
    assert "--map ccrop=crop" in message


@pytest.mark.parametrize(
    ("label", "other", "typo"),
    [
        ("croop", "crop", True),
        ("cop", "crop", False),
        ("crpo", "crop", True),
        ("drop", "crop", True),
        ("crops", "crop", True),
        ("class1", "class2", False),
        ("class1", "class11", False),
        ("Crop", "crop", False),
        ("cattle", "crop", False),
    ],
)
def test_one_letter_off(tmp_path: Path, label: str, other: str, typo: bool) -> None:
    annotate(tmp_path, "a", box(label), *[box(other)] * 3)
    assert bool(messages(tmp_path, "label-typo")) == typo


def test_variants_merge_into_the_commonest_spelling(tmp_path: Path) -> None:
    annotate(tmp_path, "a", box("cra ck"), box("Crack"), *[box("crack")] * 3)
    found = messages(tmp_path, "label-variant")
    assert sorted(message.rpartition("--map ")[2] for message in found) == [
        "'cra ck=crack'",
        "Crack=crack",
    ]


def test_numbers_as_labels_are_not_ids(tmp_path: Path) -> None:
    annotate(tmp_path, "a", box("0"), box("1"), box("3"))
    assert any(
        "label 0 is 1, 1 is 2" in message for message in messages(tmp_path, "classes-inferred")
    )


def test_a_class_list_longer_than_a_file_name(tmp_path: Path) -> None:
    names = ",".join(f"class{n:03}" for n in range(60))
    assert class_list.stated(names)[1] == "--classes"


def test_numbered_labels_are_told_with_the_way_to_one_class(tmp_path: Path) -> None:
    """A public set of balls has a label of its own for every ball."""
    for number in range(3):
        shapes = [box(f"Ball{10 * number + k}") for k in range(4)]
        annotate(tmp_path, f"n{number}", *shapes, box("dog"))
    scan = Reader(tmp_path).scan()
    assert len(scan.classes.names) == 14
    (note,) = [note for note in scan.notes if note.code == "instances-suspected"]
    assert "12 labels, Ball0 to Ball23," in note.message
    assert note.message.endswith("give --map 'Ball#=Ball'")
    merged = Reader(tmp_path, map=("Ball#=Ball", "Ball3=dog")).scan()
    assert merged.classes.names == ("_background_", "Ball", "dog")
    assert "instances-suspected" not in {note.code for note in merged.notes}


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ((9, 7, 4, 2, 1), True),
        ((9, 7, 5, 4, 2, 8, 6, 4, 1), True),  # two kinds, each numbered: one rise
        ((5, 5, 5, 5, 4), False),
        ((2, 9, 4, 7, 3), False),
        ((9, 4, 6, 2, 5, 3, 2, 8, 1), False),
    ],
)
def test_numbers_that_begin_anew_in_every_image_are_told_by_their_counts(
    tmp_path: Path, times: tuple[int, ...], told: bool
) -> None:
    for image in range(max(times)):
        shapes = [box(f"cell {k}") for k, count in enumerate(times, 1) if image < count]
        annotate(tmp_path, f"n{image}", *shapes)
    notes = [n.message for n in Reader(tmp_path).scan().notes if n.code == "instances-suspected"]
    assert len(notes) == told
    assert all("--map 'cell #=cell'" in note for note in notes)
