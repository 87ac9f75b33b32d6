"""A tree to a new tree with other classes: merged, renamed, dropped, reordered, raw values
repaired.

    old/                                   a VOC-style tree, made by segprep or not
      SegmentationClass/a.png              every value is looked up in one table, the same for all
      masks
      SegmentationObject/a.png             as it is, but for pixels whose class became background or
      ignored
      JPEGImages/a.jpg                     byte for byte the same
      ImageSets/Segmentation/*.txt         the same, with the split record

The old tree is read like any source, so staging, publishing, going on after a kill and the manifest
are conversion's.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from segprep import types
from segprep.conversion import convert_with
from segprep.conversion.result import Conversion
from segprep.dataset import classes as class_lists
from segprep.dataset import tree
from segprep.dataset.shards import size_for
from segprep.errors import UsageError
from segprep.imaging.image import MaskMode
from segprep.remapping.reader import Reader
from segprep.remapping.table import DropAs, LookupTable
from segprep.types import (
    MAX_PIXELS,
    Progress,
    no_progress,
)

FORMAT = "remap"


@dataclass(frozen=True, slots=True)
class Remapping:
    """What a remap did: the *conversion* as any other, and the lookup *table* (old value, its name,
    new value, its name).
    """

    conversion: Conversion
    table: tuple[tuple[int, str, int, str], ...]


def remap(
    dataset: str | Path,
    out: str | Path,
    *,
    map: tuple[str, ...] = (),
    drop: tuple[str, ...] = (),
    drop_as: DropAs = "background",
    order: str | None = None,
    ids: str = "",
    classes: str | None = None,
    max_pixels: int = MAX_PIXELS,
    mask_mode: MaskMode | None = None,
    shard: int | None = None,
    jobs: int = 1,
    on_error: Literal["stop", "skip"] = "stop",
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress[Any] = no_progress,
) -> Remapping:
    """Write the tree *dataset* with other classes as a new tree at *out*; *dataset* itself is never
    changed.

    *map* are OLD=NEW, *drop* names whose pixels become *drop_as*, *order* the new class list, *ids*
    VALUE=NAME,… the meaning of raw values, *classes* the names (or number) of the classes as they
    are where the tree does not say. *mask_mode* and *shard* None keep the tree's. All is looked up
    at once: map=("cat=dog", "dog=cat") swaps the two.

    Raises:
        UsageError: a wrong option, an unknown name, nothing to change, or *dataset* and *out*
        overlap.
        BadInputError: masks that hold unknown values or cannot be read, listed in its ``skipped``;
        nothing was written.
        TreeError: *out* holds something else; LockedError: another run is at work there.
    """
    if not (map or drop or order or ids or classes):
        raise UsageError(
            "bad-option",
            "nothing to change was asked for",
            "give --map, --drop, --order, --ids or --classes",
        )
    home = tree.find(Path(dataset))
    reader = Reader(
        home.root,
        tuple(map),
        tuple(drop),
        drop_as,
        _listed(order),
        ids,
        _listed(classes),
        max_pixels,
    )
    scan = reader.scan(jobs, progress)
    done = convert_with(
        cast("types.Reader", reader),
        FORMAT,
        out,
        scan=scan,
        shard=size_for(shard, home),
        jobs=jobs,
        on_error=on_error,
        overwrite=overwrite,
        dry_run=dry_run,
        keep_order=True,
        mask_mode=mask_mode or _mask_mode(home),
        progress=progress,
    )
    table: LookupTable = scan.items[0].payload[0]  # no samples at all would have been refused
    return Remapping(done, table.entries)


def _mask_mode(home: tree.Tree) -> MaskMode:
    """What kind of masks *home* has, as far as its manifest says."""
    options = home.manifest.source.get("options", {}) if home.manifest else {}
    mode: MaskMode = options.get("mask_mode") or "palette"
    return mode


def _listed(names: str | None) -> tuple[str, ...]:
    return tuple(class_lists.parse_list(names)) if names else ()
