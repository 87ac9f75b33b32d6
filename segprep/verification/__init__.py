"""Is every file of a dataset, or of an export, still as segprep wrote it?

segprep.json holds a digest of itself, of the records and of the lists; the records hold those of
images and masks; the class files follow from the class list. So one flipped bit anywhere shows.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

from segprep import engine
from segprep.dataset import manifest, tree
from segprep.dataset.manifest import EXPORT, MANIFEST, RECORDS, Manifest
from segprep.dataset.tree import IMAGES, LISTS, LOCK, MASKS, OBJECTS, RUNS
from segprep.dataset.tree_files import class_files
from segprep.errors import SourceError, TreeError, UsageError
from segprep.files import digest, read_inside
from segprep.names import is_sidecar
from segprep.types import Progress, Record, no_progress
from segprep.verification.archives import verify_archive
from segprep.verification.exports import verify_export


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
    records = list(_records(root))
    digests = {name: value for record in records for name, value in record.digests.items()}
    chosen = _chosen(records, sample, seed)
    todo = [(name, value) for record in chosen for name, value in record.digests.items()]
    compare = CompareFile(root)
    results = progress(engine.run(compare, todo, jobs=jobs, chunk=32), len(todo), "hashing")
    files = [result for result in results if isinstance(result, Deviation)]
    rest = digests.keys() - {name for name, _ in todo}
    files += [
        Deviation(name, "missing", "is not there")
        for name in sorted(rest)
        if not os.path.lexists(root / name)
    ]
    extra, other = _further(root, digests)
    return Verification(
        root, len(todo), len(rest), tuple(sorted((*texts, *files, *extra), key=_path)), other
    )


def _path(deviation: Deviation) -> str:
    return deviation.path


def _result(
    root: Path, checked: int, skipped: int, rows: Iterable[tuple[str, Any, str]]
) -> Verification:
    deviations = tuple(sorted((Deviation(*row) for row in rows), key=_path))
    return Verification(root, checked, skipped, deviations, ())


@dataclass(frozen=True, slots=True)
class CompareFile:
    """Hash one file of the tree *root* and compare. Runs in worker processes."""

    root: Path

    def __call__(self, file: tuple[str, str]) -> Deviation | None:
        """The deviation of (name, digest), or None."""
        name, expected = file
        return _compared(self.root, name, expected)


def _compared(root: Path, name: str, expected: str) -> Deviation | None:
    try:
        if os.path.islink(root / name):
            return Deviation(name, "changed", "is a link now")
        data = read_inside(root, name, 1 << 31)
    except SourceError as error:
        return Deviation(name, "changed", error.reason)
    if data is None:
        return Deviation(name, "missing", "is not there")
    if digest(data) != expected:
        return Deviation(name, "changed", "its content has another digest")
    return None


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


def _records(root: Path) -> Iterator[Record]:
    """The records that can be read: a damaged line costs its own sample only."""
    try:
        lines = (read_inside(root, RECORDS, 1 << 31) or b"").split(b"\n")
    except SourceError:
        return
    for line in lines:
        try:
            yield manifest.load_record(line)
        except ValueError:
            continue  # records.jsonl as a whole is told as changed


def _chosen(records: Sequence[Record], sample: float, seed: int) -> Sequence[Record]:
    if sample >= 100:
        return records
    count = max(1, round(len(records) * sample / 100)) if records else 0
    return Random(seed).sample(records, count)


def _further(root: Path, digests: Mapping[str, str]) -> tuple[list[Deviation], tuple[str, ...]]:
    """Files that no record names: those in the folders of images and masks, and others."""
    extra, other = [], []
    own = {MANIFEST, RECORDS, LOCK, tree.CLASS_NAMES, tree.LABELMAP}
    for folder, folders, names in os.walk(root):
        inner = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if inner / name != Path(RUNS))
        for name in sorted(names):
            path = (inner / name).as_posix()
            if inner.parts[:1] in ((IMAGES,), (MASKS,), (OBJECTS,)) and not is_sidecar(name):
                if path not in digests:
                    extra.append(Deviation(path, "extra", "not written by segprep"))
            elif path not in own and inner != Path(LISTS):
                other.append(path)
    return extra, tuple(other)
