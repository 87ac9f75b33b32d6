"""Whether the workers of a cluster can do what this process does: the same versions, and the same
files under the same paths. That is asked before the first item goes out.
"""

import io
import os
import pickle
import platform
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from segprep import engine
from segprep._version import __version__
from segprep.engine import Input, Job, Output
from segprep.errors import SegprepError

if TYPE_CHECKING:
    from distributed import Client

PROBE = ".segprep-probe-"
_SAME_VERSIONS = "install the same versions everywhere"
_State = tuple[int, int] | None


def refuse_differences(client: "Client", job: Job[Input, Output], items: Sequence[Input]) -> None:
    """Raise SegprepError unless every worker of *client* runs this segprep, sees the folders of the
    *job* and the files of the first item as this process does, and what this process writes to the
    output.
    """
    output = _output(job.function)
    paths = [*_seen(job, items[0]), *([str(output)] if output else [])]
    with _probe(output) as probe:
        mine = _Sight.of(paths, probe)
        sights = client.run(_Sight.of, paths, probe, on_error="return")
    for address, theirs in sights.items():
        if isinstance(theirs, OSError):
            continue  # it ended meanwhile
        if isinstance(theirs, Exception):  # Dask tells a missing module as a plain Exception
            reason = f"the worker {address} cannot run this segprep: {theirs}"
            raise SegprepError("cluster-unusable", reason, _SAME_VERSIONS) from theirs
        if theirs != mine:
            raise _difference(address, mine, theirs, paths)


def _seen(job: Job[Input, Output], item: Input) -> Iterator[str]:
    """The folder of the command, folders that the *job* names, and the files of *item*."""
    yield os.getcwd()
    for path in _paths_in(job):
        if os.path.isdir(path):  # other files may be what this process alone reads
            yield path
    yield os.path.abspath(engine.name_of(item))
    yield from _paths_in(item)


def _paths_in(value: object) -> Iterable[str]:
    """Every path that is sent where *value* is, as far as plain pickle gets; Dask gets further."""
    pickler = _PathPickler(io.BytesIO(), pickle.HIGHEST_PROTOCOL)
    with suppress(pickle.PicklingError, AttributeError, TypeError):
        pickler.dump(value)
    return pickler.found


class _PathPickler(pickle.Pickler):
    """Notes the absolute names of paths in what it pickles."""

    def __init__(self, *options: Any) -> None:
        super().__init__(*options)
        self.found: dict[str, None] = {}

    def persistent_id(self, obj: Any) -> None:
        """Note *obj* if it is a path, and pickle it as usual."""
        if isinstance(obj, PurePath):
            self.found[os.path.abspath(obj)] = None


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a process sees: its segprep and Python, size and time of files, the probe's content."""

    versions: tuple[str, str]
    states: tuple[_State, ...]
    probe: bytes | None

    @classmethod
    def of(cls, paths: Sequence[str], probe: str | None) -> "_Sight":
        """What this process sees at *paths*, and of the *probe*."""
        content = None
        with suppress(OSError):
            content = Path(probe).read_bytes() if probe else None
        versions = (__version__, ".".join(platform.python_version_tuple()[:2]))
        return cls(versions, tuple(map(_state, paths)), content)


def _state(path: str) -> _State:
    """Size and time of a file; of a folder, that it is there."""
    with suppress(OSError):
        if os.path.isdir(path):
            return 0, 0
        status = os.stat(path)
        return status.st_size, status.st_mtime_ns
    return None


def _output(function: Any) -> Path | None:
    """The folder that *function* writes to, if it does and the folder is there."""
    hidden = getattr(getattr(function, "box", None), "hidden", None)
    folder = hidden or getattr(function, "out", None)
    writes = getattr(function, "write", True)
    return folder if writes and isinstance(folder, Path) and folder.is_dir() else None


@contextmanager
def _probe(folder: Path | None) -> Iterator[str | None]:
    """A file in *folder* that workers have to see, while this lasts; None without a folder."""
    if folder is None:
        yield None
        return
    path = folder.absolute() / f"{PROBE}{secrets.token_hex(4)}"
    path.write_bytes(secrets.token_bytes(16))
    try:
        yield str(path)
    finally:
        path.unlink(missing_ok=True)


def _difference(address: str, mine: _Sight, theirs: _Sight, paths: Sequence[str]) -> SegprepError:
    """Why the worker at *address* cannot do this process's work."""
    if mine.versions != theirs.versions:
        worker, other = (
            "segprep {} on Python {}".format(*sight.versions) for sight in (theirs, mine)
        )
        reason = f"the worker {address} has {worker}, this process {other}"
        return SegprepError("cluster-unusable", reason, _SAME_VERSIONS)
    states = zip(paths, mine.states, theirs.states, strict=True)
    wrong = next((path for path, own, other in states if own != other), paths[-1])
    return SegprepError(
        "cluster-unusable",
        f"the worker {address} does not see {wrong} as this process does",
        "put source and output on storage that all machines mount under the same path, and run the"
        " command in a folder that all of them have",
    )
