"""UNet++ (Zhou et al. 2018, arXiv:1807.10165) with deep supervision and pruning, as
pytorch-nested-unet builds it.

Node (i, j) works at 1 / 2**i of the size and joins nodes (i, 0) ... (i, j - 1) with the enlarged
node (i + 1, j - 1). Head k reads node (0, k) and needs nothing with i + j > k, so that
:func:`prune` can cut the rest off without changing its answer.
"""

from typing import cast

import torch
from torch import Tensor, nn

from segprep.errors import UsageError
from segprep.training.models import Preset
from segprep.training.models._layers import Enlarge, conv_norm, pad_to

SOURCE = "pytorch-nested-unet"
PRESETS = {
    "deep": Preset(1, 3, 9_163_428, SOURCE),
    "plain": Preset(1, 3, 9_163_329, SOURCE, {"deep": False}),
    "l3": Preset(1, 3, 2_236_161, SOURCE, {"deep": False, "depth": 3}),
    "l2": Preset(1, 3, 519_105, SOURCE, {"deep": False, "depth": 2}),
    "l1": Preset(1, 3, 103_041, SOURCE, {"deep": False, "depth": 1}),
    "unet": Preset(1, 3, 7_852_545, SOURCE, {"deep": False, "nested": False}),
}
DEEPEST = 4


def prune(network: nn.Module, depth: int) -> nn.Module:
    """A network of *depth* with the weights of *network* that gives what its head *depth* gives.

    Raises UsageError (bad-option) where *network* has no head there.
    """
    heads = network.heads if isinstance(network, UNetPlusPlus) and network.nested else ()
    if not isinstance(network, UNetPlusPlus) or str(depth) not in heads:
        reason = f"this model has no head at depth {depth}"
        hint = "train unetpp with deep supervision, then prune it to 1, 2 or 3"
        raise UsageError("bad-option", reason, hint)
    first = network.heads[str(depth)].weight
    pruned = UNetPlusPlus(
        network.in_channels, len(cast("Tensor", first)), network.base, depth, False, True
    )
    weights = network.state_dict()
    pruned.load_state_dict({key: weights[key] for key in pruned.state_dict()})
    return pruned.to(cast("Tensor", first).device).train(network.training)


class UNetPlusPlus(nn.Module):
    """Nodes by their place, heads by their depth: *deep* gives a head per *depth*, ``nested=False``
    only the nodes of a U-Net. Raises UsageError (bad-option): a depth that is not 1 to 4, heads on
    nodes that a U-Net does not have.
    """

    def __init__(
        self,
        in_channels: int = 3,
        classes: int = 1,
        base: int = 32,
        depth: int = 4,
        deep: bool = True,
        nested: bool = True,
    ) -> None:
        super().__init__()
        if not 1 <= depth <= DEEPEST:
            raise UsageError("bad-option", f"UNet++ has a depth from 1 to {DEEPEST}, not {depth}")
        if deep and not nested:
            reason = "a U-Net has one node at full size and cannot be supervised at every depth"
            raise UsageError("bad-option", reason, "give deep=False")
        self.in_channels, self.base, self.nested = in_channels, base, nested
        self.nodes = nn.ModuleDict()
        self.inputs: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for j in range(depth + 1):
            for i in range(depth + 1 - j):
                if nested or j == 0 or i + j == depth:
                    width = base << i
                    # a U-Net joins only the node of the contracting path
                    self.inputs[i, j] = [(i, k) for k in range(j if nested else min(j, 1))]
                    above = in_channels if i == 0 else width // 2
                    start = (len(self.inputs[i, j]) + 2) * width if j else above
                    self.nodes[f"{i}_{j}"] = conv_norm(start, width, width, bias=True)
        self.pool, self.enlarge = nn.MaxPool2d(2), Enlarge()
        levels = range(1 if deep else depth, depth + 1)
        self.heads = nn.ModuleDict({str(level): nn.Conv2d(base, classes, 1) for level in levels})

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        """(N, in_channels, H, W) -> (N, classes, H, W); in training a list of all heads'."""
        every = self.every_head(images)
        return every if self.training and len(every) > 1 else every[-1]

    def every_head(self, images: Tensor) -> list[Tensor]:
        """(N, in_channels, H, W) -> (N, classes, H, W) of each head, shallowest first."""
        height, width = images.shape[-2:]
        # whatever the depth: enlarging with corners on corners depends on the size
        padded = pad_to(images, 1 << DEEPEST, least=2 << DEEPEST)
        values: dict[tuple[int, int], Tensor] = {}
        for (i, j), beside in self.inputs.items():
            if j:
                # (N, base << i, H' >> i, W' >> i) each, the last twice as wide
                joined = [*(values[node] for node in beside), self.enlarge(values[i + 1, j - 1])]
                x = torch.cat(joined, dim=1)
            else:
                x = self.pool(values[i - 1, 0]) if i else padded
            values[i, j] = self.nodes[f"{i}_{j}"](x)  # (N, base << i, H' >> i, W' >> i)
        logits = (head(values[0, int(level)]) for level, head in self.heads.items())
        return [part[..., :height, :width] for part in logits]


build = UNetPlusPlus
