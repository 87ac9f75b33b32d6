"""ADE20K in full: PNGs whose colors encode class and object, with a text or JSON file of names.

    src/
      training/…/ADE_train_00000001.jpg       the image
      training/…/ADE_train_00000001_seg.png   class = R / 10 · 256 + G, object = B; 0 is unlabeled
      training/…/ADE_train_00000001.json      names by class number (release of 2021), or
      training/…/ADE_train_00000001_atr.txt   names by object (release of 2016)
      training/…/ADE_train_00000001_parts_1.png   parts of objects: not read

Format: https://github.com/CSAILVision/ADE20K. The challenge of 150 classes is another layout: use
the format pairs. Assumptions: of several names of one class the first counts; there are more than
3,000 classes and a mask holds 254, so --classes or --most chooses. Request the dataset at
https://ade20k.csail.mit.edu and unpack it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from segprep import engine
from segprep.dataset import classes as class_lists
from segprep.errors import SegprepError, SourceError, UsageError
from segprep.files import MAX_BYTES, find_below, read_below, real_folders
from segprep.imaging import image
from segprep.imaging.mask_files import colors
from segprep.imaging.paired_masks import drawn_upright
from segprep.names import shown
from segprep.sources._common.images.source_images import AnnotatedImage, SourceImages
from segprep.sources._common.pairing import stems
from segprep.sources._common.pairing.official_lists import ListsFromFolders
from segprep.sources._common.shapes.regions import files_with
from segprep.sources._common.texts import json_values, strict_json, text_encoding
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    OBJECT_IGNORE,
    Classes,
    ClassList,
    Evidence,
    Item,
    MaxPixels,
    Note,
    Progress,
    Sample,
    Scan,
    Skipped,
    Stem,
    no_progress,
)

EXAMPLES = (
    "segprep convert ade20k ADE20K_2021_17_01/images/ADE/ out/ --most 150",
    "segprep convert ade20k ADE20K_2016/images/ out/ --classes wall,sky,tree --unknown ignore",
)
ENDING = "_seg.png"
_STEP, _HIGH = 10, 256  # R counts in steps of ten, each 256 classes


@dataclass(frozen=True, slots=True)
class SegmentContent:
    """What one picture holds: class number -> pixels, and class number -> name, if known."""

    pixels: Mapping[int, int]
    names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Reader:
    """Read ADE20K's full annotation."""

    root: Path
    classes: ClassList = None
    most: Annotated[
        int,
        "Keep only the N classes with the most pixels; --unknown says what becomes of the others.",
    ] = 0
    unknown: Annotated[
        Literal["error", "ignore", "background"],
        "A class beyond --most: error = refuse it, ignore = 255, background = 0.",
    ] = "error"
    image_root: Annotated[
        tuple[Path, ...], "Another folder to look for images in (with its subfolders)."
    ] = ()
    objects: Annotated[bool, "Write SegmentationObject as well: one id per object."] = False
    lists_from_folders: ListsFromFolders = "auto"
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """Files NAME_seg.png with NAME.json or NAME_atr.txt, or NAME_parts_1.png, beside."""
        for path in files_with(root.resolve(), ENDING)[:20]:
            stem = path.name[: -len(ENDING)]
            for ending in ("_atr.txt", ".json", "_parts_1.png"):
                if path.with_name(stem + ending).is_file():
                    return Evidence(0.95, f"{path.name} lies beside {stem}{ending}")
        return None

    def roots(self) -> tuple[Path, ...]:
        """The folders that may be opened, resolved; the source itself first."""
        return real_folders(self.root, self.image_root)

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every _seg.png is an item; all are read once, to know which classes there are."""
        paths = files_with(self.roots()[0], ENDING)
        contents, skipped = dict[Path, SegmentContent](), list[Skipped]()
        counted = progress(
            engine.run(_Contents(self), paths, jobs=jobs), len(paths), "reading masks"
        )
        for path, content in zip(paths, counted, strict=True):
            if isinstance(content, engine.Failure):
                stem = path.name[: -len(ENDING)]
                reason = content.reason
                skipped.append(Skipped(stem, content.path, content.code, reason, content.hint))
            else:
                contents[path] = content
        classes, table, notes = self._meaning(tuple(contents.values()))
        from_folders = self.lists_from_folders == "auto"
        index = SourceImages(self.roots(), self.stem, from_folders=from_folders)
        for path in contents:
            name = path.name[: -len(ENDING)] + ".jpg"
            index.add(path, [AnnotatedImage(name, by_stem=True)], (table, classes.names))
        items = stems.unique(index.items, index.skipped)
        return Scan(items, classes, (*skipped, *index.skipped), index.lists(items), tuple(notes))

    def read(self, item: Item) -> Sample:
        """The image, its classes through the table, and its objects."""
        (table, names), _ = item.payload
        path, picture = item.labels[0], cast("Path", item.image)
        numbers, parts = self.numbers(path)
        values = np.full(int(numbers.max()) + 1, self._other(), np.int64)
        for number, value in table.items():
            values[number : number + 1] = value
        mask = values[numbers]
        if (mask < 0).any():
            lost = Counter(numbers[mask < 0].tolist()).most_common(4)
            listed = ", ".join(f"{number} ({count} px)" for number, count in lost)
            reason = f"holds classes that are not in the class list of {len(names)}: {listed}"
            hint = "give --unknown ignore or --unknown background"
            raise SourceError(path, reason, hint, "unknown-label")
        data, notes = read_below(picture, self.roots(), MAX_BYTES), list[Note]()
        upright = drawn_upright(data, picture, mask.shape, path, notes, self.max_pixels)
        objects = _objects(numbers, parts) if self.objects else None
        ids = mask.astype(np.uint8)
        return Sample(item.stem, data, ids, objects, upright, tuple(notes))

    def numbers(self, path: Path) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        """Class numbers and object numbers, both (H, W). Raises SourceError."""
        seen = colors(read_below(path, self.roots(), MAX_BYTES), path, self.max_pixels)
        if (seen[..., 0] % _STEP).any():
            reason = (
                f"has red values that are not multiples of {_STEP}: they encode no class and object"
            )
            hint = "if its colors stand for classes, use: segprep convert colormap"
            raise SourceError(path, reason, hint, "mask-is-colour")
        high = seen[..., 0].astype(np.uint16) // _STEP * _HIGH
        return high + seen[..., 1], seen[..., 2]

    def content(self, path: Path) -> SegmentContent:
        """The classes of one picture and their names."""
        numbers, parts = self.numbers(path)
        names = dict[int, str]()
        stem = path.name[: -len(ENDING)]
        described, listed = path.with_name(f"{stem}.json"), path.with_name(f"{stem}_atr.txt")
        if find_below(described, self.roots()):
            names = _from_json(read_below(described, self.roots(), MAX_BYTES), described)
        elif find_below(listed, self.roots()):
            rows = _from_text(read_below(listed, self.roots(), MAX_BYTES), listed)
            names = _of_objects(rows, numbers, parts)
        return SegmentContent(image.histogram(numbers), names)

    def _other(self) -> int:
        return {"ignore": IGNORE, "background": 0}.get(self.unknown, -1)

    def _meaning(
        self, contents: tuple[SegmentContent, ...]
    ) -> tuple[Classes, dict[int, int], list[Note]]:
        """The classes, and class number -> id. Raises SegprepError."""
        pixels, votes = Counter[int](), dict[int, Counter[str]]()
        for content in contents:
            pixels.update(content.pixels)
            for number, name in content.names.items():
                votes.setdefault(number, Counter())[name] += 1
        names = _unique_names(pixels, votes)
        chosen, notes = self._chosen(names, pixels)
        classes = class_lists.make(chosen)
        ids = {name: number for number, name in enumerate(classes.names)}
        table = {number: ids[name] for number, name in names.items() if name in ids}
        if absent := [name for name in chosen if name not in names.values()]:
            text = f"no image contains {len(absent)} of these classes: {', '.join(absent[:6])}"
            notes.append(Note("classes-found", text))
        return classes, table | {0: classes.background or 0}, notes

    def _chosen(
        self, names: Mapping[int, str], pixels: Counter[int]
    ) -> tuple[list[str], list[Note]]:
        if self.classes is not None:
            if self.most:
                message = "--classes and --most contradict each other"
                raise UsageError("bad-option", message, "give one of them")
            return class_lists.parse_list(self.classes), []
        ranked = sorted(names, key=lambda number: (-pixels[number], number))
        if len(ranked) > class_lists.MOST - 1 and not self.most:
            first = ", ".join(names[number] for number in ranked[:6])
            raise SegprepError(
                "bad-classes",
                f"there are {len(ranked)} classes, {first} first; a mask holds {class_lists.MOST}",
                "take the largest: --most 150 --unknown ignore, or name them with --classes",
            )
        taken = ranked[: self.most] if self.most else ranked
        share = sum(pixels[number] for number in taken) / max(1, pixels.total() - pixels[0])
        text = f"{len(taken)} of {len(ranked)} classes, {share:.1%} of the labeled pixels"
        listed = [names[number] for number in (taken if self.most else sorted(taken))]
        return listed, [Note("classes-found", text)]


@dataclass(frozen=True, slots=True)
class _Contents:
    """What one picture holds, for the engine."""

    reader: Reader

    def __call__(self, path: Path) -> SegmentContent:
        return self.reader.content(path)


def _from_json(data: bytes, path: Path) -> dict[int, str]:
    """Class number -> name, as the release of 2021 has it."""
    content = json_values.mapping(strict_json.parse(data, path).value, path, "file")
    annotation = json_values.mapping(content.get("annotation"), path, "annotation")
    names = {}
    listed = json_values.sequence(annotation.get("object"), path, "annotation.object")
    for n, raw in enumerate(listed):
        address = f"annotation.object[{n}]"
        entry = json_values.mapping(raw, path, address)
        number = json_values.whole(entry.get("name_ndx"), path, f"{address}.name_ndx")
        names[number] = json_values.label(entry.get("name"), path, f"{address}.name")
    return names


def _from_text(data: bytes, path: Path) -> dict[int, str]:
    """Object number -> name, of the objects (not the parts) that *data* lists."""
    text, _ = text_encoding.decoded(data, path)
    rows = {}
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.split("#")]
        if len(cells) < 5 or not cells[0].isdecimal() or not cells[1].isdecimal():
            if line.strip():
                reason = f"line {number}: {shown(line)[:60]!r} is not OBJECT # PART # … # NAME"
                raise SourceError(path, reason, "restore the file from its origin")
            continue
        if cells[1] == "0":
            rows[int(cells[0])] = json_values.label(cells[3], path, f"line {number}")
    return rows


def _of_objects(
    rows: Mapping[int, str], numbers: NDArray[np.uint16], parts: NDArray[np.uint8]
) -> dict[int, str]:
    """Class number -> name: objects are counted by the levels of blue that occur."""
    levels = np.unique(parts[parts > 0])
    names = {}
    for rank, level in enumerate(levels.tolist(), 1):
        if rank in rows:
            values, counts = np.unique(numbers[parts == level], return_counts=True)
            names[int(values[counts.argmax()])] = rows[rank]
    return names


def _unique_names(pixels: Mapping[int, int], votes: Mapping[int, Counter[str]]) -> dict[int, str]:
    """Class number -> the first of its names; with its number where two classes share that."""
    first = {}
    for number in sorted(number for number in pixels if number):
        counted = sorted(votes.get(number, {}).items(), key=lambda vote: (-vote[1], vote[0]))
        first[number] = counted[0][0].split(",")[0].strip() if counted else f"class_{number}"
    shared = Counter(first.values())
    return {
        number: name if shared[name] == 1 else f"{name} ({number})"
        for number, name in first.items()
    }


def _objects(numbers: NDArray[np.uint16], parts: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Objects from 1, by class and level of blue; 0 where a pixel belongs to none."""
    keys = numbers.astype(np.int64) * _HIGH + parts
    keys[(parts == 0) | (numbers == 0)] = -1
    present = np.unique(keys[keys >= 0])
    ids = np.searchsorted(present, keys) + 1
    return np.where(keys < 0, 0, np.minimum(ids, OBJECT_IGNORE - 1)).astype(np.uint16)
