"""The folder of one run of predictions, and its account: what was made, of what, by which
checkpoint.

OUT/<stem>.png              where one kind of file was asked for; folders of the source are mirrored
OUT/<mode>/<stem>.png       where several were OUT/predictions.json        written first
(``complete`` is false) and last; by it a later run knows what it may replace
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from segprep import jsontext
from segprep.dataset.staging import lock
from segprep.dataset.tree import IMAGES, LISTS, LOCK, MASKS, OBJECTS
from segprep.errors import TreeError, UsageError
from segprep.files import read_plain, write_error
from segprep.outputs import OutputFolder
from segprep.training.inference.inputs import PredictionInputs
from segprep.training.inference.overlays import Mode, suffix

MARKER, KIND = "predictions.json", "segprep predict"
_OTHER = "choose another folder"


@dataclass(frozen=True, slots=True)
class Results:
    """The folder *out* (resolved) for files of *modes*."""

    out: Path
    modes: tuple[Mode, ...]

    def name(self, stem: str, mode: Mode, ending: str | None = None) -> str:
        """Where the file of *stem* lies in the folder, by slashes."""
        return f"{mode + '/' if len(self.modes) > 1 else ''}{stem}{ending or suffix(mode)}"

    def write(self, name: str, data: bytes) -> None:
        """Write *data*, atomically, with the folders that *name* needs.

        Raises SegprepError (write-failed).
        """
        OutputFolder(self.out).write(name, data)

    def prepare(self, path: Path) -> None:
        """Make the folder that *path* lies in."""
        OutputFolder(self.out).place(path.relative_to(self.out).as_posix())

    def account(self, files: Iterable[str], complete: bool, **more: Any) -> None:
        """Write the account. *files* are names in the folder; ``clip/*.png`` is all of a folder."""
        content = {
            "kind": KIND,
            "complete": complete,
            "modes": self.modes,
            **more,
            "files": list(files),
        }
        self.write(MARKER, jsontext.encoded(content))

    def abandon(self) -> None:
        """Take away what a run began that completed no image, the account last: without it, no
        later run could replace the rest.
        """
        with suppress(OSError):
            _remove(self.out, [str(name) for name in (_earlier(self.out) or {}).get("files", ())])
            (self.out / MARKER).unlink(missing_ok=True)


@contextmanager
def claimed(
    out: Path,
    inputs: PredictionInputs,
    modes: Sequence[Mode],
    overwrite: bool,
    identity: Mapping[str, Any],
) -> Iterator[Results]:
    """Hold the folder *out* for one run on *inputs*; what an earlier run wrote there is removed if
    *overwrite*, or if it was the same run and was interrupted.

    *identity* is the run's, as in its account.

    Raises UsageError: output-overlaps-source, bad-option (no folder); TreeError: output-not-ours,
    output-exists; LockedError.
    """
    folder = out.resolve()
    _apart(folder, inputs)
    if folder.exists() and not folder.is_dir():
        raise UsageError("bad-option", f"the output {out} is not a folder", "choose another name")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    try:
        with lock(folder):
            yield _claim(folder, out, modes, overwrite, identity)
    finally:
        with suppress(OSError):  # it is empty where nothing was made
            folder.rmdir()


def _claim(
    folder: Path, out: Path, modes: Sequence[Mode], overwrite: bool, identity: Mapping[str, Any]
) -> Results:
    own = (LOCK, f".{MARKER}.part")  # a run that was killed at once leaves no more than these
    there = next((path for path in sorted(folder.iterdir()) if path.name not in own), None)
    if there:
        earlier = _earlier(folder)
        if earlier is None:
            raise TreeError(
                "output-not-ours",
                f"{out} holds {there.name}, which no segprep predict wrote; nothing was changed",
                _OTHER,
            )
        if not overwrite and not _interrupted(earlier, {**identity, "modes": list(modes)}):
            reason = f"{out} holds the predictions of another run"
            hint = f"{_OTHER}, or give --overwrite to replace them"
            raise TreeError("output-exists", reason, hint)
        _remove(folder, [str(name) for name in earlier["files"]])
    return Results(folder, tuple(modes))


def _apart(out: Path, inputs: PredictionInputs) -> None:
    """A later run would take predictions for images; a dataset's folders are its own."""
    source = inputs.source
    taken = (
        [source / name for name in (IMAGES, MASKS, OBJECTS, LISTS)] if inputs.dataset else [source]
    )
    if any(out.is_relative_to(folder) for folder in taken) or source.is_relative_to(out):
        reason = f"the output {out} and the input {source} overlap"
        raise UsageError("output-overlaps-source", reason, "choose a folder beside it")


def _earlier(out: Path) -> dict[str, Any] | None:
    """The account of the earlier run at *out*, or None if there was none."""
    try:
        record = json.loads(read_plain(out / MARKER, 1 << 30))
        return record if record["kind"] == KIND and isinstance(record["files"], list) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _interrupted(earlier: Mapping[str, Any], identity: Mapping[str, Any]) -> bool:
    """Whether *earlier* is the account of the same run, which did not come to its end."""
    return earlier.get("complete") is False and all(
        earlier.get(key) == value for key, value in identity.items()
    )


def _remove(out: Path, names: Sequence[str]) -> None:
    """Remove the files of *names* in *out*, following no links, and folders then empty."""
    folders: set[Path] = set()
    for name in names:
        parts = PurePosixPath(name)
        path = out / parts
        if parts.is_absolute() or ".." in parts.parts or path.parent.resolve() != path.parent:
            continue
        for file in path.parent.glob(path.name) if path.name.startswith("*.") else [path]:
            with suppress(FileNotFoundError, IsADirectoryError):
                file.unlink()
        folders.update(out / above for above in parts.parents if above.parts)
    for folder in sorted(folders, reverse=True):
        with suppress(OSError):
            folder.rmdir()
