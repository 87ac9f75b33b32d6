"""A VOC-style tree made by any tool: PASCAL VOC itself, labelme's and CVAT's exports, tutorials' VOCdevkit folders.

    JPEGImages/a.jpg                                    also in sub-folders
    SegmentationClass/a.png                             palette, grey, or VOC's colours as RGB
    SegmentationObject/a.png                            optional: instances
    ImageSets/Segmentation/train.txt                    optional: kept
    class_names.txt, labelmap.txt                       optional: names; labelmap.txt also the colours of RGB masks

Format: the PASCAL VOC 2012 development kit, section 4 (segmentation). Assumptions: a palette mask's index is the class id whatever its colours;
255 is ignored, in VOC's colours 224,224,192; images without a mask (VOC has thousands) are no fault and are counted only.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from .. import classes as class_lists
from .. import colourtables, engine, image, masks, matching, meanings, pairing
from ..colourtables import Table
from ..errors import SegprepError, SourceError, UsageError
from ..files import read_below
from ..matching import Folders
from ..tree import CLASS_NAMES, IMAGES, LABELMAP, MASKS, OBJECTS
from ..types import IGNORE, MAX_PIXELS, OBJECT_IGNORE, Classes, Evidence, Item, MaxPixels, Note, Progress, Sample, Scan, Stem, no_progress

EXAMPLES = (
    "segprep convert voc VOCdevkit/VOC2012/ out/ --classes voc",
    "segprep convert voc labelme_export/ out/ --classes class_names.txt",
)
_NAMES = (CLASS_NAMES, LABELMAP, "class_id_to_name.json")


@dataclass(frozen=True, slots=True)
class Reader:
    """Read JPEGImages, SegmentationClass and what lies beside them."""

    root: Path
    classes: Annotated[str | None, "Class names in the order of their ids: a FILE, a,b,c, their number, or voc for PASCAL's 21."] = None
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognise(cls, root: Path) -> Evidence | None:
        """JPEGImages/ and SegmentationClass/."""
        try:
            home = _home(root.resolve())
        except UsageError:
            return None
        return Evidence(0.9, f"{home.relative_to(root.resolve()).as_posix()}/ has {IMAGES}/ and {MASKS}/".removeprefix("./"))

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every mask with an image is an item; the payload is the table for RGB masks and the number of classes."""
        (root,) = pairing.real_folders(self.root)
        home = _home(root)
        matched = matching.match(home, [Folders(home / IMAGES, home / MASKS)], "name", self.stem)
        bare = [one for one in matched.skipped if one.code == "mask-missing"]
        notes = [Note("mask-missing", f"{len(bare)} of {len(bare) + len(matched.items)} images have no mask; they are left out")] if bare else []
        known, table, further = self._classes(root, home, matched.items, jobs, progress)
        items = []
        for item in matched.items:
            beside = home / OBJECTS / item.labels[0].relative_to(home / MASKS)
            labels = (*item.labels, beside) if beside.is_file() else item.labels
            items.append(Item(item.stem, item.image, labels, (table, len(known.names))))
        skipped = tuple(one for one in matched.skipped if one.code != "mask-missing")
        return Scan(tuple(items), known, skipped, matched.lists, (*matched.notes, *notes, *further))

    def _classes(self, root: Path, home: Path, items: tuple[Item, ...], jobs: int, progress: Progress[Any]) -> tuple[Classes, Table, list[Note]]:
        if self.classes is not None:
            known = colourtables.load("voc").classes if self.classes == "voc" else class_lists.positions(self.classes)
            return known, colourtables.voc(known), []
        for name in _NAMES:
            if (home / name).is_file():
                content = read_below(home / name, (root,))
                note = [Note("classes-found", f"classes read from {home / name}")]
                if name == LABELMAP:
                    table = colourtables.load(str(home / name))
                    return table.classes, table, note
                known = class_lists.make(class_lists.read_list(home / name) if name == CLASS_NAMES else _numbered(home / name, content), add_background=False)
                return known, colourtables.voc(known), note
        seen: dict[int, int] = {}
        every = colourtables.voc(class_lists.numbered(255))
        tasks = [Item(item.stem, item.image, item.labels, (every, 255)) for item in items]
        for found in progress(engine.run(_Values(self, root), tasks, jobs=jobs, chunk=8), len(tasks), "reading masks"):
            for value, count in found.items() if not isinstance(found, engine.Failure) else ():
                seen[value] = seen.get(value, 0) + count
        known, further = meanings.infer(seen)
        return known, colourtables.voc(known), further

    def read(self, item: Item) -> Sample:
        """The image, its mask and, where there is one, its instance mask."""
        roots = pairing.real_folders(self.root)

        def to_mask(data: bytes, path: Path, notes: list[Note]) -> NDArray[np.uint8]:
            return self.to_mask(data, path, notes, item)

        made = masks.paired(item, roots, to_mask, self.max_pixels)
        if len(item.labels) < 2:
            return made
        objects = self._objects(read_below(item.labels[1], roots), item.labels[1])
        if objects.shape != made.mask.shape:
            raise SourceError(
                item.labels[1],
                f"is {objects.shape[1]}x{objects.shape[0]} pixels, its class mask {made.mask.shape[1]}x{made.mask.shape[0]}",
                "export both anew",
                "size-mismatch",
            )
        return Sample(made.stem, made.image, made.mask, objects, made.upright, made.notes)

    def to_mask(self, data: bytes, path: Path, notes: list[Note], item: Item) -> NDArray[np.uint8]:
        """Class ids (H, W) of one mask file."""
        table, classes = item.payload
        if _is_coloured(data, path, self.max_pixels):
            return colourtables.to_ids(masks.colours(data, path, self.max_pixels), table, path, "error", notes)
        found = masks.values(data, path, notes, self.max_pixels)
        seen = image.histogram(found)
        if seen.keys() == {0, IGNORE}:
            raise SourceError(path, f"holds 0 and 255 only: 255 ({seen[IGNORE]} px) may be a class, or ignored", masks.cause(seen, classes), "values-unclear")
        return masks.translate(found, {n: n for n in (*range(classes), IGNORE)}, path, classes)

    def _objects(self, data: bytes, path: Path) -> NDArray[np.uint16]:
        """Instance ids (H, W): 255 of 8 bits and VOC's border colour are ignored, as is 65535 of 16 bits."""
        if _is_coloured(data, path, self.max_pixels):
            every = colourtables.voc(class_lists.numbered(255))
            found: NDArray[Any] = colourtables.to_ids(masks.colours(data, path, self.max_pixels), every, path, "error", [])
        else:
            found = masks.values(data, path, [], self.max_pixels)
        return found if found.dtype == np.uint16 else np.where(found == IGNORE, OBJECT_IGNORE, found).astype(np.uint16)


