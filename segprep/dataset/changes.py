"""What became of a tree's files since segprep wrote them: missing, changed, added."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from segprep import engine
from segprep.dataset.manifest import RECORDS
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS, Tree
from segprep.errors import SourceError
from segprep.files import digest, read_below, walk
from segprep.types import Record


@dataclass(frozen=True, slots=True)
class Changes:
    """File names relative to the tree. *changed* files have another content than their record."""

    missing: tuple[str, ...]
    changed: tuple[str, ...]
    added: tuple[str, ...]


def changes(home: Tree, *, check: bool = False, jobs: int = 1) -> Changes:
    """Compare the files of a tree that segprep made with its records.

    A file is read and hashed if it is newer than the records, by its time of modification or, where
    the system has one, of change; with *check* every file is. Raises TreeError for damaged records.
    """
    root = home.root.resolve()
    since = -1 if check else _time(root / RECORDS)
    records = list(home.records())
    missing, changed, recorded = list[str](), list[str](), set[str]()
    for record, result in zip(
        records, engine.run(_Compared(root, since), records, jobs=jobs, chunk=64), strict=True
    ):
        recorded |= record.digests.keys()
        if isinstance(result, engine.Failure):
            changed.append(record.mask)
            continue
        missing += result[0]
        changed += result[1]
    added = [name for name in _files(root) if name not in recorded]
    return Changes(tuple(missing), tuple(changed), tuple(added))


def _files(root: Path) -> Iterator[str]:
    for folder in (IMAGES, MASKS, OBJECTS):
        if (root / folder).is_dir():
            yield from (path.relative_to(root).as_posix() for path in walk(root / folder))


def _time(path: Path) -> int:
    state = path.stat()
    return max(state.st_mtime_ns, state.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class _Compared:
    """The files of one record that are missing, and those that changed; for the engine."""

    root: Path
    since: int

    def __call__(self, record: Record) -> tuple[list[str], list[str]]:
        missing, changed = [], []
        for name, expected in record.digests.items():
            path = self.root / name
            if not path.is_file():
                missing.append(name)
            elif _time(path) > self.since and not self._holds(path, expected):
                changed.append(name)
        return missing, changed

    def _holds(self, path: Path, expected: str) -> bool:
        try:
            return digest(read_below(path, (self.root,))) == expected
        except SourceError:
            return False
