"""Is every file of a dataset, or of an export, still as segprep wrote it?

segprep.json holds a digest of itself, of the records and of the lists; the records hold those of
images and masks; the class files follow from the class list. So one flipped bit anywhere shows.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

from segprep import engine
from segprep.dataset import manifest, tree
from segprep.dataset.manifest import EXPORT, MANIFEST, RECORDS, Manifest
from segprep.dataset.name_hashes import hashes, others
from segprep.dataset.record_file import RecordLines
from segprep.dataset.tree import IMAGES, LISTS, LOCK, MASKS, OBJECTS, RUNS
from segprep.dataset.tree_files import class_files
from segprep.errors import SourceError, TreeError, UsageError
from segprep.files import digest, digest_file, read_inside
from segprep.names import is_sidecar
from segprep.packed import LazySequence
from segprep.types import Progress, no_progress
from segprep.verification.archives import verify_archive
from segprep.verification.exports import verify_export

_AT_ONCE, _LARGEST = 1 << 26, 1 << 31  # bytes of a file that is read in one go, or at all


@dataclass(frozen=True, slots=True)
class Deviation:
    """A file that is not as it was written; *path* is relative to the dataset."""

    path: str
    kind: Literal["changed", "missing", "extra"]
    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found: *checked* files were read and hashed, *skipped* ones were not in the sample.

    *other* are files beside the dataset's own folders that segprep did not write; they do no harm.
    """

    root: Path
    checked: int
    skipped: int
    deviations: tuple[Deviation, ...]
    other: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing deviates."""
        return not self.deviations


def verify(
    dataset: str | Path = ".",
    *,
    sample: float = 100,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress[Any] = no_progress,
) -> Verification:
    """Hash the files of *dataset*, a tree or an export that segprep wrote (a folder or a zip file),
    and compare them with its manifest. *sample* is the percentage of images whose files are read,
    drawn by *seed*; text files are always read, and files that are missing or too many are always
    found.

    Raises UsageError for a percentage out of range; TreeError for a dataset without a manifest.
    """
    if not 0 < sample <= 100:
        raise UsageError(
            "bad-option", f"--sample {sample:g}: must be above 0, at most 100", "for example 10"
        )
    if Path(dataset).is_file():
        return _result(Path(dataset), *verify_archive(Path(dataset), sample, seed, progress))
    if (Path(dataset) / EXPORT).is_file():
        return _result(Path(dataset), *verify_export(Path(dataset), sample, seed, jobs, progress))
    root = tree.find(Path(dataset)).root
    data = read_inside(root, MANIFEST)
    if data is None:
        raise TreeError(
            "no-manifest",
            f"{root} has no {MANIFEST}: there is nothing to compare its files with",
            "segprep convert voc SRC OUT makes a dataset that can be verified",
        )
    described = _described(root, data)
    texts = list(_texts(root, data, described))
    files, names, checked, skipped = list[Deviation](), bytearray(), 0, 0
    with _lines(root) as lines:
        todo = Chosen(lines, _chosen(len(lines), sample, seed))
        results = engine.run(CompareRecord(root), todo, jobs=jobs, chunk=32)
        for result in progress(results, len(todo), "hashing"):
            if isinstance(result, engine.Failure):
                files.append(Deviation(RECORDS, "changed", result.reason))
                continue
            checked, skipped = checked + result.checked, skipped + result.skipped
            files += result.deviations
            names += result.names
    extra, other = _further(root, names)
    return Verification(
        root, checked, skipped, tuple(sorted((*texts, *files, *extra), key=_path)), other
    )


def _path(deviation: Deviation) -> str:
    return deviation.path


def _result(
    root: Path, checked: int, skipped: int, rows: Iterable[tuple[str, Any, str]]
) -> Verification:
    deviations = tuple(sorted((Deviation(*row) for row in rows), key=_path))
    return Verification(root, checked, skipped, deviations, ())


@dataclass(frozen=True, slots=True)
class Chosen(LazySequence[tuple[bytes, bool]]):
    """The *lines* of the records, and whether the files of each are to be read: all, or those of
    the *numbers* (from 0).
    """

    lines: Sequence[tuple[int, bytes]]
    numbers: frozenset[int] | None

    def __len__(self) -> int:
        return len(self.lines)

    def _value(self, number: int) -> tuple[bytes, bool]:
        line = self.lines[number][1]
        return line, self.numbers is None or number in self.numbers


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """How many files of one record were *checked* and *skipped*, and which deviate; *names*: the
    hashes of their names.
    """

    checked: int
    skipped: int
    deviations: tuple[Deviation, ...]
    names: bytes


@dataclass(frozen=True, slots=True)
class CompareRecord:
    """Hash the files of one record of the tree *root* and compare. Runs in worker processes."""

    root: Path

    def __call__(self, chosen: tuple[bytes, bool]) -> RecordCheck:
        """What deviates; of files that are not to be read, only whether they are there."""
        line, read = chosen
        try:
            digests = manifest.load_record(line).digests
        except ValueError:  # records.jsonl as a whole is told as changed
            return RecordCheck(0, 0, (), b"")
        if read:
            deviations = [_compared(self.root, name, value) for name, value in digests.items()]
        else:
            deviations = [
                Deviation(name, "missing", "is not there")
                for name in digests
                if not os.path.lexists(self.root / name)
            ]
        count = len(digests)
        counts = (count, 0) if read else (0, count)
        return RecordCheck(*counts, tuple(filter(None, deviations)), hashes(digests))


def _compared(root: Path, name: str, expected: str) -> Deviation | None:
    try:
        if os.path.islink(root / name):
            return Deviation(name, "changed", "is a link now")
        mark = _mark(root, name)
    except SourceError as error:
        return Deviation(name, "changed", error.reason)
    if mark is None:
        return Deviation(name, "missing", "is not there")
    if mark != expected:
        return Deviation(name, "changed", "its content has another digest")
    return None


def _mark(root: Path, name: str) -> str | None:
    """The digest of a file; a large one is not held in memory. Raises SourceError."""
    try:
        data = read_inside(root, name, _AT_ONCE)
    except SourceError as error:
        if error.code != "file-too-large" or (root / name).stat().st_size > _LARGEST:
            raise
        return digest_file(root / name)
    return None if data is None else digest(data)


def _described(root: Path, data: bytes) -> Manifest | None:
    """The manifest, or None if it is damaged beyond reading."""
    try:
        return manifest.load(root / MANIFEST)
    except TreeError:
        return None


def _texts(root: Path, data: bytes, described: Manifest | None) -> Iterator[Deviation]:
    """Deviations of the tree's text files."""
    if described is None or manifest.intact(data) is False:
        yield Deviation(MANIFEST, "changed", "is not as it was written")
    if described is None:
        return
    expected = {RECORDS: described.records}
    expected |= {name: digest(text) for name, text in class_files(described.classes).items()}
    expected |= {f"{LISTS}/{name}.txt": value for name, value in described.lists.items()}
    for name, value in expected.items():
        if deviation := _compared(root, name, value):
            yield deviation


