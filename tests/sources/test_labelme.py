"""labelme annotations: shapes, classes, policies, images, encodings."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, SourceError, UnknownClassError, UsageError
from segprep.sources.labelme import Reader
from segprep.types import Sample

SQUARE = [[2, 2], [5, 2], [5, 5], [2, 5]]


def write(
    folder: Path,
    stem: str,
    *shapes: dict[str, Any],
    size: tuple[int, int] = (32, 24),
    image: bool = True,
    **more: Any,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if image:
        Image.new("RGB", size, "gray").save(folder / f"{stem}.jpg")
    content = {
        "shapes": list(shapes),
        "imagePath": f"{stem}.jpg",
        "imageData": None,
        "imageHeight": size[1],
        "imageWidth": size[0],
    } | more
    path = folder / f"{stem}.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


def of(
    label: str, points: Any = SQUARE, kind: str | None = "polygon", **more: Any
) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind} | more


def example(root: Path) -> Reader:
    write(root, "a", of("cat"))
    write(
        root,
        "b.c",
        of("dog", [[1, 1], [6, 6]], "rectangle"),
        of("__ignore__", [[10, 10], [12, 12]], "rectangle"),
    )
    return Reader(root)


def one(root: Path, **options: Any) -> Sample:
    reader = Reader(root, **options)
    scan = reader.scan()
    assert len(scan.items) == 1, scan.skipped
    return reader.read(scan.items[0])


def png_base64(bitmap: "np.ndarray[Any, Any]") -> str:
    out = io.BytesIO()
    Image.fromarray(bitmap.astype(np.uint8) * 255).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


MASK = np.eye(4, dtype=bool)
DRAWN = {  # kind -> points, pixels by labelme's rule
    "polygon": (SQUARE, 16),
    None: (SQUARE, 16),
    "rectangle": ([[5, 5], [2, 2]], 16),
    "oriented_rectangle": (SQUARE, 16),
    "circle": ([[10, 10], [12, 10]], 21),
    "line": ([[0, 12], [31, 12]], 320),
    "linestrip": ([[0, 12], [15, 12], [31, 12]], 320),
    "point": ([[16, 12]], 97),
    "points": ([[8, 12], [24, 12]], 194),
    "mask": ([[3, 3], [6, 6]], 4),
}


@pytest.mark.parametrize("kind", DRAWN)
def test_every_shape_type_covers_its_pixels(tmp_path: Path, kind: str | None) -> None:
    points, pixels = DRAWN[kind]
    write(
        tmp_path,
        "a",
        of("cat", points, kind, **({"mask": png_base64(MASK)} if kind == "mask" else {})),
    )
    assert int((one(tmp_path).mask == 1).sum()) == pixels


def test_a_missing_shape_type_is_a_polygon(tmp_path: Path) -> None:
    write(tmp_path, "a", {"label": "cat", "points": SQUARE})
    assert int((one(tmp_path).mask == 1).sum()) == 16


def test_line_width_and_point_radius(tmp_path: Path) -> None:
    write(tmp_path, "a", of("cat", [[0, 12], [31, 12]], "line"), of("dog", [[5, 3]], "point"))
    mask = one(tmp_path, line_width=2, point_radius=1).mask
    assert ((mask == 1).sum(), (mask == 2).sum()) == (64, 5)


BIG, SMALL = [[0, 0], [20, 20]], [[5, 5], [8, 8]]


@pytest.mark.parametrize(
    ("options", "inner"),
    [
        ({}, 1),
        ({"overlap": "area"}, 2),
        ({"overlap": "priority", "priority": "small"}, 2),
        ({"overlap": "priority", "priority": "big,small"}, 1),
    ],
)
def test_overlap_policies(tmp_path: Path, options: dict[str, Any], inner: int) -> None:
    write(tmp_path, "a", of("small", SMALL, "rectangle"), of("big", BIG, "rectangle"))
    sample = one(tmp_path, classes="big,small", **options)
    assert sample.mask[6, 6] == inner
    hidden = ["hidden-shape"] if inner == 1 else []
    assert [note.code for note in sample.notes] == [*hidden, "class-covered"]


def test_overlap_error_names_both_shapes(tmp_path: Path) -> None:
    write(tmp_path, "a", of("small", SMALL, "rectangle"), of("big", BIG, "rectangle"))
    with pytest.raises(
        SourceError, match=r"shapes\[0\] \(small\) and shapes\[1\] \(big\) share 16 pixels"
    ):
        one(tmp_path, overlap="error")


def test_background_shapes_make_holes_and_ignore_is_255(tmp_path: Path) -> None:
    write(
        tmp_path,
        "a",
        of("cat", BIG, "rectangle"),
        of("_background_", SMALL, "rectangle"),
        of("__ignore__", [[0, 0], [1, 1]], "rectangle"),
    )
    mask = one(tmp_path).mask
    assert (mask[6, 6], mask[4, 4], mask[0, 0]) == (0, 1, 255)


def test_one_class_list_for_the_whole_folder(tmp_path: Path) -> None:
    """labelme's own converter numbered classes per file."""
    write(tmp_path, "a", of("zebra"))
    write(tmp_path, "b", of("a10"))
    write(tmp_path, "c", of("a2"))
    reader = Reader(tmp_path)
    scan = reader.scan()
    assert scan.classes.names == ("_background_", "a2", "a10", "zebra")
    assert [int(reader.read(item).mask[3, 3]) for item in scan.items] == [3, 2, 1]
    assert [note.code for note in scan.notes] == ["classes-inferred"]


