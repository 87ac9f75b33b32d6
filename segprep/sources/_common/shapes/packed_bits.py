"""The RLE that Label Studio's brush writes: a stream of bits, as the JavaScript library
rle-pack packs bytes.

32 bits: how many values; 5 bits: bits of a value, less 1; four times 4 bits: bits of a run's
length, less 1. Then runs: 1 bit, whether the run repeats one value; 2 bits, which of the four
lengths; the length, less 1; the value, or as many values as the run is long.
Format: https://github.com/thi-ng/umbrella/tree/develop/packages/rle-pack.
"""

import numpy as np
from numpy.typing import NDArray


def unpacked(data: bytes, most: int) -> NDArray[np.uint8]:
    """The values of a packed stream, at most *most*. Raises ValueError if it is damaged."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    if len(bits) < 53:
        raise ValueError("it is too short")
    total, size = _number(bits, 0, 32), _number(bits, 32, 5) + 1
    lengths = [_number(bits, 37 + 4 * n, 4) + 1 for n in range(4)]
    if total > most:
        raise ValueError(f"it holds {total} values, the image has {most}")
    if size > 8:
        raise ValueError(f"its values have {size} bits")
    values = np.zeros(total, np.uint8)
    at, done = 53, 0
    while done < total:
        repeated, width = _number(bits, at, 1), lengths[_number(bits, at + 1, 2)]
        count = _number(bits, at + 3, width) + 1
        at += 3 + width
        if done + count > total:
            raise ValueError("a run is longer than what is left")
        if repeated:
            values[done : done + count] = _number(bits, at, size)
            at += size
        else:
            stop = at + size * count
            if stop > len(bits):
                raise ValueError("it ends within a run")
            digits = bits[at:stop].reshape(count, size).astype(np.int64)
            values[done : done + count] = digits @ (1 << np.arange(size - 1, -1, -1))
            at = stop
        done += count
    return values


def packed(values: NDArray[np.uint8]) -> bytes:
    """*values* (any shape) as a stream of runs of equal values, lengths in up to 16 bits."""
    flat = values.reshape(-1)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [len(flat)]])
    text = [f"{len(flat):032b}", f"{7:05b}", f"{15:04b}" * 4]
    for start, stop in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        for begin in range(start, stop, 65_536):
            count = min(65_536, stop - begin)
            text.append(f"1{0:02b}{count - 1:016b}{int(flat[start]):08b}")
    joined = "".join(text)
    joined += "0" * (-len(joined) % 8)
    return int(joined, 2).to_bytes(len(joined) // 8, "big")


def _number(bits: NDArray[np.uint8], start: int, width: int) -> int:
    if start + width > len(bits):
        raise ValueError("it ends within a number")
    return int("".join(map(str, bits[start : start + width].tolist())), 2)
