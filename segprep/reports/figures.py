"""What all charts share: a figure without a window, fonts, and PNG bytes that do not depend on the time."""

import io
import unicodedata
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST = 28  # characters of a class name
MOST_DOTS = 6000  # pixels on one side
_FONTS = ["DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Micro Hei", "PingFang SC", "Microsoft YaHei"]


def figure(width: float, height: float) -> "Figure":
    """An empty figure of *width* x *height* inches, drawn to memory only."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"font.family": "sans-serif", "font.sans-serif": _FONTS}):
        made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def png_bytes(made: "Figure", dots: int = 110) -> bytes:
    """*made* as PNG, at most MOST_DOTS wide or high. A character that no font has is a box, and no warning."""
    size = max(made.get_size_inches())
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.savefig(out, format="png", dpi=min(dots, MOST_DOTS / size), metadata={"Software": None})
    return out.getvalue()


def labels(names: Sequence[str]) -> list[str]:
    """Class names for an axis: shortened, without control characters, and $ is no formula."""
    plain = ("".join("?" if unicodedata.category(c)[0] == "C" else c for c in name) for name in names)
    return [(name if len(name) <= LONGEST else name[: LONGEST - 1] + "…").replace("$", r"\$") for name in plain]
