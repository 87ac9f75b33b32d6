"""What is written of a prediction: class ids, colors, the picture under them, the foreground
alone, the probabilities; and how many pixels a class has.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from segprep.errors import UsageError
from segprep.imaging.image import encode_mask, histogram, voc_colors
from segprep.names import unknown, variant_key
from segprep.training.logits import likeliest

Mode = Literal["ids", "color", "blend", "cutout", "probability", "probabilities"]
MODES: tuple[Mode, ...] = get_args(Mode)
BLEND = 0.7  # the colors' share, as in the tutorials


def resized(probabilities: Tensor, size: tuple[int, int]) -> Tensor:
    """Probabilities (C, h, w), of the image alone, at *size*: (C, H, W). Linear between the centers
    of pixels; only then does a class win.
    """
    if tuple(probabilities.shape[1:]) == tuple(size):
        return probabilities
    return functional.interpolate(probabilities[None], size, mode="bilinear", align_corners=False)[
        0
    ]


def decided(probabilities: Tensor, threshold: float | None = None) -> NDArray[np.uint8]:
    """The class ids (H, W) of probabilities (C, H, W): the likeliest; of two classes the second
    where it exceeds *threshold*.
    """
    if threshold is None:
        return likeliest(probabilities)
    return (probabilities[1] > threshold).numpy().astype(np.uint8)


def colors(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """*mask* (H, W) in VOC's colors, (H, W, 3)."""
    return np.frombuffer(voc_colors(), np.uint8).reshape(256, 3)[mask]


def blended(image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """0.3 of *image* (H, W, 3) and 0.7 of the colors of *mask* (H, W), rounded."""
    return np.rint((1 - BLEND) * image + BLEND * colors(mask)).astype(np.uint8)


def cut_out(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], background: int
) -> NDArray[np.uint8]:
    """*image* (H, W, 3) where *mask* (H, W) is not *background*, black elsewhere."""
    return np.where((mask != background)[..., None], image, np.uint8(0))


def viewable(image: NDArray[Any]) -> NDArray[np.uint8]:
    """*image* (H, W, 3) as 8 bits: 16 bits lose their lower half, floats are stretched from their
    least to their largest value.
    """
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.uint16:
        return (image >> 8).astype(np.uint8)
    low, high = float(image.min()), float(image.max())
    return np.rint((image - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)


def picture(
    mode: Mode, image: NDArray[Any], mask: NDArray[np.uint8], background: int | None
) -> NDArray[np.uint8]:
    """The picture (H, W, 3) of *mode* color, blend or cutout."""
    if mode == "color":
        return colors(mask)
    if mode == "blend":
        return blended(viewable(image), mask)
    return cut_out(viewable(image), mask, background or 0)


def encoded(
    mode: Mode,
    image: NDArray[Any],
    mask: NDArray[np.uint8],
    probabilities: Tensor,
    background: int | None,
) -> bytes:
    """The file of *mode*: a PNG, palette for ids, gray for probability; for probabilities an .npz
    whose ``probabilities`` are (C, H, W) float32.
    """
    if mode == "ids":
        return encode_mask(mask)
    out = io.BytesIO()
    if mode == "probability":
        Image.fromarray(gray(probabilities)).save(out, "PNG")
        return out.getvalue()
    if mode == "probabilities":
        np.savez_compressed(out, probabilities=probabilities.numpy())
    else:
        Image.fromarray(picture(mode, image, mask, background)).save(out, "PNG", compress_level=3)
    return out.getvalue()


def gray(probabilities: Tensor) -> NDArray[np.uint8]:
    """(H, W), 0 to 255: of two classes how likely the second is, of more how likely the winner."""
    shown = probabilities[1] if len(probabilities) == 2 else probabilities.amax(0)
    return np.asarray(np.rint(shown.numpy() * 255), np.uint8)


def suffix(mode: Mode) -> str:
    """The extension of a file of *mode*."""
    return ".npz" if mode == "probabilities" else ".png"


def background_of(classes: Sequence[str], option: str | None) -> int | None:
    """The id of the background: *option* by name or number, else the class that is called so, else
    None. Raises UsageError (bad-option).
    """
    if option is None:
        keys = [variant_key(name).strip("_") for name in classes]
        return keys.index("background") if "background" in keys else None
    if option in classes:
        return classes.index(option)
    if option.isdecimal() and int(option) < len(classes):
        return int(option)
    message, hint = unknown("class", option, classes)
    raise UsageError("bad-option", f"--background: {message}", hint)


def counted(mask: NDArray[np.uint8], totals: dict[int, int]) -> Mapping[int, int]:
    """Class id -> pixels of *mask* (H, W), those that occur; added to *totals*, too."""
    counts = histogram(mask)
    for value, count in counts.items():
        totals[value] = totals.get(value, 0) + count
    return counts
