"""One optimizer step: forward, loss over the whole batch, backward, clipping; in mixed precision
and over several processes where asked.

    >>> from segprep.training.losses import make
    >>> network, alone = nn.Conv2d(3, 2, 1), ProcessGroup(0, 1, "cpu")
    >>> learner = Learner(network, make("ce+dice", 2), Config(), alone)
    >>> truth = torch.zeros(2, 32, 32, dtype=torch.int64)
    >>> learner.step(torch.rand(2, 3, 32, 32), truth, None, rate=1e-3) > 0
    True
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from math import isfinite
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from segprep.errors import SegprepError
from segprep.train_config import Config
from segprep.training.devices import out_of_memory
from segprep.training.freezing import freeze, hold_norms, unfreeze
from segprep.training.losses import Loss, supervised, without
from segprep.training.trainer import optimizers
from segprep.training.trainer.distributed import ProcessGroup

NAN_HINT = "lower lr, or set clip; images with extreme values are another cause"


class Learner:
    """A network with its optimizer; :meth:`state` holds all that the next step depends on."""

    def __init__(self, network: nn.Module, loss: Loss, config: Config, group: ProcessGroup) -> None:
        self.network, self.loss, self.config, self.group = network, loss, config, group
        self.optimizer = optimizers.make(config, network.parameters())
        self.scaler = torch.amp.GradScaler("cuda", enabled=config.amp == "float16")
        self.forward: Callable[[Tensor], Any] = network

    def hold(self, stages: str) -> int:
        """Freeze *stages* (a number, ``all``, or nothing); how many parameters learn."""
        unfreeze(self.network)
        if stages:
            freeze(self.network, None if stages == "all" else int(stages))
        if self.config.freeze_norm:
            hold_norms(self.network.modules())
        self.forward = self.group.wrapped(self.network)
        if self.config.compile:
            self.forward = torch.compile(self.forward)
        return sum(tensor.numel() for tensor in self.network.parameters() if tensor.requires_grad)

    def step(self, images: Tensor, truth: Tensor, pixels: Tensor | None, rate: float) -> float:
        """Learn from *images* (N, 3, S, S) and *truth* (N, S, S) with the learning *rate*; the loss
        over the batches of all processes.

        *pixels* (N, S, S) are border weights.

        Raises SegprepError: loss-nan (nothing was learned), out-of-memory, bad-option (a batch that
        batch normalization cannot use).
        """
        for groups in self.optimizer.param_groups:
            groups["lr"] = rate
        self.network.train()
        try:
            return self._step(images, truth, pixels)
        except (RuntimeError, MemoryError, ValueError) as error:
            raise explained(error, len(images), images.shape[-1]) from error

    def _step(self, images: Tensor, truth: Tensor, pixels: Tensor | None) -> float:
        layout = torch.channels_last if self.config.channels_last else torch.contiguous_format
        device = self.group.device
        with self.precision():
            outputs = self.forward(images.to(device, memory_format=layout, non_blocking=True))
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        heads = [self.group.whole(head.float()) for head in outputs]
        criterion = self.loss
        if pixels is not None:
            criterion = partial(self.loss, pixels=self.group.whole(pixels.to(device)))
        skipped = tuple(map(int, self.config.skip_classes))
        loss = supervised(criterion, heads, without(self.group.whole(truth.to(device)), skipped))
        value = float(loss.detach())
        if not isfinite(value):
            raise SegprepError("loss-nan", "the loss is NaN or infinite", NAN_HINT)
        self.optimizer.zero_grad(set_to_none=True)
        # gradients are averaged over the processes, and each holds a part of the sum
        self.scaler.scale(loss * self.group.world).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimizer)
        if self.config.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return value

    def precision(self) -> AbstractContextManager[Any]:
        """The context in which the network runs."""
        if self.config.amp == "none":
            return nullcontext()
        kind = torch.float16 if self.config.amp == "float16" else torch.bfloat16
        return torch.autocast(self.group.device.split(":")[0], kind)

    def check(self) -> None:
        """Raise SegprepError (loss-nan) if a weight is NaN or infinite, so that no checkpoint is
        written over a good one.
        """
        if not all(
            bool(torch.isfinite(tensor).all())
            for tensor in self.network.state_dict().values()
            if tensor.is_floating_point()
        ):
            raise SegprepError("loss-nan", "a weight is NaN or infinite", NAN_HINT)

    def state(self) -> dict[str, Any]:
        """Optimizer and scaler, as tensors and plain values."""
        return {"optimizer": self.optimizer.state_dict(), "scaler": self.scaler.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`state` gave."""
        earlier = "optimiser"  # codespell:ignore
        self.optimizer.load_state_dict(state.get("optimizer") or state[earlier])
        if state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])


def explained(error: BaseException, batch: int, size: int) -> BaseException:
    """*error* as a SegprepError: memory, too small a batch, a lost process or GPU; else itself."""
    text = str(error)
    if out_of_memory(error):
        smaller = (
            f"--batch, for example {batch // 2}"
            if batch > 2
            else f"--size, for example {size // 2}"
        )
        hint = f"give a smaller {smaller}"
        reason = f"a batch of {batch} windows of {size}x{size} does not fit the memory"
        return SegprepError("out-of-memory", reason, hint)
    # without the place in PyTorch's source
    first = re.sub(r"^\[[^\]]*\]\s*", "", text.splitlines()[0]) if text else type(error).__name__
    if isinstance(error, dist.DistError) or any(
        part in text
        for part in ("gloo", "NCCL", "Connection closed by peer", "Connection reset by peer")
    ):
        reason = f"another process of this training ended ({first[:120]})"
        hint = "its own message says why; then continue with --resume"
        return SegprepError("process-lost", reason, hint)
    if "CUDA error" in text or "cuDNN error" in text:
        reason = f"the GPU reported: {first[:200]}"
        hint = "look at nvidia-smi; continue with --resume, or on a CPU: --device cpu"
        return SegprepError("device-failed", reason, hint)
    if "more than 1 value per channel" in text:
        reason = f"batch normalization cannot work on a batch of {batch} windows of {size}x{size}"
        return SegprepError("bad-option", reason, "give a larger --batch, or --freeze-norm")
    return error
