"""Several trees to one: classes united by name, stems kept apart, lists kept.

    a/  b/                                 VOC-style trees, made by segprep or not
    out/JPEGImages/<stem>.jpg              byte for byte the same
    out/SegmentationClass/<stem>.png       every value looked up in its tree's own table
    out/ImageSets/Segmentation/*.txt       the lists of all trees, by name

A stem that several trees have becomes <tree>_<stem> in each. One picture in two trees (equal bytes)
is an error, one sample, or two, as asked; how far its masks agree is told. A tree alone can be
written without the pictures that it has twice. The trees are read like any source, so staging,
publishing and resuming are conversion's.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from segprep import types
from segprep.conversion import convert_with, tree_source
from segprep.conversion.result import Conversion
from segprep.dataset import samples, tree
from segprep.dataset.shards import size_for
from segprep.dataset.tree import SPLITS, Tree
from segprep.errors import SourceError, TreeError, UsageError
from segprep.files import digest, read_below, real_folders
from segprep.imaging import image
from segprep.imaging.image import MaskMode
from segprep.merging import stem_names
from segprep.merging.agreement import Agreement, agreement
from segprep.merging.class_union import united
from segprep.sources._common.pairing import stems as pairing
from segprep.types import (
    MAX_PIXELS,
    Classes,
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

FORMAT = "merge"
SameImage = Literal["error", "first", "keep"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Read several trees as one: *root* and the trees in *image_root*."""

    root: Path
    image_root: tuple[Path, ...] = ()
    same_image: Annotated[
        SameImage,
        "The same image in several datasets (equal bytes): error = refuse; first = take it from the"
        " dataset named first; keep = one sample from each. With a single dataset, first takes each"
        " image once.",
    ] = "error"
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """Any VOC-style tree."""
        return tree_source.recognized(root)

    @property
    def trees(self) -> tuple[Tree, ...]:
        """The trees in the order given."""
        return tuple(Tree(root) for root in real_folders(self.root, self.image_root))

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every sample of every tree is an item.

        Raises TreeError for a tree without class names, or one picture in two trees.
        """
        classes, tables, notes = united(self.trees)
        skipped = list[Skipped]()
        entries = [
            (n, list(samples.entries(dataset, skipped))) for n, dataset in enumerate(self.trees)
        ]
        every = [(number, entry) for number, listed in entries for entry in listed]
        groups = same_images(self.trees, every)
        kept, same = self._distinct(every, groups)
        names = stem_names.united(kept, self.trees)
        items = [
            tree_source.item(
                entry,
                names[number, entry.stem],
                (entry, tables[number], len(self.trees[number].classes().names)),  # type: ignore[union-attr]
            )
            for number, entry in kept
        ]
        lists, missing = self._lists(names)
        return Scan(
            pairing.unique(items, skipped),
            classes,
            tuple(skipped),
            lists,
            (*notes, *missing, *same, *_apart(groups, names, lists), *stem_names.notes(names)),
        )

    def _distinct(
        self, entries: Sequence[tuple[int, Entry]], groups: Sequence[Sequence[tuple[int, Entry]]]
    ) -> tuple[list[tuple[int, Entry]], list[Note]]:
        """The entries less the repeated pictures of *groups*. Raises TreeError where these are not
        allowed.
        """
        if not groups:
            return list(entries), []
        listed = "; ".join(
            " = ".join(_address(self.trees, member) for member in g) for g in groups[:3]
        )
        where = "in several datasets" if len(self.trees) > 1 else "in it several times"
        text = f"{len(groups)} images are {where}: {listed}"
        if self.same_image == "error":
            raise TreeError(
                "same-image",
                text,
                "give --same-image first for one sample each, or --same-image keep for all",
            )
        repeated = {(number, entry.stem) for group in groups for number, entry in group[1:]}
        if self.same_image == "keep":
            return list(entries), [Note("same-image", f"{text}; all were kept")]
        kept = [member for member in entries if (member[0], member[1].stem) not in repeated]
        return kept, [Note("same-image", f"{text}; each was taken once, from the first")]

    def _lists(
        self, names: Mapping[tuple[int, str], str]
    ) -> tuple[Mapping[str, tuple[str, ...]], list[Note]]:
        """The lists of all trees by name; none where a tree has none."""
        merged: dict[str, list[str]] = defaultdict(list)
        notes = list[Note]()
        for number, dataset in enumerate(self.trees):
            stems = {stem for owner, stem in names if owner == number}
            lists = dataset.lists()
            if not lists:
                message = (
                    f"{dataset.root.name} has no split, so the result has none; segprep split draws"
                    " one"
                )
                return {}, [Note("no-split", message)]
            for name, listed in lists.items():
                merged[name] += [names[number, stem] for stem in listed if stem in stems]
        return {name: tuple(listed) for name, listed in merged.items()}, notes

    def read(self, item: Item) -> Sample:
        """The image as it is, the mask through its tree's table. Raises SourceError."""
        entry, table, count = cast("tuple[Entry, bytes, int]", item.payload)
        own = Classes(tuple(map(str, range(count))))
        roots = real_folders(self.root, self.image_root)
        sample = tree_source.read(entry, roots, own, self.max_pixels)
        mask, _ = image.look_up(sample.mask, table)
        notes = (*entry.notes, *sample.notes)
        return Sample(item.stem, sample.image, mask, sample.objects, sample.upright, notes)


