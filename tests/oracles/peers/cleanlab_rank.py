"""cleanlab: which sample its segmentation rank puts last. It needs probabilities of the classes,
which a network gives in earnest; here they come from colors and places in the other images.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from cleanlab.segmentation.rank import get_label_quality_scores
from common import MASKS, answer, image_of, names, stems
from PIL import Image

SIDE, BINS = 64, 64


def ask(folder: Path) -> Iterator[tuple[str, str]]:
    count = len(names(folder))
    chosen = [stem for stem in stems(folder) if image_of(folder, stem)]
    masks, colors = [], []
    for stem in chosen:
        with Image.open(folder / MASKS / f"{stem}.png") as picture:
            masks.append(np.asarray(picture.resize((SIDE, SIDE), 0)))
        with Image.open(image_of(folder, stem)) as picture:
            small = np.asarray(picture.convert("RGB").resize((SIDE, SIDE), 4)) >> 6
        colors.append(small[..., 0] * 16 + small[..., 1] * 4 + small[..., 2])
    labels = np.stack(masks)
    labels[labels == 255] = 0  # cleanlab knows no ignored pixels
    if labels.max() >= count:
        raise ValueError("labels beyond the classes")
    rows, columns = np.mgrid[:SIDE, :SIDE] // 8
    keys = [np.stack(colors), np.broadcast_to(8 * rows + columns, labels.shape)]
    scores, _ = get_label_quality_scores(labels, probabilities(labels, keys, count), verbose=False)
    yield "ranks last", chosen[int(np.argmin(scores))]


def probabilities(labels: np.ndarray, keys: list[np.ndarray], count: int) -> np.ndarray:
    """(N, K, H, W): naive Bayes over *keys*, counted over the other images."""
    tables = np.zeros((len(keys), len(labels), BINS, count))
    for table, key in zip(tables, keys, strict=True):
        for n, (label, bins) in enumerate(zip(labels, key, strict=True)):
            np.add.at(table[n], (bins.reshape(-1), label.reshape(-1)), 1)
    rest = tables.sum(1, keepdims=True) - tables + 0.1
    prior = np.log(rest[0].sum(1) / rest[0].sum((1, 2))[:, None])
    logs = prior[:, None, None, :] + sum(
        np.log(table / table.sum(1, keepdims=True))[np.arange(len(labels))[:, None, None], key]
        for table, key in zip(rest, keys, strict=True)
    )
    found = np.exp(logs - logs.max(-1, keepdims=True))
    return np.moveaxis(found / found.sum(-1, keepdims=True), -1, 1)


if __name__ == "__main__":
    answer(ask)
