"""segprep train: stages, windows, weights of pixels, precision, what is validated."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from segprep import train
from segprep.errors import SegprepError, UsageError
from segprep.imaging.image import read_mask
from segprep.metrics.confusion import count
from segprep.training import checkpoints
from segprep.training.trainer.border_windows import pixel_weights
from segprep.training.trainer.windows import save_augmented

Make = Callable[..., Path]
TINY: dict[str, Any] = {
    "size": 32,
    "options": {"base": 4},
    "batch": 4,
    "epochs": 2,
    "tensorboard": False,
    "device": "cpu",
}


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return checkpoints.read(path)["weights"]


def same(one: Path, other: Path) -> bool:
    a, b = weights_of(one), weights_of(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_two_stages_hold_the_backbone_and_its_statistics_first(discs: Make, tmp_path: Path) -> None:
    from segprep.training import models

    root, weights = discs(8), tmp_path / "weights.pth"
    begun = models.build("mobilenet-unet", 3, 2, base=4).state_dict()
    torch.save(begun, weights)
    settings = TINY | {
        "arch": "mobilenet-unet",
        "freeze": "all",
        "weights": str(weights),
        "freeze_lr": 0.01,
        "freeze_batch": 2,
        "lr": 0.001,
        "schedule": "constant",
        "save_every": 1,
    }
    found = train(root, **settings | {"freeze_epochs": 1, "epochs": 2})
    assert [entry.lr for entry in found.history] == [0.01, 0.001]
    assert [entry.step for entry in found.history] == [3, 5]  # 6 images by 2, then by 4
    assert found.history[0].learning < found.history[1].learning == found.parameters
    first, last = (weights_of(next(found.out.glob(f"epoch00{n}*.pt"))) for n in (1, 2))
    backbone = [name for name in begun if name.startswith("encoder.")]
    assert any("running_mean" in name for name in backbone)
    assert all(torch.equal(begun[name], first[name]) for name in backbone)
    assert not torch.equal(begun["encoder.conv_stem.weight"], last["encoder.conv_stem.weight"])
    assert not torch.equal(begun["encoder.bn1.running_mean"], last["encoder.bn1.running_mean"])
    told = "\n".join(found.notes)
    assert "tensors loaded, 0 missed" in told


def test_a_random_backbone_is_not_held_and_the_weights_are_named(discs: Make) -> None:
    """The address and hash of torchvision's own file, in the message and in a note."""
    root = discs(4)
    with pytest.raises(UsageError, match="random numbers") as error:
        train(root, **TINY | {"arch": "vgg-unet", "freeze": "all"})
    assert "https://download.pytorch.org/models/vgg16-397923af.pth" in error.value.hint
    sha256 = re.search(r"--sha256 ([0-9a-f]{64})", error.value.hint)
    assert sha256
    assert sha256[1].startswith("397923af")  # torchvision names its files by their hash
    for weights in ("vgg16.pth", "https://download.pytorch.org/models/vgg16-397923af.pth"):
        with pytest.raises(SegprepError, match=r"no file vgg16|without its hash") as refused:
            train(root, **TINY | {"arch": "vgg-unet", "options": {"base": 2}, "weights": weights})
        assert f"--sha256 {sha256[1]}" in refused.value.hint
    found = train(root, **TINY | {"arch": "vgg-unet", "options": {"base": 2}, "epochs": 1})
    assert any("begins with random weights" in note for note in found.notes)


def test_deep_supervision_trains_every_head(discs: Make) -> None:
    found = train(discs(4), **TINY | {"arch": "unetpp", "epochs": 1, "optimizer": "sgd"})
    torch.manual_seed(0)
    from segprep.training import models

    begun, now = (
        models.build("unetpp", 3, 2, base=4).state_dict(),
        weights_of(found.out / "last.pt"),
    )
    assert all(
        not torch.equal(begun[f"heads.{n}.weight"], now[f"heads.{n}.weight"]) for n in (1, 2, 3, 4)
    )


def test_validation_pools_over_images_of_any_size_and_shares_them_out(discs: Make) -> None:
    """Two halves that know nothing of each other add up to the whole: no image twice, none left
    out.
    """
    from segprep.dataset.tree import Tree
    from segprep.training import losses as criteria
    from segprep.training import models
    from segprep.training.data.pairs import InputSpec, read_pair
    from segprep.training.trainer.distributed import ProcessGroup
    from segprep.training.trainer.validation import predictions, validate

    place = Tree(discs(7))
    pairs = [read_pair(place, f"i{n}") for n in range(7)]
    network = models.build("mini-unet", 3, 2, base=4).eval()
    view = InputSpec(32, 1.0, (0.5,) * 3, (0.5,) * 3)
    whole = validate(
        network, pairs, view, criteria.make("ce", 2), 2, ProcessGroup(0, 1, "cpu"), batch=3
    )
    stems = [
        pair.stem
        for rank in (0, 1)
        for pair, _ in predictions(network, pairs, ProcessGroup(rank, 2, "cpu"), view, 3)
    ]
    assert sorted(stems) == [f"i{n}" for n in range(7)]
    by_hand = np.zeros((2, 2), np.int64)
    losses = []
    for pair in pairs:
        from segprep.training.inference.tiles import net_of, probabilities

        found = probabilities(net_of(network, "ab", view), [pair.image])[0]
        by_hand += count(pair.mask, found.argmax(0).numpy(), 2)
        losses.append(
            -np.log(np.take_along_axis(found.numpy(), pair.mask[None].astype(np.int64), 0)).ravel()
        )
    assert np.array_equal(whole.matrix, by_hand)
    assert whole.loss == pytest.approx(np.concatenate(losses).mean(), rel=1e-4)


