"""Learning rates as printed sequences, against the formulas of the tutorials and PyTorch's own;
stopping on scripted series.
"""

import math

import pytest

torch = pytest.importorskip("torch")

from segprep.errors import UsageError
from segprep.train_config import Config
from segprep.training.trainer import schedules
from segprep.training.trainer.config_check import settled
from segprep.training.trainer.schedules import EarlyStopping, Plateau


def make(name, lr, epochs, per_epoch, **settings):
    config = Config(schedule=name, lr=lr, monitor="val_loss", **settings)
    return schedules.make(config, epochs, per_epoch)


def printed(schedule, steps, unit=1.0):
    return [f"{schedule.rate(step) / unit:.4g}" for step in steps]


def test_cosine_with_quadratic_warm_up():
    """unet-pytorch at 100 epochs: three to warm up, the last five at the end value."""
    schedule = make("cosine", 1e-4, 100, 1, warm_up=3, start=0.1, rise=2, flat=5, end=0.01)
    assert printed(schedule, (0, 1, 2, 3, 50, 94, 95, 99, 100), 1e-6) == [
        "10",
        "20",
        "50",
        "100",
        "48.81",
        "1.029",
        "1",
        "1",
        "1",
    ]


def test_polynomial_with_linear_warm_up():
    """pytorch_segmentation: per step, one epoch to warm up from a thousandth, then (1 - t)**0.9 to
    0.
    """
    schedule = make("polynomial", 0.01, 200, 5, warm_up=1, start=1e-3)
    assert printed(schedule, (0, 1, 2, 5, 500, 999, 1000, 2000)) == [
        "1e-05",
        "0.002008",
        "0.004006",
        "0.01",
        "0.005383",
        "2.004e-05",
        "0",
        "0",
    ]


def test_exponential():
    """The Keras tutorials: 0.96 per epoch, in steps of an epoch."""
    schedule = make("exponential", 1e-4, 100, 10)
    assert printed(schedule, (0, 9, 10, 19, 20, 100), 1e-4) == [
        "1",
        "1",
        "0.96",
        "0.96",
        "0.9216",
        "0.6648",
    ]


def test_step():
    """unet-pytorch's step: ten equal stairs from lr down to a hundredth of it."""
    schedule = make("step", 1e-2, 100, 1, every=10, factor=0.01 ** (1 / 9))
    assert printed(schedule, (0, 9, 10, 50, 90, 99), 1e-2) == [
        "1",
        "1",
        "0.5995",
        "0.07743",
        "0.01",
        "0.01",
    ]
    assert printed(make("step", 1, 90, 2, every=30), (0, 59, 60, 120, 180)) == [
        "1",
        "1",
        "0.1",
        "0.01",
        "0.001",
    ]


def test_constant_and_single_steps():
    assert printed(make("constant", 0.5, 3, 4), (0, 5, 100)) == ["0.5"] * 3
    assert printed(make("constant", 1, 3, 4, warm_up=0.5, start=0), (0, 1, 2)) == ["0", "0.5", "1"]
    for name in schedules.NAMES:
        assert math.isfinite(make(name, 1, 0, 0).rate(0))
        assert make(name, 1, 1, 1).rate(0) == 1


@pytest.mark.parametrize(
    ("name", "options", "theirs"),
    [
        ("polynomial", {"power": 0.9}, lambda o: torch.optim.lr_scheduler.PolynomialLR(o, 20, 0.9)),
        ("cosine", {"end": 0.1}, lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 20, 0.05)),
        ("step", {"every": 7, "factor": 0.3}, lambda o: torch.optim.lr_scheduler.StepLR(o, 7, 0.3)),
        ("exponential", {"factor": 0.9}, lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9)),
    ],
)
def test_as_pytorch_has_them(name, options, theirs):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    scheduler, ours, wanted = theirs(optimizer), make(name, 0.5, 20, 1, **options), []
    for _ in range(20):
        wanted.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert [ours.rate(step) for step in range(20)] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_plateau_as_pytorch_has_it(mode):
    torch.manual_seed(3)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode,
        factor=0.5,
        patience=2,
        threshold=0.01,
        threshold_mode="abs",
        min_lr=0.01,
    )
    ours, values = Plateau(0.5, 2, 0.01, mode, 0.01), torch.rand(60).tolist()
    for value in values:
        theirs.step(value)
        ours.saw(value)
        assert ours.share == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours.share < 0.1


