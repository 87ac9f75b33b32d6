"""Previews on disk: names, contents, one or two folders, and the sheet."""

import io
import re

import numpy as np
import pytest

pytest.importorskip("torch")

from PIL import Image

from segprep.dataset import tree
from segprep.errors import SegprepError
from segprep.imaging.image import encode_mask, read_mask
from segprep.reports.thumbnails import vivid
from segprep.training.augmentation.presets import steps
from segprep.training.augmentation.preview import panels, save_augmented
from segprep.training.augmentation.stream import Chained
from segprep.training.data.pairs import InputSpec, read_pair


@pytest.fixture
def place(tmp_path):
    """Thirty images with a disc; the mask is the disc."""
    root = tmp_path / "data"
    for folder in ("JPEGImages", "SegmentationClass"):
        (root / folder).mkdir(parents=True)
    rows, columns = np.mgrid[:40, :50]
    for n in range(30):
        mask = (np.hypot(rows - 12 - n / 2, columns - 40 + n) < 9).astype(np.uint8)
        out = io.BytesIO()
        Image.fromarray(
            np.where(mask[..., None] > 0, (200, 60, 40), (30, 90, 160)).astype(np.uint8)
        ).save(out, "PNG")
        (root / "JPEGImages" / f"{n}.png").write_bytes(out.getvalue())
        (root / "SegmentationClass" / f"{n}.png").write_bytes(encode_mask(mask))
    return root


def samples(place, chain, seed, count):
    found = tree.find(place)
    pairs = [read_pair(found, stem) for stem in found.stems()]
    row = Chained(pairs, InputSpec(64, 1.0, (0.0,) * 3, (1.0,) * 3), seed, chain)
    return ((pairs[row.position(n)].stem, *row.sample(n)) for n in range(count))


def test_names_pair_and_contents_match(place, tmp_path):
    chain = steps("membrane-reflect", rotation=25, vertical_flip=True)
    written = save_augmented(tmp_path / "out", samples(place, chain, 1, 8))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert sorted(path.name for path in written) == names
    assert len(names) == 17
    images = [name for name in names if name.startswith("image_")]
    assert all(re.fullmatch(r"image_\d+_\d+\.png", name) for name in images)
    assert [name.replace("image_", "mask_") for name in images] == [
        name for name in names if name.startswith("mask_")
    ]
    for name in images:
        image = np.asarray(Image.open(tmp_path / "out" / name))
        mask = read_mask(tmp_path / "out" / name.replace("image_", "mask_"))
        assert image.shape == (40, 50, 3)
        assert set(np.unique(mask)) == {0, 1}
        assert ((image[..., 0] > 115) == (mask == 1)).mean() > 0.98


def test_two_epochs_of_thirty_images_in_two_folders(place, tmp_path):
    save_augmented(tmp_path / "x", samples(place, steps("membrane"), 0, 60), tmp_path / "y")
    images, masks = (
        {path.name for path in (tmp_path / folder).glob(pattern)}
        for folder, pattern in (("x", "image_*"), ("y", "mask_*"))
    )
    assert len(images) == len(masks) == 60
    assert {name[6:] for name in images} == {name[5:] for name in masks}
    assert all(sum(name.startswith(f"image_{n}_") for name in images) == 2 for n in range(30))
    assert (tmp_path / "x" / "sheet.png").is_file()
    assert not (tmp_path / "y" / "sheet.png").exists()


def test_the_same_seed_writes_the_same_bytes(place, tmp_path):
    folders = [tmp_path / name for name in "abc"]
    chain = steps("unet-pytorch", jitter_rows=48, jitter_columns=48)
    for folder, seed in zip(folders, (1, 1, 2), strict=True):
        save_augmented(folder, samples(place, chain, seed, 3))
    contents = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]
    assert contents[0] == contents[1] != contents[2]


def test_a_tile_shows_image_and_classes():
    image, mask = np.full((20, 40, 3), 100, np.uint8), np.zeros((20, 40), np.uint8)
    mask[:, :10], mask[:, 30:] = 1, 255
    shown = np.asarray(panels(image, mask, np.zeros_like(mask)))
    assert shown.shape == (80, 3 * 160, 3)  # four times as large
    assert (shown[:, :160] == 100).all()
    assert (shown[:, 320:] == 100).all()
    tinted = 0.6 * 100 + 0.4 * np.array(vivid(1))
    assert np.abs(shown[20, 160 + 8] - tinted).max() <= 1
    assert shown[20, 160 + 80].tolist() == [100] * 3
    assert shown[20, 160 + 150].tolist() == [116] * 3  # ignored pixels are gray


def test_other_kinds_are_shown_in_8_bits(tmp_path):
    ramp = np.linspace(0, 1, 16, dtype=np.float32)[None, :, None].repeat(8, 0).repeat(3, 2)
    for name, image in (("f", ramp), ("s", (ramp * 65_535).astype(np.uint16))):
        save_augmented(tmp_path / name, [("a/b", image, np.zeros((8, 16), np.uint8))])
        shown = np.asarray(Image.open(tmp_path / name / "image_a_b_0.png"))
        assert shown[0, :, 0].tolist() == [17 * n for n in range(16)]


def test_what_cannot_be_written(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("no folder")
    for call, code in (
        (lambda: save_augmented(tmp_path / "full", ()), "output-exists"),
        (lambda: save_augmented(tmp_path / "new", (), tmp_path / "full"), "output-exists"),
        (lambda: save_augmented(tmp_path / "file", ()), "bad-option"),
    ):
        with pytest.raises(SegprepError) as error:
            call()
        assert error.value.code == code
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"
