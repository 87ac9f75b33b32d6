"""Tiles, averages and the way back from the letterbox, on networks whose answer is known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from training.inference.predicting import noise

from segprep.errors import UsageError
from segprep.training import models
from segprep.training.checkpoints import Checkpoint, save
from segprep.training.data.pairs import InputSpec
from segprep.training.inference import tiles
from segprep.training.inference.job import predict
from segprep.training.inference.overlays import Style
from segprep.training.inference.predictor import Options
from segprep.training.inference.reach import reach
from segprep.training.inference.spans import PHASE, cuts
from segprep.training.inference.tiles import Net, net_of, probabilities
from segprep.training.models._layers import reflected

PLAIN = InputSpec(64, 1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
NAMES = ("_background_", "disc")


def softmax(network: nn.Module, image: np.ndarray) -> Tensor:
    """What the network says of the whole *image* itself."""
    with torch.inference_mode():
        return torch.softmax(
            network(torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None]), 1
        )[0]


@pytest.mark.parametrize("tile", [64, 96, 160, 512])
def test_valid_convolutions_in_tiles_equal_the_whole_image(tile: int) -> None:
    torch.manual_seed(0)
    network = models.build("unet-paper", 3, 2, base=2).eval()
    image = noise(201, 150)
    whole = softmax(network, image)
    found = probabilities(net_of(network, NAMES, PLAIN), [image], tile, batch=3)[0]
    assert float(whole.std()) > 0.01  # it does look at the image
    assert torch.allclose(found, whole, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3, 300), (65, 64), (64, 129)])
@pytest.mark.parametrize("arch", ["unet", "unet-paper", "resnet-unet"])
def test_any_size_gives_probabilities_that_sum_to_one(arch: str, size: tuple[int, int]) -> None:
    net = net_of(models.build(arch, 3, 2, base=4).eval(), NAMES, PLAIN)
    found = probabilities(net, [noise(*size), noise(*size)], 64, batch=5)
    assert found[0].shape == (2, *size)
    assert torch.allclose(found[0].sum(0), torch.ones(size), atol=1e-5)
    assert torch.allclose(found[0], found[1], atol=1e-5)


def test_what_is_wrong_at_a_tiles_rim_leaves_no_seam() -> None:
    network = nn.Conv2d(
        3, 2, 33, padding=16
    )  # it looks 16 pixels far to the left and above, where its padding says 0
    with torch.no_grad():
        network.weight.fill_(0.001).mul_(torch.tensor([1.0, -1.0])[:, None, None, None])
        network.weight[..., 17:] = 0
    image = np.repeat(np.linspace(90, 160, 256).astype(np.uint8)[None, :, None], 256, 0).repeat(
        3, 2
    )
    inner = (slice(None), slice(40, -40), slice(40, -40))
    whole = softmax(network, image)[inner]
    found = probabilities(net_of(network, NAMES, PLAIN), [image], 64)[0][inner]
    hard = torch.cat(
        [softmax(network, image[:, start : start + 64]) for start in range(0, 256, 64)], 2
    )[inner]

    def step(shares: Tensor) -> float:
        return float(shares.diff(dim=2).abs().max())

    assert step(hard) > 0.1  # side by side, the tiles show
    assert step(found) < 0.02
    assert float((found - whole).abs().max()) < float((hard - whole).abs().max()) / 3


def test_tiles_whose_rim_is_right_equal_the_whole() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 5, padding=2), nn.ReLU(), nn.Conv2d(4, 2, 5, padding=2)
    ).eval()
    image = noise(150, 201)
    inner = (
        slice(None),
        slice(8, -8),
        slice(8, -8),
    )  # at the image's own border it is mirrored here and padded with zeros there
    assert torch.allclose(
        probabilities(net_of(network, NAMES, PLAIN), [image], 96)[0][inner],
        softmax(network, image)[inner],
        atol=1e-5,
    )


@pytest.mark.parametrize("tile", [64, 96, 512])
@pytest.mark.parametrize("length", [1, 64, 65, 511, 513, 2000])
def test_the_weights_of_all_tiles_sum_to_one(length: int, tile: int) -> None:
    total = np.zeros(length)
    found = cuts(length, tile)
    for cut in found:
        assert cut.start <= cut.first < cut.last <= cut.start + tile
        assert (cut.start - found[0].start) % PHASE == 0
        total[cut.first : cut.last] += cut.weight
    assert np.allclose(total, 1, atol=1e-6)


def test_the_border_is_mirrored_about_its_edge_pixel() -> None:
    assert reflected(-3, 9, 3).tolist() == np.pad(np.arange(3), 3, mode="reflect").tolist()
    assert reflected(-2, 4, 1).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("tile", [0, 32, 100, 1 << 15])
def test_a_tile_that_does_not_fit_the_poolings_is_refused(tile: int) -> None:
    with pytest.raises(UsageError, match="--tile"):
        tiles.check_tile(tile)


def bright(border: float) -> Callable[[Tensor], Tensor]:
    """Class 1 where the image is brighter than *border*."""

    def run(images: Tensor, places: Any = ()) -> Tensor:
        gray = images.mean(1, keepdim=True)
        return torch.cat([border - gray, gray - border], 1) * 40

    return run


def options(net: Net) -> Options:
    return Options(net, 512, "none", None, Style(0), 2, False)


@pytest.mark.parametrize("size", [(96, 121), (121, 57), (31, 200), (64, 64), (1, 9)])
@pytest.mark.parametrize(
    ("scale", "stretch"), [(None, False), (None, True), (0.5, False), (1.0, False)]
)
def test_a_marker_comes_back_to_a_pixel_at_the_images_own_size(
    size: tuple[int, int], scale: float | None, stretch: bool
) -> None:
    height, width = size
    image = np.zeros((height, width, 3), np.uint8)
    top, bottom, left, right = height // 4, 3 * height // 4, width // 3, 2 * width // 3
    image[top:bottom, left:right] = 255
    view = InputSpec(64, scale, PLAIN.mean, PLAIN.std, stretch)
    given = options(Net(NAMES, view, bright(0.5)))
    mask, _ = given.masked(given.parts([image])[0], image)
    assert mask.shape == size
    slack = max(1, round(max(size) / 64)) if scale is None else 1  # one pixel of the letterbox
    sure, possible = np.zeros(size, bool), np.zeros(size, bool)
    sure[top + slack : bottom - slack, left + slack : right - slack] = True
    possible[max(0, top - slack) : bottom + slack, max(0, left - slack) : right + slack] = True
    assert mask[sure].all()
    assert not mask[~possible].any()


def test_the_bars_of_a_letterbox_are_cut_before_anything_is_decided() -> None:
    view = InputSpec(64, None, PLAIN.mean, PLAIN.std)
    net = Net(NAMES, view, bright(0.45))  # the gray of the bars counts as class 1
    for size in ((40, 111), (111, 40)):
        image = np.zeros((*size, 3), np.uint8)
        _, found = options(net).masked(options(net).parts([image])[0], image)
        assert found.shape == (2, *size)
        assert float(found[1].max()) < 0.01


def test_one_logit_is_the_second_of_two_classes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = models.build("unet", 3, 1, base=2).eval()
    net = net_of(network, ("vessel",), PLAIN)
    assert net.classes == ("_background_", "vessel")
    found = probabilities(net, [noise(64, 64)], 64)[0]
    with torch.inference_mode():
        logit = network(
            torch.from_numpy(noise(64, 64).astype(np.float32) / 255).permute(2, 0, 1)[None]
        )[0, 0]
    assert torch.allclose(found[1], torch.sigmoid(logit), atol=1e-5)
    save(
        tmp_path / "one.pt",
        Checkpoint("unet", {"base": 2}, ("vessel",), PLAIN, network.state_dict()),
    )
    middle = float(found[1].median())
    from PIL import Image

    Image.fromarray(noise(64, 64)).save(tmp_path / "a.png")
    made = predict(tmp_path / "one.pt", tmp_path / "a.png", tmp_path / "out", threshold=middle)
    assert made.pixels[1] == pytest.approx(2048, abs=40)


@pytest.mark.parametrize(
    ("arch", "options", "tile"),
    [
        ("unet", {"base": 4}, 320),
        ("unet", {"base": 4, "bilinear": False}, 320),
        ("mini-unet", {"base": 8}, 320),
        ("unetpp", {"base": 2}, 320),
        ("vgg-unet", {"base": 8}, 384),
        ("mobilenet-unet", {"base": 4, "full": False}, 448),
    ],
)
def test_tiles_give_the_logits_of_the_whole_image(
    arch: str, options: dict[str, Any], tile: int
) -> None:
    torch.manual_seed(0)
    network = models.build(arch, 3, 2, **options)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, 1.0, 0.3)
    net = tiles.net_of(network.eval(), ("a", "b"), InputSpec(64, 1.0, (0.5,) * 3, (0.25,) * 3))
    image = noise(22, 29).repeat(24, 0).repeat(24, 1)[:500]  # hard seams
    whole = tiles.logits(net, [image])[0]
    tiled = tiles.logits(net, [image], tile, batch=3)[0]
    assert not tiles.shortened(net, image.shape[:2], tile)
    assert (whole - tiled).abs().max() < 1e-5 * whole.abs().max()
    margins = whole[1] - whole[0], tiled[1] - tiled[0]
    middle = margins[0].median()  # so that both classes win somewhere
    certain = (margins[0] - middle).abs() > 1e-4 * margins[0].std()
    assert torch.equal((margins[0] > middle)[certain], (margins[1] > middle)[certain])
    assert float(certain.float().mean()) > 0.9


def test_a_whole_image_and_tiles_of_its_size_do_not_run_at_once() -> None:
    network = models.build("unet", 3, 2, base=4).eval()
    net = tiles.net_of(network, ("a", "b"), InputSpec(64, 1.0, (0.5,) * 3, (0.25,) * 3))
    small, large = noise(320, 320), noise(320, 608)
    together = tiles.logits(net, [small, large], 320, batch=4)
    apart = [tiles.logits(net, [image], 320)[0] for image in (small, large)]
    for one, other in zip(together, apart, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_a_network_that_looks_far_gets_larger_tiles() -> None:
    spec = InputSpec(64, 1.0, (0.5,) * 3, (0.25,) * 3)
    network = models.build("unet", 3, 2, base=2).eval()
    near = tiles.net_of(network, ("a", "b"), spec)
    far = replace(near, reach=lambda: 317)
    for net, side in ((near, 1024), (far, 1280)):
        assert tiles._side(net, 1024, 1024, None) == 0
        assert tiles._side(replace(net, room=lambda: 0), 2048, 2048, None) == side


class Pooled(nn.Module):
    """A network that looks at the mean of everything."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :2] - images.mean((2, 3), keepdim=True)[:, :2]