def test_bfloat16_comes_close(discs: Make, tmp_path: Path) -> None:
    root = discs(8)
    one, two = (train(root, out=tmp_path / amp, amp=amp, **TINY) for amp in ("none", "bfloat16"))
    assert two.history[-1].loss == pytest.approx(one.history[-1].loss, rel=0.05)
    with pytest.raises(SegprepError, match="needs a GPU"):
        train(root, out=tmp_path / "x", amp="float16", **TINY)


@pytest.mark.parametrize("fit", ["letterbox", "stretch"])
def test_whole_images_in_a_window_learn_too_and_are_scored_at_their_own_size(
    discs: Make, fit: str
) -> None:
    root = discs(16)
    found = train(
        root,
        **TINY
        | {
            "fit": fit,
            "epochs": 10,
            "lr": 0.02,
            "augmentation": {"rotation": 20, "horizontal_flip": True},
        },
    )
    assert found.miou > 0.7
    assert found.matrix.sum() == sum(
        read_mask(root / f"SegmentationClass/i{n}.png").size for n in range(12, 16)
    )
    assert checkpoints.load(found.out / "best.pt").view.worked(44, 50) == (
        (28, 32) if fit == "letterbox" else (32, 32)
    )


def test_augmentations_of_the_tutorials_cut_windows_of_the_size(
    discs: Make, tmp_path: Path
) -> None:
    from segprep.dataset.tree import Tree
    from segprep.train_settings import make_config
    from segprep.training.data.pairs import InputSpec, read_pair
    from segprep.training.trainer.windows import save_augmented, windows

    root = discs(4)
    pairs = [read_pair(Tree(root), f"i{n}") for n in range(4)]
    view = InputSpec(24, 1.0, (0.5,) * 3, (0.5,) * 3)
    for augment in ("windows", "none", "drive", "membrane", "paper"):
        images, mask = windows(pairs, view, make_config({"augment": augment, "size": 24}))[3]
        assert (tuple(images.shape), tuple(mask.shape)) == ((3, 24, 24), (24, 24)), augment
    with pytest.raises(UsageError, match="works on whole images"):
        windows(pairs, view, make_config({"augment": "unet-pytorch", "size": 24}))
    written = save_augmented(root, tmp_path / "look", count=5, augment="drive", size=32)
    names = {path.name for path in written}
    assert len(names) == 11
    assert {name.replace("image_", "mask_") for name in names if name.startswith("image_")} == {
        name for name in names if name.startswith("mask_")
    }
    for name in names - {"sheet.png"}:
        if name.startswith("mask_"):
            assert set(np.unique(read_mask(tmp_path / "look" / name))) <= {0, 1, 255}


def test_border_weights_reach_the_loss(discs: Make, tmp_path: Path) -> None:
    """Two squares with a gap of two pixels: the weights are the paper's; a training with them sees
    a larger loss and learns something else.
    """
    from segprep.training.augmentation.windows import Windows
    from segprep.training.data.pairs import ImagePair, InputSpec
    from segprep.training.trainer.border_windows import Bordered, objects

    mask = np.zeros((16, 16), np.uint8)
    mask[2:12, 2:7], mask[2:12, 9:14], mask[14:] = 1, 1, 255
    found = objects(mask, 0)
    assert (found[5, 5], found[5, 10], found[5, 7], found[15, 0]) == (1, 2, 0, -1)
    pair = ImagePair("a", np.zeros((16, 16, 3), np.uint8), mask, (16, 16))
    plain = Windows([pair], InputSpec(16, 1.0, (0.0,) * 3, (1.0,) * 3), 0, augmented=False)
    _, truth, weights = Bordered(plain, 0, 10.0, 5.0)[0]
    assert torch.equal(truth, torch.from_numpy(mask.astype(np.int64)))
    assert float(weights[6, 7]) == pytest.approx(1 + 10 * math.exp(-((1 + 2) ** 2) / 50), rel=1e-5)
    assert set(weights[truth == 1].tolist()) == {1.0}
    assert set(weights[truth == 255].tolist()) == {0.0}
    striped = discs(
        8, "striped", lambda mask, n: (np.indices(mask.shape)[1] % 8 < 5).astype(np.uint8)
    )
    runs = [
        train(striped, out=tmp_path / str(w0), loss="ce+dice", border=w0, **TINY | {"epochs": 1})
        for w0 in (0.0, 10.0)
    ]
    assert not same(runs[0].out / "last.pt", runs[1].out / "last.pt")
    with pytest.raises(UsageError, match="border weights"):
        train(striped, border=1.0, loss="focal", **TINY)


