"""segprep train: bad input and mistakes end in words, and nothing is lost to them."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from segprep import train
from segprep.errors import SegprepError, TreeError, UsageError
from segprep.imaging.image import read_mask, write_mask
from segprep.training import checkpoints
from segprep.training.progress import Moment
from segprep.training.trainer import run_folder
from segprep.training.trainer.step import explained

Make = Callable[..., Path]
TINY: dict[str, Any] = {
    "size": 32,
    "options": {"base": 4},
    "batch": 4,
    "epochs": 2,
    "tensorboard": False,
    "device": "cpu",
}


def test_an_old_run_is_not_lost_to_a_mistake(discs: Make) -> None:
    root = discs(8)
    train(root, **TINY | {"epochs": 1})
    before = {path: path.read_bytes() for path in (root / "runs/train").iterdir() if path.is_file()}
    for wrong in (
        {"freeze": "all"},
        {"weights": "none.pth"},
        {"class_weights": (1, 2, 3)},
        {"val": "vall"},
        {"skip_classes": (9,)},
    ):
        with pytest.raises(SegprepError):
            train(root, overwrite=True, **TINY | wrong)
        assert {
            path: path.read_bytes() for path in (root / "runs/train").iterdir() if path.is_file()
        } == before


def test_a_run_does_not_go_on_as_another_one(discs: Make) -> None:
    root = discs(8)
    train(root, **TINY | {"epochs": 1})
    for given, code in (
        ({"arch": "mini-unet"}, "other-network"),
        ({"options": {"base": 8}}, "other-network"),
        ({"lr": 0.5}, "other-settings"),
    ):
        with pytest.raises(SegprepError, match=r"run began with .*, now it is") as error:
            train(root, resume=True, **given)
        assert error.value.code == code
    (root / "class_names.txt").write_text("_background_\nring\n")
    with pytest.raises(
        SegprepError, match="_background_, disc; the dataset has _background_, ring"
    ) as other:
        train(root, resume=True)
    assert other.value.code == "other-classes"


def test_settings_that_are_wrong_are_named_with_the_nearest(discs: Make, tmp_path: Path) -> None:
    root = discs(4)
    (tmp_path / "a.toml").write_text("epoch = 3\n")
    with pytest.raises(UsageError, match=r"a\.toml.*'epoch'") as error:
        train(root, tmp_path / "a.toml")
    assert error.value.code == "unknown-setting"
    assert error.value.hint.startswith("did you mean epochs? there are: ")
    wrong = {
        "learning-rates": 1,
        "arch": "unett",
        "optimizer": "adamm",
        "loss": "dicee",
        "schedule": "cosin",
        "monitor": "val_iou",
        "epochs": 2.5,
        "batch": 0,
        "lr": "fast",
        "preset": "huge",
        "freeze": "some",
        "options": {"bass": 3},
        "class_weights": [1, 2, 3],
        "freeze_epochs": 1,
        "device": "tpu",
        "amp": "float8",
        "augment": "dive",
        "augmentation": {"rotate": 5},
        "fit": "squash",
    }
    for name, value in wrong.items():
        with pytest.raises(UsageError) as error:
            train(root, out=tmp_path / "out", **{name: value})
        assert error.value.hint or name == "device", name
        assert not (tmp_path / "out").exists()
    for text in ("epochs = = 3", "epochs = \xff"):
        (tmp_path / "b.toml").write_bytes(text.encode("latin-1"))
        with pytest.raises(UsageError) as error:
            train(root, tmp_path / "b.toml")
        assert error.value.code == "bad-config"
    with pytest.raises(UsageError) as error:
        train(root, tmp_path / "none.toml")
    assert error.value.code == "bad-config"


def test_bad_data_is_named(discs: Make) -> None:
    root = discs(8)
    for n in (1, 3):
        mask = read_mask(root / f"SegmentationClass/i{n}.png").copy()
        mask[0, 0] = 7
        write_mask(root / f"SegmentationClass/i{n}.png", mask)
    with pytest.raises(
        SegprepError, match=r"2 samples cannot be used: .*i1\.png: pixel value 7 is not a class"
    ) as error:
        train(root, **TINY)
    assert error.value.code == "unknown-value"
    (root / "ImageSets/Segmentation/train.txt").write_text("")
    with pytest.raises(SegprepError) as error:
        train(root, **TINY)
    assert error.value.code == "empty-list"
    (root / "ImageSets/Segmentation/train.txt").write_text("i0\ni2\n")
    (root / "ImageSets/Segmentation/val.txt").write_text("i0\n")
    with pytest.raises(SegprepError, match="'i0'") as error:
        train(root, **TINY)
    assert error.value.code == "bad-list"


def test_one_sample_in_a_batch_with_batch_normalization(discs: Make, tmp_path: Path) -> None:
    root = discs(4)
    found = train(root, out=tmp_path / "a", **TINY | {"batch": 1, "epochs": 1})
    assert any("one image at a time" in note for note in found.notes)
    assert not any(
        "one image" in note
        for note in train(
            root, out=tmp_path / "b", freeze_norm=True, **TINY | {"batch": 1, "epochs": 1}
        ).notes
    )
    with pytest.raises(
        ValueError, match="more than 1 value"
    ) as refused:  # what PyTorch says to a network that shrinks a window to one pixel
        torch.nn.BatchNorm2d(1)(torch.zeros(1, 1, 1, 1))
    told = explained(refused.value, 1, 32)
    assert isinstance(told, SegprepError)
    assert "--batch" in told.hint


def test_out_of_memory_is_told_with_what_to_do() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(1 << 60, dtype=torch.uint8)
    told = explained(refused.value, 8, 256)
    assert isinstance(told, SegprepError)
    assert (told.code, told.hint) == ("out-of-memory", "give a smaller --batch, for example 4")
    assert explained(ValueError("x"), 8, 256).args == ("x",)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_mask_that_spoils_later_is_named_and_the_run_can_go_on(
    discs: Make, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Too much for the memory: files are read again each time, here after one was changed, in this
    process or in a worker.
    """
    from segprep.training.data import dataset

    monkeypatch.setattr(dataset, "HELD", 0)
    root = discs(8)
    good = (root / "SegmentationClass/i2.png").read_bytes()

    def spoil(moment: Moment) -> None:
        if moment.what.startswith("epoch 2/"):
            write_mask(root / "SegmentationClass/i2.png", np.full((44, 50), 9, np.uint8))

    with pytest.raises(
        SegprepError, match=r"i2\.png: pixel value 9 is not a class .*last\.pt holds epoch"
    ) as error:
        train(root, watch=spoil, workers=workers, **TINY | {"epochs": 6})
    assert error.value.code == "unknown-value"
    (root / "SegmentationClass/i2.png").write_bytes(good)
    assert len(train(root, resume=True, workers=0).history) == 6


