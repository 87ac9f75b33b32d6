"""Which images and which annotation files of a COCO source belong together."""

from pathlib import Path

import pytest
from PIL import Image

from segprep.errors import UsageError
from segprep.sources.coco import Reader

pytest.importorskip("pycocotools.mask")
from sources.coco.makers import H, W, example, images, of, picture, write


def test_categories_of_several_files_are_matched_by_name(tmp_path: Path) -> None:
    """a: 1 cat, 2 dog; b: 1 dog, 2 cat."""
    for folder, names in (("a", ("cat", "dog")), ("b", ("dog", "cat"))):
        picture(tmp_path / f"images/{folder}.png")
        write(
            tmp_path / folder / "instances.json",
            [of(category=1)],
            images(f"{folder}.png"),
            [{"id": number, "name": name} for number, name in enumerate(names, 1)],
        )
    reader = Reader(tmp_path)
    scan = reader.scan()
    assert scan.classes.names == ("_background_", "cat", "dog")
    assert [int(reader.read(item).mask.max()) for item in scan.items] == [1, 2]
    assert "'dog' has the id 2 in a/instances.json, in b/instances.json id 1 is 'dog'" in next(
        note.message for note in scan.notes if note.code == "categories-by-name"
    )


def test_names_that_differ_in_case_are_told(tmp_path: Path) -> None:
    for folder, name in (("a", "Cat"), ("b", "cat")):
        categories = [{"id": 1, "name": name}]
        path = tmp_path / folder / "instances.json"
        write(path, [of(category=1)], images(f"{folder}.png"), categories)
    told = [note.message for note in Reader(tmp_path).scan().notes if note.code == "label-variant"]
    assert len(told) == 1
    assert "--map Cat=cat" in told[0]
    merged = Reader(tmp_path, map=("Cat=cat",)).scan()
    assert merged.classes.names == ("_background_", "cat")
    assert not [note for note in merged.notes if note.code == "label-variant"]


def versions(root: Path, *folders: str) -> Reader:
    """One Roboflow export per folder, of the same two pictures if the folders end alike."""
    for number, folder in enumerate(folders):
        names = [f"{scene}_jpg.rf.{number:032x}.jpg" for scene in ("park", folder[-1])]
        for name in names:
            picture(root / folder / name)
        write(root / folder / "_annotations.coco.json", [of()], images(*names))
    return Reader(root)


def test_versions_of_one_roboflow_dataset_are_not_mixed(tmp_path: Path) -> None:
    reader = versions(tmp_path, "v1/train", "v3/train", "v3/valid")
    with pytest.raises(UsageError, match="2 files describe versions of the same images") as caught:
        reader.scan()
    assert caught.value.code == "annotations-unclear"
    assert "--annotations v1/train/_annotations.coco.json" in caught.value.hint


def test_lists_of_one_roboflow_dataset_may_have_pictures_of_one_name(tmp_path: Path) -> None:
    assert len(versions(tmp_path, "train", "valid", "test").scan().items) == 6


def test_files_that_describe_the_same_images_are_not_mixed(tmp_path: Path) -> None:
    example(tmp_path)
    other = write(tmp_path / "annotations/stuff_train2017.json", [of()])
    with pytest.raises(UsageError, match="instances, stuff") as caught:
        Reader(tmp_path).scan()
    assert caught.value.code == "annotations-unclear"
    named = [word for word in caught.value.hint.split() if word.endswith(".json")]
    assert named == ["instances_train2017.json", "instances_val2017.json"]
    assert len(Reader(tmp_path, annotations=("instances_*.json",)).scan().items) == 2
    assert (
        len(Reader(tmp_path, annotations=("annotations/stuff_train2017.json",)).scan().items) == 1
    )
    with pytest.raises(UsageError, match="there are: annotations/instances_train2017"):
        Reader(tmp_path, annotations=("../stuff.json",)).scan()
    other.rename(tmp_path / "annotations/extra.json")
    with pytest.raises(UsageError, match=r"a\.png is annotated in several files"):
        Reader(tmp_path).scan()


def test_other_json_is_named_and_left_out(tmp_path: Path) -> None:
    example(tmp_path)
    (tmp_path / "captions.json").write_text(
        '{"images": [], "annotations": [{"image_id": 1, "caption": "a cat"}]}'
    )
    (tmp_path / "list.json").write_text("[1]")
    assert [(one.stem, one.code, one.foreign) for one in Reader(tmp_path).scan().skipped] == [
        ("captions", "other-json", True),
        ("list", "other-json", True),
    ]


