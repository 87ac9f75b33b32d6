"""The largest image that goes through each network whole: does it fit the GPU, and are its labels
those of tiles?
"""

from collections.abc import Callable
from math import isqrt
from time import perf_counter

import numpy as np
import torch

from segprep.training import checkpoints, models
from segprep.training.data.pairs import InputSpec
from segprep.training.devices import free_memory
from segprep.training.inference import memory, tiles

NETWORKS = (
    ("unet", "base32"),
    ("unet", "base64"),
    ("unet-keras", "membrane"),
    ("unetpp", "deep"),
    ("mini-unet", "mini"),
    ("mobilenet-unet", "full"),
    ("vgg-unet", "vgg16"),
    ("resnet-unet", "resnet50"),
    ("fcn8s", "pet"),
)
MOST = 50_000_000  # pixels: larger images take long on the CPU, which prepares them


def run(device: str, most: int, show: Callable[..., None]) -> list[str]:
    """A row for each network; the names of those that do not fit or whose labels differ."""
    names = ("network", "free GiB", "megapixels", "bytes a pixel", "real", "seconds", "tiles")
    show(*names, "labels that differ")
    wrong = []
    for arch, preset in NETWORKS:
        torch.manual_seed(0)
        network = checkpoints.channels_last(models.build(arch, 3, 2, preset).eval(), device)
        free = free_memory(device)
        side = isqrt(min(memory.room(network, 3, 2, device), most)) // 32 * 32
        if not side:
            side = 256
        image = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
        net = tiles.net_of(
            network, ("a", "b"), InputSpec(256, 1.0, (0.5,) * 3, (0.25,) * 3), device
        )
        cells: list[object] = [f"{arch} {preset}", free / 2**30, side * side / 1e6]
        each, _ = memory.per_pixel(network, 3)
        try:
            used(device)
            whole, seconds = timed(net, image, None)
            real = used(device) / side**2
            cut, tiled = timed(net, image, 1024)
            differ = float((whole != cut).mean())
            show(*cells, each, real, seconds, tiled, f"{differ:.2g}")
            if differ > 1e-4:
                wrong.append(f"{arch}: labels")
        except RuntimeError as error:
            show(*cells, each, str(error).splitlines()[0][:90])
            wrong.append(arch)
        del network, net
        if device.startswith("cuda"):
            torch.cuda.empty_cache()
    return wrong


def timed(net: tiles.Net, image: np.ndarray, tile: int | None) -> tuple[np.ndarray, float]:
    began = perf_counter()
    labels = tiles.logits(net, [image], tile)[0].argmax(0).numpy()
    return labels, perf_counter() - began


def used(device: str) -> int:
    """The most bytes that were taken on the GPU since the last call; 0 on a CPU."""
    if not device.startswith("cuda"):
        return 0
    most = torch.cuda.max_memory_reserved()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    return most
