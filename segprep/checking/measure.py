"""One image and its mask, each read once: the facts that all rules judge."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep import kernel
from segprep.checking import signals, thin_values
from segprep.checking.luminance import SIDE, in_short
from segprep.checks._common.survey import ImageFacts, MaskFacts, Pair, Trouble
from segprep.errors import SourceError
from segprep.files import digest, digest_array, read_below
from segprep.imaging import image, inspection
from segprep.imaging.image import voc_colors
from segprep.packed import PackedPaths

MOST_COLORS = 64
OTHERS = 8
_GRAYS = bytes(level for value in range(256) for level in (value, value, value))


@dataclass(frozen=True, slots=True)
class Measure:
    """What a worker runs for every sample; *roots* are the folders that may be opened. Files are
    *hashed* where a manifest says what their digests were. JPEGs are decoded at a reduced scale,
    but those of the *full* sizes (width, height): an equal image of another format, which has no
    such scale, would differ. Without *full* all are decoded in full.
    """

    roots: tuple[Path, ...]
    fit: bool = True
    hashed: bool = True
    full: frozenset[tuple[int, int]] | None = None

    def __call__(self, pair: Pair) -> Pair:
        """*pair* with its facts, or with the trouble of reading it."""
        facts: dict[str, Any] = {}
        small: inspection.Small | None = None
        drawn: NDArray[Any] | None = None
        if pair.image:
            try:
                facts["photo"], small = image_facts(
                    pair.image, self.roots, hashed=self.hashed, full=self.full
                )
            except SourceError as error:
                facts["image_trouble"] = Trouble(error.code, error.reason, error.hint)
        if pair.mask:
            try:
                facts["label"], drawn = mask_facts(pair.mask, self.roots, self.hashed)
            except SourceError as error:
                facts["mask_trouble"] = Trouble(error.code, error.reason, error.hint)
        if self.fit and small is not None and drawn is not None and drawn.ndim == 2:
            upright = upright_mask(drawn, facts["photo"])
            if upright is not None:
                facts["signals"] = signals.measure(small.colors, upright)
        return Pair(pair.stem, pair.image, pair.mask, rivals=pair.rivals, **facts)


def sizes_of_others(
    images: Iterable[Path], roots: tuple[Path, ...]
) -> frozenset[tuple[int, int]] | None:
    """The sizes (width, height) of the *images* that are no JPEGs by name, without unreadable
    ones; None where they are more than one in OTHERS, so that asking costs more than it spares.
    """
    others, count = PackedPaths(), 0
    for path in images:
        count += 1
        if path.suffix.lower() not in (".jpg", ".jpeg"):
            others.append(path)
    if OTHERS * len(others) > count:
        return None
    sizes = set()
    for path in others:
        with suppress(SourceError):
            header = image.header(read_below(path, roots), path)
            sizes.add((header.width, header.height))
    return frozenset(sizes)


def upright_mask(drawn: NDArray[Any], photo: ImageFacts) -> NDArray[Any] | None:
    """The mask (H, W) as it lies on the upright picture; None where it has another size."""
    upright, stored = photo.shapes()
    if drawn.shape == upright:
        return drawn
    return image.upright_array(drawn, photo.orientation) if drawn.shape == stored else None


@dataclass(frozen=True, slots=True)
class Pixels:
    """A digest of all samples of an image, for those that cannot be told apart in short."""

    roots: tuple[Path, ...]

    def __call__(self, path: Path) -> str:
        """Raises SourceError."""
        return digest_array(inspection.samples(read_below(path, self.roots), path))


def image_facts(
    path: Path,
    roots: tuple[Path, ...],
    *,
    hashed: bool = True,
    full: frozenset[tuple[int, int]] | None = None,
) -> tuple[ImageFacts, inspection.Small]:
    """The facts of the image at *path*; its pixels are told by the picture in short.

    Raises SourceError.
    """
    data = read_below(path, roots)
    small = inspection.photograph(data, path, SIDE, full=full)
    header, seen = small.header, in_short(small.colors)
    total, squares, count = seen.light, seen.squares, SIDE * SIDE
    shape = f"{header.mode} {header.width} {header.height} ".encode()
    facts = ImageFacts(
        header.format,
        header.mode,
        header.width,
        header.height,
        header.orientation,
        digest(shape + small.sketch),
        digest(data) if hashed else "",
        small.span,
        sqrt(count * squares - total * total) / (1000 * count),
        (seen.red / count, seen.green / count, seen.blue / count),
        seen.gray,
        0.0 if small.stored is None else _tail(small.stored),
        seen.levels,
        seen.thumbnail,
    )
    return facts, small


def _tail(stored: NDArray[Any]) -> float:
    """The share of rows at the bottom that are mid-gray all over, as decoders fill the rest of a
    JPEG that ends early.
    """
    if stored.dtype != np.uint8 or not len(stored):
        return 0.0
    rows = stored.reshape(len(stored), -1)
    if abs(int(rows[-1, 0]) - 128) > 1:
        return 0.0
    flat = (rows.min(1) >= 127) & (rows.max(1) <= 129)
    other = np.flatnonzero(~flat)
    return 1 - (int(other[-1]) + 1) / len(rows) if len(other) else 1.0


def mask_facts(
    path: Path, roots: tuple[Path, ...], hashed: bool = True
) -> tuple[MaskFacts, NDArray[Any]]:
    """The facts of the mask at *path*, and its samples as stored. Raises SourceError."""
    data = read_below(path, roots)
    stored = inspection.mask(data, path)
    header, samples = stored.header, np.ascontiguousarray(stored.samples)
    palette, order = _palette(stored.palette)
    facts = partial(
        MaskFacts,
        format=header.format,
        mode=header.mode,
        width=header.width,
        height=header.height,
        pixels=digest_array(samples),
        content=digest(data) if hashed else "",
        palette=palette,
        order=order,
    )
    if samples.ndim == 3:
        return facts(**_colors(samples)), samples
    if samples.dtype.kind not in "ui" and samples.dtype != np.bool_:
        finite = samples[np.isfinite(samples)] if samples.dtype.kind == "f" else samples
        low, high = (finite.min(), finite.max()) if finite.size else (0, 0)
        whole = bool(
            samples.dtype.kind != "f"
            or (finite.size == samples.size and (finite == finite.round()).all())
        )
        if low < 0 or high > 65_535 or samples.dtype.kind == "f":
            fault = (
                f"{samples.dtype} values from {low:g} to {high:g}"
                + ("" if whole else ", not all whole numbers")
                + ("" if finite.size == samples.size else ", some not finite")
            )
            return facts(fault=fault), samples
    ids = samples.astype(np.uint8 if samples.dtype.itemsize == 1 else np.uint16, copy=False)
    values = image.histogram(ids)
    thin, between = (
        thin_values.find(ids, values)
        if 2 < len(values) <= 300 or (len(values) == 2 and 255 in values)
        else (frozenset(), frozenset())
    )
    texture: dict[str, Any] = {"steps": _steps(ids), "rim": _rim(ids), "specks": _specks(ids)}
    return facts(values=values, thin=thin, between=between, **texture), ids


@lru_cache(maxsize=16)
def _palette(palette: bytes) -> tuple[str, str]:
    if not palette:
        return "", ""
    voc = voc_colors()
    kind = (
        "voc"
        if palette == voc[: len(palette)]
        else "gray"
        if palette == _GRAYS[: len(palette)]
        else "other"
    )
    return kind, digest(palette)


def _colors(samples: NDArray[Any]) -> dict[str, Any]:
    """RGB, RGBA or gray with alpha: its colors, and what the alpha channel says."""
    bands = samples.shape[2]
    alpha = samples[..., -1] if bands in (2, 4) else None
    colors = samples[..., :3] if bands >= 3 else np.repeat(samples[..., :1], 3, axis=2)
    packed = colors.astype(np.uint32) @ np.array([65_536, 256, 1], np.uint32)
    distinct, counts = np.unique(packed, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_COLORS]
    listed = tuple(
        (int(color) >> 16, int(color) >> 8 & 255, int(color) & 255)
        for color in distinct[order].tolist()
    )
    values: Mapping[int, int] = (
        {red: int(count) for (red, _, _), count in zip(listed, counts[order], strict=True)}
        if len(distinct) <= MOST_COLORS and all(r == g == b for r, g, b in listed)
        else {}
    )
    clear = alpha is not None and int(alpha.min()) != int(alpha.max())
    fault = "" if alpha is None else "alpha varies" if clear else "alpha"
    return {"colors": listed, "color_count": len(distinct), "values": values, "fault": fault}


def _steps(ids: NDArray[Any]) -> int:
    """The largest of 4, 3, 2 such that rows and columns change only at multiples of it, as after
    enlarging without smoothing; 1 for none.
    """
    if kernel.compiled is not None and ids.dtype == np.uint8:
        return kernel.compiled.step(ids, ids.shape[1])
    for every in (16, 1):  # a few columns and rows tell of nearly all masks that they are not
        columns, rows = ids[:, ::every], ids[::every]
        changes = [
            np.flatnonzero((columns[1:] != columns[:-1]).view(np.uint8).max(1)) + 1,
            np.flatnonzero(np.bitwise_or.reduce((rows[:, 1:] != rows[:, :-1]).view(np.uint8))) + 1,
        ]
        step = next((n for n in (4, 3, 2) if not any((change % n).any() for change in changes)), 1)
        if step == 1:
            return 1
    return step if min(map(len, changes)) >= 4 else 1


def _rim(ids: NDArray[Any]) -> dict[int, int]:
    """Value -> pixels on the outer rim."""
    return image.histogram(np.concatenate([ids[0], ids[-1], ids[1:-1, 0], ids[1:-1, -1]]))


def _specks(ids: NDArray[Any]) -> int:
    """Pixels without a neighbor of their value on any side, at the full size and at half of it."""
    count = 0
    for part in (ids, np.ascontiguousarray(ids[::2, ::2])):
        if min(part.shape) < 3:
            continue
        if kernel.compiled is not None and part.dtype == np.uint8:
            count += kernel.compiled.specks(part, part.shape[1])
            continue
        flat, width = part.reshape(-1), part.shape[1]
        changes = flat[1:] != flat[:-1]
        at = np.flatnonzero(changes[1:] & changes[:-1]) + 1
        at = at[(at >= width) & (at < flat.size - width)]
        own = flat[at]
        count += int(np.count_nonzero((flat[at - width] != own) & (flat[at + width] != own)))
    return count
