"""What lies in a folder, to compare it with another one or with later."""

from pathlib import Path


def content(folder: Path, *apart: str) -> dict[str, bytes]:
    """The bytes of every file below *folder* by its path, less the files named in *apart*."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in apart
    }
