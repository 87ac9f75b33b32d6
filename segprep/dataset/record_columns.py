"""What a whole set of records says, read once and kept in columns: about fifty bytes a record."""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from segprep.dataset.tree import Tree
from segprep.packed import PackedNames


@dataclass(slots=True)
class RecordColumns:
    """By record: its stem, the first 64 bits of its image's digest, and which of *patterns*, the
    sets of pixel values that occur, its mask has. *pixels*: value -> count over all.
    """

    stems: PackedNames = field(default_factory=PackedNames)
    digests: "array[int]" = field(default_factory=partial(array, "Q"))
    kinds: "array[int]" = field(default_factory=partial(array, "I"))
    patterns: dict[tuple[int, ...], int] = field(default_factory=dict)
    pixels: Counter[int] = field(default_factory=Counter)

    @staticmethod
    def of(home: Tree) -> "RecordColumns | None":
        """Those of the tree *home*; None where it has no manifest. Raises TreeError."""
        if home.manifest is None:
            return None
        columns = RecordColumns()
        for record in home.records():
            columns.stems.append(record.stem)
            columns.digests.append(int(record.digests[record.image][:16], 16))
            pattern = tuple(record.pixels)
            columns.kinds.append(columns.patterns.setdefault(pattern, len(columns.patterns)))
            columns.pixels.update(record.pixels)
        return columns

    def values(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Every stem with the pixel values that occur in its mask."""
        patterns = list(self.patterns)
        return ((stem, patterns[kind]) for stem, kind in zip(self.stems, self.kinds, strict=True))
