from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep import sources
from segprep.errors import BadInputError, UsageError
from segprep.sources.binary import Reader
from segprep.types import Skipped


def lay_out(
    folder: Path, masks: dict[str, np.ndarray], suffix: str = ".png", image: str = "{}.jpg"
) -> Path:
    for name in ("Images", "Labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for stem, mask in masks.items():
        Image.new("RGB", mask.shape[::-1], (9, 99, 9)).save(folder / "Images" / image.format(stem))
        Image.fromarray(mask).save(folder / "Labels" / f"{stem}{suffix}")
    return folder


HALF = np.repeat(np.array([[0, 255]], np.uint8), 4, 0).repeat(3, 1)


def example(folder: Path) -> Reader:
    return Reader(lay_out(folder, {"a": HALF, "b": HALF[:, ::-1].copy()}), foreground="light")


def test_the_threshold_parts_127_from_128(tmp_path: Path) -> None:
    steps = np.array([[0, 126, 127, 128, 255]], np.uint8)
    root = lay_out(tmp_path / "in", {"a": steps})
    for foreground, wanted in (
        ("dark", [1, 1, 1, 0, 0]),
        ("light", [0, 0, 0, 1, 1]),
        ("nonzero", [0, 1, 1, 1, 1]),
    ):
        done = segprep.convert("binary", root, tmp_path / foreground, foreground=foreground)
        assert segprep.read_mask(tmp_path / foreground / "SegmentationClass/a.png").tolist() == [
            wanted
        ]
        assert ("intermediate-values" in {note.code for note in done.notes}) == (
            foreground != "nonzero"
        )


def test_an_unstated_polarity_prints_both_readings_and_writes_nothing(tmp_path: Path) -> None:
    mask = np.zeros((4, 10), np.uint8)
    mask[0] = 255
    root = lay_out(tmp_path / "in", {"a": mask})
    with pytest.raises(
        UsageError, match=r"dark: 75.00 %.*light: 25.00 %.*nonzero: 25.00 %"
    ) as caught:
        segprep.convert("binary", root, tmp_path / "out")
    assert caught.value.code == "foreground-unstated"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("foreground", ["dark", "light"])
def test_zero_and_one_are_not_parted_by_a_threshold_of_brightness(
    tmp_path: Path, foreground: str
) -> None:
    root = lay_out(tmp_path / "in", {"a": HALF // 255})
    with pytest.raises(BadInputError) as caught:
        segprep.convert("binary", root, tmp_path / "out", foreground=foreground)
    assert caught.value.skipped[0].code == "values-unclear"  # type: ignore[attr-defined]
    segprep.convert("binary", root, tmp_path / "out", foreground="nonzero")
    assert (segprep.read_mask(tmp_path / "out/SegmentationClass/a.png") == HALF // 255).all()


@pytest.mark.parametrize("gray", [85, 170])
def test_whole_regions_of_gray_are_classes_not_brightness(tmp_path: Path, gray: int) -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[:10, :10], mask[20:30, 20:30] = gray, 255
    root = lay_out(tmp_path / "in", {"a": mask})
    with pytest.raises(BadInputError) as caught:
        segprep.convert("binary", root, tmp_path / "out", foreground="light")
    (skipped,) = caught.value.skipped
    assert isinstance(skipped, Skipped)
    assert skipped.code == "values-unclear"
    assert f"{gray} (100 px)" in skipped.reason
    assert f"--ids 0=background,{gray}=NAME,255=NAME" in skipped.hint
    done = segprep.convert("binary", root, tmp_path / "out", foreground="light", threshold=100)
    assert done.converted == 1  # another threshold is a statement


def test_white_beneath_transparency_is_not_what_is_drawn_in_white(tmp_path: Path) -> None:
    """The margin of a figure that matplotlib saved: white, and transparent."""
    root = lay_out(tmp_path / "in", {"a": HALF})
    pixels = np.zeros((*HALF.shape, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = HALF[..., None], 255
    Image.fromarray(pixels).save(root / "Labels/a.png")
    assert segprep.convert("binary", root, tmp_path / "out", foreground="light").converted == 1
    pixels[0] = 255, 255, 255, 0
    Image.fromarray(pixels).save(root / "Labels/a.png")
    with pytest.raises(BadInputError) as caught:
        segprep.convert("binary", root, tmp_path / "more", foreground="light")
    (skipped,) = caught.value.skipped
    assert isinstance(skipped, Skipped)
    assert "6 pixels are transparent but white underneath" in skipped.reason
    pixels[0] = 0  # what nobody painted is black
    Image.fromarray(pixels).save(root / "Labels/a.png")
    assert segprep.convert("binary", root, tmp_path / "last", foreground="light").converted == 1


def test_smoothed_borders_are_no_regions_of_gray(tmp_path: Path) -> None:
    mask = np.zeros((200, 200), np.uint8)
    mask[50:150, 50:150] = 255
    large = np.asarray(Image.fromarray(mask).resize((400, 400), Image.Resampling.BILINEAR))
    assert max(np.bincount(large.ravel())[33:223]) >= 64
    root = lay_out(tmp_path / "in", {"a": large})
    assert segprep.convert("binary", root, tmp_path / "out", foreground="light").converted == 1


def test_a_palette_is_read_by_what_it_shows(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": HALF})
    indexed = Image.fromarray(HALF // 255, mode="P")
    indexed.putpalette([0, 0, 0, 255, 255, 255])
    indexed.save(root / "Labels" / "a.png")
    segprep.convert("binary", root, tmp_path / "out", foreground="light")
    assert (segprep.read_mask(tmp_path / "out/SegmentationClass/a.png") == HALF // 255).all()


def test_carvana_pairs_by_affix_and_says_so(tmp_path: Path) -> None:
    for name in ("train", "train_masks"):
        (tmp_path / "in" / name).mkdir(parents=True)
    Image.new("RGB", (6, 4)).save(tmp_path / "in/train/0cdf_01.jpg")
    Image.fromarray(HALF).save(tmp_path / "in/train_masks/0cdf_01_mask.gif")
    done = segprep.convert(
        "binary", tmp_path / "in", tmp_path / "out", foreground="light", name="car"
    )
    assert done.classes == ("_background_", "car")
    assert {note.code for note in done.notes} >= {"paired-by"}
    assert (segprep.read_mask(tmp_path / "out/SegmentationClass/0cdf_01.png") == HALF // 255).all()


def test_faults_are_named_and_the_rest_converts(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"good": HALF, "small": HALF, "color": HALF, "lonely": HALF})
    Image.fromarray(HALF[:2]).save(root / "Labels/small.png")
    Image.new("RGB", (6, 4), (200, 0, 0)).save(root / "Labels/color.png")
    (root / "Images/lonely.jpg").unlink()
    Image.new("RGB", (6, 4)).save(root / "Images/unlabeled.jpg")
    with pytest.raises(BadInputError):
        segprep.convert("binary", root, tmp_path / "out", foreground="light")
    assert not (tmp_path / "out/segprep.json").exists()
    done = segprep.convert("binary", root, tmp_path / "out", foreground="light", on_error="skip")
    assert done.converted + done.kept == 1
    assert {(one.stem, one.code) for one in done.skipped} == {
        ("small", "size-mismatch"),
        ("color", "mask-is-colour"),
        ("lonely", "image-missing"),
        ("unlabeled", "mask-missing"),
    }


def test_a_threshold_outside_brightness_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="threshold"):
        segprep.convert(
            "binary",
            lay_out(tmp_path / "in", {"a": HALF}),
            tmp_path / "out",
            foreground="light",
            threshold=300,
        )


def test_the_medical_sample(real: Path, tmp_path: Path) -> None:
    for foreground, share in (("light", 0.7804), ("dark", 0.2196)):
        done = segprep.convert(
            "binary", real / "medical", tmp_path / foreground, foreground=foreground
        )
        assert done.converted == 30
        classes = segprep.info(tmp_path / foreground).classes
        assert round(classes[1].pixels / sum(one.pixels for one in classes), 4) == share
    assert (tmp_path / "dark/ImageSets/Segmentation/train.txt").read_text().split()[:3] == [
        "0",
        "1",
        "2",
    ]


def test_masks_saved_as_jpeg_are_recognized(tmp_path: Path) -> None:
    """Kvasir-SEG: a folder called SEG, masks smeared by JPEG."""
    mask = np.zeros((32, 32), np.uint8)
    mask[5:20, 7:23] = 255
    for folder, mode in (("images", "RGB"), ("masks", "L")):
        (tmp_path / "in/Kvasir-SEG" / folder).mkdir(parents=True)
        Image.fromarray(mask).convert(mode).save(
            tmp_path / "in/Kvasir-SEG" / folder / "a.jpg", quality=80
        )
    done = segprep.convert("auto", tmp_path / "in", tmp_path / "out", foreground="light")
    assert done.converted == 1
    assert (segprep.read_mask(tmp_path / "out/SegmentationClass/a.png") == mask // 255).all()


def test_masks_smeared_by_resizing_are_recognized(tmp_path: Path) -> None:
    """PNG masks with gray borders, numbered as ISBI's are."""
    mask = np.zeros((96, 96), np.uint8)
    mask[20:70, 30:80] = 255
    small = Image.fromarray(mask).rotate(20, Image.Resampling.BICUBIC)
    for folder, picture in (("images", Image.new("RGB", (96, 96))), ("masks", small)):
        (tmp_path / "in" / folder).mkdir(parents=True)
        picture.save(tmp_path / "in" / folder / "1.png")
    assert len(np.unique(np.asarray(small))) > 64
    assert sources.recognize(tmp_path / "in")[0] == "binary"
    with pytest.raises(UsageError, match="dark or light"):
        segprep.convert("auto", tmp_path / "in", tmp_path / "out")


def test_another_picture_of_each_image_is_no_image_without_a_mask(tmp_path: Path) -> None:
    """s0.png, s0_vessel.png and the field of view s0_mask.png in one folder."""
    for n in range(4):
        Image.new("RGB", (8, 8), (n, 9, 200)).save(tmp_path / f"s{n}.png")
        for word in ("vessel", "mask"):
            mask = Image.new("L", (8, 8))
            mask.paste(255, (2, 2, 6, 6))
            mask.save(tmp_path / f"s{n}_{word}.png")
    Image.new("RGB", (8, 8), (1, 90, 20)).save(tmp_path / "s0_2.png")  # an image of its own
    reader = Reader(tmp_path, foreground="light", missing="empty")
    scan = reader.scan()
    assert [item.stem for item in scan.items] == ["s0", "s0_2", "s1", "s2", "s3"]
    assert {(skipped.stem[2:], skipped.code) for skipped in scan.skipped} == {
        ("_vessel", "image-ambiguous")
    }
    assert "--pair '{stem}.*={stem}_vessel.png' --on-error skip" in scan.skipped[0].hint
