"""One item to the files of one sample: read it, turn the image upright, bring it into the tree's
formats, stage it, describe it.

Runs in worker processes; what comes back is a small Record, never pixels.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from segprep import sources
from segprep.conversion.archived import NO_ARCHIVES, Archives
from segprep.dataset.staging import Staging
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS, STAGING
from segprep.errors import SourceError
from segprep.files import (
    Inputs,
    Mark,
    digest,
    mark_below,
    real_folders,
    watch,
    write_staged,
)
from segprep.files.open_folders import is_below
from segprep.imaging import image, metadata, transcoding
from segprep.imaging.image import MaskMode
from segprep.names import unsharded
from segprep.outputs import OutputFolder
from segprep.types import IGNORE, MAX_PIXELS, Item, Note, Reader, Record, Sample

ImageFormat = Literal["keep", "jpg"]
_SUFFIX = {"JPEG": ".jpg", "PNG": ".png"}
_USUAL = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
}


@dataclass(frozen=True, slots=True)
class SampleTask:
    """Read one item, finish its image, stage its files. Runs in worker processes.

    *ids* maps the reader's class ids to the tree's; None: they are the same.
    """

    reader: Reader
    root: Path
    out: Path
    image_format: ImageFormat
    mask_mode: MaskMode
    write: bool
    values: int = IGNORE  # how many class ids the source has; a mask with another is refused
    ids: Mapping[int, int] | None = None
    archives: Archives = NO_ARCHIVES
    strip_metadata: bool = False
    shard: int = 0  # the most samples in a folder of the tree; 0: one folder holds all

    def __call__(self, item: Item) -> Record:
        """Read *item* and stage its files. Raises SourceError."""
        return self.written(item).record

    def written(self, item: Item) -> "Written":
        """Read *item* and stage its files. Raises SourceError."""
        with watch() as inputs:
            sample = sources.read(self.reader, self._source_item(item))
        sample = _counted(sample, item, self.values)
        if self.ids is not None:
            sample = _relabeled(sample, self.ids)
        return _stage(self, item, sample, inputs)

    def _source_item(self, item: Item) -> Item:
        """*item* as the reader's scan named it."""
        return replace(item, stem=unsharded(item.stem)) if self.shard else item

    def fingerprint(self, item: Item) -> str:
        """Changes when the scan finds other files, or other ids, for the same sample."""
        state: tuple[object, ...] = (item, self.image_format)
        state += () if self.ids is None else (self.ids,)
        state += ("stripped",) if self.strip_metadata else ()
        text = self.archives.outer(repr(state))
        for path in filter(None, (item.image, *item.labels)):
            if not is_below(str(path), (self.root,)):  # the same wherever both folders are moved
                text = text.replace(self.archives.outer(str(path)), self.named(path))
        text = text.replace(self.archives.outer(str(self.root)), "")
        return digest(text.encode("utf-8", "backslashreplace"))[:16]

    def named(self, path: Path) -> str:
        """*path* from the source's root, with forward slashes."""
        return self.archives.named(path, self.root)

    def located(self, name: str) -> Path:
        """The file that :meth:`named` calls *name*."""
        return self.archives.located(name, self.root)


@dataclass(frozen=True, slots=True)
class Written:
    """The *record* of a sample, what it was made of, and the states in which its files were
    written, in the order of its digests.
    """

    record: Record
    inputs: Inputs
    outputs: Sequence[os.stat_result]


def _counted(sample: Sample, item: Item, values: int) -> Sample:
    """*sample* with its pixel counts. Raises SourceError for a value that is not a class."""
    pixels = sample.pixels or image.histogram(sample.mask)
    if strangers := [value for value in pixels if value >= values and value != IGNORE]:
        reason = f"the mask has class id {strangers[0]}, but there are only {values} classes"
        raise SourceError(item.labels[0], reason, "fix the mask or its class list", "unknown-value")
    return sample if sample.pixels else replace(sample, pixels=pixels)


