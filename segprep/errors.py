"""Everything segprep raises on purpose, and the one registry of stable codes."""

from importlib.util import find_spec
from pathlib import Path

from segprep.codes import CODES


class SegprepError(Exception):
    """Base of all errors that a user can act on.

    Attributes:
        code: a stable kebab-case word, one of :data:`CODES`.
        message: what happened, and where.
        hint: what to do next; may be empty.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        if code not in CODES:
            raise KeyError(f"unregistered error code {code!r}")
        super().__init__(code, message, hint)
        self.code, self.message, self.hint = code, message, hint

    def __str__(self) -> str:
        return self.message


class UsageError(SegprepError):
    """The call itself is wrong: an option, a name, two candidates."""


class MissingExtraError(SegprepError, ImportError):
    """A package of an extra is not installed."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__("missing-extra", f"{what} needs {package}", install_hint(extra))
        self.args = (what, package, extra)


def install_hint(extra: str) -> str:
    """How to install *extra*: the only place that says so.

    segprep is not on a package index, so the command is for a clone.
    """
    return f"in your clone of segprep: python -m pip install '.[{extra}]'"


def require(what: str, package: str, extra: str) -> None:
    """Raises MissingExtraError if the top-level *package* of *extra*, needed for *what*, is not
    installed. Nothing is imported.
    """
    if find_spec(package) is None:
        raise MissingExtraError(what, package, extra)


class LockedError(SegprepError):
    """Another run holds the folder."""


class TreeError(SegprepError):
    """A VOC-style tree is missing, damaged or in the way."""


class BadInputError(SegprepError):
    """Some inputs cannot be converted, and the caller did not ask to skip them.

    *skipped* lists them all; *notes* are what was found about the whole source.
    """

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        skipped: tuple[object, ...] = (),
        notes: tuple[object, ...] = (),
    ) -> None:
        super().__init__(code, message, hint)
        self.args = (code, message, hint, skipped, notes)
        self.skipped, self.notes = skipped, notes


FIX = "fix the file, or remove it from the folder"


class SourceError(SegprepError, ValueError):
    """One input file does not follow its format, or is not safe to read.

    Attributes:
        path: the file.
        reason: what is wrong, starting with the address in the file where there is one.
    """

    def __init__(
        self, path: Path, reason: str, hint: str = FIX, code: str = "bad-annotation"
    ) -> None:
        super().__init__(code, f"{path}: {reason}", hint)
        self.args = (path, reason, hint, code)
        self.path, self.reason = path, reason


class ShapeError(SegprepError):
    """A shape cannot be drawn; the message begins with its address in the file."""

    def __init__(
        self, message: str, hint: str = "redraw or delete the shape", code: str = "bad-shape"
    ) -> None:
        super().__init__(code, message, hint)
        self.args = (message, hint, code)


class UnknownLabelError(ShapeError):
    """The *label* of a shape is not in the class list."""

    def __init__(self, message: str, label: str, hint: str = "") -> None:
        super().__init__(message, hint, "unknown-label")
        self.args = (message, label, hint)
        self.label = label


class UnknownClassError(SourceError):
    """A label is not in the class list."""

    def __init__(
        self, path: Path, reason: str, hint: str = FIX, code: str = "unknown-label"
    ) -> None:
        super().__init__(path, reason, hint, code)


class ForeignFileError(SourceError):
    """The file is valid but of another format: it is named and skipped; that is not a failure."""

    def __init__(self, path: Path, reason: str, hint: str = "", code: str = "other-json") -> None:
        super().__init__(path, reason, hint, code)