def test_how_far_networks_look() -> None:
    assert reach(nn.Conv2d(3, 2, 1), 3) == 0
    assert reach(nn.Conv2d(3, 2, 33, padding=16), 3) == 16
    assert reach(Pooled(), 3) is None
    # 2 convolutions at 1, 1/2, and 1/4, 2 at 1/2 and at 1: at least what they add up to
    assert reach(models.build("mini-unet", 3, 2, base=2), 3) in range(2 + 4 + 8 + 4 + 2, 32)


def test_tiles_that_are_too_small_for_the_network_are_told(tmp_path: Path) -> None:
    spec = InputSpec(64, 1.0, (0.5,) * 3, (0.25,) * 3)
    save(
        tmp_path / "c.pt",
        Checkpoint(
            "unet", {"base": 2}, NAMES, spec, models.build("unet", 3, 2, base=2).state_dict()
        ),
    )
    Image.fromarray(noise(200, 380)).save(tmp_path / "a.png")
    small = predict(tmp_path / "c.pt", tmp_path / "a.png", tmp_path / "small", tile=96)
    assert [note.code for note in small.notes] == ["tiles-differ"]
    for name, tile in (("large", 320), ("whole", None)):
        assert not predict(tmp_path / "c.pt", tmp_path / "a.png", tmp_path / name, tile=tile).notes
