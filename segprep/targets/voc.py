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

Format: the VOC2012 development kit, section 'Segmentation'. torchvision is given the folder OUT; it
reads image_set="test" of 2007 only, and looks for 2011 below TrainVal/.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from segprep.dataset import samples, tree
from segprep.dataset.tree import IMAGES, LISTS, MASKS, OBJECTS
from segprep.imaging import image
from segprep.types import MAX_PIXELS, Classes, Entry, MaxPixels, Note, Product

EXAMPLES = (
    "segprep export voc ../voc                     the dataset of the current folder",
    "segprep export voc voc/ -d out/ --year 2012",
)


@dataclass(frozen=True, slots=True)
class Writer:
    """Write a VOCdevkit folder."""

    year: Annotated[
        Literal["2007", "2008", "2009", "2010", "2011", "2012"],
        "The year in the folder's name; the tutorials look for 2007.",
    ] = "2007"
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(
        self, entries: tuple[Entry, ...], lists: Mapping[str, tuple[str, ...]], notes: list[Note]
    ) -> dict[str, tuple[str, ...]]:
        """Every sample, once."""
        if not lists:
            notes.append(
                Note(
                    "no-split",
                    "the dataset has no lists, so the export has none; make them with segprep"
                    " split, then export again",
                )
            )
        return {entry.stem: (self.base(),) for entry in entries}

    def base(self) -> str:
        """The folder of the year, relative."""
        return f"{'TrainVal/' if self.year == '2011' else ''}VOCdevkit/VOC{self.year}"

    def files(
        self, entry: Entry, places: tuple[str, ...], roots: tuple[Path, ...], notes: list[Note]
    ) -> Iterator[Product]:
        """Image, mask and, where there are any, objects."""
        sample = samples.read(entry, roots, self.max_pixels)
        notes += sample.notes
        mask, objects = samples.upright(sample, entry.image, self.max_pixels)
        data = self._jpeg(sample.image, entry.image, notes)
        for base in places:
            yield Product(f"{base}/{IMAGES}/{entry.stem}.jpg", data)
            yield Product(f"{base}/{MASKS}/{entry.stem}.png", image.encode_mask(mask))
            if objects is not None:
                yield Product(f"{base}/{OBJECTS}/{entry.stem}.png", image.encode_objects(objects))

    def _jpeg(self, data: bytes, path: Path, notes: list[Note]) -> bytes:
        """*data* if it is an upright JPEG, else made into one."""
        head = image.header(data, path, self.max_pixels)
        if head.format == "JPEG" and head.orientation == 1:
            return data
        made, change = image.transcode(data, path, "jpg", self.max_pixels)
        turned = f", EXIF orientation {head.orientation} applied" if head.orientation > 1 else ""
        notes.append(
            Note(
                "image-converted",
                f"{path.name}: {head.format} became JPEG, quality 95{turned}"
                + (f"; {change}" if change else ""),
            )
        )
        return made

    def texts(
        self, classes: Classes | None, lists: Mapping[str, tuple[str, ...]]
    ) -> dict[str, bytes]:
        """The lists and the class names."""
        found = {f"{LISTS}/{name}.txt": tree.list_bytes(stems) for name, stems in lists.items()}
        found |= tree.class_files(classes) if classes else {}
        return {f"{self.base()}/{name}": content for name, content in found.items()}
