"""Plain parameters to steps: the tutorials' sets, what is done in which order, and words that are no parameter."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from segprep.errors import UsageError
from segprep.training.augmentation import PRESETS, parameters, steps
from segprep.training.elastic import Elastic
from segprep.training.generator import Paired
from segprep.training.hsv import Hsv
from segprep.training.jitter import Jitter
from segprep.training.letterboxing import Letterbox
from segprep.training.resizing import Flip, RandomCrop, RandomResize

DOC = Path(__file__).parents[2] / "docs" / "augmentation.md"


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
    made = steps(letterbox_rows=64, hsv_hue=0.05, elastic_sigma=5, rotation=9, flip_vertical=0, resize_shorter=[10, 20], crop_size=32, jitter_columns=40)
    assert [type(step) for step in made] == [RandomResize, Jitter, Flip, Paired, Elastic, RandomCrop, Hsv, Letterbox]
    assert made[0].shorter == (10, 20)
    assert (made[1].rows, made[7].columns) == (40, 64)


def test_words_that_are_no_parameter():
    for call, word in ((lambda: steps(rotations=5), "rotation"), (lambda: steps("driver"), "drive"), (lambda: steps(hsv_hu=0.1), "hsv_hue")):
        with pytest.raises(UsageError) as error:
            call()
        assert error.value.code == "bad-option"
        assert error.value.hint == f"did you mean {word}?"
    with pytest.raises(UsageError, match="jitter_rows is missing"):
        steps(jitter_flip=0.5)
    with pytest.raises(UsageError, match="there is no augmentation"):
        steps("zzz")
    for value in ("5", None, [1, 2], {}):
        with pytest.raises(UsageError, match="rotation"):
            steps(rotation=value)


def test_every_parameter_stands_in_the_table():
    text = DOC.read_text("utf-8")
    missing = [name for name in parameters() if f"`{name}`" not in text]
    assert not missing
    assert not [preset for preset in PRESETS if f"`{preset}`" not in text]
