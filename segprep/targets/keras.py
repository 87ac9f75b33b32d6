"""Folders for Keras' flow_from_directory: train_frames/ train_masks/ val_frames/ val_masks/
test_frames/ test_masks/.

    OUT/train_frames/train/<stem>.jpg    the images as they are: copies, hard or symbolic links
    OUT/train_masks/train/<stem>.png     8-bit gray, gray value = class id, 255 = ignored
    OUT/val_frames/val/ …                the same for val and test
    OUT/class_names.txt                  where the classes have names
    OUT/README.txt

Format: the folder names of the tutorials; flow_from_directory wants one folder more, which it takes
for a class (class_mode=None, color_mode="grayscale" for masks, interpolation="nearest", and the
same seed for frames and masks). It pairs frames and masks by their place in the sorted file names,
so these are checked to sort alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from segprep.dataset.tree import CLASS_NAMES, SPLITS
from segprep.dataset.tree_files import class_files
from segprep.errors import SegprepError, SourceError, TreeError, UsageError
from segprep.files import read_below
from segprep.imaging import image
from segprep.targets._common import lists, names, pictures, readme
from segprep.targets._common.pictures import Picture
from segprep.types import IGNORE, MAX_PIXELS, Entry, MaxPixels, Note
from segprep.writer import Choice, Gathered, Inventory, LabeledImage, Link, Loss, Product

EXAMPLES = (
    "segprep export keras ../data --link sym           the dataset of the current folder",
    "segprep export keras data/ -d out/ --link hard --frames png",
    "segprep export keras data/ -d out/ --flat         no inner folder, for os.listdir",
    "segprep export keras data/ -d out/ --values 255   two classes as black and white",
)
_LISTED = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff")  # by flow_from_directory


@dataclass(frozen=True, slots=True)
class Writer:
    """Write frames and masks in folders by list."""

    link: Link = "copy"
    frames: Annotated[
        Literal["keep", "png"],
        "keep = images as they are; png = every frame a PNG, so that frame and mask have the very"
        " same name (JPEG are decoded, losslessly stored).",
    ] = "keep"
    masks: Annotated[
        Literal["gray", "palette", "link"],
        "gray = gray value is the class id (what Keras reads); palette = VOC's colors; link = the"
        " dataset's own files, as --link says.",
    ] = "gray"
    values: Annotated[
        Literal["ids", "255"],
        "ids = gray value is the class id; 255 = class 1 is white (255), for generators with"
        " rescale=1/255: two classes only, ignored pixels become black.",
    ] = "ids"
    flat: Annotated[
        bool, "No inner folder: train_frames/<stem>.jpg, for code that lists the folder itself."
    ] = False
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(self, inventory: Inventory) -> Choice:
        """The samples of train, val and test.

        Raises TreeError without lists, SegprepError where sorted names would pair wrongly,
        UsageError for --values 255 with other than two classes.
        """
        self._refuse_values(inventory)
        splits = {name: inventory.lists[name] for name in SPLITS if name in inventory.lists}
        if "train" not in splits or not any(splits.values()):
            raise TreeError(
                "no-split",
                "no split: the dataset has no train list",
                "run segprep split, then export again",
            )
        entries = {entry.stem: entry for entry in inventory.entries}
        for listed in splits.values():
            self._refuse_disorder([entries[stem] for stem in dict.fromkeys(listed)])
        empty = [
            f"the list {name} is {'empty' if name in splits else 'missing'}: no {name}_frames"
            for name in SPLITS
            if not splits.get(name)
        ]
        choice = lists.by_split(inventory)
        notes = tuple(Note("empty-split", message) for message in empty)
        if self.flat:
            notes += names.joined({stem: self._stem(stem) for stem in choice.places})
        rest = (note for note in choice.notes if note.code != "empty-split")
        return Choice(choice.places, (*notes, *rest))

    def _refuse_values(self, inventory: Inventory) -> None:
        if self.values == "ids":
            return
        count = len(inventory.classes.names) if inventory.classes else 0
        if count != 2 or self.masks != "gray":
            reason = f"the dataset has {count} classes" if count != 2 else f"--masks {self.masks}"
            raise UsageError(
                "bad-option",
                f"--values 255 writes two classes as black and white gray masks: {reason}",
                "leave it out, and give the generator of masks no rescale",
            )

    def _refuse_disorder(self, entries: list[Entry]) -> None:
        stems = {entry.stem: self._stem(entry.stem) for entry in entries}
        by_frame = sorted(entries, key=lambda entry: stems[entry.stem] + self._suffix(entry.image))
        by_mask = sorted(entries, key=lambda entry: stems[entry.stem] + ".png")
        for frame, mask in zip(by_frame, by_mask, strict=True):
            if frame is not mask:
                raise SegprepError(
                    "order-differs",
                    f"sorted by name, frame {frame.stem} would be paired with mask {mask.stem}",
                    "give --frames png, so that both have the same names",
                )

    def _stem(self, stem: str) -> str:
        """*stem* as the files are called: without folders where there shall be none."""
        return names.flat(stem) if self.flat else stem

    def _suffix(self, path: Path) -> str:
        suffix = path.suffix.lower()
        return suffix if self.frames == "keep" and suffix in _LISTED else ".png"

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Loss | Note]:
        """Frame and mask, in the folders of each list that names them."""
        frame, mask = self._frame(sample), self._mask(sample)
        yield from frame.notes
        if self.values == "255":
            ignored = int(np.count_nonzero(sample.mask == IGNORE))
            yield Loss("pixels of 255 (ignored) became black", ignored)
        stem = self._stem(sample.entry.stem)
        for name in places:
            inner = "" if self.flat else f"{name}/"
            yield frame.named(f"{name}_frames/{inner}{stem}")
            yield mask.named(f"{name}_masks/{inner}{stem}")

    def _mask(self, sample: LabeledImage) -> Picture:
        if self.values == "255":
            white = np.where(sample.mask == 1, 255, 0).astype(np.uint8)
            return Picture(".png", Product("", image.encode_mask(white, "gray")))
        if self.masks == "link" and sample.stored_upright:
            return self._linked(sample)
        return pictures.mask(sample, "palette" if self.masks == "palette" else "gray")

    def _linked(self, sample: LabeledImage) -> Picture:
        """The dataset's own mask. Raises SourceError for a palette, whose colors Keras would turn
        into gray levels.
        """
        path = sample.entry.mask
        if image.header(read_below(path, sample.roots), path, self.max_pixels).mode != "L":
            raise SourceError(
                path,
                "is not a gray PNG: Keras would read its colors as gray levels, not its ids",
                "leave out --masks link",
                "mask-is-colour",
            )
        return Picture(".png", Product("", None, path, self.link))

    def _frame(self, sample: LabeledImage) -> Picture:
        """The image's own file where Keras can read it as it lies, else its pixels as upright PNG
        (or JPEG, where only the orientation is wrong).
        """
        path = sample.entry.image
        head, suffix = sample.header, self._suffix(path)
        own = suffix == path.suffix.lower() and (suffix != ".png" or head.format == "PNG")
        deep = pictures.is_deep(head)
        if head.orientation == 1 and own and not deep:
            return Picture(suffix, Product("", None, path, self.link))
        if suffix not in (".png", ".jpg", ".jpeg"):
            fault = f"EXIF orientation {head.orientation}, which Keras does not apply"
            if head.orientation == 1:
                fault = "has 16 bits per channel, which Keras cuts off at 255"
            raise SourceError(path, fault, "give --frames png", "image-unsupported")
        picture = pictures.converted(sample, "png" if suffix == ".png" else "jpg", self.max_pixels)
        return replace(picture, suffix=suffix)

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """The class names, one per line: line n is gray value n; README.txt."""
        classes = inventory.classes
        names = {CLASS_NAMES: class_files(classes)[CLASS_NAMES]} if classes else {}
        code = (
            "from keras.src.legacy.preprocessing.image import ImageDataGenerator"
            "   # before 3: keras.preprocessing.image\n"
            f"frames = ImageDataGenerator().flow_from_directory({self._arguments('frames')})\n"
            f"masks = ImageDataGenerator().flow_from_directory({self._arguments('masks')},\n"
            '    color_mode="grayscale", interpolation="nearest")'
        )
        title = (
            "Folders for Keras' flow_from_directory. OUT is the folder of this file; give both"
            " generators the same seed and target_size."
        )
        facts = ["rescale=1/255 makes class ids of masks vanish: use it for frames only."]
        if self.values == "255":
            facts = ["Masks are black (class 0) and white (class 1): rescale=1/255 suits both."]
        text = readme.text(title, code, gathered, classes, facts)
        return {**names, readme.README: text}

    def _arguments(self, kind: str) -> str:
        if self.flat:
            return f'"OUT", classes=["train_{kind}"], class_mode=None, seed=1'
        return f'"OUT/train_{kind}", class_mode=None, seed=1'
