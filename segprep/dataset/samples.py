"""The samples of a finished tree, made by segprep or not: where the files of each lie, and what
they hold.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.dataset.same_name import pick
from segprep.dataset.tree import IMAGES, MASKS, OBJECTS, STAGING, Tree
from segprep.errors import SourceError, TreeError
from segprep.files import read_below, walk
from segprep.files.states import UNKNOWN
from segprep.imaging import image, mask_files, paired_masks
from segprep.imaging.image import SUFFIXES
from segprep.names import stem_fault, stem_key, stem_of, unsharded
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    OBJECT_IGNORE,
    Classes,
    Entry,
    Note,
    RecordedFiles,
    Sample,
    Skipped,
)


def entries(dataset: Tree, skipped: list[Skipped], keys: Sequence[int] = ()) -> Iterator[Entry]:
    """Every sample of *dataset* that has a mask; without a manifest in the order of the file names.
    What has no image goes to *skipped*. *keys*: those of the states of its files, by record, where
    they are known (see :func:`index_file.output_keys`).

    A stem may have folders in it (``city/a``) in a tree that segprep did not make; in others only
    its shard. Raises TreeError for a tree that is not finished.
    """
    if dataset.manifest is not None:
        yield from _recorded(dataset, skipped, keys)
        return
    if (dataset.root / STAGING).is_dir():
        raise TreeError(
            "unfinished-run",
            f"{dataset.root} holds an unfinished conversion",
            "finish it first: re-run its command",
        )
    yield from _named(dataset, skipped)


def _recorded(dataset: Tree, skipped: list[Skipped], keys: Sequence[int]) -> Iterator[Entry]:
    """The samples of a tree with a manifest, as its records say."""
    for record, key in zip(dataset.records(), chain(keys, repeat(UNKNOWN)), strict=False):
        mask = dataset.root / record.mask
        if fault := stem_fault(unsharded(record.stem), portable=False):
            reason = f"its name {fault}"
            skipped.append(Skipped(record.stem, str(mask), "bad-stem", reason, "convert again"))
            continue
        objects = dataset.root / record.objects if record.objects else None
        content = RecordedFiles(
            record.digests[record.mask], record.digests[record.image], tuple(record.pixels), key
        )
        picture = dataset.root / record.image
        yield Entry(record.stem, picture, mask, objects, record.notes, content)


def _named(dataset: Tree, skipped: list[Skipped]) -> Iterator[Entry]:
    """The samples of a tree without a manifest: every mask, with the image of its name."""
    by_stem, by_name = _images(dataset.root / IMAGES)
    for path in walk(dataset.root / MASKS) if (dataset.root / MASKS).is_dir() else ():
        if path.suffix.lower() != ".png":
            continue
        inner = path.relative_to(dataset.root / MASKS)
        stem = stem_of(inner.as_posix())
        if fault := next(
            filter(None, (stem_fault(part, portable=False) for part in stem.split("/"))), None
        ):
            reason, hint = f"its name {fault}", "rename the mask and its image"
            skipped.append(Skipped(stem, str(path), "bad-stem", reason, hint))
            continue
        images = by_stem.get(stem_key(stem)) or by_name.get(stem_key(stem_of(path.name))) or []
        try:
            picture = pick(images, f"several images are called {stem}")
        except SourceError as error:
            skipped.append(Skipped(stem, str(path), error.code, error.reason, "keep one of them"))
            continue
        if picture is None:
            reason = f"no image in {IMAGES} has its name"
            hint = "add the image, or skip the mask with --on-error skip"
            skipped.append(Skipped(stem, str(path), "image-missing", reason, hint))
        else:
            own = dataset.root / OBJECTS / inner
            yield Entry(stem, picture, path, own if own.is_file() else None)


def _images(folder: Path) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    """The images below *folder* by their path without extension, and by their name alone."""
    by_stem: dict[str, list[Path]] = defaultdict(list)
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in walk(folder) if folder.is_dir() else ():
        if path.suffix.lower() in SUFFIXES:
            by_stem[stem_key(stem_of(path.relative_to(folder).as_posix()))].append(path)
            by_name[stem_key(stem_of(path.name))].append(path)
    return by_stem, by_name


def read(entry: Entry, roots: tuple[Path, ...], limit: int = MAX_PIXELS) -> Sample:
    """The sample as it is: image bytes, mask (H, W) of its values, instance ids.

    Raises SourceError; a 16-bit mask has no ids to keep.
    """
    notes: list[Note] = []
    mask = mask_ids(read_below(entry.mask, roots), entry.mask, notes, limit)
    data = read_below(entry.image, roots)
    upright = paired_masks.drawn_upright(data, entry.image, mask.shape, entry.mask, notes, limit)
    object_ids = objects(entry.objects, roots, mask.shape, limit) if entry.objects else None
    return Sample(entry.stem, data, mask, object_ids, upright, tuple(notes))


def mask_ids(data: bytes, path: Path, notes: list[Note], limit: int) -> NDArray[np.uint8]:
    """The mask (H, W) in *data*, the content of the file *path*. Raises SourceError, also for a
    value above 255.
    """
    mask = mask_files.values(data, path, notes, limit)
    if mask.dtype != np.uint8 and mask.max(initial=0) > IGNORE:
        raise SourceError(
            path,
            f"holds values up to {mask.max()}; class ids end at 255",
            "remap it first: segprep remap --ids",
            "unknown-value",
        )
    return mask.astype(np.uint8, copy=False)


def check_ids(mask: NDArray[np.uint8], classes: Classes, path: Path) -> None:
    """Raise SourceError (unknown-value) for a value of *mask* that is neither a class nor 255."""
    following = mask + np.uint8(1)  # 255 becomes 0
    if int(following.max(initial=0)) <= len(classes.names):
        return
    counts = {
        value: count
        for value, count in image.histogram(mask).items()
        if value >= len(classes.names) and value != IGNORE
    }
    if counts:
        listed = ", ".join(f"{value} ({count} pixels)" for value, count in list(counts.items())[:5])
        raise SourceError(
            path,
            f"holds values that no class has: {listed}; the classes are 0 to"
            f" {len(classes.names) - 1}, and 255 is ignored",
            "say what they mean with segprep remap --ids, or add them to the class list",
            "unknown-value",
        )


def upright(
    sample: Sample, path: Path, limit: int = MAX_PIXELS
) -> tuple[NDArray[np.uint8], NDArray[np.uint16] | None]:
    """Mask and instance ids of *sample* as they lie on the upright picture; *path* is the image's,
    for messages.
    """
    if sample.upright:
        return sample.mask, sample.objects
    turn = image.header(sample.image, path, limit).orientation
    return turned(sample.mask, sample.objects, turn)


def turned(
    mask: NDArray[np.uint8], drawn: NDArray[np.uint16] | None, orientation: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint16] | None]:
    """*mask* and instance ids *drawn* (H, W) of stored rows as they lie on the upright picture."""
    return image.upright_array(mask, orientation), (
        None if drawn is None else image.upright_array(drawn, orientation)
    )


def objects(
    path: Path, roots: tuple[Path, ...], shape: Sequence[int], limit: int = MAX_PIXELS
) -> NDArray[np.uint16]:
    """The instance ids at *path*: (H, W) of *shape*, 65535 where ignored, whatever bits they are
    stored in. Raises SourceError.
    """
    drawn: NDArray[Any] = image.decode_mask(read_below(path, roots), path, limit)
    if drawn.shape != tuple(shape):
        raise SourceError(
            path,
            f"is {drawn.shape[1]}x{drawn.shape[0]}, its class mask {shape[1]}x{shape[0]} pixels",
            "restore it",
            "size-mismatch",
        )
    ids = drawn.astype(np.uint16)
    if drawn.dtype == np.uint8:
        ids[drawn == IGNORE] = OBJECT_IGNORE
    return ids