def test_labels_txt_is_found_and_ignore_takes_no_id(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\ndog\ncat\n")
    write(tmp_path, "a", of("cat"))
    scan = Reader(tmp_path).scan()
    assert scan.classes.names == ("_background_", "dog", "cat")
    assert scan.notes[0].code == "classes-found"


def test_an_unknown_label_is_named_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "a", of("catt"))
    with pytest.raises(UnknownClassError, match=r"shapes\[0\]: the label 'catt'") as caught:
        one(tmp_path, classes="dog,cat")
    assert "did you mean 'cat'" in caught.value.hint


@pytest.mark.parametrize(("unknown", "value"), [("ignore", 255), ("background", 0), ("skip", 1)])
def test_unknown_policies(tmp_path: Path, unknown: str, value: int) -> None:
    write(tmp_path, "a", of("dog", BIG, "rectangle"), of("other", SMALL, "rectangle"))
    assert one(tmp_path, classes="dog", unknown=unknown).mask[6, 6] == value


def test_map_and_exclude(tmp_path: Path) -> None:
    write(
        tmp_path,
        "a",
        of("kitten", SMALL, "rectangle"),
        of("noise", [[20, 20], [22, 22]], "rectangle"),
        of("fog", [[25, 1], [26, 2]], "rectangle"),
    )
    mask = one(
        tmp_path, map=("kitten=cat", "fog=__ignore__"), exclude=("noise",), classes="cat"
    ).mask
    assert (mask[6, 6], mask[21, 21], mask[1, 25]) == (1, 0, 255)


def test_groups_are_instances(tmp_path: Path) -> None:
    shapes = [
        of("cat", [[n, n], [n + 1, n + 1]], "rectangle", group_id=g)
        for n, g in ((0, 7), (4, 7), (8, None), (12, None))
    ]
    write(tmp_path, "a", *shapes, of("__ignore__", [[20, 20], [21, 21]], "rectangle"))
    objects = one(tmp_path, objects=True).objects
    assert objects is not None
    assert [int(objects[n, n]) for n in (0, 4, 8, 12, 20, 23)] == [1, 1, 2, 3, 65535, 0]


