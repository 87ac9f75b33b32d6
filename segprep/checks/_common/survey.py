"""What the rules judge: the facts of every image and mask, read once, and of the dataset."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any, SupportsBytes

import numpy as np
from numpy.typing import NDArray

from segprep.checks._common.moved_on import MovedOn
from segprep.checks._common.packed_digests import PackedDigests
from segprep.checks._common.painted import Paint
from segprep.dataset.manifest import Manifest
from segprep.packed import PackedNames
from segprep.types import IGNORE, Classes


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a file could not be read."""

    code: str
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image file. *width* and *height* are of the stored rows; *pixels* is equal for images
    with equal samples only; *content* is a digest of the file, empty where none is compared; *span*
    is the range of values over all bands; *spread* the standard deviation of the luminance of the
    picture in short, *mean* its color; *tail* the share of rows at the bottom that are one
    mid-gray; *thumbnail* 32 x 32 gray bytes.
    """

    format: str
    mode: str
    width: int
    height: int
    orientation: int
    pixels: str
    content: str
    span: tuple[float, float]
    spread: float
    mean: tuple[float, float, float]
    gray: bool
    tail: float
    levels: int
    thumbnail: SupportsBytes

    def shapes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """(H, W) upright, and as stored."""
        stored = self.height, self.width
        return (stored[::-1] if self.orientation >= 5 else stored), stored


@dataclass(frozen=True, slots=True)
class MaskFacts:
    """One mask file. *values* maps pixel value to count; *thin* are values without a single 3 x 3
    block; *between* those of them that lie between smaller and larger neighbors; *colors* are the
    colors of an RGB mask, most frequent first (at most 64 of *color_count*); *palette* is "voc",
    "gray", "other" or "" (none), *order* its digest.
    """

    format: str
    mode: str
    width: int
    height: int
    values: Mapping[int, int] = field(default_factory=dict)
    thin: frozenset[int] = frozenset()
    between: frozenset[int] = frozenset()
    pixels: str = ""
    content: str = ""
    palette: str = ""
    order: str = ""
    colors: tuple[tuple[int, int, int], ...] = ()
    color_count: int = 0
    fault: str = ""
    steps: int = 1
    rim: Mapping[int, int] = field(default_factory=dict)
    specks: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.height, self.width


@dataclass(frozen=True, slots=True)
class Cells:
    """How many cells of an image each of some keys has, in a few hundred bytes: *packed* are keys,
    class * 64 + bin, as int32, and then their counts as int16.
    """

    packed: SupportsBytes

    @classmethod
    def of(cls, keys: NDArray[Any], counts: NDArray[Any]) -> "Cells":
        """*keys* (N,) and their *counts* (N,)."""
        return cls(keys.astype(np.int32).tobytes() + counts.astype(np.int16).tobytes())

    def arrays(self) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
        """Keys (N,) and counts (N,)."""
        data = bytes(self.packed)
        count = len(data) // 6
        return np.frombuffer(data, np.int32, count), np.frombuffer(data, np.int16, -1, 4 * count)


def joined(
    cells: Sequence[Cells],
) -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int64]]:
    """The keys (K,) of all *cells*, one after the other, their counts (K,), and how many keys each
    has.
    """
    packed = [bytes(each.packed) for each in cells]
    sizes = np.array([len(data) // 6 for data in packed])
    ends = (4 * sizes).tolist()
    keys, counts = (
        b"".join([data[cut] for data, cut in zip(packed, cuts, strict=True)])
        for cuts in ([slice(end) for end in ends], [slice(end, None) for end in ends])
    )
    return np.frombuffer(keys, np.int32), np.frombuffer(counts, np.int16), sizes


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """How a mask fits its image, in units of the correlation map's spread: *own* as it lies,
    *turned* and *moved* the best mirrored or turned and the best shifted fit, *turn* and *shift*
    (down, right; shares of the height and width) which. *borders* counts border cells. *told* are
    the nats that the image's colors tell of the classes: as the mask lies, after *turn*, and after
    the best of some shifts. *hue*, *light* and *position* count cells given the class: by color, by
    which eighth of the image's cells it is in, from the darkest, and by place.
    """

    own: float
    turned: float
    turn: str
    moved: float
    shift: tuple[float, float]
    borders: int
    told: tuple[float, float, float]
    hue: Cells
    light: Cells
    position: Cells


@dataclass(frozen=True, slots=True)
class Pair:
    """One sample: its files, and what was read of them."""

    stem: str
    image: Path | None
    mask: Path | None
    photo: ImageFacts | None = None
    label: MaskFacts | None = None
    signals: Signals | None = None
    image_trouble: Trouble | None = None
    mask_trouble: Trouble | None = None
    rivals: tuple[Path, ...] = ()

    @property
    def labeled(self) -> bool:
        """Whether the mask could be read."""
        return self.label is not None

    @property
    def complete(self) -> bool:
        """Whether image and mask could be read."""
        return self.label is not None and self.photo is not None

    def with_photo(self, photo: ImageFacts) -> "Pair":
        """The same sample with other facts of its image."""
        troubles = self.image_trouble, self.mask_trouble
        files = self.stem, self.image, self.mask
        return Pair(*files, photo, self.label, self.signals, *troubles, self.rivals)


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list in ImageSets/Segmentation: its name, path, raw text and entries; *trouble* where it
    cannot be read.
    """

    name: str
    path: Path
    text: str = ""
    entries: tuple[str, ...] = ()
    trouble: Trouble | None = None


