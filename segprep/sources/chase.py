"""CHASE_DB1: vessels in 28 retinal photographs of 14 children, drawn by two observers; no field of
view.

    CHASEDB1/
      Image_01L.jpg           RGB, 999x960: the left eye of child 1
      Image_01L_1stHO.png     1 bit, white = vessel: the first human observer
      Image_01L_2ndHO.png     the second
      Image_01R.jpg  …        both eyes of a child belong together: segprep split --group-by
      '(Image_\\d+)'

Format: https://researchdata.kingston.ac.uk/96/ (Fraz, Remagnino, Hoppe, Uyyanonvara, Rudnicka,
Owen, Barman 2012). Assumptions: photographs and drawings find each other by name, in one folder or
several; there is no official split; the dark rim is background, for nobody drew where the field of
view ends. Built from the description: no sample of it was at hand.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from segprep.files import listing, real_folders
from segprep.imaging import paired_masks
from segprep.imaging.image import SUFFIXES
from segprep.names import stem_of
from segprep.sources._common.masks import retina
from segprep.sources._common.masks.retina import Named
from segprep.types import (
    MAX_PIXELS,
    Evidence,
    Item,
    LinkRoot,
    MaxPixels,
    Note,
    Progress,
    Sample,
    Scan,
    no_progress,
)

EXAMPLES = (
    "segprep convert chase CHASEDB1/ out/",
    "segprep convert chase CHASEDB1/ out/ --annotator 2nd",
)
_DRAWING = re.compile(r"(.+)_(1st|2nd)HO", re.IGNORECASE)
_CHILD = re.compile(r"(.*\d)[LR]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reader:
    """Read a folder of CHASE_DB1 images and annotations."""

    root: Path
    annotator: Annotated[
        Literal["1st", "2nd"], "Whose annotation is the truth: the first or the second observer's."
    ] = "1st"
    image_root: LinkRoot = ()
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A photograph with a drawing that ends in _1stHO or _2ndHO."""
        files = _files(root.resolve())
        photographs = {file.subject for file in files if not file.annotator}
        drawing = next(
            (file for file in files if file.annotator and file.subject in photographs), None
        )
        return (
            Evidence(0.95, f"{drawing.path.name} is an annotation of {drawing.subject}")
            if drawing
            else None
        )

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every photograph with its drawing is an item; both eyes of a child are one group."""
        (root,) = real_folders(self.root)
        notes: list[Note] = []
        items, skipped = retina.pair(
            root,
            retina.without_strangers(root, _files(root), notes),
            self.annotator,
            lambda subject: f"{subject}_{self.annotator}HO.png",
        )
        children = {item.stem: match[1] for item in items if (match := _CHILD.fullmatch(item.stem))}
        return Scan(
            tuple(replace(item, group=children.get(item.stem)) for item in items),
            retina.CLASSES,
            tuple(skipped),
            notes=tuple(notes),
        )

    def read(self, item: Item) -> Sample:
        """The photograph; vessel 1, all else 0."""
        return paired_masks.sample(
            item,
            real_folders(self.root, self.image_root),
            lambda data, path, notes: retina.drawn(data, path, notes, self.max_pixels),
            self.max_pixels,
        )


def _files(root: Path) -> list[Named]:
    files = []
    for path in (Path(folder, name) for folder, name in listing(str(root))):
        if path.suffix.lower() in SUFFIXES:
            match = _DRAWING.fullmatch(stem_of(path.name))
            files.append(
                Named(path, match[1], match[2].lower())
                if match
                else Named(path, stem_of(path.name))
            )
    return files
