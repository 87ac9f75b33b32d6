"""Cityscapes' folders: leftImg8bit/ and gtFine/ with label ids of the dataset's own classes.

    OUT/leftImg8bit/<split>/<city>/<stem>_leftImg8bit.png
    OUT/gtFine/<split>/<city>/<stem>_gtFine_labelTrainIds.png    gray, value = class id, 255 ignored
    OUT/gtFine/<split>/<city>/<stem>_gtFine_labelIds.png         the same, 255 = K, "unlabeled"
    OUT/class_names.txt  README.txt

Format: https://github.com/mcordts/cityscapesScripts. Readers that translate labelIds by Cityscapes'
own table need its 34 classes; labelTrainIds are read as they are. A stem with a folder, ulm/a, has
its city.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from segprep.dataset.tree import CLASS_NAMES
from segprep.imaging import image
from segprep.targets._common import lists, names, pictures, readme
from segprep.types import IGNORE, MAX_PIXELS, MaxPixels, Note
from segprep.writer import Choice, Gathered, Inventory, LabeledImage, Product

EXAMPLES = (
    "segprep export cityscapes streets/             the dataset of the current folder",
    "segprep export cityscapes streets/ -d out/ --city ulm",
)


@dataclass(frozen=True, slots=True)
class Writer:
    """Write images and label ids by list; every image becomes a PNG."""

    city: Annotated[
        str, "The folder between the list and the files; by default the dataset's name."
    ] = ""
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(self, inventory: Inventory) -> Choice:
        """The samples of train, val and test. Raises UsageError for a class named unlabeled."""
        reserved = {"unlabeled": "the name of Cityscapes' ignored label"}
        names.refuse(names.required(inventory.classes), reserved)
        choice = lists.by_split(inventory)
        city = names.identifier(inventory, self.city)
        files = {stem: _file(stem, city) for stem in choice.places}
        places = {
            stem: tuple(f"{name}/{files[stem]}" for name in splits)
            for stem, splits in choice.places.items()
        }
        return Choice(places, (*choice.notes, *names.joined(files)))

    def files(self, sample: LabeledImage, places: tuple[str, ...]) -> Iterator[Product | Note]:
        """Image, train ids and label ids."""
        picture = pictures.converted(sample, "png", self.max_pixels)
        yield from picture.notes
        count = len(names.required(sample.classes).names)
        ids = np.where(sample.mask == IGNORE, count, sample.mask).astype(np.uint8)
        for path in places:
            yield picture.named(f"leftImg8bit/{path}_leftImg8bit")
            yield pictures.mask(sample, "gray").named(f"gtFine/{path}_gtFine_labelTrainIds")
            labels = image.encode_mask(ids, "gray")
            yield Product(f"gtFine/{path}_gtFine_labelIds.png", labels)

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """The class names, with ``unlabeled`` as the last label id, and README.txt."""
        classes = names.required(inventory.classes)
        listed = "".join(f"{name}\n" for name in (*names.plain(classes), "unlabeled"))
        first = lists.in_order(lists.stems_by_split(inventory))[0]
        code = (
            "from torchvision.datasets import Cityscapes\n"
            f'{first} = Cityscapes("OUT", split="{first}", mode="fine", target_type="semantic")\n'
            f"image, mask = {first}[0]   # mask: labelIds; the last of class_names.txt is unlabeled"
        )
        facts = ["labelTrainIds.png hold the same classes with 255 for ignored pixels."]
        title = "Cityscapes' folders with classes of your own. OUT is the folder of this file."
        return {
            CLASS_NAMES: listed.encode(),
            readme.README: readme.text(title, code, gathered, classes, facts),
        }


def _file(stem: str, city: str) -> str:
    """The folder and name of the sample *stem*: readers look one folder deep, that of the city."""
    own, _, rest = stem.partition("/")
    return f"{own}/{names.flat(rest)}" if rest else f"{city}/{stem}"
