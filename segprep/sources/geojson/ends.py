"""The image that a label file belongs to, where the two names share only their beginning or end."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from segprep.errors import SourceError
from segprep.names import stem_key, stem_of
from segprep.sources._common.images.image_index import ImageIndex

_PARTS = re.compile(r"[_\-\s]+")


@dataclass(slots=True)
class ImageEnds:
    """The images of *gallery* by whole stem, and by every run of words at either end of it."""

    gallery: ImageIndex
    whole: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    ends: dict[tuple[str, ...], list[Path]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for places in self.gallery.files.values():
            for folder, name in places:
                path = Path(folder, name)
                key = stem_key(stem_of(name))
                self.whole[key].append(path)
                for end in _ends(key):
                    self.ends[end].append(path)

    def find(self, label: Path) -> Path | None:
        """The only image of the same stem, else the only one that shares the longest end with a
        number in it; None where there is none. Raises SourceError (image-ambiguous).
        """
        key = stem_key(stem_of(label.name))
        candidates = self.whole.get(key, [])
        for end in sorted(_ends(key), key=len, reverse=True):
            if candidates:
                break
            if re.search(r"\d", "".join(end[1:])):
                candidates = self.ends.get(end, [])
        if len(candidates) > 1:
            near = [path for path in candidates if path.parent == label.parent]
            candidates = near if len(near) == 1 else self.gallery.likely(candidates)
        if len(candidates) > 1:
            listed = ", ".join(map(str, candidates[:4]))
            reason = f"{len(candidates)} images may be meant: {listed}"
            hint = "name the folder of one kind of images with --image-root"
            raise SourceError(label, reason, hint, "image-ambiguous")
        return candidates[0] if candidates else None


def _ends(key: str) -> list[tuple[str, ...]]:
    """All runs of words at the beginning and at the end of *key*, the side first."""
    words = [word for word in _PARTS.split(key) if word]
    first = [("first", *words[:count]) for count in range(1, len(words) + 1)]
    return first + [("last", *words[-count:]) for count in range(1, len(words) + 1)]
