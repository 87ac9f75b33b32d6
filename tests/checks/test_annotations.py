"""Rules on labelme annotations before they are converted."""

from pathlib import Path

import pytest
from PIL import Image

import segprep
from segprep.types import Finding

SQUARE = [[2, 2], [14, 2], [14, 14], [2, 14]]


@pytest.fixture
def folder(tmp_path: Path, make) -> Path:
    """Three clean annotations of different images."""
    for n in range(3):
        shape = {"label": "crop", "points": SQUARE, "shape_type": "polygon"}
        make(tmp_path / "before", f"img{n}", shape)
        Image.effect_noise((32, 24), 30 + n).save(tmp_path / "before" / f"img{n}.jpg")
    return tmp_path / "before"


def shape(label: str = "crop", points=SQUARE, kind: str = "polygon") -> dict[str, object]:
    return {"label": label, "points": points, "shape_type": kind}


def found(folder: Path, code: str) -> list[Finding]:
    return [one for one in segprep.check(folder).findings if one.code == code]


def test_clean_annotations_have_no_findings(folder: Path) -> None:
    report = segprep.check(folder)
    assert (report.findings, report.samples) == ((), 3)


@pytest.mark.parametrize(
    ("code", "shapes"),
    [
        ("SEG802", [shape("Crop ")]),
        ("SEG804", [shape(), shape(points=[*SQUARE[1:], SQUARE[0]])]),
        ("SEG805", [shape(points=[[100, 100], [120, 100], [110, 120]])]),
        ("SEG805", [shape(points=[[-9, 2], [14, 2], [14, 14]])]),
        ("SEG806", [shape(points=[[2, 2], [14, 14], [14, 2], [2, 14]])]),
        ("SEG806", [shape(points=[[2, 2], [14, 14]])]),
        ("SEG807", [shape(points=[[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]])]),
        ("SEG807", [shape(points=[[40, 4], [60, 4], [50, 20]])] * 2),
        ("SEG810", [shape("weed", [[4, 4], [10, 4], [10, 10], [4, 10]]), shape()]),
    ],
)
def test_faults_of_shapes(folder: Path, make, code: str, shapes) -> None:
    make(folder, "img9", *shapes, image=False)
    Image.effect_noise((32, 24), 60).save(folder / "img9.jpg")
    listed = found(folder, code)
    assert listed
    assert {one.stem for one in listed} == {"img9"}
    assert listed[0].path == "img9.json"


def test_a_typo_needs_a_frequent_label(folder: Path, make) -> None:
    make(folder, "img8", shape("corp"), *[shape(points=[[n, 0], [n, 5], [0, 9]]) for n in range(9)])
    assert not found(folder, "SEG803")
    many = [shape(points=[[n % 9, 0], [n % 7, 5], [n / 9, 9]]) for n in range(60)]
    make(folder, "img9", *many)
    (typo,) = found(folder, "SEG803")
    assert "may be 'crop'" in typo.message
    make(folder, "img8", shape("crop2"), shape("crop1"))
    assert not found(folder, "SEG803")


@pytest.mark.parametrize(("label", "seen"), [("ccrop", True), ("cropp", True), ("drop", False)])
def test_a_doubled_letter_is_a_typo_beside_fewer_shapes(folder, make, label, seen) -> None:
    every = [shape(points=[[n, 0], [n, 5], [0, 9]]) for n in range(9)]
    make(folder, "img8", shape(label), *every, shape(points=[[3, 1], [9, 5], [0, 7]]))
    assert bool(found(folder, "SEG803")) == seen


def test_files(folder: Path, make) -> None:
    (folder / "broken.json").write_text('{"shapes": [')
    (folder / "other.json").write_text('{"categories": []}')
    assert [one.stem for one in found(folder, "SEG801")] == ["broken"]
    make(folder, "twin", shape(), image=False, imagePath="img0.jpg")
    (same,) = found(folder, "SEG809")
    assert (same.stem, same.severity) == ("twin", "warning")
    make(folder, "twin", shape("weed", [[1, 1], [9, 1], [9, 9]]), image=False, imagePath="img0.jpg")
    (other,) = found(folder, "SEG809")
    assert other.severity == "error"


def test_an_embedded_copy_of_another_image(folder: Path, make) -> None:
    make(folder, "img9", shape(), embed=True)
    assert not found(folder, "SEG808")
    Image.effect_noise((32, 24), 90).save(folder / "img9.jpg")
    (finding,) = found(folder, "SEG808")
    assert (finding.stem, finding.severity) == ("img9", "error")


def test_every_rule_has_a_test() -> None:
    """A code is named in a test, or is a fault of the mutation tests."""
    from segprep import checks

    here = Path(__file__).parents[1]
    files = [*here.glob("checks/*.py"), *here.glob("mutation/*.py"), *here.glob("checking/*.py")]
    text = "".join(path.read_text("utf-8") for path in files)
    assert [code for code in checks.rules() if code not in text] == []
