"""Augmentation: one geometry for image and mask, the image by bilinear interpolation, the mask by
nearest; then light and color of the image alone.

All randomness comes from the generator that is passed, one per sample, so nothing depends on the
order of work.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from segprep.training.data.pairs import brightest
from segprep.types import IGNORE

LARGEST_TURN = 15.0  # degrees, beyond quarter turns
ZOOM = (0.8, 1.25)


@dataclass(frozen=True, slots=True)
class Geometry:
    """A square window of *size* pixels around (*row*, *column*), turned by *angle* degrees,
    magnified by *zoom*, perhaps mirrored.
    """

    row: float
    column: float
    size: int
    angle: float = 0.0
    zoom: float = 1.0
    mirrored: bool = False


def draw(row: float, column: float, size: int, rng: np.random.Generator) -> Geometry:
    """A random geometry around (row, column): any quarter turn, every second tilted and zoomed."""
    mirrored, quarter = rng.random() < 0.5, int(rng.random() * 4) * 90.0
    if rng.random() < 0.5:
        return Geometry(row, column, size, quarter, 1.0, mirrored)
    angle = quarter + (2 * rng.random() - 1) * LARGEST_TURN
    return Geometry(
        row, column, size, angle, float(ZOOM[0] * (ZOOM[1] / ZOOM[0]) ** rng.random()), mirrored
    )


def coordinates(geometry: Geometry) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(S, S) rows and columns in the image, for every pixel of the window."""
    offsets = np.arange(geometry.size) - (geometry.size - 1) / 2
    down, right = offsets[:, None] / geometry.zoom, offsets[None, :] / geometry.zoom
    if geometry.mirrored:
        right = -right
    angle = np.radians(geometry.angle)
    cosine, sine = _exact(np.cos(angle)), _exact(np.sin(angle))
    return (
        geometry.row + cosine * down + sine * right,
        geometry.column - sine * down + cosine * right,
    )


def _exact(value: float) -> float:
    """Quarter turns hit pixels exactly."""
    return float(round(value)) if abs(value - round(value)) < 1e-12 else float(value)


@dataclass(frozen=True, slots=True)
class Light:
    """Values of 0..1 to the power of *gamma*, times *gain*, plus *offset*; *gray*: no color."""

    gain: float = 1.0
    offset: float = 0.0
    gamma: float = 1.0
    gray: bool = False


def draw_light(rng: np.random.Generator) -> Light:
    """A random light; in a quarter of the cases without color."""
    gain, offset = 0.75 + 0.5 * rng.random(), 0.2 * rng.random() - 0.1
    gamma = float(np.exp(0.6 * rng.random() - 0.3))
    return Light(gain, offset, gamma, rng.random() < 0.25)


def lit(image: NDArray[Any], light: Light) -> NDArray[np.float32]:
    """*image*, any shape, as float32 under *light*. Bytes go through a table."""
    table = np.arange(256, dtype=np.float64) if image.dtype == np.uint8 else None
    values = (image.astype(np.float64) if table is None else table) / brightest(image.dtype)
    curve = np.maximum(values, 0) ** light.gamma * light.gain + light.offset
    return curve.astype(np.float32) if table is None else curve.astype(np.float32).take(image)


PLAIN = Light()


class _Scene(NamedTuple):
    """An *image* (H, W, 3) with its *mask* (H, W) under *light*; beyond lie *outside* (3,), 255."""

    image: NDArray[Any]
    mask: NDArray[np.uint8]
    outside: NDArray[np.float32]
    light: Light


def window(
    image: NDArray[Any],
    mask: NDArray[np.uint8],
    geometry: Geometry,
    outside: NDArray[np.float32],
    light: Light = PLAIN,
) -> tuple[Tensor, NDArray[np.uint8]]:
    """The window of *geometry* under *light*: image (3, S, S) float32 in 0..1 and mask (S, S).
    Beyond the *image* (H, W, 3) lie *outside* (3,) and 255.
    """
    scene = _Scene(image, mask, outside, light)
    half, quarters = (geometry.size - 1) / 2, geometry.angle / 90
    corner = geometry.row - half, geometry.column - half
    if geometry.zoom == 1 and quarters == int(quarters) and all(at == int(at) for at in corner):
        values, cut = _copied(scene, int(corner[0]), int(corner[1]), geometry.size)
        values, cut = np.rot90(values, int(quarters)), np.rot90(cut, int(quarters))
        if geometry.mirrored:
            values, cut = values[:, ::-1], cut[:, ::-1]
        tensor = torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))
    else:
        tensor, cut = _sampled(scene, geometry)
    if light.gray:
        tensor = tensor.mean(0, keepdim=True).repeat(3, 1, 1)
    return tensor, np.ascontiguousarray(cut)


def _copied(
    scene: _Scene, top: int, left: int, size: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The upright square of *size* at (*top*, *left*): (S, S, 3) and (S, S), as it is."""
    values, cut = np.empty((size, size, 3), np.float32), np.full((size, size), IGNORE, np.uint8)
    values[:] = scene.outside
    height, width = scene.mask.shape
    rows = slice(max(0, top), min(height, top + size))
    columns = slice(max(0, left), min(width, left + size))
    if rows.start < rows.stop and columns.start < columns.stop:
        down = slice(rows.start - top, rows.stop - top)
        right = slice(columns.start - left, columns.stop - left)
        values[down, right] = lit(scene.image[rows, columns], scene.light)
        cut[down, right] = scene.mask[rows, columns]
    return values, cut


def _sampled(scene: _Scene, geometry: Geometry) -> tuple[Tensor, NDArray[np.uint8]]:
    """Any geometry: (3, S, S) by bilinear interpolation and (S, S) by nearest."""
    rows, columns = coordinates(geometry)
    near_rows, near_columns = (np.floor(at + 0.5).astype(np.intp) for at in (rows, columns))
    height, width = scene.mask.shape
    beyond = (near_rows < 0) | (near_rows >= height) | (near_columns < 0) | (near_columns >= width)
    cut = scene.mask[near_rows.clip(0, height - 1), near_columns.clip(0, width - 1)]
    values = _bilinear(scene, rows.clip(0, height - 1), columns.clip(0, width - 1))
    if beyond.any():
        cut[beyond] = IGNORE
        values[:, torch.from_numpy(beyond)] = torch.from_numpy(scene.outside)[:, None]
    return values, cut


def _bilinear(scene: _Scene, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Tensor:
    """(3, S, S) float32: the image at real coordinates inside it. Only the part in question becomes
    a tensor.
    """
    top, left = int(rows.min()), int(columns.min())
    bottom, right = int(np.ceil(rows.max())) + 1, int(np.ceil(columns.max())) + 1
    part = lit(scene.image[top:bottom, left:right], scene.light)
    height, width = part.shape[:2]
    grid = np.stack(
        [2 * (columns - left) / max(width - 1, 1) - 1, 2 * (rows - top) / max(height - 1, 1) - 1],
        axis=-1,
    )
    return functional.grid_sample(
        torch.from_numpy(part).permute(2, 0, 1)[None],
        torch.from_numpy(grid.astype(np.float32))[None],
        mode="bilinear",
        padding_mode="border",
        align_corners=True,
    )[0]