def test_more_than_254_instances_are_written_in_16_bit(tmp_path: Path) -> None:
    write(
        tmp_path / "src",
        "a",
        *[of("cat", [[n % 64, n // 64], [n % 64, n // 64]], "rectangle") for n in range(300)],
        size=(64, 24),
    )
    segprep.convert("labelme", tmp_path / "src", tmp_path / "out", objects=True)
    objects = segprep.read_mask(tmp_path / "out/SegmentationObject/a.png")
    assert objects.dtype == np.uint16
    assert int(objects.max()) == 300


@pytest.mark.parametrize(
    "named",
    [
        "..\\pictures\\p.jpg",
        "C:\\Users\\me\\p.jpg",
        "../pictures/p.jpg",
        "p.png",
        "",
        "http://host/p.jpg",
    ],
)
def test_the_image_is_found(tmp_path: Path, named: str) -> None:
    write(tmp_path / "json", "p", of("cat"), image=False, imagePath=named)
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (32, 24)).save(tmp_path / "pictures/p.jpg")
    if "pictures" in named:
        assert one(tmp_path).mask.shape == (24, 32)
    assert one(tmp_path / "json", image_root=(tmp_path / "pictures",)).mask.shape == (24, 32)


def test_the_embedded_copy_is_the_last_resort(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (32, 24)).save(out, "PNG")
    write(
        tmp_path, "a", of("cat"), image=False, imageData=base64.b64encode(out.getvalue()).decode()
    )
    sample = one(tmp_path)
    assert sample.image == out.getvalue()
    assert [note.code for note in sample.notes] == ["image-embedded"]


def test_a_file_of_another_size_is_not_taken(tmp_path: Path) -> None:
    write(tmp_path, "a", of("cat"), imageWidth=64)
    with pytest.raises(SourceError, match="32x24, the annotation was made on 64x24") as caught:
        one(tmp_path)
    assert caught.value.code == "size-mismatch"


@pytest.mark.parametrize(("color", "codes"), [("gray", []), ("red", ["image-disagrees"])])
def test_compare_file_and_copy(tmp_path: Path, color: str, codes: list[str]) -> None:
    out = io.BytesIO()
    Image.new("RGB", (32, 24), color).save(out, "PNG")
    write(tmp_path, "a", of("cat"), imageData=base64.b64encode(out.getvalue()).decode())
    assert [note.code for note in one(tmp_path, compare=True).notes] == codes


TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("stored", [False, True])
def test_mask_and_image_agree_whatever_the_orientation(
    tmp_path: Path, orientation: int, stored: bool
) -> None:
    """A red block is annotated on the upright picture, or (stored) on the rows as they lie in the
    file.
    """
    picture = np.full((40, 60, 3), 255, np.uint8)
    picture[5:13, 5:21] = (255, 0, 0)
    turn = TURNS[orientation]
    rows = Image.fromarray(picture) if turn is None else Image.fromarray(picture).transpose(turn)
    if stored and rows.size == (60, 40):
        stored = False  # sizes cannot tell the views apart: taken as upright
    seen = np.asarray(rows) if stored else picture
    ys, xs = np.nonzero(seen[:, :, 1] == 0)
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "src").mkdir()
    rows.save(tmp_path / "src/a.png", exif=exif)
    box = [[int(xs.min()), int(ys.min())], [int(xs.max()), int(ys.max())]]
    write(
        tmp_path / "src",
        "a",
        of("red", box, "rectangle"),
        image=False,
        imagePath="a.png",
        imageHeight=seen.shape[0],
        imageWidth=seen.shape[1],
    )
    segprep.convert("labelme", tmp_path / "src", tmp_path / "out")
    written = cv2.imread(
        str(tmp_path / "out/JPEGImages/a.png"), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    )
    assert written is not None
    assert (
        (written[:, :, 1] == 0)
        == (segprep.read_mask(tmp_path / "out/SegmentationClass/a.png") == 1)
    ).all()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"]
)
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, "文 件.v1", of("猫"))
    text = json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False)
    path.write_bytes(text.encode(encoding))
    assert Reader(tmp_path).scan().classes.names == ("_background_", "猫")
    assert one(tmp_path).mask[3, 3] == 1


def test_other_json_is_named_and_left_out(tmp_path: Path) -> None:
    write(tmp_path / "src", "a", of("cat"))
    (tmp_path / "src/coco.json").write_text('{"images": [], "annotations": [], "categories": []}')
    (tmp_path / "src/list.json").write_text("[1, 2]")
    done = segprep.convert("labelme", tmp_path / "src", tmp_path / "out")
    assert [(one.stem, one.code, one.foreign) for one in done.skipped] == [
        ("coco", "other-json", True),
        ("list", "other-json", True),
    ]
    assert done.converted == 1


def test_no_shapes_is_all_background_if_the_classes_are_stated(tmp_path: Path) -> None:
    write(tmp_path, "a")
    sample = one(tmp_path, classes="cat")
    assert not sample.mask.any()
    assert [note.code for note in sample.notes] == ["no-shapes"]


def test_flags_of_whole_images_make_no_masks(tmp_path: Path) -> None:
    """labelme's example of classification has flags and no shape; every mask was background."""
    write(tmp_path, "a")
    with pytest.raises(UsageError, match="none of the 1 annotations has a shape") as caught:
        Reader(tmp_path).scan()
    assert caught.value.code == "nothing-to-convert"


def test_colliding_stems(tmp_path: Path) -> None:
    write(tmp_path / "x", "a", of("cat"))
    write(tmp_path / "y", "A", of("cat"))
    assert {one.code for one in Reader(tmp_path).scan().skipped} == {"stem-collision"}
    assert [item.stem for item in Reader(tmp_path, stem="path").scan().items] == ["x_a", "y_A"]


def test_a_copy_of_the_annotations_is_left_alone(tmp_path: Path) -> None:
    """The hint on equal names leads to a command that works."""
    root = tmp_path / "in"
    for folder in ("", "copy"):
        write(root / folder, "a", {"label": "cat", "points": SQUARE, "shape_type": "polygon"})
    with pytest.raises(BadInputError) as caught:
        segprep.convert("labelme", root, tmp_path / "out")
    assert "--exclude-folder NAME" in str(caught.value.skipped[0])
    done = segprep.convert("labelme", root, tmp_path / "out", exclude_folder=("copy",))
    assert done.converted == 1


def test_a_shape_within_one_pixel_among_others_is_noted(tmp_path: Path) -> None:
    write(tmp_path, "a", of("cat"), of("dog", [[0.1, 0.2], [0.8, 0.2], [0.8, 0.9]]))
    reader = Reader(tmp_path)
    (item,) = reader.scan().items
    notes = [note.message for note in reader.read(item).notes if note.code == "points-normalized"]
    assert len(notes) == 1
    assert notes[0].startswith("shapes[1] (dog) lies within 0 to 1, others do not")
