"""Plain parameters to steps: the tutorials' sets, what is done in which order, and words that are
no parameter.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from segprep.errors import UsageError
from segprep.training.augmentation.elastic import Elastic
from segprep.training.augmentation.hsv import Hsv
from segprep.training.augmentation.jitter import Jitter
from segprep.training.augmentation.keras import Paired
from segprep.training.augmentation.letterbox import Letterbox
from segprep.training.augmentation.presets import PRESETS, parameters, steps
from segprep.training.augmentation.scaling import Flip, RandomCrop, RandomResize
from segprep.training.augmentation.steps import applied

DOC = Path(__file__).parents[3] / "docs" / "augmentation.md"


def test_the_tutorials_sets():
    assert steps("none") == ()
    assert steps("membrane") == (Paired(0.2, 0.05, 0.05, 0.05, 0.05, True, False, "nearest"),)
    assert steps("membrane-reflect", rotation=0.02)[0].rotation == 0.02
    assert steps("unet-pytorch") == (Jitter(512, 512), Hsv())
    assert steps("unet-keras") == (Jitter(512, 512), Hsv(0.1, 0.5, 0.5, True))
    assert steps("drive") == (RandomResize(), Flip(), RandomCrop())
    assert [type(step) for step in steps("paper")] == [Paired, Elastic]
    assert steps("letterbox") == (Letterbox(512, 512),)
    for preset in PRESETS:
        assert steps(preset) is not None


def test_the_order_is_fixed_and_named_steps_alone_are_done():
    made = steps(
        letterbox_rows=64,
        hsv_hue=0.05,
        elastic_sigma=5,
        rotation=9,
        flip_vertical=0,
        resize_shorter=[10, 20],
        crop_size=32,
        jitter_columns=40,
    )
    assert [type(step) for step in made] == [
        RandomResize,
        Jitter,
        Flip,
        Paired,
        Elastic,
        RandomCrop,
        Hsv,
        Letterbox,
    ]
    assert made[0].shorter == (10, 20)
    assert (made[1].rows, made[7].columns) == (40, 64)


def test_words_that_are_no_parameter():
    for call, word in (
        (lambda: steps(rotations=5), "rotation"),
        (lambda: steps("driver"), "drive"),
        (lambda: steps(hsv_hu=0.1), "hsv_hue"),
    ):
        with pytest.raises(UsageError) as error:
            call()
        assert error.value.code == "bad-option"
        assert error.value.hint.startswith(f"did you mean {word}? there are: ")
    with pytest.raises(UsageError, match="jitter_rows is missing"):
        steps(jitter_flip=0.5)
    with pytest.raises(UsageError, match="there is no augmentation"):
        steps("zzz")
    for value in ("5", None, [1, 2], {}):
        with pytest.raises(UsageError, match="rotation"):
            steps(rotation=value)


WRONG: tuple[Any, ...] = (
    "",
    "5",
    None,
    [1, 2, 3],
    [2, 1],
    {},
    float("nan"),
    float("inf"),
    -1,
    1e12,
    [None, 1],
    object(),
)


@pytest.mark.parametrize("name", sorted(parameters()))
def test_no_value_breaks_anything(name):
    """Whatever a configuration file may hold, a parameter is refused by its name, or the step
    works.
    """
    image, mask = np.full((12, 17, 3), 90, np.uint8), np.ones((12, 17), np.uint8)
    prefix = name.split("_")[0]
    sides = (
        {f"{prefix}_rows": 16, f"{prefix}_columns": 16}
        if prefix in ("jitter", "letterbox", "stretch")
        else {}
    )
    refused = []
    for value in (*WRONG, 0.5, True, 3, 0):
        try:
            made = steps(**{**sides, name: value})
        except UsageError as error:
            refused.append(error)
        else:
            values, ids = applied(made, image, mask, np.random.default_rng(0))
            assert values.shape[:2] == ids.shape
    assert len(refused) >= len(WRONG) - 1
    assert {error.code for error in refused} == {"bad-option"}
    assert all(name.removeprefix(f"{prefix}_") in str(error) for error in refused)


def test_every_parameter_stands_in_the_table():
    text = DOC.read_text("utf-8")
    missing = [name for name in parameters() if f"`{name}`" not in text]
    assert not missing
    assert not [preset for preset in PRESETS if f"`{preset}`" not in text]
