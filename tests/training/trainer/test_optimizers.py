"""Each optimizer's first two steps by hand; what is frozen stays; a training is the plain loop that
anyone would write.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from segprep import train
from segprep.dataset.tree import Tree
from segprep.errors import UsageError
from segprep.train_config import Config
from segprep.training import checkpoints, models
from segprep.training.augmentation.windows import Windows
from segprep.training.data.pairs import InputSpec, moments, read_pair
from segprep.training.losses import cross_entropy
from segprep.training.trainer import optimizers, schedules


def make(name: str, weights: list[nn.Parameter], **given: Any) -> torch.optim.Optimizer:
    config = Config(optimizer=name, lr=0.1, **{"weight_decay": 0.0, **given})
    return optimizers.make(config, weights)


def after(name: str, gradients: list[float], **given: float) -> float:
    """A weight that starts at 1, after steps with these gradients and the learning rate 0.1."""
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = make(name, [weight], **given)
    for gradient in gradients:
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
    return float(weight.detach())


def test_two_steps_by_hand() -> None:
    assert after("sgd", [1.0, 2.0], momentum=0.0) == pytest.approx(1 - 0.1 - 0.2)
    assert after("sgd", [1.0, 2.0], momentum=0.9) == pytest.approx(
        1 - 0.1 * 1 - 0.1 * (0.9 * 1 + 2)
    )
    assert after("sgd", [1.0, 2.0], momentum=0.9, nesterov=True) == pytest.approx(
        1 - 0.1 * (1 + 0.9 * 1) - 0.1 * (2 + 0.9 * (0.9 * 1 + 2))
    )
    assert after("sgd", [0.0], momentum=0.0, weight_decay=0.5) == pytest.approx(1 - 0.1 * 0.5)
    assert after("adam", [3.0]) == pytest.approx(
        1 - 0.1, rel=1e-6
    )  # the first step is lr, whatever the gradient
    m, v = 0.9 * (0.1 * 3) + 0.1 * -1, 0.999 * (0.001 * 9) + 0.001 * 1
    assert after("adam", [3.0, -1.0]) == pytest.approx(
        1 - 0.1 - 0.1 * (m / (1 - 0.9**2)) / (v / (1 - 0.999**2)) ** 0.5, rel=1e-6
    )
    assert after("adamw", [0.0], weight_decay=0.5) == pytest.approx(
        1 - 0.1 * 0.5
    )  # the weight itself shrinks
    assert after("adam", [0.0], weight_decay=0.5) == pytest.approx(
        1 - 0.1, rel=1e-5
    )  # the decay is a gradient like any other
    assert after("rmsprop", [2.0], momentum=0.0) == pytest.approx(
        1 - 0.1 * 2 / (0.01 * 4) ** 0.5, abs=1e-6
    )


def test_what_has_no_gradient_is_left_alone() -> None:
    for name in optimizers.OPTIMIZERS:
        held, free = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
        optimizer = make(name, [held, free], weight_decay=0.5)
        free.grad = torch.ones(1)
        optimizer.step()
        assert float(held.detach()) == 1.0
        assert float(free.detach()) != 1.0


def test_wrong_ones_are_refused() -> None:
    for name, given, hint in (
        ("adamm", {}, "did you mean adam"),
        ("adam", {"nesterov": True}, "sgd"),
        ("sgd", {"nesterov": True, "momentum": 0.0}, "momentum"),
    ):
        with pytest.raises(UsageError) as error:
            make(name, [nn.Parameter(torch.ones(1))], **given)
        assert hint in error.value.hint


def test_a_training_is_the_plain_loop(discs: Callable[..., Path]) -> None:
    """Six steps written out: same windows, same loss, clipped, a rate from the schedule before
    each. Every weight is equal to the last bit.
    """
    root = discs(8)
    given = {
        "size": 32,
        "batch": 2,
        "epochs": 2,
        "optimizer": "sgd",
        "lr": 0.05,
        "weight_decay": 1e-3,
        "schedule": "polynomial",
        "warm_up": 1.0,
        "loss": "ce",
    }
    found = train(
        root,
        options={"base": 4},
        seed=7,
        clip=0.5,
        channels_last=False,
        tensorboard=False,
        device="cpu",
        **given,
    )

    torch.manual_seed(7)
    network = models.build("unet", 3, 2, base=4)
    pairs = [read_pair(Tree(root), f"i{n}", 2) for n in range(6)]
    windows = Windows(pairs, InputSpec(32, 1.0, *moments(pairs)), 7)
    optimizer = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9, weight_decay=1e-3)
    config = Config(schedule="polynomial", lr=0.05, warm_up=1.0)
    schedule, losses = schedules.make(config, 2, 3), []
    network.train()
    for step in range(6):
        optimizer.param_groups[0]["lr"] = schedule.rate(step)
        samples = [windows[2 * step], windows[2 * step + 1]]
        loss = cross_entropy(
            network(torch.stack([one for one, _ in samples])),
            torch.stack([truth for _, truth in samples]),
        )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimizer.step()
        losses.append(float(loss.detach()))
    learned = checkpoints.read(found.out / "last.pt")["weights"]
    assert all(torch.equal(one, learned[name]) for name, one in network.state_dict().items())
    assert [entry.loss for entry in found.history] == pytest.approx(
        [sum(losses[:3]) / 3, sum(losses[3:]) / 3]
    )
    assert [entry.lr for entry in found.history] == [schedule.rate(2), schedule.rate(5)]
