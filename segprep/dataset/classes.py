"""The class list of a dataset: from a file, from a,b,c, or inferred from labels; and its two files
in a tree.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shlex import quote

from segprep.dataset import class_tables
from segprep.errors import SegprepError, SourceError
from segprep.files import is_file, read_file
from segprep.names import clean_label, natural_key, nearest, variant_key
from segprep.types import Classes, Note

BACKGROUND = "_background_"
IGNORED = "__ignore__"
MOST = 255


def parse_list(spec: str) -> list[str]:
    """Class names from *spec*: the path of a file with one name per line (or a labelmap.txt), or
    a,b,c. Raises SegprepError.
    """
    if is_file(spec):
        return read_list(Path(spec))
    if "/" in spec or "\\" in spec or spec.endswith((".txt", ".names", ".csv", ".json", ".yaml")):
        raise SegprepError(
            "bad-classes",
            f"the class file {spec} does not exist",
            "give an existing FILE, or names as a,b,c",
        )
    return [name.strip() for name in spec.split(",") if name.strip()]


def read_list(path: Path) -> list[str]:
    """Class names from a file in the order of their pixel values: one name per line, or a table of
    another tool (see :mod:`segprep.dataset.class_tables`). Raises SegprepError.
    """
    try:
        data = read_file(path)
    except SourceError as error:
        raise SegprepError("bad-classes", f"{path}: {error.reason}", error.hint) from error
    return listed(data, path)


def listed(data: bytes, path: Path) -> list[str]:
    """Class names from *data*, the content of the class file at *path*. Raises SegprepError."""
    return class_tables.read(path, data)


def make(names: Iterable[str], *, add_background: bool = True) -> Classes:
    """Classes in the order given; ``__ignore__`` stands for 255 and takes no id; a background is
    put first if none is named.

    Raises SegprepError for unusable or repeated names, or more than 255.
    """
    try:
        chosen = [clean_label(name) for name in names]
    except ValueError as error:
        raise SegprepError(
            "bad-classes", f"the class list cannot be used: {error}", "one plain name per class"
        ) from error
    chosen = [name for name in chosen if name != IGNORED]
    at = next((n for n, name in enumerate(chosen) if is_background(name)), None)
    if add_background and at is None:
        chosen, at = [BACKGROUND, *chosen], 0
    twice = sorted(name for name, count in Counter(chosen).items() if count > 1)
    if twice:
        raise SegprepError(
            "bad-classes",
            f"the class list names {', '.join(twice)} more than once",
            "remove the repetition",
        )
    if len(chosen) > MOST:
        raise SegprepError(
            "too-many-classes",
            f"{len(chosen)} classes; an 8-bit mask holds {MOST} (255 means ignored)",
            "merge some with --map old=new, or leave some out with --exclude",
        )
    return Classes(tuple(chosen), background=at)


def numbered(number: int) -> Classes:
    """*number* classes without names of their own: ``_background_``, ``class_1``, ``class_2``, …
    Raises SegprepError.
    """
    if number < 1:
        raise SegprepError(
            "bad-classes",
            f"--classes {number}: at least one class is needed",
            "give their number, the background included",
        )
    return make([BACKGROUND, *(f"class_{n}" for n in range(1, number))])


def positions(spec: str) -> Classes:
    """Classes whose position is their pixel value: a file, a,b,c, or their number.

    Raises SegprepError.
    """
    return numbered(int(spec)) if spec.isdecimal() else make(parse_list(spec), add_background=False)


def ignored_value(spec: str) -> int | None:
    """The pixel value of ``__ignore__`` where it comes last in the list *spec*, as the labels of
    nnU-Net have it; else None. Raises SegprepError.
    """
    names = [] if spec.isdecimal() else parse_list(spec)
    return len(names) - 1 if len(names) > 1 and names[-1] == IGNORED else None


def is_background(name: str) -> bool:
    """Whether *name* means the background, as labelme (``_background_``) or people write it."""
    return variant_key(name) in (BACKGROUND, "background")


def infer(labels: Iterable[str] | Mapping[str, int]) -> tuple[Classes, list[Note]]:
    """Classes of all *labels* of a folder (or their counts) in natural order, background first, and
    what a person should know.
    """
    counts = Counter(labels)
    names = sorted(
        {label for label in counts if label != IGNORED and not is_background(label)},
        key=natural_key,
    )
    listed = ", ".join(f"{n} {name}" for n, name in enumerate([BACKGROUND, *names][:30])) + (
        " …" if len(names) > 29 else ""
    )
    notes = [
        Note(
            "classes-inferred",
            f"no class list given; from the labels: {listed}. Give --classes to fix names and"
            " order",
        )
    ]
    return make([BACKGROUND, *names]), [*notes, *variants(names, counts)]


def variants(names: Iterable[str], counts: Mapping[str, int]) -> list[Note]:
    """A note for every one of *names* that differs from a commoner one only in case and blanks;
    *counts* says how often each occurs.
    """
    spellings, notes = defaultdict[str, list[str]](list), list[Note]()
    for name in names:
        spellings[variant_key(name)].append(name)
    for alike in spellings.values():
        main = max(alike, key=lambda name: (counts.get(name, 0), -len(name), name.islower()))
        notes += [
            Note(
                "label-variant",
                f"labels {main!r} and {name!r} differ only in case, blanks or invisible characters;"
                f" merge them with --map {quote(f'{name}={main}')}",
            )
            for name in alike
            if name != main
        ]
    return notes


def suggestion(label: str, names: Sequence[str]) -> str:
    """A hint for an unknown *label*."""
    like = nearest(label, names)
    guess = f"did you mean {like!r}? " if like else ""
    rename, drop = quote(f"{label}=NAME"), quote(label)
    return (
        f"{guess}add it to the class list, or use --map {rename}, --exclude {drop} or"
        " --unknown ignore|background|skip"
    )
