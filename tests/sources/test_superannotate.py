"""SuperAnnotate: vectors with holes, pixels by color, the project's classes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources.region_files import (
    HEIGHT,
    HOLE,
    SQUARE,
    WIDTH,
    only,
    photo,
    png,
    square,
    with_hole,
    write,
)

from segprep.errors import SourceError
from segprep.sources import guesses
from segprep.sources.superannotate import Reader

FLAT = [value for point in SQUARE for value in point]


def put(folder: Path, *instances: dict[str, Any], name: str = "a.png.json") -> Reader:
    metadata = {"name": "a.png", "width": WIDTH, "height": HEIGHT}
    write(folder / name, {"metadata": metadata, "instances": list(instances)})
    return Reader(folder)


def polygon(*holes: list[list[int]]) -> dict[str, Any]:
    exclude = [[value for point in hole for value in point] for hole in holes]
    return {"type": "polygon", "className": "cat", "points": FLAT, "exclude": exclude}


def example(folder: Path) -> Reader:
    photo(folder / "a.png")
    return put(folder, polygon())


def test_polygons_and_holes(tmp_path: Path) -> None:
    assert (only(example(tmp_path)) == square()).all()
    assert (only(put(tmp_path, polygon(HOLE))) == with_hole()).all()


def test_the_projects_classes(tmp_path: Path) -> None:
    reader = example(tmp_path)
    write(tmp_path / "classes" / "classes.json", [{"name": "dog"}, {"name": "cat"}])
    assert reader.scan().classes.names == ("_background_", "dog", "cat")
    assert (only(reader) == square(2)).all()


def test_pixels_by_color(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    colors = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    colors[square() > 0] = (10, 60, 127)
    (tmp_path / "a.png___save.png").write_bytes(png(colors))
    instance = {"className": "cat", "parts": [{"color": "#0a3c7f"}]}
    reader = put(tmp_path, instance, name="a.png___pixel.json")
    assert (only(reader) == square()).all()


def test_pixels_in_a_file_without_a_suffix(tmp_path: Path) -> None:
    """Newer exports call the file NAME.jpg.json; it was read as vectors, and the mask was empty."""
    photo(tmp_path / "a.png")
    colors = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    colors[square() > 0] = (0, 0, 90)
    for end in ("save", "fuse"):
        (tmp_path / f"a.png___{end}.png").write_bytes(png(colors))
    tag = {"type": "tag", "className": "sunny"}
    reader = put(tmp_path, {"className": "cat", "parts": [{"color": "#00005a"}]}, tag)
    assert (only(reader) == square()).all()
    assert "image-unlabelled" not in [note.code for note in reader.scan().notes]


def test_the_image_beside_counts_before_the_name_that_is_stored(tmp_path: Path) -> None:
    reader = example(tmp_path)
    metadata = {"name": "Uploaded as.png", "width": WIDTH, "height": HEIGHT}
    write(tmp_path / "a.png.json", {"metadata": metadata, "instances": [polygon()]})
    assert (only(reader) == square()).all()


def test_an_unknown_type_is_named(tmp_path: Path) -> None:
    example(tmp_path)
    (skipped,) = put(tmp_path, {"type": "blob", "className": "cat"}).scan().skipped
    assert skipped.code == "unknown-shape-type"
    assert "instances[0]" in skipped.reason


def test_auto_knows_it_by_a_file_with_a_fault(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    reader = put(tmp_path, polygon() | {"points": [float("nan"), 1, 2, 3, 4, 5], "exclude": [7]})
    assert guesses(reader.root)[0][0] == "superannotate"
    (skipped,) = reader.scan().skipped
    assert skipped.code == "bad-shape"


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "superannotate"


def test_pixels_of_another_size_are_refused(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    (tmp_path / "a.png___save.png").write_bytes(png(np.full((4, 4, 3), 90, np.uint8)))
    reader = put(tmp_path, {"className": "cat", "parts": [{"color": "#5a5a5a"}]})
    with pytest.raises(SourceError, match="the mask is 4x4, its image 12x10"):
        only(reader)


@pytest.mark.parametrize(("status", "code"), [("NotStarted", "mask-missing"), ("Completed", "")])
def test_what_nobody_annotated_is_no_background(tmp_path: Path, status: str, code: str) -> None:
    photo(tmp_path / "a.png")
    metadata = {"name": "a.png", "width": WIDTH, "height": HEIGHT, "status": status}
    write(tmp_path / "a.png.json", {"metadata": metadata, "instances": []})
    assert [one.code for one in Reader(tmp_path, classes="cat").scan().skipped] == [code][
        : len(code)
    ]


def test_rotated_boxes(tmp_path: Path) -> None:
    example(tmp_path)
    corners = {
        f"{axis}{n}": value
        for n, point in enumerate(SQUARE, 1)
        for axis, value in zip("xy", point, strict=True)
    }
    put(tmp_path, {"type": "rbbox", "className": "cat", "points": corners})
    with pytest.raises(SourceError, match="'cat' is a box without an outline"):
        only(Reader(tmp_path))
    assert (only(Reader(tmp_path, boxes="fill")) == square()).all()


def test_a_project_within_a_folder(tmp_path: Path) -> None:
    example(tmp_path / "project")
    write(tmp_path / "project" / "classes" / "classes.json", [{"name": "dog"}, {"name": "cat"}])
    assert Reader(tmp_path).scan().classes.names == ("_background_", "dog", "cat")
