"""What fits the memory goes through whole, and together."""

from typing import Any

import pytest
from torch import Tensor
from training.inference.predicting import noise

from segprep.training import models
from segprep.training.data.pairs import InputSpec
from segprep.training.inference import memory, tiles
from segprep.training.inference.tiles import Net, net_of

PLAIN = InputSpec(64, 1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


NAMES = ("_background_", "disc")


def test_what_fits_the_memory_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A U-Net holds at its widest a map of the first level, the enlarged one of the second beside
    it, both together, and what is made of them: at least 6 maps of its width, of 4 bytes a value.
    """
    network = models.build("unet", 3, 2, base=8).eval()
    each = memory.bytes_per_pixel(network, 3)
    assert 6 * 8 * 4 <= each <= 10 * 8 * 4
    wide = memory.bytes_per_pixel(models.build("unet", 3, 2, base=16).eval(), 3)
    assert wide == pytest.approx(2 * each, rel=0.1)
    needed = 2048 * 2048 * (each + 2 * 12) / memory.SHARE
    for share, jobs, cut in ((1.01, 1, False), (0.99, 1, True), (1.99, 2, True), (2.01, 2, False)):
        monkeypatch.setattr(memory, "free_memory", lambda device, share=share: share * needed)
        net = net_of(network, NAMES, PLAIN, processes=jobs)
        assert bool(tiles._side(net, 2048, 2048, None)) == cut
        assert tiles._side(net, 2048, 2048, 512) == 512


def test_images_run_together_as_far_as_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "WHOLE", 64 * 64)
    seen = list[int]()

    def run(images: Tensor, places: Any) -> Tensor:
        seen.append(len(images))
        return images[:, :2]

    net = Net(NAMES, PLAIN, run, room=lambda: 3 * 64 * 64)
    tiles.logits(net, [noise(64, 64)] * 8, batch=8)
    assert seen == [3, 3, 2]
    tiles.logits(net, [noise(256, 256)], batch=8)  # larger than all: in tiles of its own
    assert set(seen[3:]) == {1}
