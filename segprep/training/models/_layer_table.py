"""A network layer by layer: shapes, parameters, and multiplications."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

Convolution = (nn.Conv2d, nn.ConvTranspose2d)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer that computes: its *name*, *kind*, the *shape* (C, H, W) of what it gives, the
    numbers it learns, and its *multiplications* for one image (0 but for convolutions).
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiplications: int


def layers(network: nn.Module, channels: int, side: int) -> list[Layer]:
    """The layers of *network* in the order in which an image of *side* x *side* passes them; on
    PyTorch's meta device nothing of its size is allocated.
    """
    layers, handles = list[Layer](), []

    def seen(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        count = 0
        if isinstance(module, Convolution):
            kernel = module.weight.numel() // module.in_channels  # with groups: one of them
            if isinstance(module, nn.Conv2d):
                count = output[0].numel() * (module.weight.numel() // module.out_channels)
            else:
                count = inputs[0][0].numel() * kernel
        learned = sum(tensor.numel() for tensor in module.parameters())
        kind, shape = type(module).__name__, tuple(output.shape[1:])
        layers.append(Layer(names[module], kind, shape, learned, count))

    names = {module: name for name, module in network.named_modules()}
    for module in network.modules():
        if not list(module.children()):
            handles.append(module.register_forward_hook(seen))
    try:
        with torch.inference_mode():
            network.eval()(torch.empty(1, channels, side, side, device="meta"))
    finally:
        for handle in handles:
            handle.remove()
    return layers
