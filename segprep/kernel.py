"""The optional kernel: a few loops over pixels in C (``_kernel.c``), for which NumPy takes several
passes, and one over files.

It is used where it was built; SEGPREP_KERNEL=0 in the environment turns it off. Both ways give the
same values; ``segprep --version`` says which is used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from numpy.typing import NDArray

_VERSION = 14  # of the functions below: a kernel built from other sources is not used
Plan = tuple[tuple[int, int, int], tuple[bytes, int, Any, Any, int]]  # of flat_stream


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

    def joint_streams(
        self,
        truth: "bytes | memoryview",
        pred: "bytes | memoryview",
        height: int,
        width: int,
        /,
    ) -> bytearray | None:
        """What :meth:`joint` gives of the maps (*height*, *width*) whose filtered rows, see
        :meth:`unfilter`, two raw deflate streams hold; None where :meth:`inflate` refuses one, or
        a filter is not known.
        """

    def inflate(self, stream: "bytes | memoryview", out: "NDArray[Any]", /) -> int:
        """Inflate a raw deflate *stream* that fills *out* exactly; how many of its bytes that took,
        or -1 where it does not, or is odd in any way: *out* then holds anything.
        """

    def deflate(self, pixels: "NDArray[Any]", width: int, plan: "Plan", /) -> bytes | None:
        """What :func:`.flat_stream.stream` gives of *pixels* (H, width) by its *plan*."""

    def lit(
        self, stream: "bytes | memoryview", height: int, width: int, /
    ) -> tuple[int, int, int, int, bytearray, int, int, int] | None:
        """Of the map (*height*, *width*) whose filtered rows, see :meth:`unfilter`, a raw deflate
        stream holds, the part that is not 0: top, left, height, width and its pixels; height and
        width 0 of nothing; how many pixels are not 0, how many are 255, and of how many pieces its
        rows are made, between which there is 0. None where :meth:`inflate` refuses the stream, or
        a filter is not known.
        """

    def unfilter(self, rows: "NDArray[Any]", width: int, out: "NDArray[Any]", /) -> bool:
        """Undo the filters of PNG in *rows* (H, 1 + width), each led by its filter's number, into
        *out* (H, width); False where a number is not 0 to 4.
        """

    def polygon(
        self,
        canvas: "NDArray[Any]",
        width: int,
        limit: float,
        points: tuple[float, ...],
        value: int,
        /,
    ) -> float | None:
        """Fill the polygon of flat *points* x0, y0, … on *canvas* (H, width) as Pillow does; the
        area of its box within the canvas. None, and nothing drawn, where a coordinate is farther
        than *limit* from the origin, 2**24 at most.
        """

    def paint(
        self,
        canvas: "NDArray[Any]",
        width: int,
        limit: float,
        most: float,
        polygons: tuple[tuple[float, ...], ...],
        values: bytes,
        inks: bytes,
        plan: "Plan | None",
        /,
    ) -> tuple[dict[int, int], dict[int, dict[int, int]], bytes | None] | None:
        """Paint *polygons*, see :meth:`polygon`, over all of *canvas* (H, width), each with its
        entry of *inks*, the first of which is the background's. Number, from 1, of the polygons on
        top -> pixels, 0 for none; value -> values on top of it -> pixels; and what :meth:`deflate`
        gives of the canvas, where there is a *plan*.

        *values* are laid out as *inks* are; what has the background's or 255 is a hole: it covers
        nothing, and nothing is covered below it. None where a polygon is beyond *limit*, their
        areas are *most* pixels together, or too many lie one over the other.
        """

    def flat(self, pairs: Any, farthest: float, /) -> tuple[float, ...] | None:
        """A list of lists ``[x, y]`` as x0, y0, x1, y1, …; None where one holds anything else than
        two numbers (no bool) of at most *farthest*.
        """

    def box(self, pixels: "NDArray[Any]", width: int, /) -> tuple[int, int, int, int] | None:
        """Top, bottom, left and right of what is not 0 in *pixels* (H, width), bottom and right
        exclusive; None of nothing.
        """

    def blocks(self, pixels: "NDArray[Any]", width: int, /) -> bytes:
        """The values, in order, that fill a block of 3 x 3 in *pixels* (H, width)."""

    def specks(self, pixels: "NDArray[Any]", width: int, /) -> int:
        """How many of *pixels* (H, width) are unlike those before and after them in memory, above
        and below; none in the first and last row.
        """

    def step(self, pixels: "NDArray[Any]", width: int, /) -> int:
        """The largest of 4, 3, 2 that divides every row and column at which *pixels* (H, width)
        change; 1 for none, and for fewer than four changes of either.
        """

    def is_base64(self, text: bytes, data: bytes, /) -> bool:
        """Whether *text* is *data* in base64, as ``binascii.b2a_base64`` writes it in one line."""

    def states(self, folder: bytes, names: list[bytes], /) -> bytearray | None:
        """Mode, size, times of the content and of the inode (nanoseconds), inode of each of *names*
        in *folder*, of links themselves: int64 (N, 5). Raises OSError. None on Windows.
        """

    def fit(
        self, colors: "NDArray[Any]", small: "NDArray[Any]", logs: "NDArray[Any]", least: int, /
    ) -> tuple[int, tuple[bytes, bytes, bytes], int, bytes]:
        """What :mod:`.checking.signals` measures of a picture in short (64, 64, 3) and the mask
        (64, 64) at its cells, see ``signals.Measured``; *logs* are int64 (4097,).
        """

    def in_short(
        self, colors: "NDArray[Any]", /
    ) -> tuple[int, int, int, int, int, bool, int, bytes]:
        """Of a picture in short (64, 64, 3): the sums of red, green and blue; the sum and the sum
        of squares of its luminance, in thousandths; whether all colors are gray but for a level;
        how many levels of gray there are; and half of it in these, bytes of (32, 32).
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
