"""Which TIFF stack holds the labels of which volume, by the words of their names."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from segprep.files import listing
from segprep.names import stem_of
from segprep.sources._common.pairing.folder_names import words
from segprep.types import Skipped

LABELS = {
    "label",
    "labels",
    "mask",
    "masks",
    "groundtruth",
    "ground",
    "truth",
    "gt",
    "segmentation",
    "annotation",
    "annotations",
}


VOLUMES = {
    "volume",
    "volumes",
    "vol",
    "stack",
    "stacks",
    "image",
    "images",
    "input",
    "inputs",
    "raw",
    "im",
    "img",
    "imgs",
}


def tiffs(root: Path) -> list[Path]:
    """The TIFF files below *root*."""
    return [
        Path(folder, name)
        for folder, name in listing(str(root))
        if name.lower().endswith((".tif", ".tiff"))
    ]


def pairs(
    paths: Iterable[Path], root: Path
) -> dict[tuple[str, ...], tuple[list[Path], list[Path]]]:
    """Volumes and labels whose paths have the same words but for those that say which of the two it
    is.
    """
    by_words: dict[tuple[str, ...], tuple[list[Path], list[Path]]] = defaultdict(lambda: ([], []))
    for path in paths:
        named = [
            word
            for part in (*path.relative_to(root).parts[:-1], stem_of(path.name))
            for word in words(part)
        ]
        key = tuple(word for word in named if word not in LABELS | VOLUMES)
        by_words[key][bool(LABELS & set(named))].append(path)
    return by_words


def unpaired(root: Path, volumes: Sequence[Path], labels: Sequence[Path]) -> list[Skipped]:
    """A Skipped for every volume or labels file that has no partner, or several."""
    if volumes and labels:
        listed = ", ".join(path.relative_to(root).as_posix() for path in (*volumes, *labels))
        reason = f"which labels belong to which volume? {listed}"
        return [
            Skipped(
                stem_of(path.name),
                str(path),
                "image-ambiguous",
                reason,
                "keep one volume and one labels file of a name",
            )
            for path in volumes
        ]
    lost = [
        Skipped(
            stem_of(path.name),
            str(path),
            "image-missing",
            "no volume belongs to these labels",
            "add or rename the volume",
        )
        for path in labels
    ]
    bare = [
        Skipped(
            stem_of(path.name),
            str(path),
            "mask-missing",
            "no labels belong to this volume",
            "add or rename the labels",
        )
        for path in volumes
    ]
    return lost + bare
