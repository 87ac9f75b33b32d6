"""Which device a network runs on."""

import torch

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
