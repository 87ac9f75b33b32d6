"""What the compiled kernel and its twins in NumPy are compared by."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray

from segprep import kernel

Bytes = NDArray[np.uint8]
built = pytest.mark.skipif(kernel.compiled is None, reason="the kernel is not built, or turned off")


def both(call: Callable[[], Any]) -> tuple[Any, Any]:
    """What *call* gives with the kernel, and without."""
    with pytest.MonkeyPatch.context() as patch:
        first = call()
        patch.setattr(kernel, "compiled", None)
        return first, call()


@st.composite
def maps(draw: st.DrawFn, count: int = 1) -> Bytes:
    """(count, H, W): noise or runs of few values, of sizes around the eight bytes of a word."""
    shape = count, draw(st.integers(1, 9)), draw(st.integers(1, 70))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = draw(st.sampled_from([1, 2, 3, 256]))
    step = draw(st.sampled_from([1, 7, 8, 33]))
    coarse = random.integers(0, values, (count, shape[1], -(-shape[2] // step)))
    runs = np.repeat(coarse, step, axis=2)[..., : shape[2]]
    blank = random.random(shape) < draw(st.sampled_from([0, 0, 0.9, 1]))
    return np.where(blank, 0, runs).astype(np.uint8)
