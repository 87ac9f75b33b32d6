"""What became of a tree's files since segprep wrote them: missing, changed, added."""

import os
import stat
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from segprep import engine
from segprep.dataset.index_file import output_keys
from segprep.dataset.manifest import RECORDS
from segprep.dataset.name_hashes import hashes, others
from segprep.dataset.record_file import KeyedLines, RecordLines, parsed
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS, Tree
from segprep.errors import SourceError
from segprep.files import digest, read_below, states, walk
from segprep.names import is_sidecar


@dataclass(frozen=True, slots=True)
class Changes:
    """File names relative to the tree. *changed* files have another content than their record."""

    missing: tuple[str, ...]
    changed: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordState:
    """One record, less what its files are named, and whether these are as it says: *missing* and
    *changed* files; *names*: a hash of each file's name.
    """

    stem: str
    size: tuple[int, int]
    pixels: Mapping[int, int]
    codes: tuple[str, ...]
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    mask: Literal["as recorded", "missing", "changed"]
    names: bytes


def changes(
    home: Tree,
    *,
    check: bool = False,
    jobs: int = 1,
    progress: Callable[[RecordState], None] = lambda _: None,
) -> Changes:
    """Compare the files of a tree that segprep made with its records; *progress* is told of each.

    Files are read and hashed, but for those of which the index beside the tree knows that nobody
    touched them; with *check* all are. Raises TreeError for damaged records.
    """
    root, described = home.root.resolve(), home.manifest
    expected = described.records if described else None
    missing, changed, recorded = list[str](), list[str](), bytearray()
    with closing(RecordLines(root / RECORDS, expected)) as lines:
        keys = array("Q") if check or not expected else output_keys(root, expected)
        for result in engine.run(_Compared(root), KeyedLines(lines, keys), jobs=jobs, chunk=64):
            if isinstance(result, engine.Failure):
                changed.append(f"{RECORDS}: {result.reason}")
                continue
            recorded += result.names
            missing += result.missing
            changed += result.changed
            progress(result)
    return Changes(tuple(missing), tuple(changed), tuple(others(_files(root), recorded)))


def _files(root: Path) -> Iterator[str]:
    for folder in (IMAGES, MASKS, OBJECTS):
        if (root / folder).is_dir():
            for path in walk(root / folder):
                if not is_sidecar(path.name):
                    yield path.relative_to(root).as_posix()


def _state(path: Path) -> os.stat_result | None:
    """The state of the file or link *path*; None where there is nothing that could be a file."""
    try:
        state = os.lstat(path)
    except (OSError, ValueError):
        return None
    if stat.S_ISLNK(state.st_mode):
        return state if path.is_file() else None
    return state if stat.S_ISREG(state.st_mode) else None


@dataclass(frozen=True, slots=True)
class _Compared:
    """The comparison of one record, given by its line's number and bytes, and the key of the states
    that its files have while they are unchanged; for the engine.
    """

    root: Path

    def __call__(self, line: tuple[int, bytes, int]) -> RecordState:
        record = parsed(self.root / RECORDS, *line[:2])
        seen = {name: _state(self.root / name) for name in record.digests}
        missing = [name for name, state in seen.items() if state is None]
        untouched = states.are(seen.values(), line[2])
        changed = [
            name
            for name, state in seen.items()
            if state and not untouched and not self._holds(name, record.digests[name])
        ]
        return RecordState(
            record.stem,
            (record.width, record.height),
            record.pixels,
            tuple({note.code for note in record.notes}),
            tuple(missing),
            tuple(changed),
            "missing"
            if record.mask in missing
            else "changed"
            if record.mask in changed
            else "as recorded",
            hashes(record.digests),
        )

    def _holds(self, name: str, expected: str) -> bool:
        try:
            return digest(read_below(self.root / name, (self.root,))) == expected
        except SourceError:
            return False
