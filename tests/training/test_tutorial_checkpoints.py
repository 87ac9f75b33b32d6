"""Checkpoints of tutorials: other names of the same layers, the same output."""

import pytest

torch = pytest.importorskip("torch")
from training.weights import saved

from segprep.train_config import Config
from segprep.training import models, pretrained
from segprep.training.trainer.network import load_weights


class Tutorial(torch.nn.Module):
    """pytorch_segmentation's U-Net by its description, under its names: pairs of convolutions with
    batch normalization, four poolings, bilinear enlargement, a 1x1 convolution.
    """

    def __init__(self, width):
        super().__init__()
        nn = torch.nn

        def pair(start, middle, end):
            layers = []
            for a, b in ((start, middle), (middle, end)):
                layers += [nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
            return nn.Sequential(*layers)

        self.in_conv = pair(3, width, width)
        widths = [width, 2 * width, 4 * width, 8 * width, 8 * width]
        for n in range(1, 5):
            a, b = widths[n - 1], widths[n]
            setattr(self, f"down{n}", nn.Sequential(nn.MaxPool2d(2), pair(a, b, b)))
            joined = 2 * widths[4 - n]
            up = nn.Module()
            end = widths[3 - n] if n < 4 else width
            up.conv = pair(joined, joined // 2, end)
            setattr(self, f"up{n}", up)
        self.out_conv = nn.Sequential(nn.Conv2d(width, 2, 1))

    def forward(self, images):
        seen = [self.in_conv(images)]
        for n in range(1, 5):
            seen.append(getattr(self, f"down{n}")(seen[-1]))
        features = seen.pop()
        for n in range(1, 5):
            large = torch.nn.functional.interpolate(
                features, scale_factor=2, mode="bilinear", align_corners=True
            )
            features = getattr(self, f"up{n}").conv(torch.cat([seen.pop(), large], 1))
        return self.out_conv(features)


def test_a_whole_checkpoint_of_a_tutorial_gives_what_its_network_gives(tmp_path):
    """With optimizer and command line beside it, as that tutorial saves best_model.pth."""
    import argparse

    torch.manual_seed(1)
    theirs = Tutorial(4).eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    path = saved(
        tmp_path / "best_model.pth",
        {"model": theirs.state_dict(), "epoch": 3, "args": argparse.Namespace(lr=0.01)},
    )
    ours = models.build("unet", 3, 2, base=4).eval()
    report = load_weights(ours, Config(weights=str(path)))
    assert (len(report.missed), len(report.unexpected), len(report.reshaped)) == (0, 0, 0)
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(ours(images), theirs(images), atol=1e-5)


def renamed(network, pairs):
    """The weights of *network* under a tutorial's names."""
    import re

    out = {}
    for name, tensor in network.state_dict().items():
        for pattern, theirs in pairs:
            if re.match(pattern, name):
                out[re.sub(pattern, theirs, name, count=1)] = torch.rand_like(tensor.float())
                break
        else:
            raise AssertionError(name)
    return out


CONCATENATED = (
    (r"encoder\.", "backbone."),
    (r"up(\d)\.convolve\.0", r"up_concat\1.conv1"),
    (r"up(\d)\.convolve\.2", r"up_concat\1.conv2"),
    (r"full\.1\.0\.", "up_conv.1."),
    (r"full\.1\.2\.", "up_conv.3."),
    (r"head\.", "final."),
)


NESTED = (
    (r"nodes\.(\d_\d)\.0", r"conv\1.conv1"),
    (r"nodes\.(\d_\d)\.1", r"conv\1.bn1"),
    (r"nodes\.(\d_\d)\.3", r"conv\1.conv2"),
    (r"nodes\.(\d_\d)\.4", r"conv\1.bn2"),
)


DOUBLE = (
    (r"first\.", "inc.double_conv."),
    (r"last\.", "outc.conv."),
    *((rf"down\.{n}\.", f"down{n + 1}.maxpool_conv.1.double_conv.") for n in range(4)),
    *((rf"up\.{n}\.enlarge\.", f"up{n + 1}.up.") for n in range(4)),
    *((rf"up\.{n}\.join\.", f"up{n + 1}.conv.double_conv.") for n in range(4)),
)


@pytest.mark.parametrize(
    ("arch", "options", "pairs"),
    [
        ("vgg-unet", {"base": 2}, CONCATENATED),
        ("resnet-unet", {"base": 2}, CONCATENATED),
        ("unetpp", {"base": 2}, (*NESTED, (r"heads\.(\d)", r"final\1"))),
        ("unetpp", {"base": 2, "deep": False}, (*NESTED, (r"heads\.4", "final"))),
        ("unet", {"base": 2, "bilinear": False}, DOUBLE),
    ],
)
def test_the_names_of_the_tutorials_checkpoints(arch, options, pairs):
    network = models.build(arch, 3, 2, **options)
    theirs = renamed(network, pairs)
    report = pretrained.load(network, theirs)
    assert (report.missed, report.unexpected, report.reshaped) == ((), (), ())
    wanted = {float(tensor.sum()) for tensor in theirs.values() if tensor.ndim}
    assert wanted == {float(t.sum()) for t in network.state_dict().values() if t.ndim}
    assert "0 missed, 0 of another shape, 0 left over" in str(report)
