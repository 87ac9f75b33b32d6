"""What a network takes in memory for an image, so that one that fits goes through in one piece."""

from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from segprep.training.devices import free_memory

SIDE = 256  # of the image that is thought of
SHARE = 0.5  # of the free memory: convolutions need room to work in, and others their own


class _LiveBytes(TorchDispatchMode):
    """The *most* bytes that all tensors made meanwhile had at once."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.alive, self.most = dict[Any, int](), 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                storage = leaf.untyped_storage()
                size = storage.nbytes()
                self.alive[StorageWeakRef(storage)] = size  # type: ignore[no-untyped-call]
        self.alive = {ref: size for ref, size in self.alive.items() if not ref.expired()}
        self.most = max(self.most, sum(self.alive.values()))
        return result


def bytes_per_pixel(network: nn.Module, channels: int) -> float:
    """The bytes of memory that *network* takes at most for a pixel of an image: counted on an image
    of SIDE x SIDE, of which nothing is computed (PyTorch's device meta).
    """
    with torch.no_grad(), torch.device("meta"):
        probe = deepcopy(network).to("meta").eval()
        images = torch.empty(1, channels, SIDE, SIDE)
        with _LiveBytes() as live:
            probe(images)
    return float(live.most / SIDE**2 + 4 * channels)


def room(network: nn.Module, channels: int, classes: int, device: str, processes: int = 1) -> int:
    """How many pixels go through *network* at once, where so many *processes* share the memory of
    *device*; 0 where its size is not known. Each pixel takes its logits, too, as probabilities at
    two sizes.
    """
    each = bytes_per_pixel(network, channels) + 12 * classes
    return int(free_memory(device) * SHARE / (each * processes))
