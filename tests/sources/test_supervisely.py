"""Supervisely: polygons with holes, bitmaps, the project's classes, zlib that lies."""

import base64
import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
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

from segprep.errors import UsageError
from segprep.sources import guesses
from segprep.sources.supervisely import Reader


def polygon(title: str, exterior: Any, *interior: Any) -> dict[str, Any]:
    points = {"exterior": exterior, "interior": list(interior)}
    return {"classTitle": title, "geometryType": "polygon", "points": points}


def bitmap(title: str, data: bytes, origin: list[int]) -> dict[str, Any]:
    text = base64.b64encode(zlib.compress(data)).decode()
    inner = {"data": text, "origin": origin}
    return {"classTitle": title, "geometryType": "bitmap", "bitmap": inner}


def put(folder: Path, *things: dict[str, Any]) -> Reader:
    size = {"height": HEIGHT, "width": WIDTH}
    write(folder / "train" / "ann" / "a.png.json", {"size": size, "objects": list(things)})
    return Reader(folder)


def example(folder: Path) -> Reader:
    photo(folder / "train" / "img" / "a.png")
    write(folder / "meta.json", {"classes": [{"title": "dog"}, {"title": "cat"}], "tags": []})
    return put(folder, polygon("cat", SQUARE))


def test_the_projects_order_of_classes(tmp_path: Path) -> None:
    reader = example(tmp_path)
    assert reader.scan().classes.names == ("_background_", "dog", "cat")
    assert reader.scan().lists == {"train": ("a",)}
    assert (only(reader) == square(2)).all()


def test_interior_rings_are_holes(tmp_path: Path) -> None:
    example(tmp_path)
    assert (only(put(tmp_path, polygon("cat", SQUARE, HOLE))) == with_hole(2)).all()


def _palette(bits: np.ndarray[Any, Any]) -> bytes:
    """A palette PNG whose background is transparent, as the tool writes it."""
    picture = Image.fromarray(bits.astype(np.uint8)).convert("P")
    picture.putpalette([0, 0, 0, 255, 255, 255])
    out = io.BytesIO()
    picture.save(out, "PNG", transparency=0)
    return out.getvalue()


def test_alpha_masks_plain_pngs_and_keypoints(tmp_path: Path) -> None:
    reader = example(tmp_path)
    soft = png(square(90)[2:8, 2:9].copy())
    plain = bitmap("cat", soft, [2, 2])
    plain["bitmap"]["data"] = base64.b64encode(soft).decode()
    for thing in (plain, bitmap("cat", soft, [2, 2]) | {"geometryType": "alpha_mask"}):
        keypoints = {"classTitle": "dog", "geometryType": "graph", "nodes": {}}
        reader = put(tmp_path, thing, keypoints)
        sample = reader.read(reader.scan().items[0])
        assert (sample.mask == square(2)).all()
        assert "shape-without-area" in [note.code for note in sample.notes]


@pytest.mark.parametrize("kind", ["rgba", "gray", "palette"])
def test_bitmaps_lie_at_their_origin(tmp_path: Path, kind: str) -> None:
    example(tmp_path)
    bits = np.array([[1, 0, 1], [0, 1, 0]], bool)
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[bits] = (0, 0, 0, 255)
    data = {"rgba": png(rgba), "gray": png(bits.astype(np.uint8) * 255), "palette": _palette(bits)}
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[4:6, 3:6][bits] = 1
    assert (only(put(tmp_path, bitmap("dog", data[kind], [3, 4]))) == mask).all()


@pytest.mark.parametrize("data", ["!!", "AAAA", base64.b64encode(zlib.compress(b"no")).decode()])
def test_bitmaps_that_are_none(tmp_path: Path, data: str) -> None:
    example(tmp_path)
    thing = bitmap("cat", b"", [0, 0])
    thing["bitmap"]["data"] = data
    (skipped,) = put(tmp_path, thing).scan().skipped
    assert skipped.code == "bad-shape"
    assert "objects[0].bitmap.data" in skipped.reason


def test_a_bitmap_that_grows_without_end(tmp_path: Path) -> None:
    example(tmp_path)
    (skipped,) = put(tmp_path, bitmap("cat", bytes(80 << 20), [0, 0])).scan().skipped
    assert "larger" in skipped.reason


def test_auto_knows_it(tmp_path: Path) -> None:
    assert guesses(example(tmp_path).root)[0][0] == "supervisely"


def test_a_project_within_a_folder(tmp_path: Path) -> None:
    example(tmp_path / "project")
    assert guesses(tmp_path)[0][0] == "supervisely"
    assert Reader(tmp_path).scan().classes.names == ("_background_", "dog", "cat")
    assert (only(Reader(tmp_path)) == square(2)).all()


@pytest.mark.parametrize("boxes", [3, 12])
def test_many_boxes_alone_are_told_once(tmp_path: Path, boxes: int) -> None:
    example(tmp_path)
    box = polygon("cat", [[1, 1], [4, 4]]) | {"geometryType": "rectangle"}
    reader = put(tmp_path, *[box] * boxes)
    if boxes < 10:
        assert reader.scan().items
        return
    with pytest.raises(UsageError, match="hold only 12 boxes") as caught:
        reader.scan()
    assert "--boxes fill" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"size": {}, "framesCount": 9, "frames": [], "objects": [{"classTitle": "cat"}]}, "video"),
        ({"volumeMeta": {}, "objects": [], "planes": []}, "volume"),
    ],
)
def test_videos_and_volumes_are_named(tmp_path: Path, content: dict[str, Any], kind: str) -> None:
    reader = example(tmp_path)
    write(tmp_path / "train" / "ann" / "a.png.json", content)
    skipped = reader.scan().skipped
    assert [skip.reason for skip in skipped] == [f"annotates a {kind}, not an image"]
    assert "project of images" in skipped[0].hint


def project(root: Path, **drawn: int) -> Reader:
    """Datasets of 12 images each, of which so many have a shape."""
    write(root / "meta.json", {"classes": [{"title": "cat"}], "tags": []})
    size = {"height": HEIGHT, "width": WIDTH}
    for folder, count in drawn.items():
        for number in range(12):
            photo(root / folder / "img" / f"{folder}{number}.png")
            things = [polygon("cat", SQUARE)] * (number < count)
            path = root / folder / "ann" / f"{folder}{number}.png.json"
            write(path, {"size": size, "objects": things})
    return Reader(root)


def test_a_list_that_was_never_annotated_is_refused(tmp_path: Path) -> None:
    reader = project(tmp_path, train=12, val=11, test=0)
    reason = "none of the 12 annotations of test has a shape, though those of train, val do"
    with pytest.raises(UsageError, match=reason) as caught:
        reader.scan()
    assert "--annotations" in caught.value.hint
    assert len(Reader(tmp_path, classes="_background_,cat").scan().items) == 36
    assert len(Reader(tmp_path, annotations=("train/*", "val/*")).scan().items) == 24


def test_background_in_all_lists_is_taken_as_meant(tmp_path: Path) -> None:
    assert len(project(tmp_path, train=8, test=0).scan().items) == 24


def test_copies_in_another_list_can_be_left_out(tmp_path: Path) -> None:
    example(tmp_path)
    photo(tmp_path / "trainval" / "img" / "a.png")
    copy = (tmp_path / "train" / "ann" / "a.png.json").read_bytes()
    (tmp_path / "trainval" / "ann").mkdir()
    (tmp_path / "trainval" / "ann" / "a.png.json").write_bytes(copy)
    assert (
        "--annotations PATTERN if one folder is a copy" in Reader(tmp_path).scan().skipped[0].hint
    )
