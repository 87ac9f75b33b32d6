"""A dataset of segprep for any PyTorch loop.

data = segprep.torch_dataset("out", split="train")
image, mask = data[0]                      (3, H, W) float32 in 0..1, (H, W) int64
loader = torch.utils.data.DataLoader(data, num_workers=4)
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from segprep.dataset.tree import Tree, find
from segprep.errors import UsageError
from segprep.names import unknown
from segprep.training.data.pairs import brightest, read_pair

Transform = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class TreeDataset(Dataset[tuple[Tensor, Tensor]]):
    """The samples *stems* of *tree*, in order: image (3, H, W) float32 in 0..1, upright, and mask
    (H, W) int64 of class ids, 255 where ignored; both through *transform* if there is one. It can
    be pickled if *transform* can, and holds no open files.
    """

    def __init__(
        self, tree: Tree, stems: tuple[str, ...], transform: Transform | None = None
    ) -> None:
        self.tree, self.stems, self.transform = tree, stems, transform
        classes = tree.classes()
        self.classes: tuple[str, ...] = classes.names if classes else ()

    def __len__(self) -> int:
        return len(self.stems)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        """Sample *number*. Raises SourceError for files that cannot be used."""
        pair = read_pair(self.tree, self.stems[number], len(self.classes) or None)
        values = np.ascontiguousarray(pair.image.transpose(2, 0, 1)).astype(np.float32)
        image = torch.from_numpy(values / np.float32(brightest(pair.image.dtype)))
        mask = torch.from_numpy(pair.mask.astype(np.int64))
        return self.transform(image, mask) if self.transform else (image, mask)


def torch_dataset(
    dataset: str | Path, *, split: str | None = "train", transform: Any = None
) -> TreeDataset:
    """The list *split* of the tree at or below *dataset* (None: all its samples) as a map-style
    ``torch.utils.data.Dataset``; *transform* takes and gives (image, mask).

    Raises TreeError; UsageError (bad-option) for a list that is not there.
    """
    tree = find(Path(dataset))
    if split is None:
        return TreeDataset(tree, tuple(tree.stems()), transform)
    lists = tree.lists()
    if split not in lists:
        message, hint = unknown("list", split, lists)
        raise UsageError("bad-option", f"{tree.root}: {message}", hint)
    return TreeDataset(tree, tuple(lists[split]), transform)
