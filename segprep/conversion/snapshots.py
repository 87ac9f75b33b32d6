"""The state of a folder with all files below it, without reading any."""

import os
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from blake3 import blake3

from segprep.dataset.tree import LOCK
from segprep.files import folder_states, states
from segprep.files.state_tables import StateTable

_AT_ONCE = 4000  # files that are looked at
_NO_ROWS = np.empty((0, 5), np.int64)
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


def snapshot(
    folder: Path, moment: int, *, since: int | None = None, table: StateTable | None = None
) -> Snapshot:
    """The state of *folder*; what has not settled by *moment* (nanoseconds) is recent, what had not
    by *since* is touched; all files are added to *table*. Raises OSError where something cannot be
    listed.
    """
    root, separator = os.fsencode(folder), os.fsencode(os.sep)
    checksum, recent, waiting, stirred = blake3(), list[str](), [root], False
    touched = total = 0
    while waiting:
        home = waiting.pop()
        stirred |= not states.settled(os.stat(home), moment)
        checksum.update(home[len(root) :] + b"\0\0")
        every = os.listdir(home)
        if home == root and (lock := os.fsencode(LOCK)) in every:
            every.remove(lock)
        every.sort()
        if table is not None:
            table.add(home, (), _NO_ROWS)
        for start in range(0, len(every), _AT_ONCE):
            names = every[start : start + _AT_ONCE]
            rows = folder_states.rows(home, names)
            inner = (rows[:, 0] & _KIND) == stat.S_IFDIR
            waiting += [home + separator + names[n] for n in np.flatnonzero(inner).tolist()]
            if inner.any():
                files = np.flatnonzero(~inner)
                names, rows = [names[n] for n in files.tolist()], rows[files]
            if table is not None:
                table.add(home, names, rows)
            rows, times = rows[:, 1:], rows[:, 2:4]
            checksum.update(b"\0".join(names) + rows.tobytes())
            latest = times.max(1)
            if since is not None:
                new = latest[latest >= since - states.FINE].tolist()
                touched, total = touched + len(new), total + sum(new)
            for n in np.flatnonzero(latest >= moment - states.RACY).tolist():
                if not states.settled(folder_states.Times(*times[n].tolist()), moment):
                    path = home + separator + names[n]
                    recent.append(os.fsdecode(path[len(root) + 1 :]))
    return Snapshot(checksum.hexdigest(20), tuple(recent), stirred, touched, total)


@dataclass(slots=True)
class Looked:
    """What the files below the folders of a conversion look like before it reads any: those of its
    *inputs*; those of its outputs are looked at when they are asked for.
    """

    inputs: StateTable
    _outputs: tuple[Snapshot, StateTable] | None = None

    @classmethod
    def at(cls, roots: Iterable[Path], moment: int) -> "tuple[Looked, list[Snapshot]]":
        """The inputs below *roots* at this *moment* (nanoseconds), and the states of these. Raises
        OSError where something cannot be listed.
        """
        table = StateTable(moment)
        return cls(table), [snapshot(root, moment, table=table) for root in roots]

    @classmethod
    def now(cls, roots: Iterable[Path]) -> "Looked":
        """The inputs below *roots* as they are now; what cannot be listed is skipped."""
        moment = time.time_ns()
        try:
            return cls.at(roots, moment)[0]
        except OSError:
            return cls(StateTable(moment))

    def outputs(self, out: Path) -> tuple[Snapshot | None, StateTable]:
        """The state of the tree *out*, None where it cannot be listed, and that of its files."""
        if self._outputs is None:
            table = StateTable(self.inputs.moment)
            try:
                self._outputs = snapshot(out, table.moment, table=table), table
            except OSError:
                return None, table
        return self._outputs
