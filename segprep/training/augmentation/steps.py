"""What every step of an augmentation shares: the form of a step, pixel kinds, and checks of its
parameters.

A step is a frozen dataclass of parameters that is called with an image (H, W, 3), its mask (H, W)
and a random generator, and gives both back, moved alike. It draws through :func:`between` and
:func:`chance` alone, and the same number of times whatever it finds, so that one parameter never
shifts the randomness of another.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal, Protocol, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from segprep.errors import UsageError
from segprep.training.data.pairs import brightest

Image = NDArray[Any]  # (H, W, 3), uint8, uint16, or float32 in 0..1
Mask = NDArray[np.uint8]  # (H, W): class ids, 255 where ignored
Fill = Literal["nearest", "reflect", "constant", "wrap"]
# SciPy's own "wrap" has a period one pixel too short
MODES = {"nearest": "nearest", "reflect": "reflect", "constant": "constant", "wrap": "grid-wrap"}
GRAY = 128


class Transform(Protocol):
    """One step of an augmentation."""

    def __call__(self, image: Image, mask: Mask, rng: np.random.Generator) -> tuple[Image, Mask]:
        """Both changed by one draw from *rng*; what comes in is not written to."""


def applied(
    steps: Sequence[Transform], image: Image, mask: Mask, rng: np.random.Generator
) -> tuple[Image, Mask]:
    """*image* and *mask* after all *steps*, contiguous."""
    for step in steps:
        image, mask = step(image, mask, rng)
    return np.ascontiguousarray(image), np.ascontiguousarray(mask)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A number from *low* up to *high*."""
    return low + (high - low) * float(rng.random())


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with *probability*."""
    return bool(rng.random() < probability)


def as_kind(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Real *values* as *dtype*: rounded and held within its range where that is an integer kind."""
    if dtype.kind != "u":
        return np.asarray(values, dtype)
    return np.asarray(np.rint(np.clip(values, 0, np.iinfo(dtype).max)), dtype)


def shade(gray: float, dtype: np.dtype[Any]) -> float:
    """A *gray* of 0..255 in the range of *dtype*."""
    return gray if dtype == np.uint8 else gray / 255 * brightest(dtype)


class Checked:
    """A step whose fields say what they take: ``Annotated[float, 0, 360]`` a number from 0 to 360,
    so the whole numbers and both numbers of a range; a Literal one of its words; true or false.

    Raises UsageError (bad-option).
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        step: Any = type(self)
        for name, kind, limits in _limits(step):
            value = getattr(self, name)
            if kind is bool:
                need_switch(name, value)
            elif get_origin(kind) is Literal:
                words = get_args(kind)
                one_of = ", ".join(map(str, words))
                need(value in words, f"{name} has to be one of {one_of}, not {value!r}")
            elif get_origin(kind) is tuple and limits:
                need_range(name, value, *limits)
                for number in value if get_args(kind)[0] is int else ():
                    need_whole(name, number, *limits)
            elif limits:
                (need_whole if kind is int else need_number)(name, value, *limits)


@cache
def _limits(step: Any) -> list[tuple[str, Any, tuple[Any, ...]]]:
    """(name, type, limits) of each field of *step*."""
    hints = get_type_hints(step, include_extras=True).items()
    return [
        (name, get_args(hint)[0], hint.__metadata__)
        if get_origin(hint) is Annotated
        else (name, hint, ())
        for name, hint in hints
    ]


def need(fine: bool, message: str, hint: str = "") -> None:
    """Raise UsageError (bad-option) unless *fine*."""
    if not fine:
        raise UsageError("bad-option", message, hint)


def need_number(name: str, value: float, low: float, high: float) -> None:
    """Raise UsageError (bad-option) unless *value* is a number from *low* to *high*."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    need(
        number and low <= value <= high,
        f"{name} has to be a number from {low:g} to {high:g}, not {value!r}",
    )


def need_whole(name: str, value: int, low: int, high: int) -> None:
    """Raise UsageError (bad-option) unless *value* is a whole number from *low* to *high*."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    need(
        whole and low <= value <= high,
        f"{name} has to be a whole number from {low} to {high}, not {value!r}",
    )


def need_switch(name: str, value: bool) -> None:
    """Raise UsageError (bad-option) unless *value* is true or false."""
    need(isinstance(value, bool), f"{name} has to be true or false, not {value!r}")


def need_range(name: str, pair: tuple[float, float], low: float, high: float) -> None:
    """Raise UsageError (bad-option) unless *pair* is two rising numbers from *low* to *high*."""
    need(
        isinstance(pair, tuple | list) and len(pair) == 2,
        f"{name} has to be two numbers, not {pair!r}",
    )
    for value in pair:
        need_number(name, value, low, high)
    need(pair[0] <= pair[1], f"{name} has to begin with the smaller number, not {pair!r}")
