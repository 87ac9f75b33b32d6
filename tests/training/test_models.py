"""Every network: its published size, any image size, and that it learns."""

import pytest

torch = pytest.importorskip("torch")

from segprep.errors import UsageError
from segprep.training import models

SMALL = {
    "fcn32s": {"base": 8, "wide": 32},
    "fcn8s": {"base": 8},
    "mini-unet": {"base": 8},
    "mobilenet-unet": {"base": 8},
    "resnet-unet": {"base": 4},
    "unet": {"base": 8},
    "unet-keras": {"base": 4},
    "unet-paper": {"base": 4, "dropout": 0.0},
    "unet-reflect": {"base": 4},
    "unetpp": {"base": 4},
    "vgg-unet": {"base": 8},
}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("name", "preset"),
    [(name, preset) for name in models.names() for preset in models.presets(name)],
)
def test_published_size(name, preset):
    known = models.presets(name)[preset]
    with torch.device("meta"):
        assert (
            models.parameters(models.build(name, known.in_channels, known.classes, preset))
            == known.parameters
        )


@pytest.mark.parametrize("name", models.names())
def test_every_network_has_a_small_variant_here(name):
    assert name in SMALL


def listed(out):
    return out if isinstance(out, list) else [out]


@pytest.mark.parametrize("size", [(1, 1), (33, 47), (64, 35)])
@pytest.mark.parametrize("name", models.names())
def test_any_size(name, size):
    for channels, classes, count in ((1, 1, 1), (4, 5, 2)):
        network = models.build(name, channels, classes, **SMALL[name])
        heads = listed(network(torch.rand(count, channels, *size)))
        assert all(head.shape == (count, classes, *size) for head in heads)
        sum(head.square().mean() for head in heads).backward()
        assert all(
            one.grad is not None and torch.isfinite(one.grad).all() for one in network.parameters()
        )
        assert network.eval()(torch.rand(count, channels, *size)).shape == (count, classes, *size)


def generated(count=4, scale=1):
    """Bright squares on dark noise: images (N, 3, H, W) and their masks (N, H, W), of 32 x 32 times
    *scale*.
    """
    masks = torch.zeros(count, 32, 32, dtype=torch.long)
    for n in range(count):
        masks[n, 4 + 2 * n : 18 + 2 * n, 6 : 22 - n] = 1
    masks = masks.repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    return masks[:, None] * 0.8 + 0.2 * torch.rand(count, 3, 32 * scale, 32 * scale), masks


@pytest.mark.parametrize("name", models.names())
def test_learns(name):
    images, masks = generated(scale=5 if name == "fcn32s" else 1)  # it sees one place in 32
    network = models.build(name, 3, 2, **SMALL[name])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    losses = []
    for _ in range(60):
        heads = listed(network(images))
        loss = sum(torch.nn.functional.cross_entropy(head, masks) for head in heads) / len(heads)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
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
        parts = [
            [network.tile(image[..., y : y + 204, x : x + 204]) for x in (0, 16)] for y in (0, 16)
        ]  # 20 x 20 each
    rows = [torch.cat([left[..., :16], right], dim=3) for left, right in parts]
    joined = torch.cat([rows[0][..., :16, :], rows[1]], dim=2)
    assert torch.allclose(joined, whole, atol=1e-5)


@pytest.mark.parametrize("classes", [1, 5])
def test_pruning_keeps_the_head(classes):
    """Each pruned network gives what the full one's head of that depth gives."""
    network = models.build("unetpp", 3, classes, base=4)
    network(torch.rand(4, 3, 32, 32))  # statistics other than the first ones
    images = torch.rand(2, 3, 33, 50)
    with torch.no_grad():
        heads = network.eval().every_head(images)
        assert torch.equal(network(images), heads[-1])
        for depth in (1, 2, 3, 4):
            pruned = models.load("unetpp").prune(network, depth)
            assert torch.allclose(pruned(images), heads[depth - 1], atol=1e-6)
    plain = {"base": 4, "deep": False}
    for wrong, depth in (
        (models.build("unet", 3, 1, base=4), 2),
        (models.build("unetpp", 3, 1, **plain), 2),
        (models.build("unetpp", 3, 1, nested=False, **plain), 4),
    ):
        with pytest.raises(UsageError, match=f"no head at depth {depth}"):
            models.load("unetpp").prune(wrong, depth)