def test_plateau_in_a_schedule():
    schedule = make("plateau", 1.0, 10, 1, every=1, warm_up=1)
    rates = []
    for epoch, value in enumerate((1.0, 0.9, 0.9, 0.9, 0.9, math.nan, 0.5)):
        rates.append(schedule.rate(epoch + 1))
        schedule.saw(value)
    assert rates == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01])


def stops(values, **options):
    """At which value it stops, and which was the best (the first of equal ones)."""
    stopping = EarlyStopping(**options)
    at = next((n for n, value in enumerate(values) if stopping.saw(value)), None)
    return at, None if stopping.best is None else values.index(stopping.best)


@pytest.mark.parametrize(
    ("values", "options", "wanted"),
    [
        # an improvement of exactly min_delta is none: .5 -> .501 -> .501 -> .501
        ((0.5, 0.501, 0.501, 0.501), {"mode": "max"}, (3, 0)),
        ((0.5, 0.499, 0.499, 0.499), {"mode": "min"}, (3, 0)),
        ((0.7, 0.701, 0.702, 0.7011), {"mode": "max"}, (None, 2)),  # .702 is .002 above .7
        # each a little more than .001
        ((0.5, 0.5011, 0.5022, 0.5033, 0.5044), {"mode": "max"}, (None, 4)),
        ((0.5, 0.6, 0.59, 0.58, 0.57, 0.9), {"mode": "max"}, (4, 1)),
        (
            (0.5, 0.6, 0.59, 0.58, 0.61, 0.6, 0.6, 0.6),
            {"mode": "max"},
            (7, 4),
        ),  # the count starts anew
        ((0.5, 0.4, 0.41, 0.42, 0.43), {"mode": "min"}, (4, 1)),
        ((0.8, 0.8, 0.8), {"min_delta": 0.0, "patience": 2}, (2, 0)),
        ((0.8, 0.79999, 0.79998), {"min_delta": 0.0, "patience": 1}, (None, 2)),
        ((0.5, 0.4, 0.4), {"patience": 0}, (2, 1)),
        ((0.5, math.nan, math.nan, math.nan), {"mode": "max"}, (3, 0)),
        ((math.nan, math.nan, math.nan), {"mode": "min"}, (2, None)),
        ((math.nan, 0.5, 0.4), {"patience": 1}, (None, 2)),
        ((math.inf, 5.0, math.inf, 4.0), {"patience": 2}, (None, 3)),
        # an absolute threshold, not the 0.1 % of the tutorial's text
        ((1000.0, 999.5, 999.0, 998.5), {"mode": "min"}, (None, 3)),
    ],
)
def test_early_stopping(values, options, wanted):
    assert stops(values, **options) == wanted


def test_state_survives():
    """Interrupted after three values, a fresh one goes on as if nothing had been."""
    values = (0.5, 0.6, 0.59, 0.58, 0.57)
    for make_one, remembered in (
        (lambda: EarlyStopping(mode="max"), "waited"),
        (lambda: Plateau(patience=2, mode="max"), "share"),
    ):
        whole, first, second = make_one(), make_one(), make_one()
        for value in values[:3]:
            first.saw(value)
        schedules.restore(second, schedules.state(first))
        results = [whole.saw(value) for value in values][3:]
        assert [second.saw(value) for value in values[3:]] == results
        assert getattr(second, remembered) == getattr(whole, remembered)
        assert schedules.state(second) == schedules.state(whole)


def test_direction():
    assert [
        schedules.mode_of(one)
        for one in ("loss", "val_loss", "val_miou", "val_dice", "val_accuracy")
    ] == ["min", "min", "max", "max", "max"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cosin", {}),
        ("step", {"factor": -1}),
        ("cosine", {"end": -1}),
        ("step", {"every": 0}),
        ("plateau", {"patience": -1}),
        ("plateau", {"min_delta": -0.1}),
        ("plateau", {"min_delta": math.nan}),
        ("constant", {"start": 2}),
    ],
)
def test_wrong_numbers(name, options):
    with pytest.raises(UsageError) as caught:
        settled({"schedule": name, **options})
    assert caught.value.code == "bad-option"
    assert caught.value.hint


def test_warm_up_and_flat_end_are_cut_to_the_epochs():
    longer, whole = (make("cosine", 1, 10, 5, warm_up=n, flat=8) for n in (30, 10))
    assert [longer.rate(step) for step in range(50)] == [whole.rate(step) for step in range(50)]
    assert make("cosine", 1, 10, 5, warm_up=3, flat=8, end=0.1).rate(16) == pytest.approx(0.1)
