"""How far the image files of a folder are trusted, and how a person says which are meant."""

from pathlib import Path

import pytest
from PIL import ImageDraw

from segprep.errors import SourceError
from segprep.sources.labelme import Reader
from segprep.types import Item

from .makers import annotate, base64_of, box, encoded, picture, sample


def refusal(reader: Reader, item: Item) -> str:
    """Why *item* is refused, or ""."""
    try:
        reader.read(item)
    except SourceError as error:
        return error.reason
    return ""


@pytest.mark.parametrize("copies", [1, 3])
def test_files_without_a_copy_are_doubted_where_other_copies_show_other_pictures(
    tmp_path: Path, copies: int
) -> None:
    """Somebody wrote overlays over the images; only some annotations keep what was annotated. One
    stale copy says nothing of the others.
    """
    for number in range(16):
        image = picture(number, (160, 120))
        copy = base64_of(encoded(image, "JPEG", quality=92)) if number < copies else None
        size = {"imageHeight": 120, "imageWidth": 160}
        annotate(tmp_path, f"{number}", box(), named=f"../im/{number}.jpg", imageData=copy, **size)
        ImageDraw.Draw(image).rectangle((20, 20, 140, 110), fill="red")
        image.save(tmp_path / f"{number}.jpg")
    reader = Reader(tmp_path)
    reasons = list(filter(None, (refusal(reader, item) for item in reader.scan().items)))
    assert len(reasons) == (13 if copies == 3 else 0)
    assert all("3 of 3 embedded copies show another image" in reason for reason in reasons)
    stated = Reader(tmp_path, image_from="path")
    assert len([stated.read(item) for item in stated.scan().items]) == 16


def test_two_images_of_one_name_are_refused_with_the_way_to_say_which(tmp_path: Path) -> None:
    annotate(tmp_path / "json", "a", box(), named="", imageData=None)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        picture(len(folder)).save(tmp_path / folder / "a.png")
    with pytest.raises(SourceError) as caught:
        sample(tmp_path, "a")
    assert "--exclude-folder masks" in caught.value.hint
    stated = Reader(tmp_path, exclude_folder=("masks",))
    assert [stated.read(item).stem for item in stated.scan().items] == ["a"]


def test_a_disagreement_among_those_without_a_copy_is_remembered(tmp_path: Path) -> None:
    """Of a large folder, one sampled copy is stale, and the largest files are sound."""
    for number in range(40):
        image = picture(number, (160, 120))
        copy = base64_of(encoded(picture(99) if number == 0 else image, "PNG"))
        size = {"imageHeight": 120, "imageWidth": 160}
        kept = copy if number in (0, *range(21, 36)) else None
        annotate(tmp_path, f"{number:02}", box(), named=f"{number:02}.png", imageData=kept, **size)
        image.save(tmp_path / f"{number:02}.png")
    folder = Reader(tmp_path).scan().items[0].payload[-1]
    assert folder.doubted
    assert not folder.against
