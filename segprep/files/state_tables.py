"""The states of very many files, looked at once and then asked for by path: 16 bytes a file."""

import os
import stat
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from segprep.files import folder_states, path_keys, states
from segprep.files.path_keys import Keys
from segprep.files.states import UNKNOWN

ABSENT = 1  # the number of no file; that of a file that may change without a trace is UNKNOWN
_LEAST = 2
_AT_ONCE = 4000  # files, or folders
_KIND = stat.S_IFMT(0xFFFF)  # the bits of a mode that tell what a file is
_MODE, _SIZE, _MODIFIED, _CHANGED, _INODE = range(5)


def numbers(rows: NDArray[np.int64]) -> Keys:
    """A number for each of *rows* (see :func:`folder_states.rows`) that changes when size, times or
    inode do; never UNKNOWN or ABSENT.
    """
    columns = rows.astype(np.uint64, copy=False)
    result = path_keys.mixed(columns[:, _SIZE], columns[:, _MODIFIED])
    for column in (_CHANGED, _INODE):
        result = path_keys.mixed(result, columns[:, column])
    return np.maximum(result, np.uint64(_LEAST))


def looked_at(paths: Iterable[str], moment: int) -> Keys:
    """The numbers of the files at *paths*, links followed; UNKNOWN for what may have changed since
    the *moment* (nanoseconds) or is not a file, ABSENT where there is nothing.
    """
    rows = list[tuple[int, ...]]()
    for path in paths:
        try:
            state = os.stat(path)
        except OSError:
            rows.append((0, 0, 0, 0, ABSENT))
            continue
        sure = stat.S_ISREG(state.st_mode) and states.settled(state, moment)
        rows.append(row_of(state) if sure else (0, 0, 0, 0, UNKNOWN))
    every = np.array(rows, np.int64).reshape(-1, 5)
    there = every[:, _MODE] != 0
    return np.where(there, numbers(every), every[:, _INODE].astype(np.uint64))


def row_of(state: os.stat_result) -> tuple[int, ...]:
    """*state* as a row of :func:`folder_states.rows`."""
    times = state.st_mtime_ns, state.st_ctime_ns
    return state.st_mode, state.st_size, *times, folder_states.in_64(state.st_ino)


class StateTable:
    """The numbers that files below some folders had at a *moment* (nanoseconds)."""

    def __init__(self, moment: int) -> None:
        self.moment = moment
        self._keys, self._numbers = list[Keys](), list[Keys]()
        self._folders, self._ordered = set[int](), True
        self._waiting = list[tuple[bytes, Sequence[bytes], NDArray[np.int64]]]()
        self._count = 0  # of the files that wait: many small folders are added as one

    def add(self, folder: bytes, names: Sequence[bytes], rows: NDArray[np.int64]) -> None:
        """Add what lies in *folder*: the *rows* of its files called *names*."""
        self._waiting.append((folder, names, rows))
        self._count += len(names)
        links = ((rows[:, _MODE] & _KIND) == stat.S_IFLNK).any()  # looked at now, not later
        if links or self._count >= _AT_ONCE or len(self._waiting) >= _AT_ONCE:
            self._settle()

    def _settle(self) -> None:
        """Turn what waits into keys and numbers."""
        folders, every, parts = zip(*self._waiting, strict=True)
        self._waiting, self._count = [], 0
        homes = path_keys.keys_of_list([os.path.join(folder, b"") for folder in folders])
        self._folders.update(homes.tolist())
        names, rows = [*chain.from_iterable(every)], np.concatenate(parts)
        if not names:
            return
        counts = [*map(len, every)]
        kinds, own = rows[:, _MODE] & _KIND, numbers(rows)
        own[kinds != stat.S_IFREG] = UNKNOWN
        latest = rows[:, (_MODIFIED, _CHANGED)].max(1)
        for n in np.flatnonzero(latest >= self.moment - states.RACY).tolist():
            times = folder_states.Times(*rows[n, [_MODIFIED, _CHANGED]].tolist())
            if not states.settled(times, self.moment):
                own[n] = UNKNOWN
        if len(links := np.flatnonzero(kinds == stat.S_IFLNK)):
            owners = np.repeat(np.arange(len(folders)), counts)[links].tolist()
            paths = (
                os.path.join(os.fsdecode(folders[home]), os.fsdecode(names[n]))
                for home, n in zip(owners, links.tolist(), strict=True)
            )
            own[links] = looked_at(paths, self.moment)
        self._keys.append(path_keys.keys_of_list(names, np.repeat(homes, counts)))
        self._numbers.append(own)
        self._ordered = False

    def find(self, keys: Keys, folders: "int | Keys", paths: Sequence[str] | None = None) -> Keys:
        """The numbers of the files at *paths*, which have these *keys*, in *folders*, by their
        :func:`path_keys.folder_key`. Those in folders that are not in here are looked at now if
        *paths* are given; what is not there now may have been there before, and is UNKNOWN.
        """
        if self._waiting:
            self._settle()
        result = np.full(len(keys), ABSENT, np.uint64)
        if len(ordered := self._all()[0]):
            at = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
            here = ordered[at] == keys
            result[here] = self._numbers[0][at[here]]
        else:
            here = np.zeros(len(keys), bool)
        if not here.all():
            listed = np.isin(folders, np.array([*self._folders], np.uint64))
            others = np.flatnonzero(~here & ~listed)
            result[others] = UNKNOWN
            if len(others) and paths is not None:
                own = looked_at((paths[n] for n in others.tolist()), self.moment)
                result[others] = np.where(own == ABSENT, np.uint64(UNKNOWN), own)
        return result

    def _all(self) -> tuple[Keys, Keys]:
        """All keys in order, and their numbers."""
        if not self._ordered:
            keys, self._keys = np.concatenate(self._keys), []
            order = np.argsort(keys)
            self._keys = [keys[order]]
            del keys
            own, self._numbers = np.concatenate(self._numbers), []
            self._numbers = [own[order]]
            self._ordered = True
        empty = np.empty(0, np.uint64)
        return (self._keys[0], self._numbers[0]) if self._keys else (empty, empty)
