"""Faults that only a comparison with the rest of the dataset can show."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from faults import VOC, Fault, Mask, Rng, duplicated, images, masks
from PIL import Image

from segprep import read_mask, write_mask
from segprep.dataset.tree import Tree


def mirrored(mask: Mask, rng: Rng) -> Mask:
    return mask[:, ::-1]


def rotated(mask: Mask, rng: Rng) -> Mask:
    return mask[::-1, ::-1]


def moved(share: float) -> Callable[[Mask, Rng], Mask]:
    return lambda mask, rng: np.roll(mask, round(mask.shape[1] * share), 1)


def permuted(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    """The masks of other samples, resized to fit; a single sample gets that of any other."""
    every = list(place.stems())
    pool = list(stems) if len(stems) > 2 else [*stems, str(rng.choice(sorted({*every} - {*stems})))]
    masks = {stem: read_mask(place.mask_path(stem)) for stem in pool}
    for n, stem in enumerate(stems):
        other = masks[pool[(n + 1) % len(pool)]]
        size = masks[stem].shape[::-1]
        write_mask(place.mask_path(stem), np.asarray(Image.fromarray(other).resize(size, 0)))
    return stems


def inverted(mask: Mask, rng: Rng) -> Any:
    """0 and the most frequent class are exchanged."""
    values, counts = np.unique(mask[(mask > 0) & (mask < 255)], return_counts=True)
    if not len(values):
        return None
    top = int(values[counts.argmax()])
    return np.where(mask == 0, top, np.where(mask == top, 0, mask)).astype(np.uint8)


def gamma(path: Path, picture: Image.Image, rng: Rng) -> None:
    pixels = (np.asarray(picture) / 255.0) ** 4 * 255
    Image.fromarray(pixels.astype(np.uint8)).save(path, quality=95)


def near(change: Callable[[Image.Image], Image.Image]) -> Any:
    """A changed copy of the image, with its own copy of the mask, in another split."""

    def apply(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
        twins = duplicated(place, stems, rng)
        for twin in twins:
            path = place.image_path(twin)
            assert path
            with Image.open(path) as picture:
                new = change(picture.convert("RGB"))
            new.save(path, quality=50)
        return twins

    return apply


def bgr(path: Path, picture: Image.Image, rng: Rng) -> None:
    Image.fromarray(np.asarray(picture.convert("RGB"))[..., ::-1].copy()).save(path, quality=95)


def speckled(mask: Mask, rng: Rng) -> Mask:
    """One pixel in 400 is any of the set's values."""
    noise = rng.random(mask.shape) < 1 / 400
    values = np.unique(mask)
    return np.where(noise, rng.choice(values, mask.shape), mask).astype(np.uint8)


def off_by_one(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
    """The masks of the last third move on by one, the first of them is lost."""
    tail = place.stems()[-max(8, len(place.stems()) // 3) :]
    masks = [read_mask(place.mask_path(stem)) for stem in tail]
    for stem, own, mask in zip(tail[:-1], masks[:-1], masks[1:], strict=True):
        other = Image.fromarray(mask).resize(own.shape[::-1], 0)
        write_mask(place.mask_path(stem), np.asarray(other))
    return tail[:-1]


def enlarged(mask: Mask, rng: Rng) -> Any:
    """Half the size and up again, without smoothing."""
    height, width = mask.shape
    half = mask[: height // 2 * 2 : 2, : width // 2 * 2 : 2]
    big = half.repeat(2, 0).repeat(2, 1)
    return np.pad(big, ((0, height - len(big)), (0, width - big.shape[1])), mode="edge")


def without_ignored(mask: Mask, rng: Rng) -> Mask:
    """The ignored border is background."""
    return np.where(mask == 255, 0, mask).astype(np.uint8)


def painted(draw: Callable[[Mask, Mask], Any], suffix: str) -> Any:
    """The masks drawn into the images, which are saved with *suffix*."""

    def apply(place: Tree, stems: Sequence[str], rng: Rng) -> Sequence[str]:
        for stem in stems:
            path = place.image_path(stem)
            assert path
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
            mask = read_mask(place.mask_path(stem))
            if mask.shape != pixels.shape[:2]:
                continue
            path.unlink()
            drawn = np.asarray(draw(pixels, np.where(mask == 255, 0, mask)))
            Image.fromarray(drawn.astype(np.uint8)).save(path.with_suffix(suffix), quality=90)
        return stems

    return apply


def tinted(pixels: Mask, mask: Mask) -> Mask:
    """Half of every pixel of a class is the class's color."""
    return np.where(mask[..., None] > 0, (pixels + VOC[mask] * 1.0) / 2, pixels)


def outlined(pixels: Mask, mask: Mask) -> Mask:
    """A line of two pixels, and one color, around all that is not background."""
    inner = mask > 0
    line = np.zeros(mask.shape, np.bool_)
    line[1:] |= inner[1:] != inner[:-1]
    line[:, 1:] |= inner[:, 1:] != inner[:, :-1]
    line[:-1] |= line[1:]
    line[:, :-1] |= line[:, 1:]
    return np.where(line[..., None], (255, 0, 0), pixels)


def answered(name: str, draw: Callable[[Mask, Mask], Any], suffix: str) -> Fault:
    """The fault that every image shows its mask."""
    apply = painted(draw, suffix)
    return Fault(name, "–", ("SEG609",), apply, structural=False, scopes=("all",), whole=True)


STATISTICAL = (
    Fault("mirrored", "F3", ("SEG602", "SEG604"), masks(mirrored), structural=False),
    Fault("rotated by 180", "F3", ("SEG602", "SEG604"), masks(rotated), structural=False),
    Fault("shifted by 10 %", "F2", ("SEG601", "SEG604"), masks(moved(0.1)), structural=False),
    Fault("shifted by 5 %", "F2", ("SEG601", "SEG604"), masks(moved(0.05)), structural=False),
    Fault("permuted", "F4", ("SEG603", "SEG604"), permuted, structural=False),
    Fault("inverted", "F7", ("SEG605",), masks(inverted), structural=False, scopes=("one", "few")),
    Fault(
        "off by one from here",
        "F5",
        ("SEG608", "SEG604"),
        off_by_one,
        structural=False,
        scopes=("all",),
        whole=True,
    ),
    Fault(
        "red and blue swapped",
        "F19",
        ("SEG607",),
        images(bgr),
        structural=False,
        scopes=("one", "few"),
    ),
    Fault("enlarged", "F14", ("SEG314",), masks(enlarged), structural=False, scopes=("one", "few")),
    Fault(
        "ignored border lost",
        "F15",
        ("SEG312",),
        masks(without_ignored),
        structural=False,
        scopes=("one", "few"),
    ),
    Fault("speckled", "F37", ("SEG315",), masks(speckled), structural=False, scopes=("one", "few")),
    Fault("dark", "F20", ("SEG606",), images(gamma), structural=False, scopes=("one", "few")),
    Fault("re-encoded copy", "F27", ("SEG503",), near(lambda p: p), structural=False),
    Fault(
        "mirrored copy",
        "F27",
        ("SEG503",),
        near(lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        structural=False,
        scopes=("one", "few"),
    ),
    answered("tint painted in PNG", tinted, ".png"),
    answered("tint painted in JPEG", tinted, ".jpg"),
    answered("outline painted in PNG", outlined, ".png"),
    answered("outline painted in JPEG", outlined, ".jpg"),
)
