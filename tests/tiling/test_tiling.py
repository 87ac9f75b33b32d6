"""Pictures to tiles and predictions back: every pixel is somewhere, lists follow, edges ignored."""

import json
import subprocess
import sys
import tracemalloc
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, SourceError, TreeError, UsageError
from segprep.imaging import png
from segprep.imaging.image import encode_mask, read_mask, write_mask
from segprep.tiling.assembly import untile
from segprep.tiling.grid import Grid, corners, starts, stem_of_tile


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """Two pictures of 50 x 70 and 20 x 30 pixels with random masks, one with an empty corner."""
    random = np.random.default_rng(0)
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (tmp_path / "big" / folder).mkdir(parents=True)
    for stem, (height, width) in (("a", (50, 70)), ("b", (20, 30))):
        mask = random.choice(np.array([0, 1, 2, 255], np.uint8), (height, width))
        mask[:20, :20] = 0 if stem == "a" else mask[:20, :20]
        pixels = random.integers(0, 255, (height, width, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"big/JPEGImages/{stem}.png")
        (tmp_path / f"big/SegmentationClass/{stem}.png").write_bytes(encode_mask(mask))
    (tmp_path / "big/class_names.txt").write_text("_background_\ncat\ndog\n")
    (tmp_path / "big/ImageSets/Segmentation/train.txt").write_text("a\n")
    (tmp_path / "big/ImageSets/Segmentation/val.txt").write_text("b\n")
    return tmp_path / "big"


def test_tiles_are_parts_of_their_picture(big: Path, tmp_path: Path) -> None:
    done = segprep.tile(big, tmp_path / "tiles", size=20, overlap=4, jobs=2)
    tiles = Tree(tmp_path / "tiles")
    assert [note.code for note in done.notes] == ["empty-tile"]
    assert done.converted == 3 * 5 + 1 * 2 - 1
    assert "a_00000_00000" not in tiles.stems()
    whole = np.full((80, 100), 255, np.uint8)
    whole[:50, :70] = read_mask(Tree(big).mask_path("a"))
    with Image.open(big / "JPEGImages/a.png") as picture:
        pixels = np.zeros((80, 100, 3), np.uint8)
        pixels[:50, :70] = np.asarray(picture)
    for stem in tiles.lists()["train"]:
        name, top, left = stem.split("_")
        box = slice(int(top), int(top) + 20), slice(int(left), int(left) + 20)
        assert name == "a"
        assert (read_mask(tiles.mask_path(stem)) == whole[box]).all()
        with Image.open(tiles.image_path(stem)) as part:  # type: ignore[arg-type]
            assert (np.asarray(part) == pixels[box]).all()
    assert tiles.lists()["val"] == ("b_00000_00000", "b_00000_00016")
    again = segprep.tile(big, tmp_path / "tiles", size=20, overlap=4)
    assert not again.written


@pytest.mark.parametrize("overlap", [0, 4, 7])
def test_undo_gives_the_masks_back(overlap: int, big: Path, tmp_path: Path) -> None:
    segprep.tile(big, tmp_path / "tiles", size=20, overlap=overlap)
    predictions = tmp_path / "tiles/SegmentationClass"
    done = untile(tmp_path / "tiles", predictions, tmp_path / "masks")
    assert (done.masks, done.missing) == (2, 1)
    for stem in "ab":
        truth = read_mask(Tree(big).mask_path(stem))
        assert (read_mask(tmp_path / f"masks/{stem}.png") == truth).all()


def test_a_pixel_comes_from_the_tile_in_which_it_lies_deeper(big: Path, tmp_path: Path) -> None:
    segprep.tile(big, tmp_path / "tiles", size=20, overlap=4, keep_empty=True)
    (tmp_path / "predictions").mkdir()
    for number, stem in enumerate(Tree(tmp_path / "tiles").stems()):
        data = encode_mask(np.full((20, 20), number, np.uint8))
        (tmp_path / f"predictions/{stem}.png").write_bytes(data)
    untile(tmp_path / "tiles", tmp_path / "predictions", tmp_path / "masks")
    row = read_mask(tmp_path / "masks/a.png")[0]
    assert np.flatnonzero(np.diff(row.astype(int))).tolist() == [17, 33, 49, 65]


def test_undo_holds_a_row_of_tiles(tmp_path: Path) -> None:
    height, width = 4000, 500
    for name in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "tiles" / name).mkdir(parents=True)
    (tmp_path / "tiles/class_names.txt").write_text("_background_\ncat\n")
    content = Grid(100, 10, {"a": (height, width)}).plain()
    (tmp_path / "tiles/tiles.json").write_text(json.dumps(content))
    data = encode_mask(np.arange(10_000, dtype=np.uint8).reshape(100, 100) % 2)
    for corner in corners(height, width, 100, 10):
        (tmp_path / "tiles/SegmentationClass" / f"{stem_of_tile('a', corner)}.png").write_bytes(
            data
        )
    tracemalloc.start()
    untile(tmp_path / "tiles", tmp_path / "tiles/SegmentationClass", tmp_path / "masks")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < height * width / 2
    mask = read_mask(tmp_path / "masks/a.png")
    assert mask.shape == (height, width)
    assert set(np.unique(mask)) == {0, 1}


