"""One sample to the files of an export. Runs in worker processes."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from segprep.exporting.labeled import labeled
from segprep.exporting.publish import Outbox
from segprep.exporting.stored import StoredFile, stored_files
from segprep.files import Inputs, digest, read_below, watch
from segprep.types import Classes, Entry, Note
from segprep.writer import Loss, Part, Product, Writer

FileState = tuple[int, int, int, int]  # bytes, time of the content, inode, time of the inode


@dataclass(frozen=True, slots=True)
class ExportedFiles:
    """What one sample became: all names, those that were written and not linked, what it adds to
    common files; the *digests* of its files, the state of its *inputs* (see ``journal``), and for
    every part of *appended* (name, bytes, digest).
    """

    stem: str
    names: tuple[str, ...]
    written: tuple[str, ...]
    appended: tuple[Product, ...]
    parts: tuple[Part, ...]
    losses: tuple[Loss, ...]
    notes: tuple[Note, ...]
    digests: Mapping[str, str]
    inputs: Mapping[str, FileState | None]
    appended_marks: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class SampleExport:
    """Make the files of one sample, in worker processes, too. *bits*: what the dataset's 16-bit
    gray images use.
    """

    writer: Writer
    box: Outbox
    roots: tuple[Path, ...]
    classes: Classes | None
    write: bool
    bits: int

    def __call__(self, todo: tuple[Entry, tuple[str, ...]]) -> ExportedFiles:
        """The files of one (entry, places). Raises SourceError."""
        entry, places = todo
        with watch() as inputs:
            stored = stored_files(entry, self.roots)
            sample, notes = labeled(
                entry,
                self.roots,
                self.classes,
                limit=self.writer.max_pixels,
                gray_bits=self.bits,
                files=stored,
            )
            results = list(self.writer.files(sample, places))
            products = [product for product in results if isinstance(product, Product)]
            files = [product for product in products if not product.append]
            appended = tuple(product for product in products if product.append)
            filed = (
                {product.name: self._filed(product, stored, inputs) for product in files}
                if self.write
                else {}
            )
        marks = [
            (product.name, bytes(product.content or b"")) for product in appended if self.write
        ]
        return ExportedFiles(
            entry.stem,
            tuple(product.name for product in files),
            tuple(name for name, (written, _) in filed.items() if written),
            appended,
            tuple(product for product in results if isinstance(product, Part)),
            tuple(product for product in results if isinstance(product, Loss) and product.count),
            tuple(
                replace(note, stem=entry.stem)
                for note in (*notes, *results)
                if isinstance(note, Note)
            ),
            {name: mark for name, (_, mark) in filed.items()},
            _states(stored, inputs) if self.write else {},
            tuple((name, len(content), digest(content)) for name, content in marks),
        )

    def _filed(
        self, product: Product, stored: Iterable[StoredFile], inputs: Inputs
    ) -> tuple[bool, str]:
        """Make the file of *product*: whether it was written and not linked, and its digest."""
        if product.origin is None:
            return self.box.put(product, self.roots), digest(product.content or b"")
        for file in stored:
            if file.path == product.origin:
                if file.untouched or product.link != "copy":
                    return self.box.put(product, self.roots, file.state), file.digest()
                content = replace(product, content=file.content(), origin=None)
                return self.box.put(content, ()), file.digest()
        data = inputs.contents.get(product.origin)
        if not isinstance(data, bytes):
            data = read_below(product.origin, self.roots)
        if product.link == "copy":
            product = replace(product, content=data, origin=None)
        return self.box.put(product, self.roots), digest(data)


def _states(stored: Iterable[StoredFile], inputs: Inputs) -> dict[str, FileState | None]:
    """The states of all *inputs* by path; of *stored* ones that changed since they were looked at,
    none that is of use. A hard link to one is no change of it.
    """
    looked = {file.path: _brief(file.state) for file in stored if file.state}
    now = {path: state_of(path) for path in inputs.contents}
    return {
        str(path): state if state and state[:3] == looked.get(path, state)[:3] else looked.get(path)
        for path, state in now.items()
    }


def state_of(path: Path) -> FileState | None:
    """The state of the file at *path*; None where there is none."""
    try:
        return _brief(os.stat(path))
    except OSError:
        return None


def _brief(state: os.stat_result) -> FileState:
    return state.st_size, state.st_mtime_ns, state.st_ino, state.st_ctime_ns