def test_pruned_sizes_are_the_published_ones():
    with torch.device("meta"):
        full = models.build("unetpp", 3, 1)
        sizes = [
            models.parameters(models.load("unetpp").prune(full, depth)) for depth in (1, 2, 3, 4)
        ]
    assert sizes == [103_041, 519_105, 2_236_161, 9_163_329]


def test_unetpp_nodes_have_the_published_shapes():
    network, shapes = models.build("unetpp", 3, 1).eval(), {}
    for name, node in network.nodes.items():
        node.register_forward_hook(
            lambda module, inputs, out, name=name: shapes.update({name: tuple(out.shape[1:])})
        )
    with torch.no_grad():
        network(torch.rand(1, 3, 96, 96))
    assert [shapes[key] for key in ("0_0", "1_0", "2_0", "1_1", "0_1", "0_2")] == [
        (32, 96, 96),
        (64, 48, 48),
        (128, 24, 24),
        (64, 48, 48),
        (32, 96, 96),
        (32, 96, 96),
    ]


def test_the_other_published_sizes():
    def size(*arguments, **options):
        with torch.device("meta"):
            return models.build(*arguments, **options)

    assert models.parameters(size("mini-unet", 3, 2)) == 471_586
    assert models.parameters(size("vgg-unet", 3, 2)) == 24_891_202
    assert models.parameters(size("unet", 3, 2, base=64, bilinear=False)) == 31_037_698
    fcn = size("fcn8s", 3, 3)
    assert (
        models.parameters(fcn.encoder),
        models.parameters(fcn) - models.parameters(fcn.encoder),
    ) == (14_714_688, 11_655_383)
    for preset, published in (
        ("full", 6.50),
        ("half", 6.32),
    ):  # Keras counts running means and variances
        network = size("mobilenet-unet", 3, 2, preset)
        statistics = sum(one.numel() for one in network.buffers() if one.dim())
        assert round((models.parameters(network) + statistics) / 1e6, 2) == published


@pytest.mark.parametrize(
    ("name", "channels", "scales"),
    [
        ("vgg-unet", (8, 16, 32, 64, 64), (1, 2, 4, 8, 16)),
        ("resnet-unet", (8, 32, 64, 128, 256), (2, 4, 8, 16, 32)),
        ("mobilenet-unet", (16, 32, 64, 128), (2, 4, 8, 16)),
    ],
)
def test_backbones_give_maps_of_the_published_scales(name, channels, scales):
    with torch.no_grad():
        maps = models.build(name, 3, 2, base=8).eval().encoder(torch.rand(1, 3, 64, 96))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (c, 64 // s, 96 // s) for c, s in zip(channels, scales, strict=True)
    ]


def test_the_tutorials_dead_layer_is_optional_and_not_the_default():
    """With the two ReLU channels dead the tutorial's network is constant and cannot learn; the
    leaking one still can.
    """
    images = torch.rand(1, 1, 16, 16)
    gradients = {}
    for head in ("relu", "leaky"):
        network = models.build("unet-keras", 1, 1, base=2, head=head)
        torch.nn.init.constant_(network.head[0].bias, -1e3)
        network(images).mean().backward()
        gradients[head] = float(network.head[0].weight.grad.abs().sum())
    assert gradients["relu"] == 0 < gradients["leaky"]
    assert len(models.build("unet-keras", 1, 1, base=2, head="none").head) == 1


def test_fcn_adds_what_it_joins():
    """VGG16's maps enter by a sum: adding to one of them is adding to what comes from below."""
    network = models.build("fcn8s", 3, 2, base=4).eval()
    assert [one[2].in_channels for one in network.up] == [
        32,
        32,
        16,
        8,
    ]  # a concatenation would have needed twice as many