def test_validation_now_and_then_and_pictures(discs: Make) -> None:
    from PIL import Image

    found = train(
        discs(8), **TINY | {"epochs": 5, "validate_every": 2, "pictures": 4, "patience": 9}
    )
    assert [math.isnan(entry.val_loss) for entry in found.history] == [
        True,
        False,
        True,
        False,
        False,
    ]
    measured = [entry.val_miou for entry in found.history if not math.isnan(entry.val_miou)]
    assert found.best.val_miou == max(measured)
    assert [path.name for path in (found.out / "pictures").iterdir()] == ["epoch004.png"]
    with Image.open(found.out / "pictures/epoch004.png") as sheet:
        assert sheet.size[0] > 3 * 100
        assert len(sheet.convert("RGB").getcolors(1 << 24)) > 50


def test_skipped_classes_teach_nothing(discs: Make, tmp_path: Path) -> None:
    """Without the pixels of the background, everything becomes a disc."""
    root = discs(8)
    found = train(root, skip_classes=(0,), loss="ce", **TINY | {"epochs": 4, "lr": 0.02})
    assert found.matrix[:, 1].sum() > 0.95 * found.matrix.sum()  # a tenth is disc
    with pytest.raises(UsageError, match="names 2, which is not a class"):
        train(root, out=tmp_path / "x", skip_classes=(2,), **TINY)


def test_steps_per_epoch_and_validation_steps_are_honored(discs: Make) -> None:
    """Validation of one image per epoch; the final scores are of the whole list all the same."""
    root = discs(12)
    found = train(root, steps_per_epoch=5, validation_steps=1, **TINY)
    assert [entry.step for entry in found.history] == [5, 10]
    assert found.matrix.sum() == sum(
        read_mask(root / f"SegmentationClass/i{n}.png").size for n in range(9, 12)
    )


def test_a_large_set_is_surveyed_in_part(discs: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from segprep.training.data import dataset

    monkeypatch.setattr(dataset, "SURVEYED", 3)
    found = train(discs(10), **TINY | {"epochs": 1})
    assert any("of 7 images to train on, 3 were read" in note for note in found.notes)


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        ({"schedule": "constant"}, [1, 1, 1, 1]),
        ({"schedule": "step", "every": 2, "factor": 0.1}, [1, 1, 0.1, 0.1]),
        ({"schedule": "exponential"}, [1, 0.96, 0.96**2, 0.96**3]),
        ({"schedule": "polynomial", "power": 2.0}, [1, 0.75**2, 0.5**2, 0.25**2]),
        (
            {"schedule": "cosine", "warm_up": 2, "start": 0.0, "rise": 2.0, "end": 0.1},
            [0, 0.25, 1, 0.55],
        ),
        ({"schedule": "cosine", "flat": 2, "end": 0.1}, [1, 0.55, 0.1, 0.1]),
        (
            {"schedule": "plateau", "every": 1, "factor": 0.5, "monitor": "loss", "min_delta": 1e6},
            [1, 1, 1, 0.5],
        ),
    ],
)
def test_every_schedule_is_the_one_that_is_logged(
    discs: Make, given: dict[str, Any], rates: list[float]
) -> None:
    """One step per epoch, so that each rate stands in a line of its own."""
    found = train(discs(4), **TINY | {"epochs": 4, "lr": 0.02, "steps_per_epoch": 1} | given)
    assert [entry.lr for entry in found.history] == pytest.approx([0.02 * rate for rate in rates])


def test_border_weights_can_be_looked_at(discs: Make, tmp_path: Path) -> None:
    def two(mask: np.ndarray, number: int) -> np.ndarray:
        """Two objects, three pixels apart."""
        mask[:] = 0
        mask[5:40, 4:20] = mask[5:40, 23:40] = 1
        return mask

    settings: dict[str, Any] = {"augment": "none", "size": 44, "border": 10.0, "loss": "ce"}
    root = discs(8, spoil=two)
    written = save_augmented(root, tmp_path / "look", count=3, **settings)
    names = [path.name for path in written]
    assert [name.partition("_")[0] for name in names[-4:]] == ["weights"] * 3 + ["sheet.png"]
    mask = read_mask(written[1])
    heat = np.asarray(Image.open(written[-4]).convert("RGB")).astype(int)
    weights = pixel_weights(mask, 0, 10.0, 5.0)
    brightness = heat.sum(2)
    assert heat[mask == 1].std(0).max() == 0  # one weight on the objects
    assert brightness[weights > 7].min() > brightness[mask == 1].max()
    assert weights.max() == pytest.approx(1 + 10 * math.exp(-(4**2) / 50), abs=0.01)