class Samples:
    """Those of some *pairs* that *fit*; none of them is held."""

    def __init__(self, pairs: Iterable[Pair], fit: Callable[[Pair], bool]) -> None:
        self._pairs, self._fit = pairs, fit
        self._count = -1

    def __iter__(self) -> Iterator[Pair]:
        return (pair for pair in self._pairs if self._fit(pair))

    def __len__(self) -> int:
        if self._count < 0:
            self._count = sum(1 for _ in self)
        return self._count


@dataclass(frozen=True, eq=False)
class Survey:
    """A dataset as the rules see it. *kind* is tree or folders; *strays* are files that are neither
    images nor masks; *declared* the class names by the file that lists them; *readers* what
    ``--reader`` names; *painted* what of the annotations is seen in the images.
    """

    root: Path
    kind: str
    pairs: Sequence[Pair]
    classes: Classes | None = None
    declared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lists: tuple[ListFile, ...] = ()
    strays: tuple[Path, ...] = ()
    manifest: Manifest | None = None
    digests: PackedDigests = field(default_factory=PackedDigests)
    readers: tuple[str, ...] = ()
    unfinished: bool = False
    trouble: Trouble | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    annotations: tuple[Any, ...] = ()
    painted: tuple[Paint, ...] = ()
    own: float | None = None
    moved_on: MovedOn | None = None

    def name(self, path: Path | None) -> str:
        """*path* relative to the dataset, with forward slashes."""
        if path is None:
            return ""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return os.path.relpath(path, self.root).replace(os.sep, "/")

    @cached_property
    def labeled(self) -> "Samples":
        """The samples whose mask could be read."""
        return Samples(self.pairs, attrgetter("labeled"))

    @cached_property
    def complete(self) -> "Samples":
        """The samples whose image and mask could be read."""
        return Samples(self.pairs, attrgetter("complete"))

    @cached_property
    def stems(self) -> PackedNames:
        """The stems of all samples, in their order."""
        return PackedNames(pair.stem for pair in self.pairs)

    def pair(self, stem: str) -> Pair:
        """The sample of this *stem*, which is one of :attr:`stems`."""
        return self.pairs[self.stems.find(stem)]

    @cached_property
    def splits(self) -> Mapping[str, str]:
        """Stem -> the first of train, val and test that lists it."""
        splits: dict[str, str] = {}
        for file in self.lists:
            if file.name in ("train", "val", "test"):
                for stem in file.entries:
                    splits.setdefault(stem, file.name)
        return splits

    @cached_property
    def ids(self) -> frozenset[int] | None:
        """The pixel values that the class list allows, 255 included; None without a list."""
        if self.classes is None:
            return None
        ignore = {self.classes.ignore} if self.classes.ignore is not None else set()
        return frozenset(range(len(self.classes.names))) | ignore

    @cached_property
    def background(self) -> int:
        """The pixel value of the background."""
        background = self.classes.background if self.classes else 0
        return 0 if background is None else background

    def label_name(self, value: int) -> str:
        """The name of a pixel value, for messages."""
        if value == IGNORE:
            return "ignored"
        names = self.classes.names if self.classes else ()
        return names[value] if value < len(names) else str(value)

    def images(self) -> Iterator[tuple[Pair, ImageFacts]]:
        """The samples whose image could be read, with its facts."""
        return ((pair, pair.photo) for pair in self.pairs if pair.photo)
