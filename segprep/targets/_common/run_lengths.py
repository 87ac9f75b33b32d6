"""COCO's compressed RLE of a bitmap.

Runs go down the columns, zeros first; from the fourth on each is kept as its difference to the last
but one, five bits a character (https://github.com/cocodataset/cocoapi, common/maskApi.c).
"""

from typing import Any

import numpy as np

from segprep.targets._common.objects import Thing


def encoded(thing: Thing, height: int, width: int) -> dict[str, Any]:
    """``{"size", "counts"}`` of *thing* in an image of *height* x *width* pixels."""
    rows, columns = thing.bits.shape
    stripe = np.zeros((height, columns), np.bool_)
    stripe[thing.top : thing.top + rows] = thing.bits
    flat = np.concatenate([[False], stripe.T.reshape(-1), [False]])
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + thing.left * height
    runs = np.diff(changes, prepend=0, append=height * width).tolist()
    if runs[-1] == 0:
        runs.pop()
    return {"size": [height, width], "counts": _text(runs)}


def _text(runs: list[int]) -> str:
    characters = []
    for number, run in enumerate(runs):
        value = run - runs[number - 2] if number > 2 else run
        while True:
            bits = value & 31
            value >>= 5
            more = value != (-1 if bits & 16 else 0)
            characters.append(chr(48 + (bits | 32 if more else bits)))
            if not more:
                break
    return "".join(characters)
