"""The reader of a tree that is remapped: every mask goes through the lookup table."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
from numpy.typing import NDArray

from segprep import engine
from segprep.dataset import classes as class_lists
from segprep.dataset import samples, tree
from segprep.dataset.shards import flat_stems
from segprep.dataset.tree import MASKS, Tree
from segprep.errors import UsageError
from segprep.files import read_below, real_folders
from segprep.imaging import image, mask_files, paired_masks
from segprep.remapping import table as relabelling
from segprep.remapping.table import ClassChanges, DropAs, Known, LookupTable
from segprep.sources._common.classes import palette_order
from segprep.sources._common.pairing import stems as pairing
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    OBJECT_IGNORE,
    Entry,
    Evidence,
    Item,
    MaxPixels,
    Note,
    Progress,
    Sample,
    Scan,
    Skipped,
    no_progress,
)

_ANEW = "make a dataset of them with segprep convert voc --palette index, and remap that"


@dataclass(frozen=True, slots=True)
class Reader:
    """Read a tree through a lookup table.

    *classes* and *order* are lists already; a single number in *classes* counts them.
    """

    root: Path
    map: Annotated[
        tuple[str, ...],
        (
            "OLD=NEW: pixels of class OLD become class NEW (merge or rename); NEW may be"
            " _background_ or __ignore__. Values such as 1=2 where the tree has no class names."
        ),
    ] = ()
    drop: Annotated[
        tuple[str, ...],
        "Take class NAME out of the list; its pixels become background, or see --drop-as.",
    ] = ()
    drop_as: Annotated[DropAs, "What the pixels of dropped classes become."] = "background"
    order: Annotated[tuple[str, ...], "The new class list in this order: a,b,c or a FILE."] = ()
    ids: Annotated[
        str,
        "What raw pixel values mean, VALUE=NAME,… or a FILE of such lines: --ids"
        " 0=background,255=cell repairs 0/255 masks.",
    ] = ""
    names: Annotated[
        tuple[str, ...],
        "Class names of the masks as they are, where the tree has none: FILE, a,b,c or their"
        " number.",
    ] = ()
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """Any VOC-style tree."""
        return Evidence(0.5, f"{MASKS}/") if tree.is_tree(root) else None

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every mask is an item; it needs an image of its name.

        Raises UsageError where the table cannot be made.
        """
        (root,) = real_folders(self.root)
        skipped = list[Skipped]()
        entries = list(samples.entries(Tree(root), skipped))
        described, notes = Tree(root).manifest, list[Note]()
        names = flat_stems(Tree(root), (entry.stem for entry in entries))
        if described is None:  # another tool's masks
            palette_order.check([entry.mask for entry in entries], (root,), otherwise=_ANEW)
        table = self.table([entry.mask for entry in entries], jobs, progress)
        kept = pairing.unique(
            (
                _item(entry, names[entry.stem], table, foreign=described is None)
                for entry in entries
            ),
            skipped,
        )
        lists = _lists(Tree(root), names, {skip.stem for skip in skipped}, notes)
        return Scan(
            kept,
            table.classes,
            tuple(skipped),
            lists,
            tuple(notes),
            described.split if described else None,
        )

    def table(
        self, paths: list[Path], jobs: int = 1, progress: Progress[Any] = no_progress
    ) -> LookupTable:
        """The lookup table; where nothing names the classes, the masks at *paths* are read for the
        values that occur.
        """
        return relabelling.table(
            self._values_of(paths, jobs, progress),
            ClassChanges(self.map, self.drop, self.drop_as, self.order),
        )

    def _values_of(self, paths: list[Path], jobs: int, progress: Progress[Any]) -> Known:
        if self.ids:
            return relabelling.stated(self.ids, self.names)
        if len(self.names) == 1 and self.names[0].isdecimal():
            return relabelling.numbered(_count(self.names[0]))
        listed = (
            class_lists.make(self.names, add_background=False)
            if self.names
            else Tree(self.root).classes()
        )
        if listed is not None:
            return relabelling.named(listed.names)
        highest = 0
        for seen in progress(
            engine.run(_MaskValues(self), paths, jobs=jobs, chunk=32), len(paths), "reading values"
        ):
            highest = max(highest, *seen) if not isinstance(seen, engine.Failure) else highest
        return relabelling.numbered(highest + 1)

    def read(self, item: Item) -> Sample:
        """The image as it is, the mask through the table. Raises SourceError."""
        roots, path = real_folders(self.root), item.labels[0]
        table, notes = cast("LookupTable", item.payload[0]), list(item.payload[1])
        values = mask_files.values(read_below(path, roots), path, notes, self.max_pixels)
        mask, counts = table.apply(values, path)
        if (
            item.payload[2]
            and table.values[IGNORE] == IGNORE
            and counts.get(IGNORE)
            and set(image.histogram(values)) == {0, IGNORE}
        ):
            notes.append(
                Note(
                    "values-unclear",
                    "holds 0 and 255 only, and 255 was read as ignored; if it is a class, say so:"
                    " --ids 0=background,255=NAME",
                )
            )
        assert item.image
        data = read_below(item.image, roots)
        upright = paired_masks.drawn_upright(
            data, item.image, values.shape, path, notes, self.max_pixels
        )
        objects = (
            _objects(item.labels[1], roots, values, table, self.max_pixels)
            if len(item.labels) > 1
            else None
        )
        return Sample(item.stem, data, mask, objects, upright, tuple(notes), counts)