@contextmanager
def _lines(root: Path) -> Iterator[Sequence[tuple[int, bytes]]]:
    """The lines of the records, none where they cannot be read (told as a change)."""
    try:
        lines = RecordLines(root / RECORDS, None)
    except TreeError:
        yield ()
        return
    with closing(lines):
        yield lines


def _chosen(count: int, sample: float, seed: int) -> frozenset[int] | None:
    """Which of *count* records are read; None: all."""
    if sample >= 100 or not count:
        return None
    return frozenset(Random(seed).sample(range(count), max(1, round(count * sample / 100))))


def _further(root: Path, names: bytearray) -> tuple[list[Deviation], tuple[str, ...]]:
    """Files that no record names (*names*: the hashes of those that one does): those in the folders
    of images and masks, and others.
    """
    other = list[str]()
    extra = [
        Deviation(path, "extra", "not written by segprep")
        for path in others(_own_files(root, other), names)
    ]
    return extra, tuple(other)


def _own_files(root: Path, other: list[str]) -> Iterator[str]:
    """The files in the folders of images and masks; what lies elsewhere and is not the tree's goes
    to *other*.
    """
    own = {MANIFEST, RECORDS, LOCK, tree.CLASS_NAMES, tree.LABELMAP}
    for folder, folders, names in os.walk(root):
        inner = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if inner / name != Path(RUNS))
        start = "" if inner == Path() else f"{inner.as_posix()}/"
        labeled = inner.parts[:1] in ((IMAGES,), (MASKS,), (OBJECTS,))
        for name in sorted(names):
            if labeled and not is_sidecar(name):
                yield f"{start}{name}"
            elif f"{start}{name}" not in own and inner != Path(LISTS):
                other.append(f"{start}{name}")
