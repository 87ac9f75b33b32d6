"""The members of a zip export against the digests in its segprep-export.json; nothing is
unpacked.
"""

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from blake3 import blake3

from segprep.dataset.manifest import EXPORT, SEAL
from segprep.errors import SegprepError, TreeError
from segprep.files import MAX_BYTES, digest_file, open_inside
from segprep.types import Progress
from segprep.verification.exports import Found, described

_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, LookupError),
    *(NotImplementedError, RuntimeError),
)


def verify_archive(
    path: Path, sample: float, seed: int, progress: Progress[Any]
) -> tuple[int, int, list[Found]]:
    """Members hashed, members not in the *sample*, and what deviates in the zip file at *path*.

    Raises TreeError where it is not an export, or its manifest cannot be read.
    """
    with _opened(path) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        names = Counter(info.filename for info in members)
        lengths = {info.filename: info.file_size for info in members}
        deviations, digests, sizes = described(_manifest(archive, path), path / EXPORT)
        if archive.comment.decode("latin-1") != digest_file(path, leave=SEAL):
            deviations.append((path.name, "changed", "is not as it was written"))
        deviations += [
            (name, "extra", "is there twice") for name, count in names.items() if count > 1
        ]
        written = sorted(digests)
        count = max(1, round(len(written) * sample / 100)) if written else 0
        chosen = written if sample >= 100 else sorted(Random(seed).sample(written, count))
        deviations += [(name, "missing", "is not there") for name in written if name not in names]
        extra = sorted(names.keys() - digests.keys() - {EXPORT})
        deviations += [(name, "extra", "not written by segprep") for name in extra]
        for name in progress(chosen, len(chosen), "hashing"):
            if name not in names:
                continue
            other = lengths[name] != sizes.get(name, lengths[name])
            if other or _digest(archive, name) != digests[name]:
                deviations.append((name, "changed", "has another digest"))
    return len(chosen), len(written) - len(chosen), deviations


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    real = path.resolve()
    try:
        with open_inside(real.parent, real.name) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except SegprepError:
        raise
    except _FAULTS as error:
        reason = f"{path} is not a zip file of an export: {error}"
        raise TreeError("no-manifest", reason, "give a dataset or an export") from error


def _manifest(archive: zipfile.ZipFile, path: Path) -> bytes:
    if EXPORT not in archive.namelist():
        reason = f"{path} has no {EXPORT}: there is nothing to compare its files with"
        raise TreeError("no-manifest", reason, "segprep export … --zip makes one that has")
    if archive.getinfo(EXPORT).file_size > MAX_BYTES:
        raise TreeError("bad-manifest", f"{path}/{EXPORT} is too large", "export again")
    return archive.read(EXPORT)


def _digest(archive: zipfile.ZipFile, name: str) -> str | None:
    """The digest of a member, or None where it cannot be read."""
    checksum = blake3()
    try:
        with archive.open(name) as member:
            while block := member.read(1 << 20):
                checksum.update(block)
    except _FAULTS:
        return None
    return str(checksum.hexdigest(20))
