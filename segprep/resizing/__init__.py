"""A tree to a new tree of another size: pictures filtered, masks nearest only.

    out/JPEGImages/<stem>.png              the picture at its new size (--image-format jpg: JPEG)
    out/SegmentationClass/<stem>.png       the value at the nearest pixel; 255 around a letterbox
    out/ImageSets/Segmentation/*.txt       the same lists

The tree is read like any source, so staging, publishing and resuming are conversion's.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from segprep import engine, types
from segprep.conversion import convert_with, tree_source
from segprep.conversion.result import Conversion
from segprep.conversion.sample_files import ImageFormat
from segprep.dataset import samples, tree
from segprep.dataset.shards import flat_stems, size_for
from segprep.dataset.tree import Tree
from segprep.errors import UsageError
from segprep.files import real_folders
from segprep.imaging import image, resizing
from segprep.imaging.image import MaskMode
from segprep.imaging.resizing import Frame
from segprep.sources._common.pairing import stems as pairing
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    OBJECT_IGNORE,
    Entry,
    Evidence,
    Item,
    MaxPixels,
    Progress,
    Sample,
    Scan,
    Skipped,
    no_progress,
)

FORMAT = "resize"
GRAY = 128  # around a letterbox, as the tutorials paint it
Mode = Literal["letterbox", "short", "exact"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Read a tree at another size."""

    root: Path
    size: Annotated[str, "Pixels: 512, or WIDTHxHEIGHT such as 640x480 (not for --mode short)."]
    mode: Annotated[
        Mode,
        "letterbox = fit and pad, gray in the image and 255 in the mask; short = make the shorter"
        " side SIZE, keeping the aspect ratio; exact = stretch.",
    ] = "letterbox"
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """Any VOC-style tree."""
        return tree_source.recognized(root)

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every sample is an item. Raises UsageError for a bad size, TreeError without classes."""
        parsed(self.size, self.mode)
        dataset = Tree(real_folders(self.root)[0])
        classes, skipped = tree_source.classes_of(dataset), list[Skipped]()
        entries = list(samples.entries(dataset, skipped))
        names = flat_stems(dataset, (entry.stem for entry in entries))
        items = pairing.unique(
            (tree_source.item(entry, names[entry.stem], entry) for entry in entries), skipped
        )
        kept = {cast("Entry", item.payload).stem: item.stem for item in items}
        listed, notes = tree_source.lists_of(dataset, kept)
        lists = {name: tuple(kept[stem] for stem in stems) for name, stems in listed.items()}
        record = dataset.manifest
        split = record.split if record else None
        return Scan(items, classes, tuple(skipped), lists, notes, split)

    def read(self, item: Item) -> Sample:
        """The sample at its new size. Raises SourceError."""
        roots, entry = real_folders(self.root), cast("Entry", item.payload)
        classes = tree_source.classes_of(Tree(roots[0]))
        sample, _ = tree_source.upright(entry, roots, classes, self.max_pixels)
        pixels = resizing.decoded(sample.image, entry.image, self.max_pixels)
        height, width = sample.mask.shape
        frame = frame_of((height, width), self.size, self.mode)
        data = resizing.encoded(resizing.picture(pixels, frame, _gray_of(pixels)))
        mask = resizing.mask(sample.mask, frame, IGNORE)
        objects = sample.objects
        if objects is not None:
            objects = resizing.mask(objects, frame, OBJECT_IGNORE)
        return Sample(item.stem, data, mask, objects, True, (*entry.notes, *sample.notes))


def _gray_of(pixels: NDArray[Any]) -> int:
    """What is painted around *pixels*: of 16 bits half of the range that the image uses, since half
    of all is bright beyond it where a camera has 12 bits.
    """
    if pixels.dtype != np.uint16:
        return GRAY
    return max(GRAY, (1 << int(pixels.max(initial=0)).bit_length()) // 2)


def parsed(size: str, mode: Mode) -> tuple[int, int]:
    """(W, H) of *size*. Raises UsageError."""
    width, cross, height = size.lower().partition("x")
    texts = (width, height if cross else width)
    numbers = [int(text) for text in texts if text.isascii() and text.isdecimal()]
    if len(numbers) != 2 or not all(1 <= number <= 65_535 for number in numbers):
        raise UsageError(
            "bad-option",
            f"--size {size}: pixels were expected",
            "give --size 512 or --size 640x480",
        )
    if mode == "short" and height and numbers[0] != numbers[1]:
        raise UsageError(
            "bad-option", f"--size {size}: --mode short takes one number", "give --size 512"
        )
    return numbers[0], numbers[1]


def frame_of(shape: tuple[int, int], size: str, mode: Mode) -> Frame:
    """Where a picture of *shape* (H, W) lies in its new canvas."""
    width, height = parsed(size, mode)
    if mode == "exact":
        return Frame((height, width), (height, width))
    if mode == "short":
        factor = width / min(shape)
        scaled = _scaled(shape, factor)
        return Frame(scaled, scaled)
    scaled = _scaled(shape, min(height / shape[0], width / shape[1]))
    scaled = (min(scaled[0], height), min(scaled[1], width))
    return Frame((height, width), scaled, (height - scaled[0]) // 2, (width - scaled[1]) // 2)


def _scaled(shape: tuple[int, int], factor: float) -> tuple[int, int]:
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


@dataclass(frozen=True, slots=True)
class Border:
    """How much of all masks is border: pixels whose right or lower neighbor has another value."""

    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Resizing:
    """What a resize did: the *conversion* as any other, the share of border pixels before and
    after, and the classes that vanished from masks: name -> from how many.
    """

    conversion: Conversion
    border: Border
    vanished: dict[str, int]


def resize(
    dataset: str | Path,
    out: str | Path,
    *,
    size: int | str,
    mode: Mode = "letterbox",
    max_pixels: int = MAX_PIXELS,
    image_format: ImageFormat = "keep",
    mask_mode: MaskMode = "palette",
    shard: int | None = None,
    jobs: int = 1,
    on_error: Literal["stop", "skip"] = "stop",
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress[Any] = no_progress,
) -> Resizing:
    """Write the tree *dataset* at another size as a new tree at *out*; *dataset* itself is never
    changed.

    *size* is a number of pixels or "WIDTHxHEIGHT"; *mode* "letterbox" fits the picture in and pads
    it (gray 128, mask 255), "short" gives the shorter side *size* pixels, "exact" stretches.
    Pictures become PNG, or JPEG with *image_format* "jpg"; masks take the value of the nearest
    pixel.

    Raises:
        UsageError: a wrong size, or *dataset* and *out* overlap.
        TreeError: the dataset names no classes, or *out* holds something else.
        BadInputError: bad samples, listed in its ``skipped``; nothing was written.
    """
    dataset_tree = tree.find(Path(dataset))
    reader = Reader(dataset_tree.root, str(size), mode, max_pixels)
    scan = reader.scan(jobs, progress)
    done = convert_with(
        cast("types.Reader", reader),
        FORMAT,
        out,
        scan=scan,
        shard=size_for(shard, dataset_tree),
        jobs=jobs,
        on_error=on_error,
        overwrite=overwrite,
        dry_run=dry_run,
        keep_order=True,
        image_format=image_format,
        mask_mode=mask_mode,
        progress=progress,
    )
    counts = engine.run(_Counts(reader), scan.items, jobs=jobs)
    counted = [count for count in counts if isinstance(count, _Count)]
    lost: dict[str, int] = {}
    for count in counted:
        for value in count.vanished:
            name = scan.classes.names[value]
            lost[name] = lost.get(name, 0) + 1
    before = sum(count.before[0] for count in counted) / max(1, sum(c.before[1] for c in counted))
    after = sum(count.after[0] for count in counted) / max(1, sum(c.after[1] for c in counted))
    return Resizing(done, Border(before, after), lost)


@dataclass(frozen=True, slots=True)
class _Count:
    """(Border pixels, pixels) of one mask before and after, and the classes that vanished."""

    before: tuple[int, int]
    after: tuple[int, int]
    vanished: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counts of one mask, for the engine."""

    reader: Reader

    def __call__(self, item: Item) -> _Count:
        roots, entry = real_folders(self.reader.root), cast("Entry", item.payload)
        classes = tree_source.classes_of(Tree(roots[0]))
        sample, _ = tree_source.upright(entry, roots, classes, self.reader.max_pixels)
        height, width = sample.mask.shape
        frame = frame_of((height, width), self.reader.size, self.reader.mode)
        inner = replace(frame, size=frame.scaled, top=0, left=0)
        small = resizing.mask(sample.mask, inner, IGNORE)
        lost = image.histogram(sample.mask).keys() - image.histogram(small).keys() - {IGNORE}
        return _Count(_border(sample.mask), _border(small), tuple(sorted(lost)))


def _border(mask: NDArray[Any]) -> tuple[int, int]:
    edges = np.zeros(mask.shape, np.bool_)
    edges[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    edges[:-1] |= mask[:-1] != mask[1:]
    return int(np.count_nonzero(edges)), mask.size
