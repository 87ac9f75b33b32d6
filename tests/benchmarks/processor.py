"""The machine that a figure is of."""

import os
import platform
from pathlib import Path

from segprep import kernel


def name() -> str:
    """Processor, cores that may be used, load, Python, what counts pixels."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    machine = f"{model or platform.processor()}, {cores} cores, load {load}"
    return f"{machine}, Python {platform.python_version()}, {kernel.used()}"
