"""Which device a network runs on, and how exactly."""

import os
import resource
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from segprep import limits
from segprep.errors import UsageError


def pick_device(name: str) -> str:
    """``auto``: cuda where there is one, else cpu.

    Raises UsageError (bad-option) for a device that is not here.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            "bad-option", f"--device {name} cannot be used: {reason}", "auto, cpu or cuda"
        ) from error
    return name


def peak_memory(device: str) -> int:
    """The most bytes that this process has held so far: of the GPU *device*, or of main memory."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # kilobytes elsewhere


def free_memory(device: str) -> int:
    """The bytes that could still be had on the GPU *device*, or of main memory (of the container's,
    if that is less); 0 where the system does not tell.
    """
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    return limits.available()


def out_of_memory(error: BaseException) -> bool:
    """Whether *error* means that memory ran out; PyTorch says so of the CPU in words only."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        part in str(error) for part in ("allocate memory", "not enough memory", "out of memory")
    )


@contextmanager
def repeatable(wanted: bool) -> Iterator[None]:
    """While it lasts, a GPU gives the same bits again, if *wanted*; a CPU does so anyway."""
    if not wanted:
        yield
        return
    # cuBLAS reads it when its first handle is made
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with warnings.catch_warnings():  # of poolings: their windows do not overlap
            warnings.filterwarnings("ignore", ".*deterministic implementation")
            yield
    finally:
        torch.use_deterministic_algorithms(before)


def exact(device: str) -> AbstractContextManager[None]:
    """Full float32 on a GPU, as on a CPU: PyTorch shortens factors to 10 bits there (TF32)."""
    if device.startswith("cuda"):
        return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
    return nullcontext()
