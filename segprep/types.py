"""The nouns of segprep: small frozen values that every room shares.

CONTEXT.md explains each word.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.uint8]  # (H, W): class ids, 255 where ignored
    Objects = NDArray[np.uint16]  # (H, W): instance ids from 1, 0 none, OBJECT_IGNORE where ignored

IGNORE = 255
OBJECT_IGNORE = 65_535
Unit = tuple[str, ...]  # stems that a split keeps together
MAX_PIXELS = 178_956_970  # where Pillow, too, calls a picture a decompression bomb

Overlap = Annotated[
    Literal["order", "area", "priority", "error"],
    "Where shapes overlap: order = later in the file wins (labelme's rule), area = smaller wins, "
    "priority = the class named first in --priority wins, error = refuse the file.",
]
Unknown = Annotated[
    Literal["error", "ignore", "background", "skip"],
    "A label that is not in the class list: error = refuse the file, ignore = paint 255, background"
    " = paint 0, skip = skip the shape.",
]
ClassList = Annotated[
    str | None,
    "Class names: a FILE with one per line, or a,b,c. Pixel value = position; 0 is the background.",
]
MaxPixels = Annotated[int, "Refuse images with more pixels than this."]
LinkRoot = Annotated[
    tuple[Path, ...], "Another folder that links in SRC may lead into (DVC, git-annex)."
]
Stem = Annotated[
    Literal["name", "path"],
    "Sample names: name = the file name without its last extension, path = with the folders below"
    " SRC joined by _.",
]


Element = TypeVar("Element")
Progress = Callable[[Iterable[Element], int, str], Iterable[Element]]


def no_progress(elements: Iterable[Element], total: int, what: str) -> Iterable[Element]:
    """The default: no progress display.

    *total* elements are passed on; *what* is being done to them.
    """
    return elements


@dataclass(frozen=True, slots=True)
class Classes:
    """The one ordered class list of a dataset: ``names[i]`` is pixel value i; at most 255."""

    names: tuple[str, ...]
    background: int | None = 0
    ignore: int | None = IGNORE


@dataclass(frozen=True, slots=True)
class Covered:
    """What other classes, painted later, cover of the class *label* in one image: *hidden* of its
    *shapes* shapes wholly, *covered* of the *pixels* that it would have alone; *by* covers most.
    """

    label: str
    shapes: int
    hidden: int
    pixels: int
    covered: int
    by: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know about one sample, or (stem empty) about the whole run.

    *covered* belongs to the code class-covered.
    """

    code: str
    message: str
    stem: str = ""
    covered: Covered | None = None


Outcome = Literal["skipped", "ignored", "background", "nearest"]


@dataclass(frozen=True, slots=True)
class Unpainted:
    """The *shapes* of one *label* that an option kept from being painted as their class, and the
    *pixels* that they cover: --exclude and --unknown; *outcome* is what became of them.

    In masks, a label may be a color that is not in the table; it has no shapes.
    """

    label: str
    shapes: int
    pixels: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Item:
    """One sample still to be read: cheap and picklable.

    Paths are absolute; *payload* is the reader's own.
    """

    stem: str
    image: Path | None
    labels: tuple[Path, ...]
    payload: Any = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """An input that was skipped. *foreign*: not of this format at all, hence not a failure;
    *detail*: a traceback where segprep itself is at fault; *bare*: an image that no mask may belong
    to, so that it may be all background.
    """

    stem: str
    path: str
    code: str
    reason: str
    hint: str = ""
    foreign: bool = False
    detail: str = ""
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Scan:
    """What a source holds. *items* have unique stems in code-point order; *lists* are its official
    splits, drawn as *split* records (trees only).
    """

    items: Sequence[Item]
    classes: Classes
    skipped: tuple[Skipped, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    split: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image with its mask, as the source has them.

    *image* is the raw file content. *upright* says which view *mask* (H, W) was drawn on: the
    picture after its EXIF orientation was applied (True) or the stored rows (False). *pixels* are
    the mask's pixel counts by value, where the reader knows them anyway.
    """

    stem: str
    image: bytes
    mask: "Mask"
    objects: "Objects | None" = None
    upright: bool = True
    notes: tuple[Note, ...] = ()
    pixels: Mapping[int, int] | None = None
    unpainted: tuple[Unpainted, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedFiles:
    """What a record says of its files: the digests of the bytes of *mask* and *image*, and the
    *values* in the mask; *key*: that of the states that they have while they are unchanged, 0
    if unknown.
    """

    mask: str
    image: str
    values: tuple[int, ...]
    key: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One sample of a finished tree: where its files lie, what its record notes, and says of
    them.
    """

    stem: str
    image: Path
    mask: Path
    objects: Path | None = None
    notes: tuple[Note, ...] = ()
    content: RecordedFiles | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What the manifest keeps of one written sample. Paths are relative, with forward slashes.

    *pixels* maps pixel value to count; *inputs* maps every file that was looked for, relative to
    its root, to the digest of its content, or None where it was absent.
    """

    stem: str
    source: str
    image: str
    mask: str
    objects: str | None
    height: int
    width: int
    pixels: Mapping[int, int]
    digests: Mapping[str, str]
    item: str
    inputs: Mapping[str, str | None]
    notes: tuple[Note, ...] = ()
    unpainted: tuple[Unpainted, ...] = ()

    def __reduce__(self) -> tuple[type["Record"], tuple[Any, ...]]:
        """What a dataclass would be pickled as, in half of the time on both sides."""
        return Record, _record_values(self)


_record_values = attrgetter(*(part.name for part in fields(Record)))
Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a dataset, as a value. *code* is a rule's (``SEG201``), *stem* the sample's or
    "" for the whole dataset, *path* relative to the dataset, *hint* what to do next; *score* ranks
    statistical findings within one rule, higher is worse.
    """

    code: str
    severity: Severity
    stem: str
    path: str
    message: str
    hint: str = ""
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a folder looks like a format: *score* from 0 (no) to 1 (certain), *reason* in words;
    *hint*: what to do where it is not certain.
    """

    score: float
    reason: str
    hint: str = ""


class Reader(Protocol):
    """What a module of ``segprep.sources`` provides, as a frozen dataclass whose first field is
    ``root``.
    """

    root: Path

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """Is *root* laid out in this format, by what evidence? Cheap; reads a few files at most."""

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """All items and the class list.

        Raises SegprepError where the folder as a whole cannot be used.
        """

    def read(self, item: Item) -> Sample:
        """One sample. Pure: writes nothing. Raises SourceError."""
