"""What freezing holds, and that it leaves no trace."""

import pytest

torch = pytest.importorskip("torch")

from segprep.errors import SegprepError
from segprep.training import freezing, models


def trained(network, steps=2):
    optimizer = torch.optim.SGD([one for one in network.parameters() if one.requires_grad], lr=0.1)
    network.train()
    for _ in range(steps):
        optimizer.zero_grad()
        network(torch.rand(2, 3, 64, 64)).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("stages", [1, 3, None])
def test_freezing_holds_parameters_and_statistics(stages):
    torch.manual_seed(0)
    network = models.build("resnet-unet", 3, 2, base=2)
    names = freezing.freeze(network, stages)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trained(network)
    held = ("encoder.conv1", "encoder.bn1", *(f"encoder.layer{n}" for n in range(1, (stages or 5))))
    after = network.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before if name.startswith(held))
    assert all(name.startswith(held) for name in names)
    changed = {name for name in before if not torch.equal(after[name], before[name])}
    assert "up1.convolve.0.weight" in changed
    if stages:
        assert {
            "encoder.layer4.2.bn3.running_mean",
            "encoder.layer4.2.bn3.num_batches_tracked",
            "encoder.layer4.2.conv3.weight",
        } <= changed
    freezing.unfreeze(network)
    trained(network)
    assert not torch.equal(network.encoder.bn1.running_mean, before["encoder.bn1.running_mean"])
    assert not torch.equal(network.encoder.conv1.weight, before["encoder.conv1.weight"])


def test_freezing_what_cannot_be_frozen():
    with pytest.raises(SegprepError, match="no backbone") as caught:
        freezing.freeze(models.build("unet", 3, 2, base=2))
    assert (caught.value.code, bool(caught.value.hint)) == ("bad-option", True)
    with pytest.raises(SegprepError, match="5 stages, 6 cannot"):
        freezing.freeze(models.build("vgg-unet", 3, 2, base=2), 6)


def test_frozen_networks_are_saved_and_copied():
    """Freezing leaves no trace in the weights and survives a copy."""
    import copy

    network = models.build("mobilenet-unet", 3, 2, base=2)
    names = list(network.state_dict())
    freezing.freeze(network)
    assert list(network.state_dict()) == names
    other = copy.deepcopy(network).train()
    assert not other.encoder.bn1.training
    assert other.deep[2].training
