"""Losses against numbers worked out by hand; ignored pixels count nowhere."""

import math

import pytest
import torch

from segprep.training.check.loss import combined, cross_entropy, dice


def perfect(truth: torch.Tensor, classes: int) -> torch.Tensor:
    return (
        torch.nn.functional.one_hot(truth.clamp(max=classes - 1), classes)
        .permute(0, 3, 1, 2)
        .float()
    )


def test_a_perfect_prediction_with_a_quarter_ignored_has_no_dice_loss() -> None:
    truth = torch.randint(0, 3, (2, 16, 16), generator=torch.Generator().manual_seed(0))
    probabilities = perfect(truth, 3)
    truth[:, :4] = 255
    assert float(dice(probabilities, truth)) == 0.0


def test_what_is_predicted_on_ignored_pixels_does_not_matter() -> None:
    generator = torch.Generator().manual_seed(1)
    truth = torch.randint(0, 2, (1, 8, 8), generator=generator)
    truth[0, 2:4] = 255
    logits = torch.randn(1, 2, 8, 8, generator=generator)
    changed = logits.clone()
    changed[:, :, 2:4] = 50 * torch.randn(1, 2, 2, 8, generator=generator)
    assert torch.allclose(combined(logits, truth), combined(changed, truth))


def test_uniform_logits_cost_the_logarithm_of_the_classes() -> None:
    assert float(
        cross_entropy(torch.zeros(1, 5, 4, 4), torch.zeros(1, 4, 4, dtype=torch.int64))
    ) == pytest.approx(math.log(5))


def test_dice_by_hand() -> None:
    truth = torch.tensor([[[0, 0, 1, 1]]])
    probabilities = perfect(torch.tensor([[[0, 1, 1, 1]]]), 2)
    # class 0: 2*1/(1+2), class 1: 2*2/(3+2), without smoothing
    assert float(dice(probabilities, truth, 0.0)) == pytest.approx(1 - (2 / 3 + 4 / 5) / 2)


def test_everything_ignored_gives_zero_and_a_finite_gradient() -> None:
    logits = torch.randn(1, 2, 4, 4, requires_grad=True)
    loss = combined(logits, torch.full((1, 4, 4), 255))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert logits.grad is not None
    assert torch.equal(logits.grad, torch.zeros_like(logits))
