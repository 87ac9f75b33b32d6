"""What every step of an augmentation shares: the form of a step, pixel kinds, and checks of its
parameters.

A step is a frozen dataclass of parameters that is called with an image (H, W, 3), its mask (H, W)
and a random generator, and gives both back, moved alike. It draws through :func:`between` and
:func:`chance` alone, and the same number of times whatever it finds, so that one parameter never
shifts the randomness of another.
"""

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal, Protocol, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from segprep.training.data.pairs import brightest
from segprep.values import need

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
            need(name, getattr(self, name), kind, *limits)


@cache
def _limits(step: Any) -> list[tuple[str, Any, tuple[float, ...]]]:
    """(name, type, limits) of each field of *step*."""
    hints = get_type_hints(step, include_extras=True).items()
    return [
        (name, get_args(hint)[0], hint.__metadata__)
        if get_origin(hint) is Annotated
        else (name, hint, ())
        for name, hint in hints
    ]
