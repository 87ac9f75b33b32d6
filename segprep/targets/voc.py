"""VOCdevkit/VOC2007 as torchvision and the tutorials read it: every image .jpg, masks with VOC's
palette.

    OUT/VOCdevkit/VOC2007/
      JPEGImages/<stem>.jpg              JPEG images byte for byte as they are, all others as JPEG
      (quality 95, 4:4:4)
      SegmentationClass/<stem>.png       palette PNG, pixel value = class id, 255 = ignored (VOC's
      border)
      SegmentationObject/<stem>.png      where instances are known
      ImageSets/Segmentation/*.txt       all lists of the dataset, LF
      class_names.txt  labelmap.txt      where the classes have names
    OUT/README.txt

Format: the VOC2012 development kit, section 'Segmentation'. torchvision is given the folder OUT; it
reads image_set="test" of 2007 only, and looks for 2011 below TrainVal/.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from segprep.dataset.tree import IMAGES, LISTS, MASKS, OBJECTS, SPLITS
from segprep.dataset.tree_files import class_files, list_bytes
from segprep.errors import UsageError
from segprep.imaging import image
from segprep.targets._common import pictures, readme
from segprep.types import MAX_PIXELS, MaxPixels, Note
from segprep.writer import Choice, Gathered, Inventory, LabeledImage, Product

EXAMPLES = (
    "segprep export voc ../voc                     the dataset of the current folder",
    "segprep export voc voc/ -d out/ --year 2012",
)
_NO_SPLIT = (
    "the dataset has no lists, so the export has none; make them with segprep split, then export"
    " again"
)


@dataclass(frozen=True, slots=True)
class Writer:
    """Write a VOCdevkit folder."""

    year: Annotated[
        Literal["2007", "2008", "2009", "2010", "2011", "2012"],
        "The year in the folder's name; the tutorials look for 2007, the only year whose test list"
        " torchvision reads.",
    ] = "2007"
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(self, inventory: Inventory) -> Choice:
        """Every sample, once. Raises UsageError for a test list of another year than 2007."""
        if inventory.lists.get("test") and self.year != "2007":
            raise UsageError(
                "bad-option",
                f"--year {self.year}: the dataset has a test list, and torchvision reads"
                ' image_set="test" of 2007 only',
                "leave --year at 2007",
            )
        notes = () if inventory.lists else (Note("no-split", _NO_SPLIT),)
        return Choice({entry.stem: (self.base(),) for entry in inventory.entries}, notes)

    def base(self) -> str:
        """The folder of the year, relative."""
        return f"{'TrainVal/' if self.year == '2011' else ''}VOCdevkit/VOC{self.year}"

    def files(self, sample: LabeledImage, places: tuple[str, ...]) -> Iterator[Product | Note]:
        """Image, mask and, where there are any, objects."""
        picture = pictures.converted(sample, "jpg", self.max_pixels)
        yield from picture.notes
        stem = sample.entry.stem
        for base in places:
            yield picture.named(f"{base}/{IMAGES}/{stem}")
            yield pictures.mask(sample, "palette").named(f"{base}/{MASKS}/{stem}")
            if sample.objects is not None:
                objects = image.encode_objects(sample.objects)
                yield Product(f"{base}/{OBJECTS}/{stem}.png", objects)

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """The lists, the class names, README.txt."""
        lists = inventory.lists
        files = {f"{LISTS}/{name}.txt": list_bytes(stems) for name, stems in lists.items()}
        files |= class_files(inventory.classes) if inventory.classes else {}
        result = {f"{self.base()}/{name}": content for name, content in files.items()}
        first = next((name for name in SPLITS if name in lists), "train")
        code = (
            "from torchvision.datasets import VOCSegmentation\n"
            f'{first} = VOCSegmentation("OUT", year="{self.year}", image_set="{first}")\n'
            f"image, mask = {first}[0]   # mask: pixel value is the class id, 255 is ignored"
        )
        facts = [] if first in lists else ["torchvision needs lists: run segprep split first."]
        title = "Pascal VOC segmentation folders. OUT is the folder of this file."
        text = readme.text(title, code, gathered, inventory.classes, facts)
        return result | {readme.README: text}
