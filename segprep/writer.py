"""The seam to the targets: what a writer is given, and the files that it gives back.

CONTEXT.md explains each word.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from segprep.types import Classes, Entry, Note

if TYPE_CHECKING:
    from segprep.types import Mask, Objects

Link = Annotated[
    Literal["copy", "hard", "sym"],
    "How files that stay as they are get there: copy = a copy, hard = a hard link (same disk;"
    " editing one edits both), sym = a symbolic link (the dataset must stay where it is).",
]


@dataclass(frozen=True, slots=True)
class Product:
    """One file of an export: its *name* (relative, forward slashes) and its *content*, or the
    *origin* that it copies or links. With *append* the content is added to the file, in the order
    of the samples.
    """

    name: str
    content: bytes | bytearray | None = None
    origin: Path | None = None
    link: Literal["copy", "hard", "sym"] = "copy"
    append: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What one sample adds to the file *name*, which is written when all samples are done."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Loss:
    """*count* pixels (or holes, or objects) of one sample that the target cannot hold; *what* is
    the rest of the sentence: "pixels of 255 (ignored) became background".
    """

    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """What an export is made of: the *name* of the dataset's folder, its samples, its lists (known
    samples only), and its classes, or None where it names none; *out*: the name of the folder that
    is written, empty where it is none.
    """

    name: str
    entries: tuple[Entry, ...]
    lists: Mapping[str, tuple[str, ...]]
    classes: Classes | None
    out: str = ""

    def without(self, stems: frozenset[str]) -> "Inventory":
        """The same, less the samples *stems*."""
        lists = {
            name: tuple(stem for stem in listed if stem not in stems)
            for name, listed in self.lists.items()
        }
        entries = tuple(entry for entry in self.entries if entry.stem not in stems)
        return Inventory(self.name, entries, lists, self.classes, self.out)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which samples an export takes: stem -> the folders (or "") that it is written to.

    Samples that are skipped are not in it.
    """

    places: Mapping[str, tuple[str, ...]]
    notes: tuple[Note, ...] = ()


class ImageHeader(Protocol):
    """What the file of an image says of itself."""

    @property
    def format(self) -> str:
        """JPEG, PNG, TIFF and so on, whatever the file is called."""

    @property
    def mode(self) -> str:
        """L, P, RGB and so on; with 16 bits per channel ``;16`` follows."""

    @property
    def orientation(self) -> int:
        """EXIF's, 1 to 8."""


@dataclass(frozen=True, slots=True, eq=False)
class LabeledImage:
    """One sample on its way out: the *header* of its image; its raw files, which *read_image* and
    *read_mask* give; *is_recorded*: the mask is an 8-bit PNG whose bytes are those of its record;
    *stored_upright*: the files of the tree lie as the upright picture does.

    *pixels* gives mask and objects (H, W) as they lie on the upright picture, once they are needed:
    ids of *classes* (where the dataset names any) and 255 only. *roots* are the folders below which
    files may be opened. *gray_bits*: how many of their 16 bits the dataset's 16-bit gray images
    use.
    """

    entry: Entry
    header: ImageHeader
    read_image: Callable[[], bytes]
    read_mask: Callable[[], bytes]
    is_recorded: bool
    stored_upright: bool
    classes: Classes | None
    roots: tuple[Path, ...]
    pixels: "Callable[[], tuple[Mask, Objects | None]]"
    gray_bits: int = 16

    @property
    def image(self) -> bytes:
        """The content of the image file. Raises SourceError."""
        return self.read_image()

    @property
    def mask_file(self) -> bytes:
        """The content of the mask file. Raises SourceError."""
        return self.read_mask()

    @property
    def mask(self) -> "Mask":
        """The class ids (H, W), uint8. Raises SourceError."""
        return self.pixels()[0]

    @property
    def objects(self) -> "Objects | None":
        """The object ids (H, W), uint16, or None where none are known. Raises SourceError."""
        return None if self.entry.objects is None else self.pixels()[1]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the samples left behind: the *parts* by file name, in the order of the samples, and in
    words what the target could not hold.
    """

    parts: Mapping[str, tuple[bytes, ...]]
    losses: tuple[str, ...]


class Writer(Protocol):
    """What a module of ``segprep.targets`` provides, as a frozen dataclass."""

    max_pixels: int

    def choose(self, inventory: Inventory) -> Choice:
        """The samples that are written, and where.

        Raises SegprepError, e.g. no-split.
        """

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> "Iterable[Product | Part | Loss | Note]":
        """The files of one sample for each of its *places*, what it adds to common files, and what
        a person should know.

        Pure: writes nothing. Raises SourceError.
        """

    def texts(self, inventory: Inventory, gathered: Gathered) -> Mapping[str, bytes]:
        """Further files: name -> content, or the end of a file that samples were appended to;
        *inventory* has only samples that were written.
        """
