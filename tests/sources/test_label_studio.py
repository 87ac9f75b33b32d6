"""Label Studio: JSON and JSON-MIN, brushes, rotated boxes, several annotators, upload prefixes."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources.region_files import HEIGHT, SQUARE, WIDTH, masks, only, photo, png, square, write

from segprep.errors import SegprepError
from segprep.sources import guesses
from segprep.sources._common.shapes import packed_bits
from segprep.sources.label_studio import Reader

PERCENT = [[100 * x / WIDTH, 100 * y / HEIGHT] for x, y in SQUARE]
SIZE = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}


def result(kind: str, label: str, **value: Any) -> dict[str, Any]:
    return {"type": kind, "value": {kind: [label], **value}, **SIZE}


def annotation(*results: Any, by: int = 1, at: str = "2024-01-01", **more: Any) -> dict[str, Any]:
    return {"result": list(results), "completed_by": by, "updated_at": at, **more}


def put(
    folder: Path, *annotations: Any, link: str = "/data/upload/1/0a1b2c3d-a.png", **more: Any
) -> Reader:
    write(folder / "export.json", [{"data": {"image": link}, "annotations": list(annotations)}])
    return Reader(folder, **more)


def example(folder: Path) -> Reader:
    photo(folder / "a.png")
    return put(folder, annotation(result("polygonlabels", "cat", points=PERCENT)))


@pytest.mark.parametrize(
    "link",
    [
        "/data/upload/1/0a1b2c3d-a.png",
        "/data/local-files/?d=folder/a.png",
        "s3://bucket/where/a.png",
        "https://host/x/a.png?token=1",
        "a.png",
        "https://host/x/a",
    ],
)
def test_links_to_images(tmp_path: Path, link: str) -> None:
    example(tmp_path)
    reader = put(tmp_path, annotation(result("polygonlabels", "cat", points=PERCENT)), link=link)
    assert (only(reader) == square()).all()


def test_the_prefix_may_be_on_the_file(tmp_path: Path) -> None:
    reader = example(tmp_path)
    (tmp_path / "a.png").rename(tmp_path / "0a1b2c3d-a.png")
    assert list(masks(reader)) == ["0a1b2c3d-a"]


def test_brush_masks(tmp_path: Path) -> None:
    example(tmp_path)
    rgba = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    rgba[square() > 0] = (9, 9, 9, 255)
    rle = list(packed_bits.packed(rgba))
    reader = put(tmp_path, annotation(result("brushlabels", "cat", format="rle", rle=rle)))
    assert (only(reader) == square()).all()


@pytest.mark.parametrize("rle", [[], [0] * 9, [255] * 40, [300], "text"])
def test_brush_masks_that_lie(tmp_path: Path, rle: Any) -> None:
    example(tmp_path)
    reader = put(tmp_path, annotation(result("brushlabels", "cat", format="rle", rle=rle)))
    (skipped,) = reader.scan().skipped
    assert ".rle" in skipped.reason


def test_packed_bits_as_the_library_writes_them() -> None:
    """Three equal values, then three different ones, with lengths of 4 and 3 bits."""
    bits = f"{6:032b}" + f"{7:05b}" + f"{3:04b}{2:04b}{7:04b}{7:04b}"
    bits += f"1{0:02b}{2:04b}{200:08b}" + f"0{1:02b}{2:03b}{1:08b}{2:08b}{3:08b}"
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    assert packed_bits.unpacked(data, 99).tolist() == [200, 200, 200, 1, 2, 3]


def test_several_annotators_need_a_word(tmp_path: Path) -> None:
    example(tmp_path)
    two = (
        annotation(result("polygonlabels", "cat", points=PERCENT), by=1, at="2024-01-02"),
        annotation(result("polygonlabels", "dog", points=PERCENT), by=2, at="2024-01-01"),
    )
    (skipped,) = put(tmp_path, *two).scan().skipped
    assert skipped.code == "annotations-unclear"
    assert "by 1, 2" in skipped.reason
    for annotator, names in (("latest", ["cat"]), ("2", ["dog"]), ("union", ["cat", "dog"])):
        reader = put(tmp_path, *two, annotator=annotator)
        assert list(reader.scan().classes.names[1:]) == names


def test_cancelled_annotations_do_not_count(tmp_path: Path) -> None:
    example(tmp_path)
    good = annotation(result("polygonlabels", "cat", points=PERCENT))
    reader = put(tmp_path, good, annotation(by=2, was_cancelled=True))
    assert (only(reader) == square()).all()


def test_boxes_rotate_around_their_first_corner(tmp_path: Path) -> None:
    example(tmp_path)
    box = {"x": 50, "y": 20, "width": 25, "height": 40, "rotation": 90}
    reader = put(tmp_path, annotation(result("rectanglelabels", "cat", **box)), boxes="fill")
    rows, columns = np.nonzero(only(reader))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 5, 2, 6)


def test_labels_apart_from_their_shapes(tmp_path: Path) -> None:
    """<Labels> and <Polygon> write two results of one id."""
    example(tmp_path)
    shape = {"id": "x", "type": "polygon", "value": {"points": PERCENT}, **SIZE}
    words = {"id": "x", "type": "labels", "value": {"points": PERCENT, "labels": ["cat"]}, **SIZE}
    reader = put(tmp_path, annotation(shape, words))
    assert reader.scan().classes.names == ("_background_", "cat")
    assert (only(reader) == square()).all()
    (skipped,) = put(tmp_path, annotation(shape)).scan().skipped
    assert skipped.code == "bad-label"
    assert "--class-from" in skipped.hint


def test_json_min(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    entry = {"points": PERCENT, "polygonlabels": ["cat"], **SIZE}
    write(
        tmp_path / "min.json",
        [{"image": "/data/upload/1/0a1b2c3d-a.png", "label": [entry], "id": 4}],
    )
    assert (only(Reader(tmp_path)) == square()).all()


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "label-studio"


def test_pixels_are_no_percent(tmp_path: Path) -> None:
    example(tmp_path)
    pixels = [[300, 200], [900, 200], [900, 800]]
    reader = put(tmp_path, annotation(result("polygonlabels", "cat", points=pixels)))
    (skipped,) = reader.scan().skipped
    assert skipped.code == "bad-shape"
    assert "percent of the image were expected, not 900" in skipped.reason
    over = [[-0.3, -0.1], [100.4, -0.1], [100.4, 100.2], [-0.3, 100.2]]
    assert only(put(tmp_path, annotation(result("polygonlabels", "cat", points=over)))).all()


def test_tasks_that_nobody_annotated_are_no_background(tmp_path: Path) -> None:
    """An export of all tasks has those without annotation, too, and those that were skipped."""
    example(tmp_path)
    (skipped,) = put(tmp_path, annotation(was_cancelled=True)).scan().skipped
    assert (skipped.code, skipped.reason) == ("mask-missing", "[0]: its annotator skipped it")
    (skipped,) = put(tmp_path).scan().skipped
    assert (skipped.code, skipped.reason) == ("mask-missing", "[0]: nobody annotated it")
    assert not only(put(tmp_path, annotation(), classes="cat")).any()


def test_json_min_of_an_image_without_regions(tmp_path: Path) -> None:
    example(tmp_path)
    photo(tmp_path / "b.png", 1)
    size = {"original_width": WIDTH, "original_height": HEIGHT}
    drawn = {"points": PERCENT, "polygonlabels": ["cat"], **size}
    tasks: list[dict[str, Any]] = [
        {"image": "/data/a.png", "annotation_id": 1, "label": [drawn]},
        {"image": "/data/b.png", "annotation_id": 2},
    ]
    write(tmp_path / "export.json", tasks)
    assert [bool(mask.any()) for mask in masks(Reader(tmp_path)).values()] == [True, False]


def test_folders_in_a_link_choose_the_image(tmp_path: Path) -> None:
    """Not the one beside the export that has the same name, nor one of another type."""
    shape = annotation(result("polygonlabels", "cat", points=PERCENT))
    wrong, right = photo(tmp_path / "a.png"), photo(tmp_path / "b" / "a.png", 1)
    for link in ("/data/local-files/?d=b/a.png", r"/data/local-files/?d=b\a.png", "s3://x/b/a.png"):
        (item,) = put(tmp_path, shape, link=link).scan().items
        assert item.image == right
    (item,) = put(tmp_path, shape, link="/data/local-files/?d=c/a.png").scan().items
    assert item.image == wrong
    other = photo(tmp_path / "b" / "a.bmp", 2)
    (item,) = put(tmp_path, shape, link="/data/local-files/?d=b/a.bmp").scan().items
    assert item.image == other


def url_of(pixels: np.ndarray[Any, Any]) -> str:
    return f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"


def test_bitmasks(tmp_path: Path) -> None:
    """Black on a clear sheet."""
    example(tmp_path)
    sheet = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    sheet[square() > 0, 3] = 255
    reader = put(tmp_path, annotation(result("bitmasklabels", "cat", imageDataURL=url_of(sheet))))
    assert (only(reader) == square()).all()
    assert guesses(tmp_path)[0][0] == "label-studio"
    plain = {"type": "bitmask", "id": "r", "value": {"imageDataURL": url_of(sheet)}, **SIZE}
    labels = {"type": "labels", "id": "r", "value": {"labels": ["cat"]}}
    assert (only(put(tmp_path, annotation(plain, labels))) == square()).all()


@pytest.mark.parametrize("url", ["", "data:image/png;base64,AAAA", "no", None, 3])
def test_broken_bitmasks(tmp_path: Path, url: Any) -> None:
    example(tmp_path)
    reader = put(tmp_path, annotation(result("bitmasklabels", "cat", imageDataURL=url)))
    (skipped,) = reader.scan().skipped
    assert "imageDataURL" in skipped.reason


def test_a_bitmask_of_another_size_is_not_painted(tmp_path: Path) -> None:
    example(tmp_path)
    url = url_of(np.full((HEIGHT - 1, WIDTH, 4), 255, np.uint8))
    reader = put(tmp_path, annotation(result("bitmasklabels", "cat", imageDataURL=url)))
    with pytest.raises(SegprepError, match="the mask is 12x9, its image 12x10") as caught:
        only(reader)
    assert caught.value.code == "size-mismatch"


def test_closed_vectors_are_outlines(tmp_path: Path) -> None:
    example(tmp_path)
    vertices = [{"id": str(n), "x": x, "y": y} for n, (x, y) in enumerate(PERCENT)]
    closed = result("vectorlabels", "cat", vertices=vertices, closed=True)
    assert (only(put(tmp_path, annotation(closed))) == square()).all()
    opened = result("vectorlabels", "cat", vertices=vertices, closed=False)
    (sample,) = [
        reader.read(item)
        for reader in [put(tmp_path, annotation(closed, opened))]
        for item in reader.scan().items
    ]
    assert any("1 lines have no area" in note.message for note in sample.notes)
    curved = [{**vertices[0], "isBezier": True}, *vertices[1:]]
    reader = put(tmp_path, annotation(result("vectorlabels", "a", vertices=curved, closed=True)))
    (skipped,) = reader.scan().skipped
    assert "has curves" in skipped.reason


def test_regions_of_several_images_are_not_mixed(tmp_path: Path) -> None:
    """A task may show two images, or the pages of one document."""
    example(tmp_path)
    first = {**result("polygonlabels", "cat", points=PERCENT), "to_name": "image"}
    for other in ({"to_name": "image2"}, {"to_name": "image", "item_index": 1}):
        (skipped,) = put(tmp_path, annotation(first, {**first, **other})).scan().skipped
        assert skipped.code == "annotations-unclear"
        assert "has regions of 2 images: image, image" in skipped.reason
    same = {**first, "item_index": 0}
    answer = {"type": "choices", "to_name": "other", "value": {"choices": ["x"]}}
    assert (only(put(tmp_path, annotation(first, same, answer))) == square()).all()
