"""The optional kernel: a few loops over pixels in C (``_kernel.c``), for which NumPy takes several
passes.

It is used where it was built; SEGPREP_KERNEL=0 in the environment turns it off. Both ways give the
same values; ``segprep --version`` says which is used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VERSION = 1  # of the functions below: a kernel built from other sources is not used


class Kernel(Protocol):
    """The functions of ``_kernel.c``. Arrays are C-contiguous, of one byte per pixel; ValueError is
    raised where their sizes do not fit together or *width*.
    """

    def histogram(self, pixels: "NDArray[Any]", /) -> dict[int, int]:
        """Value -> count, values that occur only."""

    def look_up(
        self, pixels: "NDArray[Any]", table: bytes, out: "NDArray[Any]", /
    ) -> dict[int, int]:
        """Write ``table[pixel]`` of every pixel (256 entries) to *out*; the histogram."""

    def joint(self, truth: "NDArray[Any]", pred: "NDArray[Any]", /) -> bytearray:
        """The pairs of values that occur, sorted: int64 (3, K) of truth, prediction and count."""

    def unfilter(self, rows: "NDArray[Any]", width: int, out: "NDArray[Any]", /) -> bool:
        """Undo the filters of PNG in *rows* (H, 1 + width), each led by its filter's number, into
        *out* (H, width); False where a number is not 0 to 4.
        """

    def box(self, pixels: "NDArray[Any]", width: int, /) -> tuple[int, int, int, int] | None:
        """Top, bottom, left and right of what is not 0 in *pixels* (H, width), bottom and right
        exclusive; None of nothing.
        """


def _loaded() -> Kernel | None:
    if os.environ.get("SEGPREP_KERNEL") == "0":
        return None
    try:
        module = import_module("._kernel", __package__)
    except ImportError:
        return None
    return cast("Kernel", module) if vars(module).get("VERSION") == _VERSION else None


compiled = _loaded()


def used() -> str:
    """What counts pixels: "compiled kernel" or "NumPy"."""
    return "NumPy" if compiled is None else "compiled kernel"