@dataclass(frozen=True, slots=True)
class _Values:
    """The histogram of one item's mask, for the engine."""

    reader: Reader
    root: Path

    def __call__(self, item: Item) -> dict[int, int]:
        path = item.labels[0]
        return image.histogram(self.reader.to_mask(read_below(path, (self.root,)), path, [], item))


def _home(root: Path) -> Path:
    """The folder that holds JPEGImages and SegmentationClass: *root*, or the only one up to two levels below. Raises UsageError."""
    found = [path.parent for pattern in ("", "*/", "*/*/") for path in sorted(root.glob(pattern + MASKS)) if (path.parent / IMAGES).is_dir()]
    if len(found) != 1 and root not in found:
        listed = ", ".join(path.relative_to(root).as_posix() for path in found)
        raise UsageError(
            "folders-unclear", f"{root} holds {f'several trees: {listed}' if found else f'no {IMAGES} and {MASKS}'}", "give the folder of one tree"
        )
    return root if root in found else found[0]


def _is_coloured(data: bytes, path: Path, limit: int) -> bool:
    """Whether the mask holds colours: RGB that is not grey throughout."""
    if image.header(data, path, limit).mode not in ("RGB", "RGBA"):
        return False
    shown = masks.colours(data, path, limit)
    return bool((shown[..., 0] != shown[..., 1]).any() or (shown[..., 0] != shown[..., 2]).any())


def _numbered(path: Path, content: bytes) -> list[str]:
    """Names of a JSON object id -> name. Raises SegprepError."""
    try:
        found = {int(number): str(name) for number, name in json.loads(content).items() if int(number) != IGNORE}
    except (ValueError, AttributeError) as error:
        raise SegprepError("bad-classes", f"{path}: {error}", 'write {"0": "background", …}') from error
    return [found.get(number, f"class_{number}") for number in range(max(found) + 1)]
