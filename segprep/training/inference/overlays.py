"""What is written of a prediction: class ids, black and white, colors, the picture under them, the
foreground alone, the probabilities.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from segprep.errors import UsageError
from segprep.imaging.depth import eight_bits
from segprep.imaging.image import encode_mask, voc_colors
from segprep.names import unknown, variant_key
from segprep.reports.legend import with_legend
from segprep.sources._common.classes import color_tables
from segprep.training.logits import likeliest
from segprep.types import IGNORE

Mode = Literal["ids", "binary", "color", "blend", "cutout", "probability", "probabilities"]
MODES: tuple[Mode, ...] = get_args(Mode)
BLEND = 0.7  # the colors' share, as in the tutorials
VOC = np.frombuffer(voc_colors(), np.uint8).reshape(256, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """How pictures look: the id of the *background* (None: there is none), the *palette*
    (256, 3) uint8, and the *names* of a legend below the picture (empty: without one).
    """

    background: int | None = None
    palette: NDArray[np.uint8] = field(default_factory=lambda: VOC)
    names: tuple[str, ...] = ()


def decided(probabilities: Tensor, threshold: float | None = None) -> NDArray[np.uint8]:
    """Class ids (H, W) of (C, H, W): the likeliest, or of two the second above *threshold*."""
    if threshold is None:
        return likeliest(probabilities)
    return (probabilities[1] > threshold).numpy().astype(np.uint8)


def palette_of(spec: str, classes: Sequence[str]) -> NDArray[np.uint8]:
    """(256, 3): the color of each of *classes* in the table *spec*, a file of ``R G B name`` lines
    or the name of a built-in one. Raises UsageError (bad-option): no such table, a class is not in
    it.
    """
    table, palette = color_tables.load(spec), VOC.copy()
    colors = {table.classes.names[n]: color for color, n in table.colors if n != IGNORE}
    for n, name in enumerate(classes):
        if name not in colors:
            message, hint = unknown("color of the class", name, colors)
            raise UsageError("bad-option", f"--colors {spec}: {message}", hint)
        palette[n] = colors[name]
    return palette


def blended(image: NDArray[np.uint8], colored: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """0.3 of *image* and 0.7 of *colored*, its mask in colors, both (H, W, 3); rounded."""
    return np.rint((1 - BLEND) * image + BLEND * colored).astype(np.uint8)


def cut_out(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], background: int
) -> NDArray[np.uint8]:
    """*image* (H, W, 3) where *mask* (H, W) is not *background*, black elsewhere."""
    return np.where((mask != background)[..., None], image, np.uint8(0))


def picture(
    mode: Mode, image: NDArray[Any], mask: NDArray[np.uint8], style: Style
) -> NDArray[np.uint8]:
    """(H, W, 3) of *mask* as color, blend or cutout; the first two higher by a legend."""
    if mode == "cutout":
        return cut_out(eight_bits(image), mask, style.background or 0)
    colored = style.palette[mask]
    shown = colored if mode == "color" else blended(eight_bits(image), colored)
    return with_legend(shown, style.names, style.palette) if style.names else shown


def encoded(
    mode: Mode, image: NDArray[Any], mask: NDArray[np.uint8], probabilities: Tensor, style: Style
) -> bytes:
    """The file of *mode*: a PNG, palette for ids, gray for binary (255 where the mask is not
    background) and probability; for probabilities an .npz whose ``probabilities`` are (C, H, W)
    float32.
    """
    if mode == "ids":
        return encode_mask(mask)
    out = io.BytesIO()
    if mode in ("binary", "probability"):
        white = np.where(mask == (style.background or 0), 0, 255).astype(np.uint8)
        shown = white if mode == "binary" else gray(probabilities)
        Image.fromarray(shown).save(out, "PNG")
        return out.getvalue()
    if mode == "probabilities":
        np.savez_compressed(out, probabilities=probabilities.numpy())
    else:
        Image.fromarray(picture(mode, image, mask, style)).save(out, "PNG", compress_level=3)
    return out.getvalue()


def gray(probabilities: Tensor) -> NDArray[np.uint8]:
    """(H, W), 0 to 255: of two classes how likely the second is, of more how likely the winner."""
    shown = probabilities[1] if len(probabilities) == 2 else probabilities.amax(0)
    return np.asarray(np.rint(shown.numpy() * 255), np.uint8)


def suffix(mode: Mode) -> str:
    """The extension of a file of *mode*."""
    return ".npz" if mode == "probabilities" else ".png"


def background_of(classes: Sequence[str], option: str | None) -> int | None:
    """The id of *option* (name or number), else of the class called so. Raises UsageError."""
    if option is None:
        keys = [variant_key(name).strip("_") for name in classes]
        return keys.index("background") if "background" in keys else None
    if option in classes:
        return classes.index(option)
    if option.isdecimal() and int(option) < len(classes):
        return int(option)
    message, hint = unknown("class", option, classes)
    raise UsageError("bad-option", f"--background: {message}", hint)
