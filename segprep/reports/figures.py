"""What all charts share: a figure without a window, fonts, and PNG bytes that do not depend on the
time.
"""

import io
import unicodedata
import warnings
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST = 28  # characters of a class name
MOST_DOTS = 6000  # pixels on one side
_FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Microsoft YaHei",
)


@cache
def _families() -> tuple[str, ...]:
    """The fonts of ours that are installed; matplotlib brings the first."""
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return tuple(name for name in _FONTS if name in installed) or _FONTS[:1]


@cache
def _is_drawable(letter: str) -> bool:
    """Whether one of the fonts has this character."""
    from matplotlib import font_manager

    files = (font_manager.findfont(name) for name in _families())
    return any(font_manager.get_font(file).get_char_index(ord(letter)) for file in files)


def figure(width: float, height: float) -> "Figure":
    """An empty figure of *width* x *height* inches, drawn to memory only."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(canvas)
    return canvas


def png_bytes(canvas: "Figure", dots: int = 110) -> bytes:
    """*canvas* as PNG, at most MOST_DOTS wide or high."""
    import matplotlib

    size = max(canvas.get_size_inches())
    out = io.BytesIO()
    with (
        warnings.catch_warnings(),
        matplotlib.rc_context({"font.family": "sans-serif", "font.sans-serif": _families()}),
    ):
        warnings.simplefilter("ignore")
        canvas.savefig(
            out,
            format="png",
            dpi=min(dots, MOST_DOTS / size),
            metadata={"Software": None},
            bbox_inches="tight",
            pad_inches=0.15,
        )
    return out.getvalue()


def labels(names: Sequence[str], ids: Sequence[int]) -> list[str]:
    """The names of the classes *ids* for an axis: shortened; the id in place of a name that no
    installed font can draw; $ is not a formula.
    """
    texts = []
    for text in ids:
        name = "".join(
            "?" if unicodedata.category(letter)[0] == "C" else letter for letter in names[text]
        )
        if not all(letter.isspace() or _is_drawable(letter) for letter in name):
            name = f"class {text}"
        texts.append(
            (name if len(name) <= LONGEST else name[: LONGEST - 1] + "…").replace("$", r"\$")
        )
    return texts
