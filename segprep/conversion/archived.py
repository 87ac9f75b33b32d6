"""Sources that are archives: where their files lie while they are read, and what they are called in
all that is written and told, where the temporary folder has no place.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from segprep.errors import BadInputError, SegprepError
from segprep.types import Note, Progress

if TYPE_CHECKING:
    from segprep.sources._common.archives.archive import Unpacked

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Archives:
    """The archives among a source and its image roots, while they are unpacked."""

    unpacked: "tuple[Unpacked, ...]" = ()

    def place(self, path: Path) -> Path:
        """The folder to read for *path*: itself, unless it is an archive."""
        resolved = path.resolve() if self.unpacked else path
        homes = {source.path: source.home for source in self.unpacked}
        return homes.get(resolved, path)

    def outer(self, text: str) -> str:
        """*text* with the archives' names for those of their temporary folders."""
        for source in self.unpacked:
            text = source.outer(text)
        return text

    def inner(self, path: Path) -> Path:
        """Where the file lies that :meth:`outer` calls *path*."""
        for source in self.unpacked:
            path = source.inner(path)
        return path

    def named(self, path: Path, root: Path) -> str:
        """*path* from *root*, both by their outer names, with forward slashes."""
        text, start = self.outer(str(path)), self.outer(str(root))
        if text.startswith(start + os.sep):
            return text[len(start) + 1 :].replace(os.sep, "/")
        if not path.is_absolute():
            return path.as_posix()
        return Path(os.path.relpath(text, start)).as_posix()

    def located(self, name: str, root: Path) -> Path:
        """The file that :meth:`named` calls *name*."""
        return self.inner(Path(os.path.normpath(os.path.join(self.outer(str(root)), name))))

    def told(self, value: Value) -> Value:
        """*value* (text, a path, notes, skipped inputs, or what holds them) by its outer names."""
        if not self.unpacked:
            return value
        return cast("Value", self._told(value))

    def _told(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.outer(value)
        if isinstance(value, Path):
            return Path(self.outer(str(value)))
        if isinstance(value, tuple):
            return tuple(map(self._told, value))
        if is_dataclass(value) and not isinstance(value, type):
            parts = {field.name: self._told(getattr(value, field.name)) for field in fields(value)}
            return replace(value, **parts)
        return value

    def notes(self) -> tuple[Note, ...]:
        """What a person should know about the archives."""
        return tuple(note for source in self.unpacked for note in source.notes)

    def error(self, error: SegprepError) -> SegprepError:
        """*error* by outer names."""
        if isinstance(error, BadInputError):
            parts = self._told((error.code, error.message, error.hint, error.skipped, error.notes))
            return BadInputError(*parts)
        return type(error)(*self._told(error.args))


NO_ARCHIVES = Archives()


@contextmanager
def opened(
    source: Path, image_roots: tuple[Path, ...], progress: Progress[Any]
) -> Iterator[Archives]:
    """Unpack what has to be: *source* and the archives among *image_roots*; errors are told by
    outer names. Raises SegprepError.
    """
    files = [path for path in (source, *image_roots) if not path.is_dir()]
    if not files:
        yield NO_ARCHIVES
        return
    from segprep.sources._common.archives import archive

    with ExitStack() as stack:
        every = [stack.enter_context(archive.opened(path, progress)) for path in files]
        archives = Archives(tuple(source for source in every if source))
        try:
            yield archives
        except SegprepError as error:
            if not archives.unpacked:
                raise
            raise archives.error(error) from error
