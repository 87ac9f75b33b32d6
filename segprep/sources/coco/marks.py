"""The annotations of one image, as a COCO file has them: their text, category, and crowds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from segprep.errors import SourceError
from segprep.names import shown
from segprep.sources.coco import json_stream
from segprep.sources.coco.coco_file import Id, is_id

Crowd = Annotated[
    Literal["ignore", "class", "skip"],
    "Regions of many objects (iscrowd): ignore = 255, class = pixels of their class, skip = not"
    " drawn. They lie below all else and are not instances.",
]
BoxOnly = Annotated[
    Literal["error", "ignore", "class", "skip"],
    "Annotations with a box but no outline: error = refuse the image, ignore = the box is 255 below"
    " all else, class = fill the box, skip = leave it out.",
]


@dataclass(frozen=True, slots=True)
class Naming:
    """What a category id stands for: its *name*, and whether its objects are things, hence
    instances.
    """

    name: str
    thing: bool = True


class Marks(NamedTuple):
    """The annotations of ``images[image]``: their *numbers* in the file, and the *text* of each;
    *size* (H, W) if the file states it.
    """

    image: int
    size: tuple[int, int] | None
    numbers: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()

    def annotations(self, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each annotation with its address. Raises SourceError for a key that stands twice."""
        for number, text in zip(self.numbers, self.texts, strict=True):
            try:
                yield f"annotations[{number}]", json_stream.element(text)
            except json_stream.TwinKeyError as error:
                raise SourceError(
                    path,
                    f"annotations[{number}]: {error}",
                    "delete one of the two",
                    "duplicate-key",
                ) from error


def naming(
    path: Path, address: str, raw: Mapping[str, Any], categories: Mapping[Id, Naming]
) -> Naming:
    """The category of an annotation or a segment. Raises SourceError."""
    key: Any = raw.get("category_id")
    if not is_id(key) or key not in categories:
        reason = f"{address}.category_id: {shown(repr(key))[:80]} is not a category of the file"
        raise SourceError(path, reason, "add the category, or fix the id", "unknown-label")
    return categories[key]


def is_crowd(path: Path, address: str, raw: Mapping[str, Any]) -> bool:
    """Whether it is a region of many objects. Raises SourceError."""
    crowd = raw.get("iscrowd", 0)
    if type(crowd) not in (int, float, bool) or crowd not in (0, 1):
        reason = f"{address}.iscrowd: 0 or 1 was expected, not {shown(repr(crowd))[:80]}"
        raise SourceError(path, reason)
    return bool(crowd)
