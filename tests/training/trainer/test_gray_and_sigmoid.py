"""Networks of one channel and one logit, given mean and deviation, a letterbox in the corner, and
jitter of the original image: against formulas of their own.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import segprep
from segprep import evaluate, predict, train
from segprep.errors import UsageError
from segprep.imaging.image import write_mask
from segprep.train_settings import make_config
from segprep.training import checkpoints, losses, models
from segprep.training.data.dataset import prepare
from segprep.training.data.lists import Selection
from segprep.training.data.pairs import InputSpec, moments, normalized, read_pair
from segprep.training.logits import framed, likeliest
from segprep.training.trainer import network
from segprep.training.trainer.config_check import settled
from segprep.training.trainer.windows import from_original, windows

Make = Callable[..., Path]
TINY = {"size": 32, "epochs": 1, "batch": 4, "tensorboard": False, "device": "cpu"}


@pytest.mark.parametrize(
    ("arch", "preset"), [("unet-keras", "membrane"), ("unet-paper", "paper"), ("unetpp", "deep")]
)
def test_the_published_sizes_can_be_trained(arch: str, preset: str) -> None:
    published = models.presets(arch)[preset]
    head = "sigmoid" if published.classes == 1 else "softmax"
    channels = published.in_channels
    config = settled(
        {"arch": arch, "preset": preset, "channels": channels, "head": head, "loss": "bce-dice"}
    )
    with torch.device("meta"):
        built = network.network_of(config, 2)
    assert models.parameters(built) == published.parameters


def test_gray_and_one_logit_train_score_and_predict_alike(discs: Make, tmp_path: Path) -> None:
    """What the command scores is what sigmoid(network(gray)) > 0.5 gives, with Pillow's gray."""
    root = discs(8)
    run = train(
        root,
        **TINY | {"epochs": 2, "lr": 0.01, "normalize": "unit", "loss": "bce-dice"},
        channels=1,
        head="sigmoid",
        options={"base": 4},
    )
    model = segprep.load_model(run.checkpoint, device="cpu")
    weights = list(model.network.parameters())
    assert (weights[0].shape[1], weights[-1].shape[0]) == (1, 1)
    assert model.classes == ("_background_", "disc")
    wrong = total = 0
    for path in sorted((root / "JPEGImages").glob("*.png")):
        gray = np.asarray(Image.open(path).convert("L"), np.float32) / 255
        frame = np.full((64, 64), 128 / 255, np.float32)
        top, left = (64 - gray.shape[0]) // 2, (64 - gray.shape[1]) // 2
        frame[top : top + gray.shape[0], left : left + gray.shape[1]] = gray
        with torch.inference_mode():
            logit = model.network(torch.from_numpy(frame)[None, None])[0, 0].numpy()
        wanted = 1 / (1 + np.exp(-logit)) > 0.5
        wanted = wanted[top : top + gray.shape[0], left : left + gray.shape[1]]
        found = segprep.predict_image(model, np.asarray(Image.open(path).convert("RGB")))
        wrong, total = wrong + int((found != wanted).sum()), total + found.size
    assert wrong < 0.002 * total  # Pillow rounds its gray to whole numbers
    assert run.matrix is not None
    predicted = predict(run.checkpoint, root, tmp_path / "ids", split="val", device="cpu")
    scored = evaluate(predicted.ids, dataset=root, split="val")
    assert scored.matrix.matrix.tolist() == run.matrix.tolist()


