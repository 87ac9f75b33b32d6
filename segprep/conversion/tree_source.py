"""A finished tree read like any source: what jobs that write a new tree from old ones share."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from segprep.dataset import samples, tree
from segprep.dataset.tree import MASKS, Tree
from segprep.errors import TreeError
from segprep.imaging import image
from segprep.types import Classes, Entry, Evidence, Item, Note, Sample


def recognized(root: Path) -> Evidence | None:
    """Any VOC-style tree."""
    return Evidence(0.5, f"{MASKS}/") if tree.is_tree(root) else None


def classes_of(dataset: Tree) -> Classes:
    """The class list of *dataset*. Raises TreeError (classes-needed) where it names none."""
    classes = dataset.classes()
    if classes is None:
        raise TreeError(
            "classes-needed",
            f"{dataset.root} names no classes",
            "write class_names.txt into it, one name per line: line n is pixel value n",
        )
    return classes


def lists_of(
    dataset: Tree, stems: Collection[str]
) -> tuple[Mapping[str, tuple[str, ...]], tuple[Note, ...]]:
    """The lists of *dataset*, less names that are not samples (*stems*), and the notes on these."""
    notes, lists = [], {}
    for name, listed in dataset.lists().items():
        lists[name] = tuple(stem for stem in listed if stem in stems)
        if lost := [stem for stem in listed if stem not in stems]:
            message = (
                f"{name}.txt of {dataset.root.name} lists {len(lost)} names that are not samples,"
                f" {lost[0]!r} first; they were skipped"
            )
            notes.append(Note("listed-missing", message))
    return lists, tuple(notes)


def item(entry: Entry, stem: str, payload: Any, group: str | None = None) -> Item:
    """The sample *entry* as an item called *stem*: its mask and objects are its labels."""
    labels = (entry.mask, *([entry.objects] if entry.objects else []))
    return Item(stem, entry.image, labels, payload, group)


def read(entry: Entry, roots: tuple[Path, ...], classes: Classes, limit: int) -> Sample:
    """The sample of *entry* as it lies in its tree. Raises SourceError, also for a value that is
    not one of *classes*.
    """
    sample = samples.read(entry, roots, limit)
    samples.check_ids(sample.mask, classes, entry.mask)
    return sample


def upright(
    entry: Entry, roots: tuple[Path, ...], classes: Classes, limit: int
) -> tuple[Sample, image.Header]:
    """The sample of *entry* with mask and objects as they lie on the upright picture, and what its
    image file says of itself.
    """
    sample = read(entry, roots, classes, limit)
    mask, objects = samples.upright(sample, entry.image, limit)
    head = image.header(sample.image, entry.image, limit)
    return Sample(entry.stem, sample.image, mask, objects, True, sample.notes), head
