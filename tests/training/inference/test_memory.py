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
    each, _ = memory.per_pixel(network, 3)
    assert 6 * 8 * 4 <= each <= 10 * 8 * 4
    wide, _ = memory.per_pixel(models.build("unet", 3, 2, base=16).eval(), 3)
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


def test_no_tensor_on_a_gpu_is_larger_than_its_kernels_can_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An H200 offered room for 45 megapixels, of which PyTorch's kernel could not enlarge the maps:
    "only supports output tensors with less than INT_MAX elements".
    """
    monkeypatch.setattr(memory, "free_memory", lambda device: 1 << 40)
    network = models.build("unet", 3, 2, base=8).eval()
    widest = 2 * 8  # channels: the enlarged map of the second level beside that of the first
    assert memory.room(network, 3, 2, "cuda:0") == (2**31 - 1) // widest
    assert memory.room(network, 3, 2, "cpu") > (2**31 - 1) // widest


def test_what_does_not_fit_after_all_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[tuple[int, ...]]()

    def run(images: Tensor, places: Any) -> Tensor:
        seen.append(tuple(images.shape[2:]))
        if images.shape[2] > 1024:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")
        return images[:, :2]

    image = noise(1100, 1300)
    net = Net(NAMES, PLAIN, run, reach=lambda: 16, room=lambda: 10**9)
    cut = tiles.logits(net, [image])[0]
    assert seen[0] == (1120, 1312)  # padded to the grid of poolings
    assert set(seen[1:]) == {(1024, 1024)}
    whole = Net(NAMES, PLAIN, lambda images, places: images[:, :2], room=lambda: 10**9)
    assert cut.allclose(tiles.logits(whole, [image])[0], atol=1e-6)  # tiles fade into each other
    with pytest.raises(RuntimeError, match="allocate"):  # its tiles would give other labels
        tiles.logits(Net(NAMES, PLAIN, run, room=lambda: 10**9), [image])
