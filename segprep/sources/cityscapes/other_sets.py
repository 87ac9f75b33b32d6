"""Other datasets under Cityscapes' names: none of its 19 classes, or few of them."""

from collections.abc import Sequence
from pathlib import Path

from segprep.errors import SegprepError, UsageError
from segprep.files import read_below
from segprep.imaging import image, mask_files
from segprep.sources.cityscapes.ids import LABEL_IDS, LABEL_TRAIN_IDS, NAMES, TRAIN_IDS
from segprep.types import IGNORE, Item, Note

_TRIED, _FEW = 8, 4  # masks that are read; classes, of which a street has more


def check(items: Sequence[Item], roots: tuple[Path, ...]) -> list[Note]:
    """A note where masks of *items*, all over them, hold few of the 19 classes. Raises UsageError
    where they hold none, as only the withheld labels of the test images do.
    """
    drawn = [item for item in items if item.payload in (LABEL_IDS, LABEL_TRAIN_IDS)]
    tried = drawn[:: max(1, len(drawn) // _TRIED)][:_TRIED]
    seen: set[int] = set()
    for item in tried:
        path = item.labels[0]
        try:
            values = image.histogram(mask_files.values(read_below(path, roots), path, []))
        except SegprepError:
            return []  # told when the sample is read
        known_ids = range(len(NAMES) if item.payload == LABEL_IDS else len(TRAIN_IDS))
        if set(values) - {IGNORE, *known_ids}:
            return []  # the same
        seen |= {v if item.payload == LABEL_IDS else TRAIN_IDS[v] for v in {*values} - {IGNORE}}
    seen &= {*TRAIN_IDS}
    if not tried or len(seen) >= _FEW:
        return []
    what = f"{tried[0].labels[0].name} and others, {len(tried)} masks in all, hold"
    if not seen:
        raise UsageError(
            "format-unclear",
            f"{what} none of the 19 classes of Cityscapes",
            "if it is another dataset under its names: segprep convert pairs SRC OUT",
        )
    named = ", ".join(NAMES[number] for number in sorted(seen))
    hint = "if these are other classes, give their names: segprep convert pairs SRC OUT --classes"
    return [Note("classes-inferred", f"{what} only {named}; {hint}")]
