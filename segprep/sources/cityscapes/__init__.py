"""Cityscapes, gtFine and gtCoarse: street scenes labeled by id images or polygon files.

    src/
      leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png
      gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png         8-bit, ids 0 to 33
                          aachen_000000_000019_gtFine_labelTrainIds.png    8-bit, 0 to 18, else 255
                          aachen_000000_000019_gtFine_instanceIds.png      16-bit, id or 1000 * id +
                          number
                          aachen_000000_000019_gtFine_polygons.json        {"objects": [{"label",
                          "polygon"}]}

Format: https://www.cityscapes-dataset.com and its scripts,
https://github.com/mcordts/cityscapesScripts (labels.py is the id table). Assumptions: names tell
files apart, folders only the split (train, val, test, train_extra), so flat copies are read too;
polygons are drawn in the file's order, later over earlier.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np

from segprep.dataset import classes as class_lists
from segprep.dataset.tree import CLASS_NAMES
from segprep.files import listing, read_below, real_folders
from segprep.imaging import image, mask_files, paired_masks
from segprep.sources._common.classes import palette_order
from segprep.sources._common.pairing import stems
from segprep.sources.cityscapes import ids, masks, other_sets
from segprep.sources.cityscapes.scenes import IMAGE, LABELS, Scenes
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    Classes,
    Evidence,
    Item,
    LinkRoot,
    MaxPixels,
    Note,
    Progress,
    Sample,
    Scan,
    Skipped,
    no_progress,
)

EXAMPLES = (
    "segprep convert cityscapes cityscapes/ out/",
    "segprep convert cityscapes cityscapes/ out/ --labels all --objects",
    "segprep convert cityscapes cityscapes/ out/ --gt coarse",
)
OWN = "own"  # the payload of an item whose ids are those of class_names.txt
_USED: dict[str, tuple[str, ...]] = {
    "label-ids": (ids.LABEL_IDS,),
    "train-ids": (ids.LABEL_TRAIN_IDS,),
    "instance-ids": (ids.INSTANCE_IDS,),
    "polygons": (ids.POLYGONS,),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Read Cityscapes as downloaded and unpacked."""

    root: Path
    labels: Annotated[
        Literal["train", "all"],
        "train = the 19 classes of the benchmark, everything else is 255; all = the 34 label ids as"
        " they are, void ones included.",
    ] = "train"
    gt: Annotated[
        Literal["auto", "fine", "coarse"],
        "Which annotation: auto = gtFine, or gtCoarse where SRC has no gtFine.",
    ] = "auto"
    use: Annotated[
        Literal["auto", "label-ids", "train-ids", "instance-ids", "polygons"],
        "Which label file: auto = labelIds, else labelTrainIds, else instanceIds, else the polygons"
        " drawn from scratch.",
    ] = "auto"
    objects: Annotated[
        bool, "Write SegmentationObject as well, from instanceIds or the polygons."
    ] = False
    image_root: LinkRoot = ()
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """Files that end in _leftImg8bit and in _gtFine_ or _gtCoarse_ and a kind of label."""
        images = labels = ""
        for _, name in listing(str(root)):
            images, labels = (
                images or (name if IMAGE.fullmatch(name) else ""),
                labels or (name if LABELS.fullmatch(name) else ""),
            )
            if images and labels:
                return Evidence(0.97, f"{images} and {labels} are Cityscapes names")
        return None

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every _leftImg8bit image is an item; its split is the folder train, val, test or
        train_extra above it.
        """
        (root,) = real_folders(self.root)
        scenes = Scenes.below(root)
        gt, notes = self._annotation(scenes)
        empty, unlabeled = scenes.unlabeled(gt)
        options = {"train": self.labels == "train", "objects": self.objects}
        allowed, own = _USED.get(self.use, ids.FILES), own_classes(root)
        if own:  # labelTrainIds hold them; in labelIds 255 has become a class
            allowed, options = _USED["train-ids"], {"train": True, "objects": False}
        results = [
            scenes.item(path, gt, allowed=allowed, **options)
            for path in scenes.images
            if scenes.split_of(path) not in empty
        ]
        skipped = [result for result in results if isinstance(result, Skipped)]
        skipped += scenes.orphans(gt)
        items = {result.image: result for result in results if isinstance(result, Item)}
        unique = stems.unique([replace(item, labels=()) for item in items.values()], skipped)
        kept = tuple(items[item.image] for item in unique)
        labels = [path for item in kept for path in item.labels[:1]]
        palette_order.check(labels, real_folders(self.root, self.image_root), otherwise="")
        notes += [*unlabeled, *([] if own else _origin(kept))]
        if not own:
            judged = [item for item in kept if scenes.split_of(cast("Path", item.image)) != "test"]
            notes += other_sets.check(judged, real_folders(self.root, self.image_root))
        if own:
            kept = tuple(replace(item, payload=OWN) for item in kept)
            listed = ", ".join(f"{n} {name}" for n, name in enumerate(own.names))
            notes.append(Note("classes-found", f"classes read from {CLASS_NAMES}: {listed}"))
        classes = own or Classes(ids.classes(self.labels), background=None)
        return Scan(kept, classes, tuple(skipped), scenes.lists(kept), tuple(notes))

    def read(self, item: Item) -> Sample:
        """The image, and the class ids of its label file."""
        roots, notes = real_folders(self.root, self.image_root), list[Note]()
        path, picture = item.labels[0], cast("Path", item.image)
        content, limit = read_below(path, roots), self.max_pixels
        objects = None
        if item.payload == OWN:
            mask = mask_files.values(content, path, notes, limit).astype(np.uint8)
        elif item.payload == ids.POLYGONS:
            painted = masks.drawn(content, path, self.labels, self.objects, notes, limit)
            mask, objects = painted.mask, painted.objects
        else:
            mask = masks.looked_up(content, path, item.payload, self.labels, notes, limit)
            if self.objects:
                numbers = item.labels[-1]
                objects = masks.instances(mask, read_below(numbers, roots), numbers, notes, limit)
        data = read_below(picture, roots)
        upright = paired_masks.drawn_upright(data, picture, mask.shape, path, notes, limit)
        pixels = image.histogram(mask)
        if item.payload != OWN and set(pixels) <= (
            {IGNORE} if self.labels == "train" else ids.VOID
        ):
            reason = "every pixel is void, as in the withheld labels of Cityscapes' test images"
            notes.append(Note("all-ignored", reason))
        return Sample(item.stem, data, mask, objects, upright, tuple(notes), pixels)

    def _annotation(self, scenes: Scenes) -> tuple[str, list[Note]]:
        """Fine or Coarse, and a note where the files decided."""
        if self.gt != "auto":
            return self.gt.title(), []
        if {kind for _, kind, _ in scenes.labels} != {"Coarse"}:
            return "Fine", []
        reason = "there is no gtFine; the masks were made of gtCoarse"
        return "Coarse", [Note("labels-from", reason)]


def own_classes(root: Path) -> Classes | None:
    """The classes of class_names.txt: other ones than Cityscapes' in its folders, as ``segprep
    export cityscapes`` writes them; None without that file. Raises SourceError, SegprepError.
    """
    path = root / CLASS_NAMES
    if not path.is_file():
        return None
    names = class_lists.listed(read_below(path, (root,)), path)
    return class_lists.make(
        names[: -1 if names[-1:] == ["unlabeled"] else None], add_background=False
    )


def _origin(items: Sequence[Item]) -> list[Note]:
    """A note where not all masks are made of labelIds."""
    counts = Counter(item.payload for item in items)
    if not set(counts) - {ids.LABEL_IDS}:
        return []
    listed = ", ".join(f"{name} ({counts[name]})" for name in ids.FILES if counts[name])
    return [Note("labels-from", f"the masks were made of {listed}")]
