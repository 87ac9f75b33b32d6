"""Which of several annotation files are read: those that --annotations names."""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from itertools import combinations
from pathlib import Path

from segprep.errors import UsageError

_FEW = 2  # a file of fewer images is one of many, each for its own image
_SHOWN = 8  # names in a message
_VERSION = re.compile(r"(.+)\.rf\.\w{8,}")  # of NAME_jpg, as Roboflow names what it exports


def unclear(
    reason: str, files: Sequence[Path], root: Path, meant: Sequence[Path] = ()
) -> UsageError:
    """The error that asks which of *files* below *root* are meant; *meant*: files that may be read
    together, as an example (the first of *files* alone, if not given).
    """
    example = meant or files[:1]
    every = {*files, *example}
    plain = len({path.name for path in every}) == len(every)
    name_of = {path: path.name if plain else _address(path, root) for path in every}
    options = " ".join(f"--annotations {shlex.quote(name_of[path])}" for path in example[:_SHOWN])
    more = f" … ({len(example)} files in all)" if len(example) > _SHOWN else ""
    return UsageError(
        "annotations-unclear",
        f"{reason}: {', '.join(name_of[path] for path in files[:_SHOWN])}",
        f"name the files that are meant, for example {options}{more}",
    )


def _address(path: Path, root: Path) -> str:
    """*path* from *root*, never a bare name: that would name the files in all folders."""
    address = path.relative_to(root).as_posix()
    return address if "/" in address else f"./{address}"


def named(files: Sequence[Path], root: Path, patterns: Sequence[str]) -> list[Path]:
    """The *files* that any of *patterns* names. Raises UsageError for one that names none."""
    chosen: list[Path] = []
    for pattern in patterns:
        matches = [
            path
            for path in files
            if pattern in (path.name, _address(path, root))
            or fnmatch(path.name, pattern)
            or fnmatch(path.relative_to(root).as_posix(), pattern.removeprefix("./"))
        ]
        if not matches:
            names = ", ".join(path.relative_to(root).as_posix() for path in files[:8]) or "none"
            reason = (
                f"--annotations {pattern} is not an annotation file in {root}; there are: {names}"
            )
            raise UsageError("bad-option", reason, "give a name or a pattern from these")
        chosen += matches
    return list(dict.fromkeys(chosen))


def check_versions(images: Iterable[tuple[Path, str]], root: Path) -> None:
    """Raise UsageError where two files below *root* are versions of one Roboflow dataset, whose
    images differ in what it adds to their names alone.

    *images* are pairs of an annotation file and the name of an image that it describes.
    """
    origins = ((path, _VERSION.match(name)) for path, name in images)
    check_rivals(
        ((path, Path(origin[1])) for path, origin in origins if origin),
        root,
        "describe versions of the same images, by Roboflow's names",
    )


def check_rivals(
    images: Iterable[tuple[Path, Path]], root: Path, what: str = "describe the same images"
) -> None:
    """Raise UsageError where two files below *root* describe the same images (*what* they do, for
    the message).

    *images* are pairs of an annotation file and an image that it describes. Two files are rivals if
    they have at least half of the smaller one's images in common.
    """
    of_file: dict[Path, set[Path]] = {}
    of_image: dict[Path, list[Path]] = {}
    for path, image in images:
        of_file.setdefault(path, set()).add(image)
        of_image.setdefault(image, []).append(path)
    shared = Counter(
        pair
        for paths in of_image.values()
        for pair in combinations(
            dict.fromkeys(path for path in paths if len(of_file[path]) >= _FEW), 2
        )
    )
    rivals = [
        pair
        for pair, count in shared.items()
        if 2 * count >= min(len(of_file[path]) for path in pair)
    ]
    if rivals:
        files = list(dict.fromkeys(path for pair in rivals for path in pair))
        meant = dict[Path, None]()  # the first of files that are rivals, and all others
        for path in of_file:
            if not any(path in pair and not meant.keys().isdisjoint(pair) for pair in rivals):
                meant[path] = None
        raise unclear(f"{len(files)} files {what}", files, root, [*meant])
