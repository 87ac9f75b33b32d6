"""EISeg: a list of polygons per image."""

from pathlib import Path

from sources.region_files import HOLE, SQUARE, only, photo, square, write

from segprep.sources import guesses
from segprep.sources.eiseg import Reader


def example(folder: Path) -> Reader:
    photo(folder / "a.png")
    row = {"name": "cat", "labelIdx": 1, "color": [1, 2, 3], "points": SQUARE}
    write(folder / "label" / "a.json", [row])
    return Reader(folder)


def test_a_polygon_and_its_image_elsewhere(tmp_path: Path) -> None:
    assert (only(example(tmp_path)) == square()).all()


def test_later_polygons_cover_earlier_ones(tmp_path: Path) -> None:
    reader = example(tmp_path)
    rows = [
        {"name": name, "labelIdx": n, "points": points}
        for n, (name, points) in enumerate((("cat", SQUARE), ("dog", HOLE)), 1)
    ]
    write(tmp_path / "label" / "a.json", rows)
    mask = square()
    mask[4:6, 4:7] = 2
    assert (only(reader) == mask).all()


def test_two_images_of_one_name_are_named(tmp_path: Path) -> None:
    reader = example(tmp_path)
    photo(tmp_path / "copy" / "a.jpg")
    (skipped,) = reader.scan().skipped
    assert skipped.code == "image-ambiguous"
    assert "a.jpg" in skipped.reason
    assert "a.png" in skipped.reason


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "eiseg"