@dataclass(frozen=True, slots=True)
class _MaskValues:
    """The class values that one mask holds, for the engine."""

    reader: Reader

    def __call__(self, path: Path) -> set[int]:
        (root,) = real_folders(self.reader.root)
        seen = image.histogram(
            mask_files.values(read_below(path, (root,)), path, [], self.reader.max_pixels)
        )
        return {0, *(value for value in seen if value < IGNORE)}


def _count(text: str) -> int:
    if not 1 <= int(text) <= class_lists.MOST:
        raise UsageError(
            "bad-option",
            f"--classes {text}: 1 to {class_lists.MOST} classes are possible",
            "give their number, or their names",
        )
    return int(text)


def _item(entry: Entry, stem: str, table: LookupTable, *, foreign: bool) -> Item:
    return Item(
        stem,
        entry.image,
        (entry.mask, *([entry.objects] if entry.objects else [])),
        (table, entry.notes, foreign),
    )


def _lists(
    home: Tree, names: Mapping[str, str], skipped: set[str], notes: list[Note]
) -> Mapping[str, tuple[str, ...]]:
    """The tree's lists, under the *names* that its samples get. A note tells of what is neither
    there nor *skipped*.
    """
    lists = dict[str, tuple[str, ...]]()
    for name, listed in home.lists().items():
        lists[name] = tuple(names.get(stem, stem) for stem in listed)
        if lost := [stem for stem in listed if stem not in names and stem not in skipped]:
            notes.append(
                Note(
                    "listed-missing",
                    f"{name}.txt lists {len(lost)} names that are not samples, {lost[0]!r} first;"
                    " they were skipped",
                )
            )
    return lists


def _objects(
    path: Path, roots: tuple[Path, ...], values: NDArray[Any], table: LookupTable, limit: int
) -> NDArray[np.uint16]:
    """Instance ids (H, W) as they are; 0 or ignored where the class became background or ignored, 0
    where an ignored pixel got a class.
    """
    ids = samples.objects(path, roots, values.shape, limit)
    for old, old_name, new, new_name in table.entries:
        if old_name == new_name:
            continue
        if new == table.classes.ignore:
            ids[values == old] = OBJECT_IGNORE
        elif new == table.classes.background:
            ids[values == old] = 0
        elif old_name == class_lists.IGNORED:
            ids[(values == old) & (ids == OBJECT_IGNORE)] = 0
    return ids
