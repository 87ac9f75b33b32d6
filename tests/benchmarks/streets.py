"""Seeded pairs of street-like label maps: smooth regions of 19 classes, an ignored rim, and a
prediction that is wrong in places and along edges.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CLASSES, IGNORE = 19, 255
Maps = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def field(random: np.random.Generator, height: int, width: int, cells: int) -> NDArray[np.float32]:
    """Smooth noise (H, W)."""
    coarse = random.normal(size=(cells, 2 * cells)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def pair(number: int, height: int = 1024, width: int = 2048) -> Maps:
    """Truth and prediction (H, W); mean IoU about 0.6."""
    random = np.random.default_rng(number)
    best, truth, pred = (
        np.full((height, width), -9, np.float32),
        np.zeros((height, width), np.uint8),
        np.zeros((height, width), np.uint8),
    )
    near = best.copy()
    for one in range(CLASSES):
        level = field(random, height, width, 14)
        shifted = level + 0.35 * field(random, height, width, 24)
        truth[level > best], pred[shifted > near] = one, one
        np.maximum(best, level, out=best)
        np.maximum(near, shifted, out=near)
    truth[-height // 16 :] = IGNORE
    truth[best < 0.7] = IGNORE
    return truth, pred


def write(
    folder: Path, count: int, height: int = 1024, width: int = 2048, distinct: int = 24
) -> None:
    """*count* pairs as palette PNG in *folder*/truth and *folder*/pred, made from *distinct* ones:
    Pillow's own encoder, as most tools use it.
    """
    from segprep.imaging.image import voc_colors

    for name in ("truth", "pred"):
        (folder / name).mkdir(parents=True)
    made: list[tuple[bytes, bytes]] = []
    for number in range(min(count, distinct)):
        files = []
        for name, ids in zip(("truth", "pred"), pair(number, height, width), strict=True):
            picture = Image.fromarray(ids)
            picture.putpalette(voc_colors())
            picture.save(folder / name / f"{number:06}.png")
            files.append((folder / name / f"{number:06}.png").read_bytes())
        made.append((files[0], files[1]))
    for number in range(len(made), count):
        for name, data in zip(("truth", "pred"), made[number % distinct], strict=True):
            (folder / name / f"{number:06}.png").write_bytes(data)