def test_a_damaged_last_checkpoint_is_an_error_with_a_hint(discs: Make) -> None:
    root = discs(4)
    train(root, **TINY | {"epochs": 1})
    path = root / "runs/train/last.pt"
    whole = checkpoints.read(path)
    for corrupted in (
        {**whole, "training": 3},
        {**whole, "training": {**whole["training"], "config": []}},
        {**whole, "training": {**whole["training"], "history": [{}]}},
        {**whole, "training": {**whole["training"], "fitting": {}}},
        {name: value for name, value in whole.items() if name != "weights"},
        {**whole, "weights": {**whole["weights"], "last.bias": torch.full((2,), math.nan)}},
    ):
        checkpoints.write(path, corrupted)
        with pytest.raises(SegprepError) as error:
            train(root, resume=True, epochs=2)
        assert (error.value.code, bool(error.value.hint)) == ("bad-checkpoint", True)
    path.write_bytes(b"no checkpoint")
    with pytest.raises(SegprepError) as error:
        train(root, resume=True)
    assert error.value.code == "bad-checkpoint"


def test_a_list_that_is_not_there_is_no_run_without_validation(discs: Make) -> None:
    with pytest.raises(SegprepError, match="there is no list 'vall'") as error:
        train(discs(4), val="vall", **TINY)
    assert error.value.hint.startswith("did you mean val? there are: ")


def test_what_a_run_killed_at_its_first_file_leaves_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".run.json.part").write_text("{")
    run_folder.claim(tmp_path, resume=False, overwrite=False)
    (tmp_path / "mine.part").write_text("x")
    with pytest.raises(TreeError) as caught:
        run_folder.claim(tmp_path, resume=False, overwrite=False)
    assert caught.value.code == "output-not-ours"
