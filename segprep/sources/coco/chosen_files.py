"""Which JSON files of a COCO source are read: those that --annotations names, or all that look like
it, unless they describe the same images in several ways.
"""

from collections.abc import Sequence
from pathlib import Path

from segprep.dataset.manifest import EXPORT
from segprep.errors import SourceError
from segprep.files import listing
from segprep.names import stem_of
from segprep.sources._common.texts.chosen_files import named, unclear
from segprep.sources.coco import file_kinds
from segprep.types import Skipped

_KINDS = {"instances", "panoptic", "stuff", "person keypoints"}  # COCO's own, of the same images


def choose(roots: tuple[Path, ...], patterns: Sequence[str]) -> tuple[list[Path], list[Skipped]]:
    """The annotation files to read, and the JSON files that are not such.

    Raises UsageError where they describe the same images in several ways.
    """
    files = [
        Path(folder, name)
        for folder, name in listing(str(roots[0]))
        if name.lower().endswith(".json")
    ]
    if patterns:
        return named(files, roots[0], patterns), []
    chosen, skipped = list[Path](), list[Skipped]()
    for path in files:
        name = stem_of(path.name)
        try:
            if file_kinds.looks_like(path, roots):
                chosen.append(path)
            elif path.name != EXPORT:
                reason = "is not a COCO file with things to draw"
                skipped.append(Skipped(name, str(path), "other-json", reason, foreign=True))
        except SourceError as error:
            skipped.append(Skipped(name, str(path), error.code, error.reason, error.hint))
    kinds = {file_kinds.kind_of(path) for path in chosen} & _KINDS
    if len(kinds) > 1:
        reason = f"there are {', '.join(sorted(kinds))} files, which describe the same images"
        alike = [path for path in chosen if file_kinds.kind_of(path) == min(kinds)]
        raise unclear(reason, chosen, roots[0], alike)
    return chosen, skipped
