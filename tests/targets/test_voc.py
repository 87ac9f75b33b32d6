"""VOCdevkit as torchvision documents it: .jpg images, palette masks, lists."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.dataset.tree import Tree
from segprep.imaging.image import encode_mask, encode_objects, read_mask

BASE = "VOCdevkit/VOC2007"


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def gradient(width: int = 8, height: int = 4) -> Image.Image:
    return Image.fromarray(
        np.linspace(0, 255, width * height * 3).reshape(height, width, 3).astype(np.uint8)
    )


def test_jpegs_are_copied_and_all_else_becomes_jpeg(tmp_path: Path) -> None:
    ids = np.zeros((4, 8), np.uint8)
    ids[1:3, 2:5] = 1
    ids[0] = 255
    for stem, kind, suffix in (
        ("a", "JPEG", "jpg"),
        ("b", "PNG", "png"),
        ("c", "BMP", "bmp"),
        ("d", "JPEG", "JPEG"),
    ):
        put(tmp_path / f"tree/JPEGImages/{stem}.{suffix}", encoded(gradient(), kind))
        put(tmp_path / f"tree/SegmentationClass/{stem}.png", encode_mask(ids, "gray"))
    put(
        tmp_path / "tree/SegmentationObject/a.png",
        encode_objects(np.where(ids == 1, 7, 0).astype(np.uint16)),
    )
    put(tmp_path / "tree/ImageSets/Segmentation/train.txt", b"a\r\nb\r\n")
    put(tmp_path / "tree/ImageSets/Segmentation/val.txt", b"\xef\xbb\xbfc\nd\ngone\n")
    done = segprep.export("voc", tmp_path / "tree", tmp_path / "out")
    out = tmp_path / "out" / BASE
    for stem, origin in (("a", "a.jpg"), ("d", "d.JPEG")):
        assert (out / f"JPEGImages/{stem}.jpg").read_bytes() == (
            tmp_path / "tree/JPEGImages" / origin
        ).read_bytes()
    for stem in "bc":
        with Image.open(out / f"JPEGImages/{stem}.jpg") as image:
            assert (image.format, image.layer[0][1:3], image.layer[1][1:3]) == (
                "JPEG",
                (1, 1),
                (1, 1),
            )
            assert np.abs(np.asarray(image).astype(int) - np.asarray(gradient())).max() < 12
    for stem in "abcd":
        with Image.open(out / f"SegmentationClass/{stem}.png") as mask:
            assert mask.mode == "P"
            assert (np.asarray(mask) == ids).all()
            assert mask.getpalette()[3 * 255 :] == [224, 224, 192]  # type: ignore[index]
    assert read_mask(out / "SegmentationObject/a.png").tolist() == np.where(ids == 1, 7, 0).tolist()
    assert [path.name for path in (out / "SegmentationObject").iterdir()] == ["a.png"]
    assert (out / "ImageSets/Segmentation/train.txt").read_bytes() == b"a\nb\n"
    assert (out / "ImageSets/Segmentation/val.txt").read_bytes() == b"c\nd\n"
    assert sorted(note.code for note in done.notes) == [
        "image-converted",
        "image-converted",
        "listed-missing",
    ]
    assert not (out / "class_names.txt").exists(), "nobody named the classes"


def test_an_image_turned_by_exif_is_written_upright_with_its_mask(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    put(
        tmp_path / "tree/JPEGImages/a.jpg",
        encoded(gradient(), "JPEG", exif=exif, quality=100, subsampling=0),
    )
    stored = np.zeros((4, 8), np.uint8)
    stored[0, 0] = 1
    put(tmp_path / "tree/SegmentationClass/a.png", encode_mask(stored))
    segprep.export("voc", tmp_path / "tree", tmp_path / "out")
    wanted = np.rot90(stored, -1)  # orientation 6: turn the stored rows clockwise
    assert (read_mask(tmp_path / "out" / BASE / "SegmentationClass/a.png") == wanted).all()
    with Image.open(tmp_path / "out" / BASE / "JPEGImages/a.jpg") as image:
        assert (image.size, image.getexif().get(0x0112, 1)) == ((4, 8), 1)
        assert (
            np.abs(np.asarray(image).astype(int) - np.rot90(np.asarray(gradient()), -1)).max() < 16
        )


def test_without_lists_it_says_so(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "tree")
    done = segprep.export("voc", tmp_path / "tree", tmp_path / "out", year="2012")
    assert [note.code for note in done.notes] == ["no-split"]
    assert not (tmp_path / "out/VOCdevkit/VOC2012/ImageSets").exists()
    assert (
        tmp_path / "out/VOCdevkit/VOC2012/class_names.txt"
    ).read_text() == "_background_\ncat\ncow\ndog\n"


def test_2011_lies_where_torchvision_looks(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.export("voc", tmp_path / "tree", tmp_path / "out", year="2011")
    assert (tmp_path / "out/TrainVal/VOCdevkit/VOC2011/SegmentationClass/img0.png").is_file()


def test_folders_below_a_foreign_tree_stay(tmp_path: Path) -> None:
    for city in ("bonn", "ulm"):
        put(tmp_path / f"tree/JPEGImages/{city}/a.png", encoded(gradient(), "PNG"))
        put(
            tmp_path / f"tree/SegmentationClass/{city}/a.png",
            encode_mask(np.full((4, 8), len(city), np.uint8)),
        )
    segprep.export("voc", tmp_path / "tree", tmp_path / "out")
    assert read_mask(tmp_path / "out" / BASE / "SegmentationClass/ulm/a.png").max() == 3
    assert (tmp_path / "out" / BASE / "JPEGImages/bonn/a.jpg").is_file()


def test_the_export_is_a_tree_again(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.split(tmp_path / "tree")
    segprep.export("voc", tmp_path / "tree", tmp_path / "out")
    first, second = Tree(tmp_path / "tree"), Tree(tmp_path / "out" / BASE)
    assert (second.stems(), second.lists(), second.classes()) == (
        first.stems(),
        first.lists(),
        first.classes(),
    )
    for stem in first.stems():
        assert second.mask_path(stem).read_bytes() == first.mask_path(stem).read_bytes()


@pytest.mark.parametrize("format", ["voc"])
def test_round_trip_through_convert(format: str, source: Path, tmp_path: Path) -> None:
    from segprep import sources

    if format not in sources.names():
        pytest.skip(f"there is no source format {format} yet")
    segprep.convert("labelme", source, tmp_path / "tree")
    segprep.export("voc", tmp_path / "tree", tmp_path / "out")
    segprep.convert(format, tmp_path / "out" / BASE, tmp_path / "again")
    for stem in Tree(tmp_path / "tree").stems():
        assert (
            read_mask(Tree(tmp_path / "again").mask_path(stem))
            == read_mask(Tree(tmp_path / "tree").mask_path(stem))
        ).all()


def test_a_dataset_without_lists_says_what_torchvision_needs(tmp_path: Path) -> None:
    put(tmp_path / "tree/JPEGImages/a.jpg", encoded(gradient(), "JPEG"))
    put(tmp_path / "tree/SegmentationClass/a.png", encode_mask(np.zeros((4, 8), np.uint8), "gray"))
    segprep.export("voc", tmp_path / "tree", tmp_path / "out")
    assert "torchvision needs lists: run segprep split" in (tmp_path / "out/README.txt").read_text()