def _relabeled(sample: Sample, ids: Mapping[int, int]) -> Sample:
    """*sample* with the tree's class ids in place of the reader's."""
    table = bytes(ids.get(value, IGNORE) for value in range(256))
    mask, _ = image.look_up(sample.mask, table)
    pixels: Counter[int] = Counter()
    for value, count in (sample.pixels or {}).items():
        pixels[ids[value]] += count
    return replace(sample, mask=mask, pixels=dict(sorted(pixels.items())))


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Does a Record still hold? "kept", "changed", or "changed-by-hand" when an output is not as it
    was written.
    """

    task: SampleTask
    replace: bool

    def __call__(self, pair: tuple[Item, Record]) -> str:
        """Compare the digests of its outputs, the item, and the digests of its inputs, in this
        order.
        """
        item, record = pair
        outputs = self._outputs(record)
        if outputs == "changed-by-hand" or record.item != self.task.fingerprint(item):
            return outputs if outputs == "changed-by-hand" else "changed"
        roots = real_folders(self.task.root, getattr(self.task.reader, "image_root", ()))
        for name, expected in record.inputs.items():
            try:
                now: str | None = mark_below(self.task.located(name), roots)
            except SourceError:
                now = None
            if now != expected:
                return "changed"
        return outputs

    def _outputs(self, record: Record) -> str:
        """A file that is missing was taken away and is made again; one that differs was edited,
        unless work is unfinished or replaced anyway.
        """
        staging = Staging(self.task.out)
        wrong = [
            name for name in file_names(record) if not staging.holds(name, record.digests[name])
        ]
        edited = [name for name in wrong if (self.task.out / name).is_file()]
        if edited and not self.replace and not staging.folder.is_dir():
            return "changed-by-hand"
        return "changed" if wrong else "kept"


def _stage(task: SampleTask, item: Item, sample: Sample, inputs: Inputs) -> Written:
    """Turn *sample* upright, bring it into the tree's formats, write its files to the staging
    folder.
    """
    origin = next(
        (path for path, content in inputs.contents.items() if content is sample.image), None
    )
    named = origin or item.image or item.labels[0]
    head = image.header(sample.image, named, getattr(task.reader, "max_pixels", MAX_PIXELS))
    notes = list(sample.notes)
    _refuse_size(named, head.shape(sample.upright), sample.mask.shape)
    data, suffix = _finished(task, named, sample.image, head, notes)
    if origin and origin.suffix.lower() not in _USUAL.get(
        head.format, (f".{head.format.lower()}",)
    ):
        notes.append(Note("image-extension", f"{origin.name} is really {head.format}"))
    mask, objects = sample.mask, sample.objects
    if not sample.upright:
        mask = image.upright_array(mask, head.orientation)
        objects = None if objects is None else image.upright_array(objects, head.orientation)
    contents = {
        f"{IMAGES}/{item.stem}{suffix}": data,
        f"{MASKS}/{item.stem}.png": image.encode_mask(mask, task.mask_mode, sample.pixels),
    }
    if objects is not None:
        contents[f"{OBJECTS}/{item.stem}.png"] = image.encode_objects(objects, task.mask_mode)
    outputs = _write(task, contents) if task.write else []
    hashes = {name: digest(content) for name, content in contents.items()}
    height, width = mask.shape
    names = [*hashes, None]
    record = Record(
        item.stem,
        task.named(item.labels[0]),
        str(names[0]),
        str(names[1]),
        names[2],
        height,
        width,
        dict(sample.pixels or {}),
        hashes,
        task.fingerprint(item),
        {
            task.named(path): _seen(content, data, hashes)
            for path, content in inputs.contents.items()
        },
        task.archives.told(tuple(notes)),
        sample.unpainted,
    )
    return Written(record, inputs, outputs)


def _write(task: SampleTask, contents: Mapping[str, bytes]) -> list[os.stat_result]:
    """Write the files of a sample, name -> content, to the staging folder; the states that they
    are in.
    """
    folder, seen = f"{task.out}{os.sep}{STAGING}", list[os.stat_result]()
    for name, content in contents.items():
        path = OutputFolder(Path(folder)).place(name) if task.shard else f"{folder}{os.sep}{name}"
        seen.append(write_staged(path, content))
    return seen


def _refuse_size(path: Path, image_shape: tuple[int, int], mask_shape: tuple[int, ...]) -> None:
    """Raise SourceError unless image and mask have one shape (H, W)."""
    if mask_shape != image_shape:
        raise SourceError(
            path,
            f"the image is {image_shape[::-1]}, the mask {mask_shape[::-1]} pixels (width, height)",
            "pair each mask with its own image",
            "size-mismatch",
        )


def _seen(content: bytes | Mark | None, data: bytes, hashes: Mapping[str, str]) -> str | None:
    """The digest of an input; an image that passed through untouched has its digest already."""
    if content is None or isinstance(content, Mark):
        return content
    return next(iter(hashes.values())) if content is data else digest(content)


def _finished(
    task: SampleTask, path: Path, data: bytes, head: image.Header, notes: list[Note]
) -> tuple[bytes, str]:
    """The image as the tree keeps it, and its extension: upright JPEG and PNG untouched, all else
    lossless PNG (or JPEG if asked).
    """
    limit = getattr(task.reader, "max_pixels", MAX_PIXELS)
    whole = head.format not in _SUFFIX or transcoding.intact(data, path, head.format, limit)
    if (
        whole
        and head.orientation == 1
        and head.format in _SUFFIX
        and (task.image_format == "keep" or head.format == "JPEG")
    ):
        kept = metadata.stripped(data, head.format) if task.strip_metadata else data
        return kept, _SUFFIX[head.format]
    target: Literal["png", "jpg"] = "jpg" if task.image_format == "jpg" else "png"
    if not whole:
        notes.append(
            Note(
                "image-repaired",
                f"{path.name} is damaged at its end; its pixels are intact and were rewritten",
            )
        )
    if head.orientation > 1:
        notes.append(
            Note("image-upright", f"EXIF orientation {head.orientation} of {path.name} was applied")
        )
    if head.several:
        notes.append(Note("image-frames", f"{path.name} holds several frames; the first was used"))
    content, change = transcoding.transcode(data, path, target, limit)
    if change or head.format not in _SUFFIX or (head.format == "PNG" and target == "jpg"):
        notes.append(
            Note(
                "image-converted",
                f"{head.format} became {target.upper()}" + (f"; {change}" if change else ""),
            )
        )
    return content, f".{target}"


def file_names(record: Record) -> list[str]:
    """The files of a sample, relative to the tree."""
    return [name for name in (record.image, record.mask, record.objects) if name]
