"""The output of an export: made in a hidden folder beside it, swapped in by one rename.

PARENT/OUT/                         appears whole, or not at all
  segprep-export.json               what was exported, and every file of it
PARENT/.OUT.segprep-export/         while a run is at work, or after it failed or was killed
  new/                              the export that is being made
  journal.jsonl  parts              what is finished of it; identity.json: with which options
  old/                              an earlier export that --overwrite replaces
"""

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from segprep.dataset import manifest
from segprep.dataset.manifest import EXPORT
from segprep.dataset.staging import lock
from segprep.errors import SegprepError, SourceError, TreeError, UsageError
from segprep.files import (
    copy_staged,
    digest_file,
    read_inside,
    remove_folder,
    resolve_below,
    write_error,
    write_staged,
)
from segprep.outputs import force, restore, swap
from segprep.writer import Product

MARKER = EXPORT
IDENTITY, LINES, PARTS = "identity.json", "journal.jsonl", "parts"  # see ExportJournal


@dataclass(frozen=True, slots=True)
class Outbox:
    """The folder *out* (a real path) and the hidden one beside it; *folders*: those in it that are
    made.
    """

    out: Path
    folders: set[str] = field(default_factory=set, init=False, compare=False, repr=False)

    @property
    def hidden(self) -> Path:
        """Where a run works."""
        return _hidden(self.out)

    def check(self, root: Path, overwrite: bool) -> None:
        """Raise UsageError or TreeError if the dataset at *root* or anything that is not an earlier
        export is in the way.
        """
        if self.out == root or self.out.is_relative_to(root) or root.is_relative_to(self.out):
            raise UsageError(
                "output-overlaps-source",
                f"the output {self.out} and the dataset {root} overlap",
                "choose an output beside the dataset",
            )
        if self.out.exists() and not self.out.is_dir():
            raise UsageError(
                "bad-option", f"the output {self.out} is not a folder", "choose another name"
            )
        if self.out.is_dir() and (self.out.is_mount() or Path.cwd().is_relative_to(self.out)):
            raise UsageError(
                "bad-option",
                f"the output {self.out} is a mount point or the current folder; it appears by"
                " renaming",
                "name a folder below it",
            )
        if os.path.islink(self.hidden):
            raise TreeError(
                "link-in-output",
                f"{self.hidden} is a symbolic link; files would land where it points",
                "remove the link",
            )
        there = next(self._files(), None)
        if there is None:
            return
        if not (self.out / MARKER).is_file():
            raise TreeError(
                "output-occupied",
                f"{self.out} holds {there}, which no export wrote",
                "choose another OUT",
            )
        if not overwrite:
            raise TreeError(
                "output-occupied",
                f"{self.out} already holds an export",
                "choose another OUT, or give --overwrite to replace it",
            )
        recorded = self._account_names()
        if foreign := next((name for name in self._files() if name not in recorded), None):
            raise TreeError(
                "output-occupied",
                f"{self.out} holds {foreign}, which the earlier export did not write",
                "move it away, or choose another OUT",
            )

    def _files(self) -> Iterator[str]:
        for folder, _, names in os.walk(self.out):
            yield from (
                Path(folder, name).relative_to(self.out).as_posix() for name in sorted(names)
            )

    def _account_names(self) -> set[str]:
        """What the earlier export wrote. Raises TreeError if its own account is damaged."""
        try:
            return {MARKER, *json.loads(read_inside(self.out, MARKER) or b"")["files"]}
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise TreeError(
                "output-occupied",
                f"{self.out / MARKER} cannot be read: {error!r}",
                "remove the folder yourself, or choose another OUT",
            ) from error

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the hidden folder for one run; what an earlier run left between its two renames is
        put right first. A run that fails or is stopped leaves what it finished: it can resume.
        """
        try:
            self.hidden.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(self.hidden, error) from error
        with self._vanishing(), lock(self.hidden):
            restore(self.out, self.hidden / "old")
            self.folders.clear()
            try:
                (self.hidden / "new").mkdir(exist_ok=True)
                yield
            except Exception:  # whatever the fault: without a finished sample nothing is kept
                if not self.has_finished():
                    self._clear()
                raise
            self._clear()

    def has_finished(self) -> bool:
        """Whether the hidden folder holds finished samples, which a re-run keeps."""
        try:
            return (self.hidden / LINES).stat().st_size > 0
        except OSError:
            return False

    @contextmanager
    def _vanishing(self) -> Iterator[None]:
        try:
            yield
        finally:
            with suppress(OSError):  # another run may be at work in it
                self.hidden.rmdir()

    def _clear(self) -> None:
        remove_folder(self.hidden / "new")
        for name in (IDENTITY, LINES, PARTS):
            (self.hidden / name).unlink(missing_ok=True)
        if self.out.exists():
            remove_folder(self.hidden / "old")

    def put(
        self, product: Product, roots: tuple[Path, ...], state: os.stat_result | None = None
    ) -> bool:
        """Make the file of *product*; *roots* are where its origin may lie, *state* is what the
        origin was seen in: a copy of anything else is refused.

        True if it was written, False if linked. Raises SegprepError, SourceError.
        """
        path = self._place(product.name)
        if product.origin is None:
            write_staged(path, product.content or b"")
            return True
        if product.link == "copy":
            after = copy_staged(product.origin, roots, path)
            if state and _version(after) != _version(state):
                raise SourceError(
                    product.origin, "changed during the export", "run it again", "unreadable"
                )
            return True
        real = resolve_below(product.origin, roots)
        try:
            if product.link == "hard":
                os.link(real, path)
            else:
                folder, _, name = str(real).rpartition(os.sep)
                inner = product.name.rpartition("/")[0]
                os.symlink(f"{_way(folder, self.out, inner)}{os.sep}{name}", path)
        except OSError as error:
            kind = "hard" if product.link == "hard" else "symbolic"
            raise SegprepError(
                "link-refused",
                f"no {kind} link from {path} to {real}: {error.strerror}",
                "use --link copy",
            ) from error
        return False

    def _place(self, name: str) -> Path:
        """Where the file *name* is made; its folder is there then. Raises SegprepError."""
        if name.startswith("/") or ".." in name.split("/"):
            raise SegprepError(
                "bad-stem", f"{name} would lie outside the output", "rename the sample"
            )
        folder, _, file = name.rpartition("/")
        path = _folder(self.out, folder) / file
        if folder not in self.folders:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise write_error(path, error) from error
            self.folders.add(folder)
        return path

    def append(self, products: Iterable[Product]) -> None:
        """Add the content of *products* to their files. Raises SegprepError."""
        for product in products:
            path = self._place(product.name)
            try:
                with open(path, "ab") as file:
                    file.write(product.content or b"")
            except OSError as error:
                raise write_error(path, error) from error

    def sealed(self, account: Mapping[str, Any], digests: Mapping[str, str]) -> bytes:
        """*account* with the digests of all its files and of itself, as the bytes of MARKER.

        *digests* are those known already.
        """
        rest = [name for name in account["files"] if name not in digests]
        with ThreadPoolExecutor(4) as pool:
            marks = {**digests, **dict(zip(rest, pool.map(self._digest, rest), strict=True))}
        names: list[str] = account["files"]
        sizes = {name: size for name in names if (size := self._size(name)) is not None}
        return manifest.sealed(
            {**account, "digests": {name: marks[name] for name in names}, "sizes": sizes}
        )

    def _size(self, name: str) -> int | None:
        """The bytes of a file; None of a link, whose file the export did not write."""
        state = os.lstat(f"{_folder(self.out, '')}/{name}")
        return state.st_size if stat.S_ISREG(state.st_mode) else None

    def _digest(self, name: str) -> str:
        return digest_file(self.hidden / "new" / name)

    def publish(
        self,
        account: dict[str, Any],
        written: Iterable[str],
        digests: Mapping[str, str],
        root: Path,
        overwrite: bool,
    ) -> None:
        """Force the *written* files to the disk and move everything to its place.

        *account* describes the export, *digests* are those of its files that are known.
        """
        new, old = self.hidden / "new", self.hidden / "old"
        write_staged(new / MARKER, self.sealed(account, digests))
        try:
            force(new, [new / MARKER, *(new / name for name in written)])
            self.check(root, overwrite)  # it may have changed meanwhile
            swap(new, self.out, old)
        except OSError as error:
            raise write_error(Path(error.filename or self.out), error) from error


@lru_cache(maxsize=16)
def _hidden(out: Path) -> Path:
    return out.parent / f".{out.name}.segprep-export"


@lru_cache(maxsize=256)
def _folder(out: Path, inner: str) -> Path:
    """Where the folder *inner* (forward slashes) of the export *out* is made."""
    return _hidden(out).joinpath("new", *inner.split("/"))


@lru_cache(maxsize=256)
def _way(folder: str, out: Path, inner: str) -> str:
    """How a link in the folder *inner* of *out* gets to *folder*; both are absolute."""
    return os.path.relpath(folder or os.sep, out / inner)


def _version(state: os.stat_result) -> tuple[int, int, int]:
    """What differs where a file was written again, or replaced."""
    return state.st_size, state.st_mtime_ns, state.st_ino
