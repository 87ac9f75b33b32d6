"""Datumaro's voc_segmentation: VOC folders without lists that it would count twice.

    OUT/JPEGImages/<stem>.jpg            the images as they are: copies, hard or symbolic links
    OUT/SegmentationClass/<stem>.png     palette PNG with VOC's colors
    OUT/SegmentationObject/<stem>.png    where objects are known
    OUT/ImageSets/Segmentation/{train,val,test}.txt
    OUT/labelmap.txt                     name:R,G,B::, background first, ignored:224,224,192::
    OUT/README.txt

Format: Datumaro's docs, Pascal VOC. Every list is a subset, so trainval is not written; colors that
labelmap.txt does not name are an error, so ignored has a line.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from segprep.dataset.tree import IMAGES, MASKS, OBJECTS
from segprep.imaging import image
from segprep.targets._common import datumaro_voc, lists, names, pictures, readme
from segprep.targets._common.split_writers import SplitWriter
from segprep.types import Note
from segprep.writer import Choice, Gathered, Inventory, LabeledImage, Loss, Product

EXAMPLES = (
    "segprep export datumaro datumaro/ --link sym   the dataset of the current folder",
    "segprep export datumaro datumaro/ -d out/",
)


@dataclass(frozen=True, slots=True)
class Writer(SplitWriter):
    """Write VOC folders for Datumaro."""

    def choose(self, inventory: Inventory) -> Choice:
        """The samples of train, val and test."""
        datumaro_voc.check_names(names.required(inventory.classes))
        return lists.by_split(inventory)

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Loss | Note]:
        """Image, mask, and objects where they fit 8 bits."""
        datumaro_voc.check_stem(sample)
        lost = datumaro_voc.too_many(sample)
        yield lost
        picture, stem = (
            pictures.kept(sample, self.link, self.max_pixels, deep=True),
            sample.entry.stem,
        )
        yield from picture.notes
        yield picture.named(f"{IMAGES}/{stem}")
        yield pictures.mask(sample, "palette").named(f"{MASKS}/{stem}")
        if sample.objects is not None and not lost.count:
            yield Product(f"{OBJECTS}/{stem}.png", image.encode_objects(sample.objects))

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """The lists, labelmap.txt, README.txt."""
        classes = names.required(inventory.classes)
        code = (
            "import datumaro\n"
            'data = datumaro.Dataset.import_from("OUT", "voc_segmentation")\n'
            "print(data)"
        )
        title = "Datumaro, voc_segmentation. OUT is the folder of this file."
        return {
            **datumaro_voc.texts(classes, lists.stems_by_split(inventory)),
            readme.README: readme.text(title, code, gathered, classes),
        }
