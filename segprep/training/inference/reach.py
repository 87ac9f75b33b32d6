"""How far a network looks: what tiles have to overlap by, so that they give what the whole image
gives.
"""

from copy import deepcopy

import torch
from torch import nn

from segprep.training.models._layers import Place, placed

HALF, FAR = 512, 1 << 14  # pixels: how far is tried, and the side of the image that is thought of


def reach(network: nn.Module, channels: int) -> int | None:
    """How many pixels deep into a tile of *network* something changes with what lies beyond its
    border; None if that is HALF or more, as with a mean over the whole image.

    It is tried: all beyond the border is NaN, which goes wherever a number goes. On both sides, at
    both ends of a large image; borders lie on multiples of 32.
    """
    probe = deepcopy(network).cpu().eval()
    images = torch.zeros(4, channels, 64, 2 * HALF)
    images[:2, ..., HALF:] = torch.nan
    images[2:, ..., :HALF] = torch.nan
    down, ends = Place(0, 64, 64), (Place(start, 2 * HALF, FAR) for start in (0, FAR - 2 * HALF))
    with torch.inference_mode(), placed(probe, [(down, across) for across in ends] * 2):
        outputs = probe(images)
    logits = outputs[-1] if isinstance(outputs, list | tuple) else outputs
    changed = logits.isnan().any(1).any(1)  # (4, 2 HALF)
    left, right = changed[:2].any(0)[:HALF].flip(0), changed[2:].any(0)[HALF:]
    depth = max(int(side.nonzero().max()) + 1 if side.any() else 0 for side in (left, right))
    return depth if depth < HALF else None
