"""Which image an annotation means: the file it names, the file of its name, the embedded copy."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

import segprep
from segprep.errors import SourceError
from segprep.sources.labelme import Reader
from segprep.sources.labelme.annotation_file import Annotation

from .makers import annotate, base64_of, box, codes, encoded, picture, sample


def renamed(folder: Path, *, embedded: bool) -> None:
    """img_1.json names img_2.png, which exists; img_1.png is what was annotated."""
    for number in (1, 2):
        image = picture(number)
        copy = base64_of(encoded(image, "JPEG", quality=85)) if embedded else None
        annotate(folder, f"img_{number}", box(), named=f"img_{number + 1}.png", imageData=copy)
        image.save(folder / f"img_{number}.png")


def test_the_embedded_copy_decides(tmp_path: Path) -> None:
    renamed(tmp_path, embedded=True)
    read = sample(tmp_path, "img_1")
    assert read.image == (tmp_path / "img_1.png").read_bytes()
    assert codes(read) == ["image-found-elsewhere", "image-disagrees"]
    assert "img_1.png agrees with the copy and was used" in read.notes[1].message


def test_without_a_copy_both_candidates_are_named(tmp_path: Path) -> None:
    renamed(tmp_path, embedded=False)
    with pytest.raises(SourceError, match=r"names img_2\.png, but img_1\.png has") as caught:
        sample(tmp_path, "img_1")
    assert caught.value.code == "image-ambiguous"
    assert "--image-from" in caught.value.hint


@pytest.mark.parametrize(("image_from", "stem"), [("path", "img_2"), ("name", "img_1")])
def test_an_option_says_which(tmp_path: Path, image_from: str, stem: str) -> None:
    renamed(tmp_path, embedded=False)
    read = sample(tmp_path, "img_1", image_from=image_from)
    assert read.image == (tmp_path / f"{stem}.png").read_bytes()


def test_two_files_of_one_picture_are_no_conflict(tmp_path: Path) -> None:
    annotate(tmp_path, "a", box(), named="b.png")
    picture(1).save(tmp_path / "a.png")
    picture(1).save(tmp_path / "b.png")
    read = sample(tmp_path)
    assert read.image == (tmp_path / "b.png").read_bytes()
    assert not codes(read)


def test_the_recorded_size_decides_first(tmp_path: Path) -> None:
    annotate(tmp_path, "a", box(), named="b.png")
    picture(1).save(tmp_path / "a.png")
    picture(2, (32, 24)).save(tmp_path / "b.png")
    read = sample(tmp_path)
    assert read.image == (tmp_path / "a.png").read_bytes()
    assert "image-disagrees" in codes(read)


def test_an_overlay_beside_the_annotation_is_not_the_image(tmp_path: Path) -> None:
    """The file that imagePath names has the answer painted in; the copy does not."""
    image = picture(3, (640, 480))
    copy = encoded(image, "JPEG", quality=90)
    annotate(tmp_path, "a", box(), imageData=base64_of(copy), imageHeight=480, imageWidth=640)
    ImageDraw.Draw(image).polygon([(100, 100), (400, 120), (300, 400)], outline="red", width=5)
    image.save(tmp_path / "a.png")
    read = sample(tmp_path)
    assert read.image == copy
    assert codes(read) == ["image-disagrees"]


@pytest.mark.parametrize("quality", [75, 95])
def test_encoding_again_is_no_other_picture(tmp_path: Path, quality: int) -> None:
    image = picture(4, (640, 480))
    copy = base64_of(encoded(image, "JPEG", quality=quality))
    annotate(tmp_path, "a", box(), imageData=copy, imageHeight=480, imageWidth=640)
    image.save(tmp_path / "a.png")
    read = sample(tmp_path)
    assert (read.image, codes(read)) == ((tmp_path / "a.png").read_bytes(), [])


def test_a_copy_of_another_size_than_recorded_is_stale(tmp_path: Path) -> None:
    annotate(tmp_path, "a", box(), imageData=base64_of(encoded(picture(5, (32, 24)))))
    picture(6).save(tmp_path / "a.png")
    read = sample(tmp_path)
    assert (read.image, codes(read)) == ((tmp_path / "a.png").read_bytes(), ["image-disagrees"])


def test_a_copy_too_small_for_the_points_is_stale(tmp_path: Path) -> None:
    copy = base64_of(encoded(picture(5, (20, 20))))
    annotate(tmp_path, "a", box(), imageData=copy, imageHeight=None, imageWidth=None)
    picture(6).save(tmp_path / "a.png")
    read = sample(tmp_path)
    assert (read.image, codes(read)) == ((tmp_path / "a.png").read_bytes(), ["image-disagrees"])


def test_a_sixteen_bit_file_agrees_with_its_eight_bit_copy(tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    gray = np.asarray(picture(7).convert("L"))
    annotate(tmp_path, "a", box(), imageData=base64_of(encoded(Image.fromarray(gray))))
    Image.fromarray(gray.astype(np.uint16) * 11 + 300).save(tmp_path / "a.png")
    read = sample(tmp_path)
    assert (read.image, codes(read)) == ((tmp_path / "a.png").read_bytes(), [])


@pytest.mark.parametrize("kind", ["float", "cut", "foreign", "empty", "pointer"])
def test_the_copy_is_used_where_the_file_turns_out_unusable(tmp_path: Path, kind: str) -> None:
    """Also where that shows only when the pixels are decoded."""
    image = picture(8, (256, 192))
    copy = encoded(image)
    name = {"float": "a.tif", "cut": "a.jpg", "foreign": "a.heic"}.get(kind, "a.png")
    more = {"imageHeight": 192, "imageWidth": 256}
    annotate(tmp_path / "src", "a", box(), named=name, imageData=base64_of(copy), **more)
    jpeg = encoded(image, "JPEG")
    (tmp_path / "src" / name).write_bytes(
        {
            "float": encoded(image.convert("F"), "TIFF"),
            "cut": jpeg[: len(jpeg) // 2],
            "foreign": b"\0\0\0\x18ftypheic" + bytes(200),
            "empty": b"",
            "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        }[kind]
    )
    done = segprep.convert("labelme", tmp_path / "src", tmp_path / "out")
    assert done.converted == 1
    assert [note.code for note in done.notes if note.stem] == ["image-embedded"]
    assert (tmp_path / "out/JPEGImages/a.png").read_bytes() == copy
    mask = segprep.read_mask(tmp_path / "out/SegmentationClass/a.png")
    assert int((mask == 1).sum()) == 441


@pytest.mark.parametrize("image_from", ["auto", "embedded"])
def test_embedded_on_request(tmp_path: Path, image_from: str) -> None:
    image = picture(9)
    copy = encoded(image, "JPEG", quality=95)
    annotate(tmp_path, "a", box(), imageData=base64_of(copy))
    image.save(tmp_path / "a.png")
    used = copy if image_from == "embedded" else (tmp_path / "a.png").read_bytes()
    assert sample(tmp_path, image_from=image_from).image == used


def test_swapped_sizes_are_called_so(tmp_path: Path) -> None:
    annotate(tmp_path, "a", box(), imageHeight=64, imageWidth=48)
    picture(1).save(tmp_path / "a.png")
    with pytest.raises(SourceError, match="width and height are swapped") as caught:
        sample(tmp_path)
    assert "delete imageHeight and imageWidth" in caught.value.hint


@pytest.mark.parametrize("overlays", [0, 6])
def test_a_large_folder_is_trusted_only_if_a_few_of_its_images_agree(
    tmp_path: Path, overlays: int
) -> None:
    """JPEGs whose path and name agree are compared if one of those sampled shows another
    picture.
    """
    for number in range(40):
        image = picture(number, (160, 120))
        copy = base64_of(encoded(image, "JPEG", quality=85))
        name = f"img{number:02}"
        size = {"imageHeight": 120, "imageWidth": 160}
        annotate(tmp_path, name, box(), named=f"{name}.jpg", imageData=copy, **size)
        if number % 6 == 0 and number // 6 < overlays:
            ImageDraw.Draw(image).rectangle((20, 20, 90, 90), fill="red")
        image.save(tmp_path / f"{name}.jpg", quality=92)
    reader = Reader(tmp_path)
    notes = [note.code for item in reader.scan().items for note in reader.read(item).notes]
    assert notes == ["image-disagrees"] * overlays


@pytest.mark.parametrize("wrong", [7, 13, 38])
def test_no_file_of_a_large_folder_may_show_another_photograph(tmp_path: Path, wrong: int) -> None:
    """Every file is compared, by its first rows where the folder is sound."""
    for number in range(40):
        image = picture(number, (160, 120))
        copy = base64_of(encoded(image, "JPEG", quality=75))
        name, size = f"img{number:02}", {"imageHeight": 120, "imageWidth": 160}
        annotate(tmp_path, name, box(), named=f"{name}.jpg", imageData=copy, **size)
        shown = picture(number + 1, (160, 120)) if number == wrong else image
        shown.save(tmp_path / f"{name}.jpg", quality=92)
    reader = Reader(tmp_path)
    scan = reader.scan()
    assert not scan.items[0].payload[-1].doubted  # the folder is trusted
    told = {
        item.stem: [note.code for note in reader.read(item).notes]
        for item in scan.items
        if reader.read(item).notes
    }
    assert told == {f"img{wrong:02}": ["image-disagrees"]}


@pytest.mark.parametrize("change", ["overlay", "next frame", "colors"])
def test_a_rare_wrong_file_that_begins_as_its_copy_does_is_noticed(
    tmp_path: Path, change: str
) -> None:
    """One file of a large folder, not among those sampled: the answer painted in, the next frame
    of a still camera, or the picture without its colors.
    """
    background = picture(5, (160, 120))
    for number in range(40):
        image, left = background.copy(), 20 + number
        ImageDraw.Draw(image).ellipse((left, 60, left + 30, 90), fill=(200, 30, number * 5))
        copy = base64_of(encoded(image, "JPEG", quality=75))
        name, size = f"img{number:02}", {"imageHeight": 120, "imageWidth": 160}
        shape = box("cell", [[left, 60], [left + 30, 90]])
        annotate(tmp_path, name, shape, named=f"{name}.jpg", imageData=copy, **size)
        if number == 7 and change == "overlay":
            painted = image.copy()
            ImageDraw.Draw(painted).rectangle((left, 60, left + 30, 90), fill=(0, 128, 0))
            image = Image.blend(image, painted, 0.4)
        elif number == 7 and change == "next frame":
            image = background.copy()
            ImageDraw.Draw(image).ellipse((left + 6, 60, left + 36, 90), fill=(200, 30, 35))
        elif number == 7:
            image = image.convert("L").convert("RGB")
        image.save(tmp_path / f"{name}.jpg", quality=92)
    reader = Reader(tmp_path)
    scan = reader.scan()
    assert not scan.items[0].payload[-1].doubted  # the folder is trusted
    told = [item.stem for item in scan.items if reader.read(item).notes]
    assert told == ["img07"]


@pytest.mark.parametrize("flaw", [None, [], [None], [[1]], [["a", 1]], [[1e400, 1]], "points"])
def test_a_shape_without_a_first_point_tells_no_row(tmp_path: Path, flaw: object) -> None:
    path = tmp_path / "a.json"
    shapes = [{"points": flaw}, {"points": [[1, 50], [2, 3]]}, {"points": [[4, 9]]}, 3]
    assert Annotation(path, shapes, "", None, None, (5, 0), ()).topmost() == 9
    assert Annotation(path, shapes[:1], "", None, None, (5, 0), ()).topmost() == 0


def test_an_image_in_another_folder_is_found_by_the_annotations_name(tmp_path: Path) -> None:
    annotate(tmp_path / "labels", "a", box())
    (tmp_path / "images").mkdir()
    picture(1).save(tmp_path / "images/a.png")
    read = sample(tmp_path)
    assert read.image == (tmp_path / "images/a.png").read_bytes()
    assert "a.png was found in images/, by the annotation's own name" in read.notes[0].message


def test_an_image_beside_its_own_annotation_belongs_to_no_other(tmp_path: Path) -> None:
    annotate(tmp_path / "one", "a", box())
    annotate(tmp_path / "two", "a", box())
    picture(1).save(tmp_path / "two/a.png")
    reader = Reader(tmp_path, stem="path")
    first, second = reader.scan().items
    with pytest.raises(SourceError, match="no image"):
        reader.read(first)
    assert reader.read(second).image == (tmp_path / "two/a.png").read_bytes()


def test_of_several_images_of_one_name_the_copy_tells(tmp_path: Path) -> None:
    copy = base64_of(encoded(picture(2), "JPEG", quality=90))
    annotate(tmp_path / "labels", "a", box(), imageData=copy)
    for number in (1, 2, 3):
        (tmp_path / f"day{number}").mkdir()
        picture(number).save(tmp_path / f"day{number}/a.png")
    assert sample(tmp_path).image == (tmp_path / "day2/a.png").read_bytes()
    annotate(tmp_path / "labels", "a", box())
    with pytest.raises(SourceError, match="several images are called a"):
        sample(tmp_path)


def test_folders_called_train_and_val_are_lists(tmp_path: Path) -> None:
    for number, name in enumerate(("train", "val")):
        annotate(tmp_path / name, str(number), box())
        picture(number).save(tmp_path / name / f"{number}.png")
    assert Reader(tmp_path).scan().lists == {"train": ("0",), "val": ("1",)}


def test_files_of_one_name_are_told_apart_where_none_shows_the_copy(tmp_path: Path) -> None:
    for seed, folder in enumerate(("train", "test"), 1):
        (tmp_path / folder).mkdir()
        picture(seed).save(tmp_path / folder / "a.png")
    copy = base64_of(encoded(picture(3)))
    annotate(tmp_path / "json", "a", box(), imageData=copy, named="elsewhere/a.png")
    (note,) = [note for note in sample(tmp_path).notes if note.code == "image-disagrees"]
    assert "test/a.png shows another" in note.message
    assert "train/a.png shows another" in note.message
