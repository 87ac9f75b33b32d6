"""What a person should know of a finished split."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from segprep.dataset.lists import blank_names
from segprep.dataset.record_columns import RecordColumns
from segprep.dataset.tree import SPLITS, Tree
from segprep.splitting.ratio import Ratio
from segprep.types import Note


def remarks(
    home: Tree, lists: Mapping[str, Sequence[str]], shares: Ratio, columns: RecordColumns | None
) -> list[Note]:
    """Lists without samples, classes that a list lacks though three or more images have them."""
    notes = [
        Note("empty-split", f"{name} is empty" + ("" if share else " (its share is 0)"))
        for name, share in zip(SPLITS, shares, strict=True)
        if not lists[name]
    ]
    notes += blank_names(stem for name in SPLITS for stem in lists[name])
    classes = home.classes() if columns else None
    if classes is None or columns is None:
        return notes
    homes = {stem: part for part in SPLITS for stem in lists[part]}
    images, present = Counter[int](), defaultdict[int, set[str]](set)
    for stem, values in columns.values():
        images.update(values)
        if part := homes.get(stem):
            for value in values:
                present[value].add(part)
    for value, name in enumerate(classes.names):
        missing = [part for part in SPLITS if lists[part] and part not in present[value]]
        if missing and images[value] >= 3:
            notes.append(
                Note(
                    "class-missing",
                    f"class {name} occurs in {images[value]} images but not in"
                    f" {', '.join(missing)}; --stratify presence spreads it",
                )
            )
    return notes
