"""The layers of a network against PyTorch's own count of operations."""

import pytest

torch = pytest.importorskip("torch")

from click.testing import CliRunner
from segprep_cli.main import group
from torch.utils.flop_counter import FlopCounterMode

from segprep.errors import UsageError
from segprep.training import models


@pytest.mark.parametrize("name", ["unet", "unet-paper", "vgg-unet", "mobilenet-unet", "fcn8s"])
def test_multiplications_are_half_of_pytorchs_operations(name: str) -> None:
    """PyTorch counts a multiplication and an addition each."""
    preset = next(iter(models.presets(name).values()))
    with torch.device("meta"):
        network = models.build(
            name, preset.in_channels, preset.classes, next(iter(models.presets(name)))
        )
        images = torch.empty(1, preset.in_channels, 96, 96)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network.eval()(images)
    found = models.layers(name, size=96)
    assert 2 * sum(layer.multiplications for layer in found) == counter.get_total_flops()
    assert sum(layer.parameters for layer in found) == preset.parameters


def test_the_first_layer_by_hand() -> None:
    first = models.layers("unet", "base32", size=64)[0]
    assert (first.kind, first.shape) == ("Conv2d", (32, 64, 64))
    assert first.parameters == 3 * 32 * 9
    assert first.multiplications == 64 * 64 * 32 * 3 * 9


def test_the_command() -> None:
    shown = CliRunner().invoke(group, ["models", "unet", "--preset", "base32", "--size", "480"])
    assert shown.exit_code == 0, shown.output
    assert "4,318,434 parameters" in shown.stdout
    with pytest.raises(UsageError, match="no preset"):
        models.layers("unet", "huge")
    assert CliRunner().invoke(group, ["models", "--preset", "base32"]).exit_code == 2
