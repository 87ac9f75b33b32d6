"""What a network takes in memory for an image, so that one that fits goes through in one piece."""

from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from segprep.training.devices import free_memory

INDICES = 2**31 - 1  # elements of a tensor that all of PyTorch's kernels on a GPU can address
SIDE = 256  # of the image that is thought of
SHARE, ON_GPU = 0.5, 0.35  # of the free memory: convolutions need room to work in, there 1.5 times


class _Sizes(TorchDispatchMode):
    """The *most* bytes of all tensors made meanwhile at once; the elements of the *largest*."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.alive, self.most, self.largest = dict[Any, int](), 0, 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self.largest = max(self.largest, leaf.numel())
                storage = leaf.untyped_storage()
                self.alive[StorageWeakRef(storage)] = storage.nbytes()  # type: ignore[no-untyped-call]
        self.alive = {ref: size for ref, size in self.alive.items() if not ref.expired()}
        self.most = max(self.most, sum(self.alive.values()))
        return result


def per_pixel(network: nn.Module, channels: int) -> tuple[float, float]:
    """The most bytes of memory that *network* takes for a pixel, and the elements of its largest
    tensor: of an image of SIDE x SIDE, of which nothing is computed (PyTorch's device meta).
    """
    with torch.no_grad(), torch.device("meta"):
        probe = deepcopy(network).to("meta").eval()
        with _Sizes() as sizes:
            probe(torch.empty(1, channels, SIDE, SIDE))
    return sizes.most / SIDE**2 + 4 * channels, sizes.largest / SIDE**2


def room(network: nn.Module, channels: int, classes: int, device: str, processes: int = 1) -> int:
    """How many pixels go through *network* at once, where so many *processes* share the memory of
    *device*; 0 where its size is not known. Probabilities at two sizes come on top.
    """
    each, elements = per_pixel(network, channels)
    fitting = free_memory(device) / ((each + 12 * classes) * processes)
    on_gpu = device.startswith("cuda")
    return int(min(fitting * ON_GPU, INDICES / elements) if on_gpu else fitting * SHARE)
