"""CVAT's "Segmentation mask 1.1": masks and labelmap.txt, to be uploaded as annotations.

    OUT/SegmentationClass/<stem>.png     palette PNG with VOC's colors
    OUT/SegmentationObject/<stem>.png    objects, or one object per class where none are known
    OUT/ImageSets/Segmentation/default.txt
    OUT/labelmap.txt                     name:R,G,B::, background first, ignored:224,224,192::
    OUT/README.txt

Format: https://docs.cvat.ai, dataset formats, segmentation mask. The task holds the images under
the same names: give --zip and upload the file at "Upload annotations".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from segprep.dataset.tree import IMAGES, MASKS, OBJECTS
from segprep.imaging import image
from segprep.targets._common import datumaro_voc, names, pictures, readme
from segprep.types import IGNORE, MAX_PIXELS, OBJECT_IGNORE, MaxPixels, Note
from segprep.writer import Choice, Gathered, Inventory, LabeledImage, Loss, Product

EXAMPLES = (
    "segprep export cvat annotations.zip --zip          the dataset of the current folder",
    "segprep export cvat task.zip --zip -d out/ --images   images too, for a new dataset",
)


@dataclass(frozen=True, slots=True)
class Writer:
    """Write masks and label map; CVAT finds the task's images by their names."""

    images: Annotated[bool, "Also write JPEGImages/."] = False
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(self, inventory: Inventory) -> Choice:
        """Every sample, once: CVAT's tasks have no lists."""
        datumaro_voc.check_names(names.required(inventory.classes))
        return Choice({entry.stem: ("",) for entry in inventory.entries})

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Loss | Note]:
        """Masks, and the image where asked for."""
        datumaro_voc.check_stem(sample)
        stem = sample.entry.stem
        yield datumaro_voc.too_many(sample)
        yield pictures.mask(sample, "palette").named(f"{MASKS}/{stem}")
        yield Product(f"{OBJECTS}/{stem}.png", image.encode_objects(_objects(sample)))
        if self.images:
            picture = pictures.kept(sample, "copy", self.max_pixels, deep=True)
            yield from picture.notes
            yield picture.named(f"{IMAGES}/{stem}")

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """The list, labelmap.txt, README.txt."""
        classes = names.required(inventory.classes)
        stems = tuple(entry.stem for entry in inventory.entries)
        code = (
            "# in CVAT: make a task with the images and the labels below, then\n"
            "# Actions > Upload annotations > Segmentation mask 1.1, and choose the zip file\n"
            "# (segprep export cvat FILE.zip --zip)"
        )
        title = 'CVAT, "Segmentation mask 1.1". OUT is the folder of this file.'
        return {
            **datumaro_voc.texts(classes, {"default": stems}),
            readme.README: readme.text(title, code, gathered, classes),
        }


def _objects(sample: LabeledImage) -> "np.ndarray[tuple[int, int], np.dtype[np.uint16]]":
    """The objects where they fit 8 bits, else one per class; the background is none."""
    if sample.objects is not None and not datumaro_voc.too_many(sample).count:
        return sample.objects
    background = names.required(sample.classes).background
    ids = sample.mask.astype(np.uint16) + 1
    ids[sample.mask == IGNORE] = OBJECT_IGNORE
    if background is not None:
        ids[sample.mask == background] = 0
    return ids
