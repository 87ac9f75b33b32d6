"""Every network: its published size, any image size, and that it learns."""

import pytest

torch = pytest.importorskip("torch")

from segprep.errors import UsageError  # noqa: E402
from segprep.training import models  # noqa: E402

SMALL = {
    "mini-unet": {"base": 4}, "resnet-unet": {"base": 4}, "unet": {"base": 8}, "unet-paper": {"base": 2}, "vgg-unet": {"base": 4},
}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("name", "preset"), [(name, preset) for name in models.names() for preset in models.presets(name)])
def test_published_size(name, preset):
    known = models.presets(name)[preset]
    with torch.device("meta"):
        assert models.parameters(models.build(name, known.in_channels, known.classes, preset)) == known.parameters


@pytest.mark.parametrize("name", models.names())
def test_every_network_has_a_small_variant_here(name):
    assert name in SMALL


@pytest.mark.parametrize("size", [(1, 1), (33, 47), (64, 35)])
@pytest.mark.parametrize("name", models.names())
def test_any_size(name, size):
    for channels, classes, count in ((1, 1, 1), (4, 5, 2)):
        network = models.build(name, channels, classes, **SMALL[name])
        out = network(torch.rand(count, channels, *size))
        last = out[-1] if isinstance(out, list) else out
        assert last.shape == (count, classes, *size)
        last.square().mean().backward()
        assert all(one.grad is not None and torch.isfinite(one.grad).all() for one in network.parameters())
        assert network.eval()(torch.rand(count, channels, *size)).shape == (count, classes, *size)


def generated(count=4, size=32):
    """Bright squares on dark noise: images (N, 3, H, W) and their masks (N, H, W)."""
    masks = torch.zeros(count, size, size, dtype=torch.long)
    for n in range(count):
        masks[n, 4 + 2 * n : 18 + 2 * n, 6 : 22 - n] = 1
    return masks[:, None] * 0.8 + 0.2 * torch.rand(count, 3, size, size), masks


@pytest.mark.parametrize("name", models.names())
def test_learns(name):
    images, masks = generated()
    network = models.build(name, 3, 2, **SMALL[name])
    optimiser = torch.optim.Adam(network.parameters(), lr=0.005)
    losses = []
    for _ in range(60):
        out = network(images)
        heads = out if isinstance(out, list) else [out]
        loss = sum(torch.nn.functional.cross_entropy(head, masks) for head in heads) / len(heads)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert min(losses[-5:]) < losses[0] / 2, losses


def test_the_paper_s_tiles():
    network = models.build("unet-paper", 1, 2, base=2).eval()
    assert network.tile(torch.rand(1, 1, 572, 572)).shape == (1, 2, 388, 388)
    assert network.tile(torch.rand(1, 1, 188, 204)).shape == (1, 2, 4, 20)
    with pytest.raises(UsageError) as caught:
        network.tile(torch.rand(1, 1, 189, 188))
    assert caught.value.code == "bad-option"
    assert "204" in caught.value.hint


def test_the_paper_s_tiles_are_the_whole():
    """Overlapping tiles of valid convolutions give what the whole image gives, up to rounding."""
    network, image = models.build("unet-paper", 1, 2, base=2).eval(), torch.rand(1, 1, 220, 220)
    with torch.no_grad():
        whole = network.tile(image)  # 36 x 36
        parts = [[network.tile(image[..., y : y + 204, x : x + 204]) for x in (0, 16)] for y in (0, 16)]  # 20 x 20 each
    rows = [torch.cat([left[..., :16], right], dim=3) for left, right in parts]
    joined = torch.cat([rows[0][..., :16, :], rows[1]], dim=2)
    assert torch.allclose(joined, whole, atol=1e-5)


def test_unknown_names_are_answered():
    for call in (
        lambda: models.load("unet-papr"), lambda: models.build("unet", 3, 2, "base23"), lambda: models.build("unet", 5, 2),
        lambda: models.build("unet", 3, 0), lambda: models.build("unet", 3, 2, bilinea=True),
    ):  # fmt: skip
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.code in ("unknown-model", "bad-option")
    with pytest.raises(UsageError, match="no network") as caught:
        models.load("unet-papr")
    assert caught.value.hint == "did you mean unet-paper?"
