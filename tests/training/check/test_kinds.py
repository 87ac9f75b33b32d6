"""What is wrong with a mask, told from a prediction that is right."""

import numpy as np
import pytest

from segprep.training.check import kinds

NAMES = ("_background_", "disc", "box")


def scene() -> np.ndarray:
    """Three things of two classes, nowhere symmetric."""
    mask = np.zeros((90, 120), np.uint8)
    rows, columns = np.mgrid[:90, :120]
    mask[(rows - 22) ** 2 + (columns - 25) ** 2 < 200] = 1
    mask[60:80, 20:50] = 2
    mask[(rows - 60) ** 2 + (columns - 95) ** 2 < 120] = 1
    return mask


def told(mask: np.ndarray, **others: np.ndarray) -> str:
    return kinds.of_mask(scene(), np.ascontiguousarray(mask), others, NAMES, 0)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda m: m[:, ::-1], "fits when mirrored left to right"),
        (lambda m: m[::-1], "fits when mirrored top to bottom"),
        (lambda m: m[::-1, ::-1], "fits when rotated by 180 degrees"),
        (lambda m: np.roll(m, 12, 1), "fits when moved 9% left"),
    ],
)
def test_a_mask_that_fits_otherwise(change, text) -> None:
    assert told(change(scene())) == text


def test_a_mask_of_another_image() -> None:
    other = np.zeros((90, 120), np.uint8)
    other[5:15, 60:70] = 1
    assert told(other, scene_7=scene()) == "fits as the mask of scene_7"


def test_objects_that_are_missing_or_invented() -> None:
    mask = scene()
    mask[40:] = 0
    assert "that the model sees are not in the mask" in told(mask)
    assert told(mask).startswith("2 objects (")
    mask = scene()
    mask[2:20, 60:115] = 2
    assert told(mask).endswith("of the mask the model does not see")


def test_a_class_that_is_taken_for_another() -> None:
    mask = scene()
    mask[mask == 2] = 1
    assert told(mask) == "disc where the model sees box"


def test_two_classes_that_are_inverted() -> None:
    truth = (scene() > 0).astype(np.uint8)
    text = kinds.of_mask(truth, (1 - truth).astype(np.uint8), {}, ("ground", "cell"), 0)
    assert text == "fits when inverted"


def test_a_right_mask_has_no_fault() -> None:
    assert told(scene()) == ""