def test_unknown_names_are_answered():
    for call in (
        lambda: models.load("unet-papr"),
        lambda: models.build("unet", 3, 2, "base23"),
        lambda: models.build("unet", 5, 2),
        lambda: models.build("unet", 3, 0),
        lambda: models.build("unet", 3, 2, bilinea=True),
        lambda: models.build("unet", 3, 2, base=0),
        lambda: models.build("unet", 3, 2, base="64"),
        lambda: models.build("unet", 3, 2, bilinear=1),
        lambda: models.build("unet-paper", 3, 2, dropout=1.0),
        lambda: models.build("unet-keras", 3, 2, head="sigmoid"),
        lambda: models.build("unetpp", 3, 2, depth=5),
        lambda: models.build("unetpp", 3, 2, nested=False),
        lambda: models.build("unet", 3, 256),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.code in ("unknown-model", "bad-option")
    with pytest.raises(UsageError, match="no model") as caught:
        models.load("unet-papr")
    assert caught.value.hint.startswith("did you mean unet-paper? there are: ")


PUBLISHED = {
    ("unet", "base32"): 4_318_434,
    ("unet", "base64"): 17_263_042,
    ("unet", "transposed"): 7_763_074,
    ("unet-paper", "paper"): 31_030_658,
    ("unet-keras", "membrane"): 31_031_685,
    ("unetpp", "plain"): 9_163_329,
    ("unetpp", "deep"): 9_163_428,
    ("unetpp", "l1"): 103_041,
    ("unetpp", "l2"): 519_105,
    ("unetpp", "l3"): 2_236_161,
    ("vgg-unet", "vgg16"): 24_892_437,
    ("resnet-unet", "resnet50"): 43_934_101,
    ("mini-unet", "mini"): 472_213,
    ("unet-reflect", "reflect"): 32_085_699,
    ("fcn8s", "pet"): 26_370_071,
}


def test_the_command_lists_them(capsys):
    """One JSON document, the published sizes, every key; --classes recounts."""
    import json

    from segprep_cli.models import command

    command.main(["--json"], standalone_mode=False)
    rows = json.loads(capsys.readouterr().out)
    assert {
        (row["name"], row["preset"]): row["parameters"] for row in rows
    }.items() >= PUBLISHED.items()
    assert {row["name"] for row in rows} == set(models.names())
    assert all(
        list(row) == ["name", "preset", "classes", "in_channels", "parameters", "source"]
        for row in rows
    )
    command.main(["--json", "--classes", "3"], standalone_mode=False)
    rows = json.loads(capsys.readouterr().out)
    assert {row["classes"] for row in rows} == {3}
    assert (
        next(row for row in rows if row["name"] == "vgg-unet")["parameters"] == 24_892_437 - 18 * 65
    )
    command.main([], standalone_mode=False)
    assert "43,934,101" in capsys.readouterr().out


def test_counting_allocates_nothing():
    """The largest network alone would take 537 MB."""
    pytest.importorskip("resource")
    import subprocess
    import sys

    code = (
        "import resource, segprep.training.models as m; peak = lambda:"
        " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; before = peak();"
        " m.models();print((peak() - before) / (1 << 20 if __import__('sys').platform == 'darwin'"
        " else 1 << 10))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 200


@pytest.mark.parametrize("bilinear", [True, False])
@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("join", ["concat", "sum"])
def test_a_unet_sums_or_concatenates_with_or_without_normalization(
    join: str, norm: bool, bilinear: bool
) -> None:
    options = {"base": 4, "bilinear": bilinear}
    network = models.build("unet", 3, 2, **options, norm=norm, join=join)
    usual = dict(models.build("unet", 3, 2, **options).named_parameters())
    assert network(torch.rand(2, 3, 40, 33)).shape == (2, 2, 40, 33)
    layers = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert len(layers) == (18 if norm else 0)
    for n, width in enumerate((32, 16, 8, 4)):
        first = network.up[n].join[0].weight
        assert first.shape[1] == (width if join == "sum" else 2 * width)
        assert (first.shape == usual[f"up.{n}.join.0.weight"].shape) == (join == "concat")
    assert (network.up[0].join[0].bias is None) == norm
