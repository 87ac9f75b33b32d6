"""The files of an export against the digests in its segprep-export.json."""

import json
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from random import Random
from typing import Any

from segprep import engine
from segprep.dataset import fields, manifest
from segprep.dataset.manifest import EXPORT
from segprep.errors import SourceError, TreeError
from segprep.files import digest_file, read_inside, resolve_below
from segprep.types import Progress

_HINT = "export again with --overwrite"
Found = tuple[str, str, str]  # path, kind, reason


def verify_export(
    root: Path, sample: float, seed: int, jobs: int, progress: Progress[Any]
) -> tuple[int, int, list[Found]]:
    """Files hashed, files not in the *sample*, and what deviates in the export at *root*.

    Raises TreeError where its manifest cannot be read, or is older than digests are.
    """
    deviations, digests, sizes = _manifest(root)
    names = sorted(digests)
    count = max(1, round(len(names) * sample / 100)) if names else 0
    chosen = names if sample >= 100 else sorted(Random(seed).sample(names, count))
    todo = [(name, digests[name], sizes.get(name)) for name in chosen]
    results = engine.run(_Compare(root), todo, jobs=jobs, chunk=32)
    deviations += [
        result for result in progress(results, len(todo), "hashing") if isinstance(result, tuple)
    ]
    rest = digests.keys() - {*chosen}
    deviations += [
        (name, "missing", "is not there") for name in rest if not os.path.lexists(root / name)
    ]
    written = {*digests, EXPORT}
    deviations += [(name, "extra", "not written by segprep") for name in _files(root) - written]
    return len(todo), len(rest), deviations


def _manifest(root: Path) -> tuple[list[Found], dict[str, str], dict[str, int]]:
    """What deviates in the manifest itself, the digests and the sizes in it. Raises TreeError."""
    try:
        data = read_inside(root, EXPORT) or b""
    except SourceError as error:
        raise TreeError("bad-manifest", f"{root / EXPORT}: {error.reason}", _HINT) from error
    return described(data, root / EXPORT)


def described(data: bytes, path: Path) -> tuple[list[Found], dict[str, str], dict[str, int]]:
    """What deviates in *data*, the manifest of an export at *path*, the digests in it, and the
    bytes of files that are no links (older manifests have none).

    Raises TreeError.
    """
    hint = _HINT
    try:
        content = fields.mapping(json.loads(data), "export")
        if "digests" not in content:
            words = f"{path} holds no digests: an older segprep wrote it"
            raise TreeError("no-manifest", words, hint)
        digests = fields.values(fields.hexadecimal)(content["digests"], "digests")
        sizes = fields.values(fields.count)(content.get("sizes", {}), "sizes")
        if outside := [name for name in digests if not _inside(name)]:
            raise ValueError(f"digests: {outside[0]!r} lies outside the export")
    except (ValueError, RecursionError) as error:
        raise TreeError("bad-manifest", f"{path}: {error}", hint) from error
    changed = manifest.intact(data) is not True
    said: list[Found] = [(EXPORT, "changed", "is not as it was written")] if changed else []
    return said, digests, sizes


def _inside(name: str) -> bool:
    """Whether the file *name* stays below the export."""
    path = PurePosixPath(name)
    return not (path.is_absolute() or ".." in path.parts or "\0" in name)


def _files(root: Path) -> set[str]:
    return {
        Path(folder, name).relative_to(root).as_posix()
        for folder, _, names in os.walk(root)
        for name in names
    }


@dataclass(frozen=True, slots=True)
class _Compare:
    """Hash one file of the export *root*, a link to the dataset included. What has another size is
    not read: it may be a terabyte of nothing.
    """

    root: Path

    def __call__(self, file: tuple[str, str, int | None]) -> Found | None:
        name, expected, size = file
        path = self.root / name
        if not os.path.lexists(path):
            return name, "missing", "is not there"
        try:
            if not path.is_symlink():
                resolve_below(self.root.resolve() / name, (self.root.resolve(),))
                if size is not None and (length := os.lstat(path).st_size) != size:
                    return name, "changed", f"has {length} bytes; {size} were written"
            return (
                None if digest_file(path) == expected else (name, "changed", "has another digest")
            )
        except SourceError as error:
            return name, "changed", error.reason