@given(st.integers(1, 400), st.integers(1, 90), st.data())
def test_tiles_cover_a_side_with_as_few_as_needed(
    length: int, size: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, size - 1))
    places = starts(length, size, overlap)
    assert places[0] == 0
    assert places[-1] + size >= length
    assert len(places) == 1 or places[-2] + size < length
    assert all(b - a == size - overlap for a, b in pairwise(places))


def test_class_ids_stay_where_the_background_is_not_0(big: Path, tmp_path: Path) -> None:
    """They were renumbered, so that masks put together had other ids than the dataset."""
    (big / "class_names.txt").write_text("cat\n_background_\ndog\n")
    done = segprep.tile(big, tmp_path / "tiles", size=20, overlap=4, keep_empty=True)
    assert done.classes == ("cat", "_background_", "dog")
    untile(tmp_path / "tiles", tmp_path / "tiles/SegmentationClass", tmp_path / "masks")
    for stem in "ab":
        truth = read_mask(Tree(big).mask_path(stem))
        assert (read_mask(tmp_path / f"masks/{stem}.png") == truth).all()
    small = segprep.resize(big, tmp_path / "small", size="70x50", mode="exact")
    assert small.conversion.classes == ("cat", "_background_", "dog")
    truth = read_mask(Tree(big).mask_path("a"))
    assert (read_mask(Tree(tmp_path / "small").mask_path("a")) == truth).all()


def test_what_cannot_be(big: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        segprep.tile(big, tmp_path / "tiles", size=20, overlap=20)
    with pytest.raises(TreeError) as caught:
        untile(big, big / "SegmentationClass", tmp_path / "masks")
    assert caught.value.code == "bad-tiles"
    segprep.tile(big, tmp_path / "tiles", size=20, overlap=4)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError) as missing:
        untile(tmp_path / "tiles", tmp_path / "empty", tmp_path / "masks")
    assert missing.value.code == "unreadable"
    assert not (tmp_path / "masks").exists()


