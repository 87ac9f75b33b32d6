"""Several processes, started by torchrun: who this process is, and sums over all of them.

Every process holds the network and a part of each batch. The loss is that of the whole batch:
logits are gathered, so that Dice, Lovász and ignored pixels give what one process with all of the
batch gives, not a mean of parts. Images to validate are dealt out without repeating any.
"""

import gc
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from segprep.errors import SegprepError, UsageError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes of this run: *rank* of *world*, on *device*. Nothing below communicates unless
    they are *joined*; torchrun joins also a single one.
    """

    rank: int
    world: int
    device: str
    joined: bool = False

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def share(self, elements: Sequence[Result]) -> Sequence[Result]:
        """This process's part of *elements*: none twice, none omitted."""
        return elements[self.rank :: self.world]

    def total(self, values: Tensor) -> Tensor:
        """The sum of *values* over all processes."""
        if self.joined:
            values = values.to(self.device)
            dist.all_reduce(values)
        return values.cpu()

    def whole(self, mine: Tensor) -> Tensor:
        """(N, …) of this process -> (world * N, …) by rank; gradients flow to *mine* only."""
        if not self.joined:
            return mine
        parts = [
            torch.empty_like(mine, memory_format=torch.contiguous_format) for _ in range(self.world)
        ]
        dist.all_gather(parts, mine.detach().contiguous())
        parts[self.rank] = mine
        return torch.cat(parts)

    def wrapped(self, network: nn.Module) -> nn.Module:
        """*network* as all processes train it together, from the first process's weights."""
        if not self.joined:
            return network
        chip = None if self.device == "cpu" else [torch.device(self.device)]
        return DistributedDataParallel(network, device_ids=chip)

    def alike(self, network: nn.Module) -> None:
        """Give every process the first one's buffers: running statistics."""
        if self.joined:
            for buffer in network.buffers():
                dist.broadcast(buffer, 0)

    def decided(self, action: Callable[[], Result]) -> Result:
        """What *action* gives in the first process, in all of them; an error there is raised in
        every one, so that none waits for ever.
        """
        answer: list[Any] = [None, None]
        if self.first:
            try:
                answer[0] = action()
            except SegprepError as error:
                if not self.joined:
                    raise
                answer[1] = (error.code, error.message, error.hint)
        if self.joined:
            dist.broadcast_object_list(answer, 0)
            if answer[1] is not None:
                raise SegprepError(*answer[1])
        return answer[0]  # type: ignore[no-any-return]


def join(device: str) -> ProcessGroup:
    """The group that torchrun's RANK, WORLD_SIZE and LOCAL_RANK describe; without them this process
    alone. nccl on GPUs, gloo on CPUs.

    *device* is one that is here; of a plain ``cuda`` each process takes its own. Raises UsageError
    (bad-option) for variables that make no sense.
    """
    try:
        defaults = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}
        rank, world, local = (int(os.environ.get(*default)) for default in defaults.items())
    except ValueError as error:
        reason = f"RANK, WORLD_SIZE and LOCAL_RANK have to be numbers: {error}"
        raise UsageError("bad-option", reason, "start with torchrun, or unset them") from error
    if world <= 1 and not dist.is_torchelastic_launched():
        return ProcessGroup(0, 1, device)
    if device == "cuda":
        if local >= torch.cuda.device_count():
            reason = f"process {local} has no GPU: there are {torch.cuda.device_count()} here"
            raise UsageError("bad-option", reason, "torchrun --nproc-per-node")
        device = f"cuda:{local}"
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        # imported later, by DistributedDataParallel, its functions keep the group as a default
        from torch.distributed.nn import functional  # noqa: F401

        backend = "nccl" if device.startswith("cuda") else "gloo"
        try:
            dist.init_process_group(backend, rank=rank, world_size=world)
        except (ValueError, RuntimeError) as error:
            reason = f"the processes cannot find each other: {str(error).splitlines()[0]}"
            raise UsageError("bad-option", reason, "start with torchrun") from error
    return ProcessGroup(rank, world, device, joined=True)


def leave(group: ProcessGroup) -> None:
    """End the communication, and its threads, as long as nothing holds the group: one that is still
    letting go of a tensor while the interpreter ends would abort the process.
    """
    if group.joined and dist.is_initialized():
        gc.collect()
        dist.destroy_process_group()