def test_the_loss_of_one_logit_is_the_tutorials() -> None:
    """All background at 13 % nuclei costs 1.38; with two logits it would cost about 0.52."""
    truth = torch.zeros(1, 100, 100, dtype=torch.int64)
    truth[0, :13] = 1
    true, p = truth[0].double().numpy(), 1 / (1 + np.exp(5.9))
    bce = -(true * np.log(p) + (1 - true) * np.log(1 - p)).mean()
    dice = (2 * p * true.sum() + 1e-5) / (true.sum() + p * true.size + 1e-5)
    single = losses.make("bce-dice", 1)(torch.full((1, 1, 100, 100), -5.9), truth)
    assert float(single) == pytest.approx(0.5 * bce + 1 - dice, abs=1e-6)
    assert float(single) == pytest.approx(1.381, abs=2e-3)
    both = torch.stack([torch.full((1, 100, 100), 5.9), torch.full((1, 100, 100), -5.9)], 1)
    assert float(losses.make("bce-dice", 2)(both, truth)) == pytest.approx(0.516, abs=5e-3)
    assert float(losses.make("lovasz-hinge", 1)(torch.full((1, 1, 9, 9), -1.0), truth[:, :9, :9]))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"options": {"in_channels": 1}}, "in_channels"),
        ({"options": {"classes": 1}}, "classes"),
        ({"channels": 2}, "channels is 2"),
        ({"channels": 1, "normalize": "imagenet"}, "imagenet"),
        ({"mean": (0.5,), "std": (0.2,)}, "3 channels"),
        ({"mean": (0.5, 0.5, 0.5)}, "3 channels"),
        ({"std": (0.2, 0.2, 0.0), "mean": (0.5, 0.5, 0.5)}, "3 channels"),
        ({"head": "sigmoid"}, "one logit"),
    ],
)
def test_what_does_not_fit_is_refused_early(settings: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        settled(settings)
    assert caught.value.code == "bad-option"
    assert caught.value.hint


def test_one_logit_needs_two_classes(discs: Make) -> None:
    root = discs(4)
    (root / "class_names.txt").write_text("_background_\ndisc\nring\n")
    with pytest.raises(UsageError, match="decides between two classes"):
        train(root, **TINY, head="sigmoid", loss="bce")


def test_gray_is_pillows(discs: Make) -> None:
    from segprep.dataset.tree import Tree

    root = discs(1, listed=False)
    pair = read_pair(Tree(root), "i0")
    gray = np.asarray(Image.open(root / "JPEGImages/i0.png").convert("L"), np.float64) / 255
    mean, std = moments([pair], 1)
    assert (len(mean), len(std)) == (1, 1)
    assert mean[0] == pytest.approx(gray.mean(), abs=0.5 / 255)
    values = torch.from_numpy(pair.image.astype(np.float32) / 255).permute(2, 0, 1)
    seen = normalized(values, InputSpec(16, 1.0, (0.0,), (1.0,), channels=1))
    assert seen.shape[0] == 1
    assert float(np.abs(seen[0].numpy() - gray).max()) <= 0.51 / 255


def test_mean_and_std_are_those_given(discs: Make) -> None:
    """The DRIVE tutorial's constants, as segprep stats --mean-std prints them."""
    from segprep.dataset.tree import Tree

    root, mean, std = discs(2), (0.709, 0.381, 0.224), (0.127, 0.079, 0.043)
    config = make_config({"size": 16, "mean": mean, "std": std})
    stems = Selection(("i0",), ("i1",))
    view = prepare(Tree(root), stems, ("a", "b"), config, lambda *moment: None)[2]
    assert (view.mean, view.std) == (mean, std)


def test_a_letterbox_in_the_corner_stays_there(discs: Make, tmp_path: Path) -> None:
    run = train(
        discs(4),
        **TINY,
        fit="letterbox",
        options={"base": 4},
        augmentation={"letterbox_anchor": "corner", "letterbox_gray": 0},
    )
    view = checkpoints.load(run.checkpoint).view
    assert (view.corner, view.gray) == (True, 0)
    values = torch.rand(3, 20, 32)
    frame, top, left = framed(values, view, np.dtype(np.uint8))
    assert (top, left) == (0, 0)
    assert frame[:, :20].equal(values)
    assert not frame[:, 20:].any()  # black below
    middle = framed(values, InputSpec(32, None, (0.0,) * 3, (1.0,) * 3), np.dtype(np.uint8))
    assert middle[1:] == (6, 0)


def test_jitter_magnifies_the_original(tmp_path: Path) -> None:
    """A 1024-pixel image of noise in a 512 window at twice its size: native pixels, as in the
    tutorial (deviation 73.9), not those of an image that was shrunk first (29.9).
    """
    from segprep.dataset.tree import Tree

    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / folder).mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "JPEGImages/a.png")
    write_mask(tmp_path / "SegmentationClass/a.png", (pixels[..., 0] > 127).astype(np.uint8))
    config = make_config(
        {
            "size": 512,
            "fit": "letterbox",
            "normalize": "unit",
            "augment": "unet-pytorch",
            "augmentation": {"jitter_scale": [2.0, 2.0], "jitter_aspect": [1.0, 1.0]}
            | {"hsv_hue": 0.0, "hsv_saturation": 0.0, "hsv_value": 0.0},
        }
    )
    assert from_original(config)
    lists = Selection(("a",), ())
    place = Tree(tmp_path)
    train_pairs, _, view = prepare(
        place, lists, ("a", "b"), config, lambda *moment: None, whole=True
    )
    image, mask = windows(train_pairs, view, config)[0]
    assert float(image.std() * 255) == pytest.approx(73.9, abs=0.5)
    rows = image[0].numpy()
    assert abs(np.corrcoef(rows[:, :-1].ravel(), rows[:, 1:].ravel())[0, 1]) < 0.02
    assert set(np.unique(mask)) == {0, 1}
    assert not from_original(make_config({"augment": "membrane", "fit": "stretch"}))


def test_the_likelier_of_two_by_one_logit() -> None:
    assert likeliest(torch.tensor([[[-0.1, 0.1]]])).tolist() == [[0, 1]]
