"""Every loss against values worked out by hand; ignored pixels count nowhere."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from segprep.errors import UsageError
from segprep.training import losses
from segprep.training.losses import (
    border_weights,
    lovasz,
)

LN3, A, B = (
    math.log(3),
    -math.log(0.75),
    -math.log(0.25),
)  # two pixels, both with probabilities .75 and .25, the first one right
LOGITS = torch.tensor([[[[LN3, LN3]], [[0.0, 0.0]]]])  # (1, 2, 1, 2)
TRUTH = torch.tensor([[[0, 1]]])
SINGLE = torch.tensor([[[[LN3, LN3]]]])  # the probability of class 1 is .75
BINARY = torch.tensor([[[1, 0]]])
WEIGHTS = torch.tensor([1.0, 2.0])


def near(value, wanted):
    value = value.item() if torch.is_tensor(value) else value
    assert math.isclose(value, wanted, rel_tol=1e-5), (value, wanted)


def test_cross_entropy():
    near(losses.cross_entropy(LOGITS, TRUTH), (A + B) / 2)
    near(losses.cross_entropy(LOGITS, TRUTH, WEIGHTS), (A + 2 * B) / 3)
    near(
        losses.cross_entropy(LOGITS, TRUTH, pixels=torch.tensor([[[9.23, 1.0]]])),
        (9.23 * A + B) / 2,
    )
    near(
        losses.cross_entropy(LOGITS, TRUTH, WEIGHTS, torch.full((1, 1, 2), 2.0)),
        2 * (A + 2 * B) / 3,
    )
    near(
        losses.cross_entropy(torch.zeros(1, 21, 4, 4), torch.zeros(1, 4, 4, dtype=torch.long)),
        math.log(21),
    )


def test_focal():
    first, second = 0.5 * 0.25**2 * A, 0.5 * 0.75**2 * B
    near(losses.focal(LOGITS, TRUTH), (first + second) / 2)
    near(losses.focal(LOGITS, TRUTH, WEIGHTS), (first + 2 * second) / 3)  # the weights are not in p
    near(
        losses.focal(LOGITS, TRUTH, WEIGHTS, alpha=1, gamma=0),
        float(losses.cross_entropy(LOGITS, TRUTH, WEIGHTS)),
    )


def test_dice():
    near(losses.dice_loss(LOGITS, TRUTH, smooth=0), 1 - (0.6 + 1 / 3) / 2)
    near(losses.dice_loss(LOGITS, TRUTH, smooth=0, weights=WEIGHTS), 1 - (0.6 + 2 / 3) / 3)
    twice = torch.cat([LOGITS, LOGITS.flip(1)]), torch.cat([TRUTH, torch.zeros_like(TRUTH)])
    # the second image has .25 for class 0 everywhere, which is all there is: Dice .4; class 1 is
    # predicted for nothing: 0
    near(
        losses.dice_loss(*twice, smooth=0, per_image=True, absent=True),
        1 - (0.6 + 1 / 3 + 2 * 0.5 / 2.5 + 0) / 4,
    )
    near(losses.dice_loss(*twice, smooth=0), 1 - (2 * 1.25 / (2 + 3) + 2 * 0.25 / (2 + 1)) / 2)


def test_a_class_that_is_nowhere_has_dice_one():
    logits = torch.tensor([[[[50.0]], [[-50.0]], [[-50.0]]]])
    truth = torch.zeros(1, 1, 1, dtype=torch.long)
    near(1 - losses.dice_loss(logits, truth, absent=True), 1)


def test_absent_classes_count_by_name_only():
    """21 classes of which 2 occur: what an unsure prediction costs."""
    logits, truth = torch.zeros(1, 21, 4, 4), torch.zeros(1, 4, 4, dtype=torch.long)
    truth[:, :2] = 1
    one = 2 * 8 / 21 / (8 + 16 / 21)
    near(losses.make("dice", 21)(logits, truth), 1 - one)
    assert losses.make("dice-all", 21)(logits, truth).item() == pytest.approx(
        1 - 2 * one / 21, abs=1e-4
    )
    assert losses.make("dice-image", 21)(logits, truth).item() == pytest.approx(
        1 - 2 * one / 21, abs=1e-4
    )
    ignored = torch.full_like(truth, 255)
    near(losses.make("dice", 21)(logits, ignored), 0)


def test_binary():
    near(losses.bce(SINGLE, BINARY), (A + B) / 2)
    near(losses.bce_dice(SINGLE, BINARY, smooth=0), 0.5 * (A + B) / 2 + 1 - 0.6)
    # of two channels each is against the rest; a logit of 0 loses ln 2
    near(losses.bce(LOGITS, TRUTH), (A + B + 2 * math.log(2)) / 4)
    near(losses.bce(LOGITS, TRUTH, WEIGHTS), (A + B + 2 * 2 * math.log(2)) / 6)


def test_lovasz():
    near(lovasz.lovasz_softmax(LOGITS, TRUTH), (0.5 + 0.75) / 2)
    near(lovasz.lovasz_hinge(SINGLE, BINARY), 0.5 * (1 + LN3))
    near(lovasz.lovasz_softmax(LOGITS, torch.zeros_like(TRUTH)), 0.25)  # class 1 does not occur


def test_lovasz_of_hard_predictions_is_the_jaccard_loss():
    torch.manual_seed(0)
    truth, found = torch.randint(0, 3, (2, 8, 8)), torch.randint(0, 3, (2, 8, 8))
    logits = 200.0 * torch.nn.functional.one_hot(found, 3).movedim(-1, 1)
    scores = [
        float(((truth == c) & (found == c)).sum() / ((truth == c) | (found == c)).sum())
        for c in range(3)
    ]
    near(lovasz.lovasz_softmax(logits, truth), 1 - sum(scores) / 3)


def test_lovasz_hinge_per_image():
    both = torch.cat([SINGLE, -SINGLE]), torch.cat([BINARY, BINARY])
    near(
        lovasz.lovasz_hinge(*both),
        (lovasz.lovasz_hinge(SINGLE, BINARY) + lovasz.lovasz_hinge(-SINGLE, BINARY)) / 2,
    )


EVERY = [(name, 1 if name in ("bce", "bce-dice", "lovasz-hinge") else 3) for name in losses.LOSSES]


@pytest.mark.parametrize(("name", "classes"), EVERY)
def test_ignored_pixels_count_nowhere(name, classes):
    """A quarter of the rows is ignored: the loss is that of the other rows, and no gradient reaches
    these.
    """
    torch.manual_seed(1)
    logits, truth = (
        torch.randn(1, classes, 8, 6, requires_grad=True),
        torch.randint(0, max(2, classes), (1, 8, 6)),
    )
    truth[:, :2] = 255
    loss = losses.LOSSES[name](logits, truth)
    near(loss, losses.LOSSES[name](logits[:, :, 2:], truth[:, 2:]).item())
    loss.backward()
    assert not logits.grad[:, :, :2].any()
    assert logits.grad[:, :, 2:].abs().sum() > 0
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(("name", "classes"), EVERY)
def test_all_ignored_and_perfect(name, classes):
    logits = torch.randn(2, classes, 4, 4, requires_grad=True)
    loss = losses.LOSSES[name](logits, torch.full((2, 4, 4), 255))
    loss.backward()
    assert abs(loss.item()) < 1e-6
    assert not logits.grad.any()
    truth = torch.randint(0, max(2, classes), (2, 4, 4))
    right = 60.0 * (2 * lovasz.against_rest(truth, classes).float() - 1)
    truth[:, 0] = 255  # whatever is predicted there
    assert abs(float(losses.LOSSES[name](right, truth))) < 1e-5


@pytest.mark.parametrize(("name", "classes"), EVERY)
def test_extreme_logits_have_finite_gradients(name, classes):
    for scale in (1e4, -1e4, 0.0):
        logits = torch.full((1, classes, 2, 2), scale, requires_grad=True)
        (
            losses.LOSSES[name](logits, torch.zeros(1, 2, 2, dtype=torch.long))
            + losses.LOSSES[name](-logits, torch.ones(1, 2, 2, dtype=torch.long))
        ).backward()
        assert torch.isfinite(logits.grad).all()


def test_sums_by_name():
    near(losses.make("ce", 2)(LOGITS, TRUTH), (A + B) / 2)
    both = losses.make("focal+dice", 2, (1, 2))(LOGITS, TRUTH)
    near(
        both,
        float(
            losses.focal(LOGITS, TRUTH, WEIGHTS) + losses.dice_loss(LOGITS, TRUTH, weights=WEIGHTS)
        ),
    )
    near(losses.make("ce + lovasz", 2)(LOGITS, TRUTH), (A + B) / 2 + 0.625)


@pytest.mark.parametrize(
    ("spec", "classes", "weights"),
    [
        ("cee", 2, None),
        ("ce+", 2, None),
        ("", 2, None),
        ("ce", 1, None),
        ("ce", 2, (1, 2, 3)),
        ("ce", 2, (1, -1)),
        ("ce", 2, (0, 0)),
        ("ce", 2, (1, math.nan)),
        ("ce+lovasz", 2, (1, 1)),
    ],
)
def test_wrong_names_and_weights(spec, classes, weights):
    with pytest.raises(UsageError) as caught:
        losses.make(spec, classes, weights)
    assert caught.value.code == "bad-option"
    assert caught.value.hint


def test_supervision_at_several_depths():
    heads = [LOGITS, torch.zeros_like(LOGITS), LOGITS.flip(1)]
    each = [(A + B) / 2, math.log(2), (A + B) / 2]
    loss = losses.make("ce", 2)
    near(losses.supervised(loss, heads, TRUTH), sum(each) / 3)
    near(losses.supervised(loss, heads[:1], TRUTH), each[0])


def test_a_class_left_out():
    near(losses.cross_entropy(LOGITS, losses.without(TRUTH, (0,))), B)


def two_cells(gap, height=9):
    """Two cells with *gap* pixels of background between them."""
    ids = np.zeros((height, 20 + gap), np.uint16)
    ids[:, :10], ids[:, 10 + gap :] = 1, 2
    return ids


@pytest.mark.parametrize(("gap", "wanted"), [(1, 9.23), (3, 7.26), (5, 4.87), (9, 1.35)])
def test_border_weights(gap, wanted):
    """d1 + d2 is 2, 4, 6, 10."""
    weights = border_weights.border_weights(two_cells(gap), base=0)
    assert np.allclose(weights[:, 10 : 10 + gap], wanted, atol=0.005)
    assert not weights[:, :10].any()
    assert not weights[:, 10 + gap :].any()


def test_border_weights_are_those_of_the_whole_distance():
    """The windows around the objects lose nothing: against the sorted distances to every object."""
    from scipy import ndimage

    ids = np.zeros((70, 90), np.uint16)
    for n, (y, x) in enumerate(((3, 4), (3, 14), (20, 8), (50, 70), (52, 60), (66, 1)), 5):
        ids[y : y + 4, x : x + 6] = n
    distances = np.sort([ndimage.distance_transform_edt(ids != n) for n in range(5, 11)], axis=0)
    wanted = 1 + 10 * np.exp(-((distances[0] + distances[1]) ** 2) / 50) * (ids == 0)
    assert np.allclose(border_weights.border_weights(ids), wanted, atol=1e-5)


def test_border_weights_without_two_objects():
    one = (two_cells(4) == 1).astype(np.uint8)
    assert np.array_equal(border_weights.border_weights(one), np.ones_like(one, np.float32))
    base = np.linspace(0, 1, one.size).reshape(one.shape)
    assert np.allclose(border_weights.border_weights(np.zeros_like(one), base=base), base)
    ids = two_cells(4).astype(np.uint8)
    ids[0] = 255
    weights = border_weights.border_weights(ids, ignore=255)
    assert not weights[0].any()
    assert np.allclose(weights[1:], border_weights.border_weights(two_cells(4))[1:])
    with pytest.raises(UsageError):
        border_weights.border_weights(ids, sigma=0)
