"""Notes over a whole run: classes that are covered, images that several samples share."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

import segprep

BODY = {"label": "body", "points": [[2, 2], [40, 2], [40, 40], [2, 40]], "shape_type": "polygon"}
GLASS = {"label": "wind shield", "points": [[10, 10], [30, 30]], "shape_type": "rectangle"}


def annotate(folder: Path, stem: str, *shapes: object, named: str = "") -> None:
    folder.mkdir(exist_ok=True)
    content = {"shapes": shapes, "imagePath": named or f"{stem}.png", "imageData": None}
    (folder / f"{stem}.json").write_text(json.dumps(content))
    if not named:
        Image.new("RGB", (64, 48), (len(stem), 9, 9)).save(folder / f"{stem}.png")


@pytest.fixture
def covered(tmp_path: Path) -> Path:
    """The windshields of two cars of three are painted first, and the bodies cover them."""
    for stem in ("f0", "f1"):
        annotate(tmp_path / "src", stem, GLASS, BODY)
    annotate(tmp_path / "src", "f2", BODY, GLASS)
    return tmp_path / "src"


def test_a_covered_class_is_told_once_with_the_way_to_keep_it(covered: Path) -> None:
    done = segprep.convert("labelme", covered, covered.parent / "out")
    loss, body = done.covered
    assert (loss.name, loss.images, loss.shapes, loss.hidden, loss.by) == (
        "wind shield",
        2,
        2,
        2,
        "body",
    )
    assert loss.share == pytest.approx(2 / 3)
    assert (body.name, body.hidden) == ("body", 0)
    notes = [note.message for note in done.notes if note.code == "class-covered"]
    assert len(notes) == 2
    assert "wind shield: 2 of 2 shapes in 2 images are completely covered" in notes[0]
    assert "--overlap priority --priority 'wind shield,body'" in notes[0]


def test_the_options_of_the_note_keep_the_class(covered: Path) -> None:
    for options in ({"overlap": "area"}, {"overlap": "priority", "priority": "wind shield,body"}):
        done = segprep.convert(
            "labelme", covered, covered.parent / "out", overwrite=True, **options
        )
        assert {loss.name for loss in done.covered} == {"body"}
        mask = segprep.read_mask(covered.parent / "out/SegmentationClass/f0.png")
        assert int((mask == 2).sum()) == 441


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_command_has_a_table_and_figures(covered: Path, jobs: str) -> None:
    arguments = ["json2mask", str(covered), str(covered.parent / "out"), "-j", jobs]
    result = CliRunner().invoke(group, [*arguments, "-n"])
    assert "classes covered by later shapes" in result.stdout
    assert "67%" in result.stdout
    result = CliRunner().invoke(group, [*arguments, "--json"])
    figures = json.loads(result.stdout)["covered"][0]
    assert figures["name"] == "wind shield"
    assert figures["share"] == pytest.approx(2 / 3)


def test_a_stopped_run_still_knows_what_was_covered(covered: Path) -> None:
    (covered / "bad.json").write_text("{")
    with pytest.raises(segprep.errors.BadInputError):
        segprep.convert("labelme", covered, covered.parent / "out")
    (covered / "bad.json").unlink()
    done = segprep.convert("labelme", covered, covered.parent / "out")
    assert done.covered[0].share == pytest.approx(2 / 3)


def test_one_image_of_two_annotations_is_told(tmp_path: Path) -> None:
    annotate(tmp_path / "src", "a", BODY)
    annotate(tmp_path / "src", "copy", BODY, named="a.png")
    annotate(tmp_path / "src", "other", BODY)
    done = segprep.convert("labelme", tmp_path / "src", tmp_path / "out")
    shared = [note.message for note in done.notes if note.code == "image-shared"]
    assert shared == ["a.png is the image of 2 samples: a, copy"]


def test_equal_pictures_in_files_of_their_own_are_not(tmp_path: Path) -> None:
    for stem in ("a", "b"):
        annotate(tmp_path / "src", stem, BODY)
    done = segprep.convert("labelme", tmp_path / "src", tmp_path / "out")
    assert not [note for note in done.notes if note.code == "image-shared"]


@pytest.mark.parametrize(
    ("options", "told", "not_told"),
    [
        ({"overlap": "area"}, "--overlap priority --priority body", "--overlap area"),
        (
            {"overlap": "priority", "priority": "wind shield,body"},
            "name body before 'wind shield' in --priority",
            "--overlap priority",
        ),
    ],
)
def test_the_option_that_was_given_is_not_advised(
    covered: Path, options: dict[str, str], told: str, not_told: str
) -> None:
    done = segprep.convert("labelme", covered, covered.parent / "out", **options)
    (note,) = [note.message for note in done.notes if note.code == "class-covered"]
    assert told.replace("--priority body", "--priority 'body,wind shield'") in note
    assert not_told not in note
