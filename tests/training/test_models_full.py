"""Every network at its published size: a step at an odd size, and that it learns.

Minutes and gigabytes: ``make slow``.
"""

import os

import pytest

torch = pytest.importorskip("torch")

from segprep.training import models

pytestmark = pytest.mark.skipif(not os.environ.get("SEGPREP_SLOW"), reason="slow: make slow")


def squares(channels, side=96):
    """Bright squares on dark noise."""
    masks = torch.zeros(2, side, side, dtype=torch.long)
    masks[0, 8:60, 20:70], masks[1, 30:90, 5:50] = 1, 1
    return masks[:, None] * 0.8 + 0.2 * torch.rand(2, channels, side, side), masks


def loss_of(out, masks):
    heads = out if isinstance(out, list) else [out]
    each = (
        (
            torch.nn.functional.cross_entropy(one, masks)
            if one.shape[1] > 1
            else torch.nn.functional.binary_cross_entropy_with_logits(one[:, 0], masks.float())
        )
        for one in heads
    )
    return sum(each) / len(heads)


@pytest.mark.parametrize("name", models.names())
def test_full_size(name):
    torch.manual_seed(0)
    preset = next(iter(models.presets(name).values()))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = models.build(name, preset.in_channels, preset.classes).to(device)
    out = network(torch.rand(2, preset.in_channels, 67, 45, device=device))
    loss_of(out, torch.zeros(2, 67, 45, dtype=torch.long, device=device)).backward()
    assert all(
        one.grad is not None and torch.isfinite(one.grad).all() for one in network.parameters()
    )
    images, masks = (one.to(device) for one in squares(preset.in_channels))
    optimizer, losses = torch.optim.Adam(network.parameters(), lr=1e-4), []
    while len(losses) < 60 and (not losses or losses[-1] > losses[0] / 2):
        loss = loss_of(network(images), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] <= losses[0] / 2, losses
