"""The loop: resumed equals uninterrupted, best weights, explained failures."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from segprep.errors import SegprepError
from segprep.train_settings import make_config
from segprep.training import checkpoints
from segprep.training.augmentation.windows import Windows
from segprep.training.check.loop import Epoch, Training
from segprep.training.data.pairs import ImagePair, InputSpec
from segprep.training.models import unet

VIEW = InputSpec(32, 1.0, (0.4, 0.4, 0.4), (0.3, 0.3, 0.3))


def pairs() -> list[ImagePair]:
    rng = np.random.default_rng(2)
    return [
        ImagePair(
            f"{n}",
            rng.integers(0, 255, (40, 40, 3)).astype(np.uint8),
            rng.integers(0, 2, (40, 40)).astype(np.uint8),
            (40, 40),
        )
        for n in range(3)
    ]


def training(steps: int = 6, every: int = 2, validate: object = None, **settings: Any) -> Training:
    torch.manual_seed(0)
    score: Any = validate or (
        lambda network: (0.5, float(next(network.parameters()).detach().abs().mean()))
    )
    config = make_config({"batch": 2, "lr": 1e-3, **settings})
    return Training(unet.build(base=4), Windows(pairs(), VIEW, 0), config, steps, every, score)


def test_steps_and_epochs_come_in_order() -> None:
    records = list(training().run(6))
    assert [isinstance(record, Epoch) for record in records] == [False, False, True] * 3
    assert [record.step for record in records if isinstance(record, Epoch)] == [2, 4, 6]


def test_same_seed_same_numbers() -> None:
    one, two = training(), training()
    assert list(one.run(4)) == list(two.run(4))


def test_resumed_equals_uninterrupted(tmp_path: object) -> None:
    whole, first = training(), training()
    list(whole.run(6))
    list(first.run(4))
    path = tmp_path / "state.pt"  # type: ignore[operator]
    checkpoints.write(path, first.state())
    second = training()
    second.restore(checkpoints.read(path))
    list(second.run(6))
    assert second.history == whole.history
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name]), name
    assert whole.best is not None
    assert all(
        torch.equal(tensor, (second.best or {})[name]) for name, tensor in whole.best.items()
    )


def test_the_best_weights_are_kept() -> None:
    scores = iter([0.1, 0.9, 0.5, 0.4])
    run = training(8, 2, lambda network: (0.0, next(scores)))
    best = None
    for record in run.run(8):
        if isinstance(record, Epoch) and record.score == 0.9:
            best = {name: tensor.clone() for name, tensor in run.average.state_dict().items()}
    assert best is not None
    assert run.best is not None
    assert all(torch.equal(best[name], run.best[name]) for name in best)


def test_the_rate_warms_up_and_falls() -> None:
    schedule = training(100, lr=1.0).schedule
    rates = [schedule.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] < 0.02
    assert all(a >= b for a, b in pairwise(rates[5:]))


def test_a_loss_that_is_no_number_ends_with_a_code() -> None:
    run = training()
    with torch.no_grad():
        next(run.network.parameters()).fill_(float("nan"))
    with pytest.raises(SegprepError) as caught:
        list(run.run(2))
    assert caught.value.code == "loss-nan"


def test_memory_that_runs_out_is_explained() -> None:
    run = training()

    class Greedy(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.empty(1 << 50, dtype=torch.float64)

    run.learner.forward = Greedy()
    with pytest.raises(SegprepError) as caught:
        list(run.run(1))
    assert caught.value.code == "out-of-memory"
    assert "smaller model" in caught.value.hint


def test_two_windows_of_the_least_size_pass_batch_normalization() -> None:
    assert [type(record) for record in training(1, 1, batch=1).run(1)] == [float, Epoch]