def test_the_command(big: Path, tmp_path: Path) -> None:
    run = CliRunner()
    arguments = ["tile", str(big), str(tmp_path / "tiles"), "--size", "20", "--overlap", "4"]
    result = run.invoke(group, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["converted"] == 16
    arguments = ["tile", str(tmp_path / "tiles"), str(tmp_path / "masks"), "--undo"]
    result = run.invoke(group, [*arguments, str(tmp_path / "tiles/SegmentationClass"), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["masks"] == 2
    result = run.invoke(group, [*arguments, str(tmp_path / "tiles/SegmentationClass")])
    assert (result.exit_code, "[output-exists]" in result.stderr) == (1, True)


def _ground(tmp_path: Path, suffix: str) -> Path:
    """The tree with one picture of 50 x 70 pixels whose place on the ground is known."""
    pixels = np.random.default_rng(0).integers(0, 255, (50, 70, 3)).astype(np.uint8)
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "land" / folder).mkdir(parents=True)
    path = tmp_path / f"land/JPEGImages/a{suffix}"
    if suffix == ".tif":
        keys = (1, 1, 0, 1, 3072, 0, 1, 32_632)
        tags = [
            (33_550, "d", 3, (0.5, 0.5, 0.0)),
            (33_922, "d", 6, (0.0, 0.0, 0.0, 1000.0, 2000.0, 0.0)),
            (34_735, "H", len(keys), keys),
        ]
        tifffile.imwrite(path, pixels, photometric="rgb", rowsperstrip=7, extratags=tags)
    else:
        Image.fromarray(pixels).save(path)
        path.with_suffix(".pgw").write_text("0.5\n0\n0\n-0.5\n1000.25\n1999.75\n")
    mask = np.ones((50, 70), np.uint8)
    (tmp_path / "land/SegmentationClass/a.png").write_bytes(encode_mask(mask))
    (tmp_path / "land/class_names.txt").write_text("_background_\nwater\n")
    return tmp_path / "land"


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_the_place_on_the_ground_is_kept(suffix: str, tmp_path: Path) -> None:
    land = _ground(tmp_path, suffix)
    segprep.tile(land, tmp_path / "tiles", size=20, overlap=4)
    described = json.loads((tmp_path / "tiles/tiles.json").read_bytes())["ground"]["a"]
    epsg = 32_632 if suffix == ".tif" else None
    assert described == {"transform": [0.5, 0.0, 1000.0, 0.0, -0.5, 2000.0], "epsg": epsg}
    with Image.open(tmp_path / "tiles/JPEGImages/a_00016_00032.png") as part:
        whole = Image.open(land / f"JPEGImages/a{suffix}")
        assert (np.asarray(part) == np.asarray(whole)[16:36, 32:52]).all()
    assert (tmp_path / "tiles/JPEGImages/a_00016_00032.pgw").read_text().split() == [
        *("0.5", "0.0", "0.0", "-0.5", "1016.25", "1991.75")
    ]
    beside = (tmp_path / "tiles/JPEGImages/a_00016_00032.png.aux.xml").read_text()
    assert "<GeoTransform>1016.0, 0.5, 0.0, 1992.0, 0.0, -0.5</GeoTransform>" in beside
    assert "SEG107" not in {one.code for one in segprep.check(tmp_path / "tiles").findings}
    untile(tmp_path / "tiles", tmp_path / "tiles/SegmentationClass", tmp_path / "masks")
    assert (tmp_path / "masks/a.pgw").read_text().split() == [
        *("0.5", "0.0", "0.0", "-0.5", "1000.25", "1999.75")
    ]
    beside = (tmp_path / "masks/a.png.aux.xml").read_text()
    assert ("<SRS>EPSG:32632</SRS>" in beside) == (suffix == ".tif")
    assert "<GeoTransform>1000.0, 0.5, 0.0, 2000.0, 0.0, -0.5</GeoTransform>" in beside
    assert segprep.verify(tmp_path / "tiles").intact
    assert not segprep.info(tmp_path / "tiles").faults


def test_world_files_follow_the_tiles(tmp_path: Path) -> None:
    land = _ground(tmp_path, ".png")
    folder = tmp_path / "tiles/JPEGImages"
    segprep.tile(land, tmp_path / "tiles", size=20, overlap=4)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = segprep.tile(land, tmp_path / "tiles", size=20, overlap=4)
    assert not again.written
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    segprep.tile(land, tmp_path / "tiles", size=60, overlap=0, overwrite=True)
    ends = (".pgw", ".png", ".png.aux.xml")
    assert sorted(path.name for path in folder.iterdir()) == [
        f"a_00000_{left:05}{end}" for left in (0, 60) for end in ends
    ]
    assert segprep.tile(tmp_path / "tiles", tmp_path / "again", size=30, overlap=0).written
    ground = json.loads((tmp_path / "again/tiles.json").read_bytes())["ground"]
    assert ground["a_00000_00060"]["transform"] == [0.5, 0.0, 1030.0, 0.0, -0.5, 2000.0]


def test_a_mask_of_another_size_or_with_a_strange_value_is_refused(
    big: Path, tmp_path: Path
) -> None:
    path = big / "SegmentationClass/b.png"
    path.write_bytes(encode_mask(np.zeros((20, 31), np.uint8)))
    with pytest.raises(BadInputError) as caught:
        segprep.tile(big, tmp_path / "tiles", size=20, overlap=4)
    assert [one.code for one in caught.value.skipped] == ["size-mismatch"]  # type: ignore[attr-defined]
    path.write_bytes(encode_mask(np.full((20, 30), 9, np.uint8)))
    with pytest.raises(BadInputError) as caught:
        segprep.tile(big, tmp_path / "tiles", size=20, overlap=4)
    assert [one.code for one in caught.value.skipped] == ["unknown-value"]  # type: ignore[attr-defined]
    with pytest.raises(BadInputError) as caught:
        segprep.tile(big, tmp_path / "tiles", size=20, overlap=4, max_pixels=3000)
    assert {one.code for one in caught.value.skipped} == {"image-too-large", "unknown-value"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_memory_does_not_grow_with_the_height(kind: str, tmp_path: Path) -> None:
    """A picture of 96 million pixels, 288 MB decoded, is cut in far less."""
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "tall" / folder).mkdir(parents=True)
    (tmp_path / "tall/class_names.txt").write_text("_background_\nwater\n")
    shape = (48_000, 2_000)
    mask = np.zeros(shape, np.uint8)
    mask[30_000:30_010, 5:9] = 1
    (tmp_path / "tall/SegmentationClass/a.png").write_bytes(encode_mask(mask, "gray"))
    pixels = np.broadcast_to(np.arange(shape[0], dtype=np.uint8)[:, None, None], (*shape, 3))
    path = tmp_path / f"tall/JPEGImages/a.{kind}"
    if kind == "png":
        path.write_bytes(png.encode(pixels))
    else:
        tifffile.imwrite(path, pixels, rowsperstrip=64, compression="zlib", photometric="rgb")
    code = (
        "import resource, sys, segprep\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "done = segprep.tile(sys.argv[1], sys.argv[2], size=1000, overlap=40, keep_empty=True)\n"
        "print(done.converted, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "tall", tmp_path / "tiles"],
        capture_output=True,
        text=True,
        check=True,
    )
    tiles, kilobytes = map(int, done.stdout.split())
    assert tiles == 50 * 3
    assert kilobytes < 150_000
    mask = read_mask(tmp_path / "tiles/SegmentationClass/a_29760_00000.png")
    assert (mask[240:250, 5:9] == 1).all()


@pytest.mark.parametrize("orientation", [1, 3])
def test_sixteen_bits_of_a_tiff_stay(orientation: int, tmp_path: Path) -> None:
    """Read by strip, and whole where it is turned: Pillow cuts RGB to 8 bits."""
    values = np.random.default_rng(4).integers(0, 4096, (40, 40, 3)).astype(np.uint16)
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "tree" / folder).mkdir(parents=True)
    tifffile.imwrite(
        tmp_path / "tree/JPEGImages/a.tif",
        values if orientation == 1 else np.rot90(values, 2),
        photometric="rgb",
        metadata=None,
        extratags=[(274, "H", 1, orientation)],
    )
    write_mask(tmp_path / "tree/SegmentationClass/a.png", np.ones((40, 40), np.uint8))
    (tmp_path / "tree/class_names.txt").write_text("_background_\ncat\n")
    segprep.tile(tmp_path / "tree", tmp_path / "out", size=40, overlap=0)
    tile = cv2.imread(str(next((tmp_path / "out/JPEGImages").iterdir())), cv2.IMREAD_UNCHANGED)
    assert (tile[..., ::-1] == values).all()
