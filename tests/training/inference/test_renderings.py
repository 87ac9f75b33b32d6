"""What is written of a prediction, pixel by pixel."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from segprep.errors import UsageError
from segprep.imaging.depth import eight_bits
from segprep.imaging.image import decode_mask
from segprep.training.inference import overlays
from segprep.training.inference.overlays import (
    MODES,
    background_of,
    blended,
    cut_out,
    decided,
    encoded,
)
from segprep.training.logits import resized

MASK = np.array([[0, 1], [2, 1]], np.uint8)
STYLE = overlays.Style(0)
IMAGE = np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 20


def test_the_pictures_follow_their_formulas() -> None:
    table = np.array([(0, 0, 0), (128, 0, 0), (0, 128, 0)])
    assert np.array_equal(overlays.picture("color", IMAGE, MASK, STYLE), table[MASK])
    assert np.array_equal(
        blended(IMAGE, STYLE.palette[MASK]),
        np.rint(0.3 * IMAGE + 0.7 * table[MASK]).astype(np.uint8),
    )
    assert np.array_equal(cut_out(IMAGE, MASK, 0), np.where(MASK[..., None] > 0, IMAGE, 0))
    assert cut_out(IMAGE, MASK, 1)[0, 1].tolist() == [0, 0, 0]
    assert cut_out(IMAGE, MASK, 1)[0, 0].tolist() == IMAGE[0, 0].tolist()


def test_every_file_holds_what_it_says() -> None:
    found = torch.rand(3, 2, 2, generator=torch.Generator().manual_seed(0))
    for mode in MODES:
        data = encoded(mode, IMAGE, MASK, found, STYLE)
        if mode == "probabilities":
            with np.load(io.BytesIO(data)) as kept:
                assert np.array_equal(kept["probabilities"], found.numpy())
        elif mode == "ids":
            assert np.array_equal(decode_mask(data, Path("a.png")), MASK)
            assert Image.open(io.BytesIO(data)).mode == "P"
        elif mode == "binary":
            shown = Image.open(io.BytesIO(data))
            assert shown.mode == "L"
            assert np.array_equal(np.asarray(shown), np.where(MASK > 0, 255, 0))
        elif mode == "probability":
            assert Image.open(io.BytesIO(data)).mode == "L"
        else:
            assert np.array_equal(
                np.asarray(Image.open(io.BytesIO(data))), overlays.picture(mode, IMAGE, MASK, STYLE)
            )


def test_deep_images_are_shown_in_eight_bits() -> None:
    assert eight_bits(np.full((1, 1, 3), 65535, np.uint16)).tolist() == [[[255, 255, 255]]]
    assert eight_bits(np.array([[[-2.0, 0.0, 2.0]]], np.float32)).tolist() == [[[0, 128, 255]]]
    assert eight_bits(np.full((1, 1, 3), 7.0, np.float32)).tolist() == [[[0, 0, 0]]]


def test_scaling_comes_before_deciding() -> None:
    found = torch.tensor([[[0.9, 0.4]], [[0.1, 0.6]]])
    large = resized(found, (1, 4))
    assert large[1, 0].tolist() == pytest.approx(
        [0.1, 0.225, 0.475, 0.6]
    )  # linear between the pixels' centers
    assert decided(large).tolist() == [[0, 0, 0, 1]]
    assert decided(large, 0.2).tolist() == [[0, 1, 1, 1]]
    assert decided(large, 0.6).tolist() == [[0, 0, 0, 0]]
    assert resized(found, (1, 2)) is found


def test_the_background_is_found_by_name_and_never_assumed() -> None:
    assert background_of(("cat", "Background"), None) == 1
    assert background_of(("_background_", "cat"), None) == 0
    assert background_of(("cat", "dog"), None) is None
    assert background_of(("cat", "dog"), "dog") == 1
    assert background_of(("cat", "dog"), "0") == 0
    with pytest.raises(UsageError, match="there is no class 'dug'") as caught:
        background_of(("cat", "dog"), "dug")
    assert caught.value.hint.startswith("did you mean dog? there are: ")


def test_a_probability_is_a_gray_picture() -> None:
    """Of two classes the second's, as tutorials save a sigmoid; of more the winner's."""
    rows = torch.tensor([[[0.9, 0.2]], [[0.1, 0.8]]])
    with Image.open(io.BytesIO(encoded("probability", IMAGE, MASK, rows, STYLE))) as picture:
        assert picture.mode == "L"
        assert np.asarray(picture).tolist() == [[round(0.1 * 255), round(0.8 * 255)]]
    three = torch.tensor([[[0.5]], [[0.3]], [[0.2]]])
    with Image.open(io.BytesIO(encoded("probability", IMAGE, MASK, three, STYLE))) as picture:
        assert np.asarray(picture).tolist() == [[round(0.5 * 255)]]


def test_colors_of_ones_own_and_a_legend(tmp_path: Path) -> None:
    table = tmp_path / "colors.txt"
    table.write_text("10 20 30 _background_\n1 2 3 other\n250 0 9 cat\n")
    palette = overlays.palette_of(str(table), ("_background_", "cat"))
    assert palette[:2].tolist() == [[10, 20, 30], [250, 0, 9]]
    mask = np.zeros((40, 120), np.uint8)
    mask[:, 60:] = 1
    image = np.full((40, 120, 3), 100, np.uint8)
    style = overlays.Style(0, palette, ("_background_", "cat"))
    plain = overlays.picture("blend", image, mask, overlays.Style(0, palette))
    shown = overlays.picture("blend", image, mask, style)
    assert np.array_equal(shown[:40], plain)
    assert plain[0, 100].tolist() == [205, 30, 36]  # 0.3 of 100 and 0.7 of the color
    strip = shown[40:].reshape(-1, 3).tolist()
    assert [250, 0, 9] in strip
    assert [10, 20, 30] in strip
    assert overlays.picture("cutout", image, mask, style).shape == image.shape
    with pytest.raises(UsageError, match="color of the class 'dog'"):
        overlays.palette_of(str(table), ("_background_", "dog"))
