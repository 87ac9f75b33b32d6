"""Which JSON files of a COCO source are read: those that --annotations names, or all that look like
it, unless they describe the same images in several ways.
"""

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from segprep.errors import SourceError, UsageError
from segprep.files import listing
from segprep.names import stem_of
from segprep.sources.coco import file_kinds
from segprep.types import Skipped

_KINDS = {"instances", "panoptic", "stuff", "person keypoints"}  # COCO's own, of the same images


def choose(roots: tuple[Path, ...], patterns: Sequence[str]) -> tuple[list[Path], list[Skipped]]:
    """The annotation files to read, and the JSON files that are not such.

    Raises UsageError where they describe the same images in several ways.
    """
    files = [
        Path(folder, name)
        for folder, name in listing(str(roots[0]))
        if name.lower().endswith(".json")
    ]
    if patterns:
        return _named(files, roots[0], patterns), []
    chosen, skipped = list[Path](), list[Skipped]()
    for path in files:
        name = stem_of(path.name)
        try:
            if file_kinds.looks_like(path, roots):
                chosen.append(path)
            else:
                reason = "is not a COCO file with things to draw"
                skipped.append(Skipped(name, str(path), "other-json", reason, foreign=True))
        except SourceError as error:
            skipped.append(Skipped(name, str(path), error.code, error.reason, error.hint))
    kinds = {file_kinds.kind_of(path) for path in chosen} & _KINDS
    if len(kinds) > 1:
        reason = f"there are {', '.join(sorted(kinds))} files, which describe the same images"
        raise unclear(reason, chosen)
    return chosen, skipped


def unclear(reason: str, files: Sequence[Path]) -> UsageError:
    """The error that asks which of *files* are meant."""
    names = ", ".join(path.name for path in files[:8])
    return UsageError(
        "annotations-unclear",
        f"{reason}: {names}",
        f"name the files that are meant, for example --annotations {files[0].name}",
    )


def _named(files: Sequence[Path], root: Path, patterns: Sequence[str]) -> list[Path]:
    """The *files* that any of *patterns* names. Raises UsageError for one that names none."""
    chosen: list[Path] = []
    for pattern in patterns:
        matches = [
            path
            for path in files
            if fnmatch(path.name, pattern)
            or fnmatch(path.relative_to(root).as_posix(), pattern.removeprefix("./"))
        ]
        if not matches:
            names = ", ".join(path.relative_to(root).as_posix() for path in files[:8]) or "none"
            reason = f"--annotations {pattern} is not a JSON file in {root}; there are: {names}"
            raise UsageError("bad-option", reason, "give a name or a pattern from these")
        chosen += matches
    return list(dict.fromkeys(chosen))
