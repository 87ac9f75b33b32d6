"""What is this dataset? Its samples, classes, sizes, splits and origin, as they are now: the
manifest is compared with the files.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segprep import engine
from segprep.cards import card
from segprep.dataset import tree
from segprep.dataset.changes import Changes, RecordState, changes
from segprep.dataset.equal_images import equal_images
from segprep.dataset.plausibility import doubts
from segprep.dataset.tree import STAGING, Tree, read_lists
from segprep.description.faults import described_faults, list_faults, sizes_differ, unknown_ids
from segprep.imaging.image import histogram
from segprep.types import IGNORE


@dataclass(frozen=True, slots=True)
class ClassShare:
    """One class in numbers: *share* is of all pixels that are not ignored."""

    value: int
    name: str
    pixels: int
    share: float
    images: int


@dataclass(frozen=True, slots=True)
class Info:
    """A dataset in numbers. *sizes* maps (width, height) to images; *ignored* is the share of all
    pixels. *faults* and *doubts* in words: a dataset with faults is not what its manifest says, or
    cannot be used as it is. *equal*: sets of stems with byte-identical images;
    *unpainted*: labels that options kept from being painted.
    """

    root: Path
    images: int
    classes: tuple[ClassShare, ...]
    ignored: float
    sizes: Mapping[tuple[int, int], int]
    lists: Mapping[str, int]
    unlisted: int
    source: Mapping[str, Any] | None
    split: Mapping[str, Any] | None
    notes: Mapping[str, int]
    faults: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    equal: tuple[tuple[str, ...], ...] = ()
    unpainted: tuple[Mapping[str, Any], ...] = ()

    def _repr_html_(self) -> str:
        rows = [
            (row.value, row.name, f"{row.pixels:,}", f"{row.share:.2%}", row.images)
            for row in self.classes
        ]
        sizes = [f"{width} x {height} ({n})" for (width, height), n in list(self.sizes.items())[:3]]
        sizes += [f"{len(self.sizes) - 3} more"] if len(self.sizes) > 3 else []
        facts = {
            "images": self.images,
            **self.lists,
            "ignored": f"{self.ignored:.2%}",
            "sizes": ", ".join(sizes),
        }
        columns = ("id", "class", "pixels", "share", "images")
        remarks = (*self.faults, *self.doubts)
        return card(self.root.resolve().name, facts, columns=columns, rows=rows, remarks=remarks)


def info(dataset: str | Path = ".", *, check: bool = False, jobs: int = 1) -> Info:
    """Describe *dataset*, made by segprep or not, as it is on the disk now.

    Of a tree that segprep made, files are compared with the digests in its records, unless nobody
    touched them since segprep wrote them; with *check* all files are. Figures of a changed mask are
    counted again. Raises UsageError if there is not a dataset, TreeError if its manifest is
    damaged.
    """
    home = tree.find(Path(dataset))
    described = home.manifest
    totals = _Tally()
    faults: list[str] = []
    if (home.root / STAGING).is_dir():
        faults.append(f"{STAGING} holds an unfinished conversion")
    state = Changes((), (), ())
    if described:
        state = changes(home, check=check, jobs=jobs, progress=totals.add_comparison)
        faults += described_faults(home, described, state)
    recount = totals.recount if described else home.stems()
    for result in engine.run(_Counted(home, images=check), recount, jobs=jobs):
        if isinstance(result, engine.Failure):
            faults.append(f"{result.path}: {result.reason}")
            continue
        totals.add(*result[:2])
        faults += result[2]
    stems = home.stems()
    lists, unlisted, wrong = _lists(home, stems)
    faults += unknown_ids(totals.pixels, home.classes())
    faults += wrong
    return Info(
        home.root,
        sum(totals.sizes.values()),
        _shares(home, totals.pixels, totals.images),
        totals.pixels[IGNORE] / (totals.pixels.total() or 1),
        dict(totals.sizes.most_common()),
        lists,
        unlisted,
        described.source if described else None,
        described.split if described else None,
        dict(totals.notes),
        tuple(faults),
        tuple(note.message for note in doubts(totals.pixels, home.classes(), home.root)),
        equal_images(home, stems, jobs=jobs),
        tuple(described.extra.get("unpainted", ())) if described else (),
    )


def _lists(home: Tree, stems: Iterable[str]) -> tuple[dict[str, int], int, list[str]]:
    """How many samples each list has, how many of *stems* are in none, and what is wrong."""
    members = set(stems)
    lists = read_lists(home.root)  # overlaps are told among the faults
    counts = {name: len(listed) for name, listed in lists.items()}
    unlisted = len(members.difference(*lists.values())) if lists else 0
    return counts, unlisted, [*list_faults(lists, members)]


@dataclass
class _Tally:
    """Pixels and images by class value, images by size, samples by note; *recount*: samples whose
    masks are to be counted from their files.
    """

    pixels: Counter[int] = field(default_factory=Counter)
    images: Counter[int] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    recount: list[str] = field(default_factory=list)

    def add(self, pixels: Mapping[int, int], size: tuple[int, int]) -> None:
        self.pixels.update(pixels)
        self.images.update(pixels.keys())
        self.sizes[size] += 1

    def add_comparison(self, state: RecordState) -> None:
        """Count a record of a tree that segprep made; a mask that changed is counted again."""
        self.notes.update(state.codes)
        if state.mask == "as recorded":
            self.add(state.pixels, state.size)
        elif state.mask == "changed":
            self.recount.append(state.stem)


def _shares(
    home: Tree, pixels: Mapping[int, int], images: Mapping[int, int]
) -> tuple[ClassShare, ...]:
    classes = home.classes()
    names = dict(enumerate(classes.names)) if classes else {}
    valid = sum(count for value, count in pixels.items() if value != IGNORE) or 1
    values = sorted({*names, *pixels} - {IGNORE})
    return tuple(
        ClassShare(
            value,
            names.get(value, "(not in the class list)" if names else "?"),
            pixels.get(value, 0),
            pixels.get(value, 0) / valid,
            images.get(value, 0),
        )
        for value in values
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """Pixels, size (width, height) and faults of one sample, from its files; *images*: compare the
    image's size, too.
    """

    home: Tree
    images: bool

    def __call__(self, stem: str) -> tuple[dict[int, int], tuple[int, int], list[str]]:
        mask = self.home.mask(stem)
        height, width = mask.shape
        faults: Iterable[str] = sizes_differ(self.home, stem, (width, height), self.images)
        return histogram(mask.astype("uint8")), (width, height), list(faults)
