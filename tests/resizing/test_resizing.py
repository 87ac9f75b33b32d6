"""A tree at another size: masks keep their values, what lies around is ignored, losses are told."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import UsageError
from segprep.imaging import resizing
from segprep.imaging.image import encode_mask, encode_objects, read_mask
from segprep.imaging.resizing import Frame


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """One picture of 40 x 20 pixels: a cat on the right half, one pixel of dog, objects."""
    mask = np.zeros((20, 40), np.uint8)
    mask[:, 20:] = 1
    mask[3, 4] = 2
    for folder in ("JPEGImages", "SegmentationClass", "SegmentationObject"):
        (tmp_path / "wide" / folder).mkdir(parents=True)
    Image.fromarray(np.where(mask == 1, 200, 40).astype(np.uint8)).save(
        tmp_path / "wide/JPEGImages/a.png"
    )
    (tmp_path / "wide/SegmentationClass/a.png").write_bytes(encode_mask(mask))
    objects = encode_objects((mask == 1).astype(np.uint16))
    (tmp_path / "wide/SegmentationObject/a.png").write_bytes(objects)
    (tmp_path / "wide/class_names.txt").write_text("_background_\ncat\ndog\n")
    return tmp_path / "wide"


def test_letterbox(wide: Path, tmp_path: Path) -> None:
    done = segprep.resize(wide, tmp_path / "out", size=20)
    out = Tree(tmp_path / "out")
    expected = np.full((20, 20), 255, np.uint8)
    expected[5:15, :10], expected[5:15, 10:] = 0, 1
    assert (read_mask(out.mask_path("a")) == expected).all()
    objects = read_mask(tmp_path / "out/SegmentationObject/a.png")
    assert (objects == np.where(expected == 255, 255, expected)).all()
    with Image.open(out.image_path("a")) as picture:  # type: ignore[arg-type]
        pixels = np.asarray(picture)
    assert (pixels[:5] == 128).all()
    assert (pixels[5:15, :9] == 40).all()
    assert (pixels[5:15, 11:] == 200).all()
    assert done.vanished == {"dog": 1}
    assert (round(done.border.before, 4), done.border.after) == (0.0288, 0.05)


@pytest.mark.parametrize(
    ("mode", "size", "shape"),
    [("short", 10, (10, 20)), ("exact", "30x15", (15, 30)), ("letterbox", "60x50", (50, 60))],
)
def test_modes(
    mode: str, size: int | str, shape: tuple[int, int], wide: Path, tmp_path: Path
) -> None:
    segprep.resize(wide, tmp_path / "out", size=size, mode=mode, image_format="jpg")  # type: ignore[arg-type]
    out = Tree(tmp_path / "out")
    assert read_mask(out.mask_path("a")).shape == shape
    with Image.open(out.image_path("a")) as picture:  # type: ignore[arg-type]
        assert (picture.format, picture.size[::-1]) == ("JPEG", shape)


@pytest.mark.parametrize("size", ["0", "12x", "axb", "9" * 9, "-4", "²"])
def test_sizes_that_cannot_be(size: str, wide: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        segprep.resize(wide, tmp_path / "out", size=size)


def test_short_takes_one_number(wide: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        segprep.resize(wide, tmp_path / "out", size="10x20", mode="short")


def test_the_same_size_changes_no_pixel() -> None:
    values = np.random.default_rng(0).integers(0, 255, (7, 9)).astype(np.uint8)
    frame = Frame((7, 9), (7, 9))
    assert (resizing.mask(values, frame, 255) == values).all()
    assert (resizing.picture(values, frame, 0) == values).all()
    doubled = resizing.mask(values, Frame((14, 18), (14, 18)), 255)
    assert (doubled == values.repeat(2, 0).repeat(2, 1)).all()


def test_16_bits_stay_16_bits() -> None:
    deep = np.full((4, 4), 40_000, np.uint16)
    small = resizing.picture(deep, Frame((2, 2), (2, 2)), 0)
    assert (small.dtype, small.tolist()) == (np.uint16, [[40_000, 40_000]] * 2)


@pytest.mark.parametrize(("most", "gray"), [(4095, 2048), (65535, 32768), (90, 128)])
def test_padding_is_gray_in_the_bits_of_the_image(
    most: int, gray: int, wide: Path, tmp_path: Path
) -> None:
    Image.fromarray(np.full((20, 40), most, np.uint16)).save(wide / "JPEGImages/a.png")
    segprep.resize(wide, tmp_path / "out", size=20)
    with Image.open(tmp_path / "out/JPEGImages/a.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.dtype == np.uint16
    assert (pixels[:5] == gray).all()
    assert (pixels[5:15] == most).all()


def test_the_command(wide: Path, tmp_path: Path) -> None:
    arguments = ["resize", str(wide), str(tmp_path / "out"), "--size", "20"]
    result = CliRunner().invoke(group, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert (document["converted"], document["vanished"]) == (1, {"dog": 1})
    result = CliRunner().invoke(group, [*arguments, "--overwrite"])
    assert "dog vanished from 1 masks" in result.stdout


def test_the_class_list_is_not_the_image_of_equal_samples(tmp_path: Path) -> None:
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "voc" / folder).mkdir(parents=True)
    for stem in ("a", "b"):
        Image.new("RGB", (8, 8)).save(tmp_path / f"voc/JPEGImages/{stem}.png")
        Image.new("L", (8, 8), 1).save(tmp_path / f"voc/SegmentationClass/{stem}.png")
    (tmp_path / "voc/class_names.txt").write_text("_background_\ncat\n")
    segprep.convert("voc", tmp_path / "voc", tmp_path / "tree")
    done = segprep.resize(tmp_path / "tree", tmp_path / "small", size=4)
    assert "image-shared" not in {note.code for note in done.conversion.notes}
