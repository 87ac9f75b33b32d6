"""A plain PyTorch loop on a dataset of segprep, in 30 lines; other frameworks work the same way.

python examples/plain_loop.py DATASET [STEPS]      DATASET was converted and split by segprep
"""

import sys
from itertools import chain, islice, repeat

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

import segprep

SIDE = 96


def resized(image: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The image at 96x96, bilinear, its mask nearest."""
    small = functional.interpolate(image[None], (SIDE, SIDE), mode="bilinear")[0]
    ids = functional.interpolate(mask[None, None].float(), (SIDE, SIDE), mode="nearest")[0, 0]
    return small, ids.long()


def main(dataset: str, steps: int = 50) -> float:
    """Train; the loss of the last step."""
    data = segprep.torch_dataset(dataset, split="train", transform=resized)
    layers = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, len(data.classes), 1)]
    network = nn.Sequential(*layers)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    loader = DataLoader(data, batch_size=4, shuffle=True)
    batches = chain.from_iterable(repeat(loader))  # every epoch is shuffled anew
    for step, (images, masks) in enumerate(islice(batches, steps), 1):
        loss = functional.cross_entropy(network(images), masks, ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            print(f"step {step}: loss {loss.item():.3f}")
    return loss.item()


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50)