def same_images(
    trees: Sequence[Tree], entries: Sequence[tuple[int, Entry]]
) -> list[list[tuple[int, Entry]]]:
    """Groups of entries whose image files are equal, over several trees; of a tree alone, in it."""
    alone = len(trees) == 1
    groups: dict[str, list[tuple[int, Entry]]] = defaultdict(list)
    sizes: dict[int, list[tuple[int, Entry]]] = defaultdict(list)
    for member in entries:
        try:
            sizes[member[1].image.stat().st_size].append(member)
        except OSError:
            continue  # reading it says why
    for listed in sizes.values():
        if len(listed) < 2 or not (alone or _spans(listed)):
            continue
        for number, entry in listed:
            try:
                key = digest(read_below(entry.image, (trees[number].root,)))
            except SourceError:
                continue  # reading it again says why
            groups[key].append((number, entry))
    return [group for group in groups.values() if (alone and len(group) > 1) or _spans(group)]


def _spans(group: Sequence[tuple[int, Entry]]) -> bool:
    """Whether the entries are of several trees."""
    return len({number for number, _ in group}) > 1


def _apart(
    groups: Sequence[Sequence[tuple[int, Entry]]],
    names: Mapping[tuple[int, str], str],
    lists: Mapping[str, tuple[str, ...]],
) -> list[Note]:
    """A note where one picture lies in several of train, val and test."""
    homes = {stem: name for name in SPLITS for stem in lists.get(name, ())}
    apart = []
    for group in groups:
        stems = [
            names[number, entry.stem] for number, entry in group if (number, entry.stem) in names
        ]
        if len({homes[stem] for stem in stems if stem in homes}) > 1:
            apart.append(", ".join(f"{stem} in {homes.get(stem, 'no list')}" for stem in stems))
    if not apart:
        return []
    message = (
        f"{len(apart)} images are in several lists: {apart[0]}; scores are measured on what was"
        " trained on; segprep split --overwrite keeps equal images in one list"
    )
    return [Note("equal-images-apart", message)]


def _address(trees: Sequence[Tree], member: tuple[int, Entry]) -> str:
    return f"{trees[member[0]].root.name}/{member[1].stem}"


@dataclass(frozen=True, slots=True)
class Merging:
    """What a merge did: the *conversion* as any other, and for each class and pair of datasets how
    far the masks of one picture agree.
    """

    conversion: Conversion
    agreement: tuple[Agreement, ...]


def merge(
    *datasets: str | Path,
    out: str | Path,
    same_image: SameImage = "error",
    max_pixels: int = MAX_PIXELS,
    mask_mode: MaskMode = "palette",
    shard: int | None = None,
    jobs: int = 1,
    on_error: Literal["stop", "skip"] = "stop",
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress[Any] = no_progress,
) -> Merging:
    """Write the trees *datasets* as one new tree at *out*; they themselves are never changed.

    Classes are united by name in the order they appear, the backgrounds as one. Lists of the same
    name are joined where every tree has lists. *same_image* says what happens to one picture (equal
    bytes) in several trees; where there are any, ``agreement`` has the IoU of their masks. One tree
    alone with "first" is written without repeated pictures.

    Raises:
        UsageError: no two datasets, nor one with "first", or one of them and *out* overlap.
        TreeError: a dataset names no classes, one picture is in two datasets and *same_image* is
        "error", or *out* holds something else; LockedError: another run is at work there.
        BadInputError: bad samples, listed in its ``skipped``; nothing was written.
    """
    roots = [tree.find(Path(dataset)).root.resolve() for dataset in datasets]
    least = 1 if same_image == "first" else 2
    if len(dict.fromkeys(roots)) != len(datasets) or len(roots) < least:
        raise UsageError(
            "bad-option",
            f"{len(set(roots))} different datasets were given",
            "give two or more, and OUT; or one, OUT and --same-image first, which takes each image"
            " once",
        )
    reader = Reader(roots[0], tuple(roots[1:]), same_image, max_pixels)
    scan = reader.scan(jobs, progress)
    done = convert_with(
        cast("types.Reader", reader),
        FORMAT,
        out,
        scan=scan,
        shard=size_for(shard, *reader.trees),
        jobs=jobs,
        on_error=on_error,
        overwrite=overwrite,
        dry_run=dry_run,
        mask_mode=mask_mode,
        progress=progress,
    )
    return Merging(done, agreement(reader.trees, same_images(reader.trees, _entries(reader))))


def _entries(reader: Reader) -> list[tuple[int, Entry]]:
    return [
        (number, entry)
        for number, dataset in enumerate(reader.trees)
        for entry in samples.entries(dataset, [])
    ]
