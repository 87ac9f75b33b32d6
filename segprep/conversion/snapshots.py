"""The state of a folder with all files below it, without reading any."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from blake3 import blake3

from segprep.dataset.tree import LOCK
from segprep.files import folder_states, states

_AT_ONCE = 1000  # files that are looked at
_KIND = stat.S_IFMT(0xFFFF)  # the bits of a mode that tell a folder from a file


@dataclass(frozen=True, slots=True)
class Snapshot:
    """*digest* changes when a file below a folder comes, goes, or is touched; *recent*: the files
    that were touched so late that they may change again without a trace, relative to the folder;
    *stirred*: whether some came, or went, so late; how many files were *touched* since a run began,
    and the sum of the *latest* times when they were (nanoseconds), which any further touch changes.
    """

    digest: str
    recent: tuple[str, ...]
    stirred: bool = False
    touched: int = 0
    latest: int = 0


def snapshot(folder: Path, moment: int, *, since: int | None = None) -> Snapshot:
    """The state of *folder*; what has not settled by *moment* (nanoseconds) is recent, what had not
    by *since* is touched. Raises OSError where something cannot be listed.
    """
    root, separator = os.fsencode(folder), os.fsencode(os.sep)
    checksum, recent, waiting, stirred = blake3(), list[str](), [root], False
    touched = total = 0
    while waiting:
        home = waiting.pop()
        stirred |= not states.settled(os.stat(home), moment)
        checksum.update(home[len(root) :] + b"\0\0")
        every = sorted(set(os.listdir(home)) - ({os.fsencode(LOCK)} if home == root else set()))
        for start in range(0, len(every), _AT_ONCE):
            names = every[start : start + _AT_ONCE]
            rows = folder_states.rows(home, names)
            inner = (rows[:, 0] & _KIND) == stat.S_IFDIR
            waiting += [home + separator + names[n] for n in np.flatnonzero(inner).tolist()]
            files = np.flatnonzero(~inner)
            rows, times = rows[files, 1:], rows[files, 2:4]
            checksum.update(b"\0".join(names[n] for n in files.tolist()) + rows.tobytes())
            latest = times.max(1)
            if since is not None:
                new = latest[latest >= since - states.FINE].tolist()
                touched, total = touched + len(new), total + sum(new)
            for n in np.flatnonzero(latest >= moment - states.RACY).tolist():
                if not states.settled(folder_states.Times(*times[n].tolist()), moment):
                    path = home + separator + names[files[n]]
                    recent.append(os.fsdecode(path[len(root) + 1 :]))
    return Snapshot(checksum.hexdigest(20), tuple(recent), stirred, touched, total)
