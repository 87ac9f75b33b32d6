"""Several files of one name: the one that is meant."""

from collections.abc import Sequence
from pathlib import Path

from segprep.errors import SourceError


def pick(paths: Sequence[Path], why: str, *, hint: str = "keep one of them") -> Path | None:
    """The only image of *paths*; None of none.

    Several are an error unless one is a JPEG and the rest are not. Raises SourceError.
    """
    if len(paths) <= 1:
        return paths[0] if paths else None
    jpegs = [path for path in paths if path.suffix.lower() in (".jpg", ".jpeg")]
    if len(jpegs) == 1 and all(path.parent == jpegs[0].parent for path in paths):
        return jpegs[0]
    raise SourceError(
        paths[0],
        f"{why}: {', '.join(str(path) for path in paths)}",
        hint,
        "image-ambiguous",
    )