@pytest.mark.parametrize(
    "named", ["a.png", "images/a.png", "/home/me/images/a.png", "C:\\data\\images\\a.png", "A.PNG"]
)
def test_the_image_is_found(tmp_path: Path, named: str) -> None:
    picture(tmp_path / "root/images/a.png")
    write(tmp_path / "src/x.json", [of()], images(named))
    assert len(Reader(tmp_path / "src", image_root=(tmp_path / "root",)).scan().items) == 1
    write(tmp_path / "root/x.json", [of()], images(named))
    scan = Reader(tmp_path / "root").scan()
    assert [note.code for note in scan.notes] == ["classes-inferred"] + [
        "image-found-elsewhere"
    ] * ("me" in named or "data" in named)


def test_two_images_of_one_name(tmp_path: Path) -> None:
    """The folder in file_name decides, then the words that it shares with the annotation file."""
    for folder in ("images/train", "images/val", "images/more"):
        picture(tmp_path / folder / "a.png")
    write(tmp_path / "instances_val.json", [of()], images("a.png"))
    write(tmp_path / "instances_more.json", [of()], images("more/a.png"))
    scan = Reader(tmp_path, stem="path").scan()
    assert [item.stem for item in scan.items] == ["images_more_a", "images_val_a"]
    assert {one.code for one in Reader(tmp_path).scan().skipped} == {"stem-collision"}
    write(tmp_path / "instances_val.json", [], [])
    write(tmp_path / "instances_more.json", [of()], images("a.png", "a.png"))
    picture(tmp_path / "images/x/more/a.png")
    (item,) = Reader(tmp_path).scan().items
    assert item.image == tmp_path / "images/more/a.png"  # a copy of the other, byte for byte
    assert "image-copies" in [note.code for note in Reader(tmp_path).scan().notes]
    Image.new("RGB", (W, H), "red").save(tmp_path / "images/x/more/a.png")
    assert {one.code for one in Reader(tmp_path).scan().skipped} == {"image-ambiguous"}


def test_one_file_listed_twice(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "images/a.png")
    write(tmp_path / "coco/x.json", [of()], images("a.png", "a.png"))
    scan = Reader(tmp_path).scan()
    assert [(one.code, one.reason[:9]) for one in scan.skipped] == [("stem-collision", "images[1]")]


@pytest.mark.parametrize("size", [(W, H), (H, W)])
def test_the_view_that_was_annotated(tmp_path: Path, size: tuple[int, int]) -> None:
    """A picture stored as 12x10 and shown as 10x12: the size in the file tells which of the two was
    drawn on.
    """
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (W, H)).save(tmp_path / "a.jpg", exif=exif)
    write(
        tmp_path / "x.json",
        [of()],
        [{"id": 1, "file_name": "a.jpg", "width": size[0], "height": size[1]}],
    )
    reader = Reader(tmp_path)
    sample = reader.read(reader.scan().items[0])
    assert (sample.upright, sample.mask.shape) == (size == (H, W), size[::-1])
    assert sample.mask[2:6, 2:6].all()


def test_of_folders_laid_out_alike_the_annotation_files_own_holds_its_images(
    tmp_path: Path,
) -> None:
    """A public set of greenhouse leaves has two versions, with images of the same names."""
    for seed, version in enumerate(("v1", "v2")):
        picture(tmp_path / version / "images/a.png")
        Image.new("RGB", (W, H), (seed, 0, 0)).save(tmp_path / version / "images/a.png")
        write(tmp_path / version / "annotations.json", [of()], images("a.png"))
    scan = Reader(tmp_path, stem="path").scan()
    assert {item.stem: item.labels[0].parent.name for item in scan.items} == {
        "v1_images_a": "v1",
        "v2_images_a": "v2",
    }
    assert "image-chosen" in {note.code for note in scan.notes}
    (tmp_path / "v2/images").rename(tmp_path / "v2/pictures")
    assert {skipped.code for skipped in Reader(tmp_path).scan().skipped} == {"image-ambiguous"}


def test_an_archive_that_may_hold_missing_images_is_named(tmp_path: Path) -> None:
    """A public set of clocks has its images in a ZIP file beside the annotations."""
    write(tmp_path / "annotations.json", [of()], images("a.png"))
    assert [skip.hint for skip in Reader(tmp_path).scan().skipped] == [
        "name the images' folder with --image-root"
    ]
    (tmp_path / "images.zip").write_bytes(b"")
    (skipped,) = Reader(tmp_path).scan().skipped
    assert skipped.hint.startswith(f"unpack {tmp_path / 'images.zip'} if it holds the images")
