"""labelme JSON: masks or predictions as editable shapes.

    OUT/<stem>.json                      shapes, later over earlier; imageData null
    OUT/<stem>.jpg                       the image: a copy, hard or symbolic link
    OUT/labels.txt                       __ignore__, _background_, the classes: labelme --labels
    OUT/README.txt

Format: https://github.com/wkentaro/labelme, label files 5.0 to 7.x; "mask" shapes need 5.2. Regions
are written from large to small: what lies in a hole comes after the ring around it, and an empty
hole is a shape named _background_. Ignored pixels are named __ignore__; rims of them that would be
more than 20 polygons in an image are one mask shape there, the last. Where the dataset has no
background, every class is drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from segprep.dataset.classes import BACKGROUND, IGNORED
from segprep.errors import UsageError
from segprep.files import real_folders
from segprep.targets._common import (
    foreign_masks,
    names,
    outlines,
    pictures,
    readme,
    records,
    shapes,
)
from segprep.types import IGNORE, MAX_PIXELS, Classes, MaxPixels, Note
from segprep.writer import Choice, Gathered, Inventory, LabeledImage, Link, Loss, Product

EXAMPLES = (
    "segprep export labelme annotations/ -d out/",
    "segprep export labelme annotations/ -d out/ --tolerance 1      fewer points",
    "segprep export labelme checked/ -d out/ --predictions runs/predict",
)
_RIMS = f"images have ignored pixels in more than {shapes.MOST_IGNORED} places: one mask shape each"


@dataclass(frozen=True, slots=True)
class Writer:
    """Write one JSON per image, and the image beside it."""

    link: Link = "copy"
    shapes: Annotated[
        Literal["polygon", "mask"],
        "polygon = outlines, holes kept; mask = a bitmap per class.",
    ] = "polygon"
    tolerance: Annotated[
        float,
        "How far, in pixels, an outline may deviate from the mask: 0 = no pixel is lost; 1 ="
        " about a fifth of the points.",
    ] = 0.0
    max_loss: outlines.MaxLoss = outlines.MAX_LOSS
    predictions: Annotated[
        Path | None,
        "A folder of predicted masks, <stem>.png with class ids, to write instead of the dataset's;"
        " images without one are skipped.",
    ] = None
    max_pixels: MaxPixels = MAX_PIXELS

    def choose(self, inventory: Inventory) -> Choice:
        """Every sample; with *predictions* those that have one."""
        outlines.check(self.tolerance, self.max_loss)
        names.required(inventory.classes)
        stems = [entry.stem for entry in inventory.entries]
        if self.predictions is None:
            return Choice(dict.fromkeys(stems, ("",)))
        (folder,) = real_folders(self.predictions)
        chosen = [stem for stem in stems if (folder / f"{stem}.png").is_file()]
        if not chosen:
            raise UsageError(
                "no-predictions",
                f"{self.predictions} holds no <stem>.png of the dataset's {len(stems)} samples",
                "give the folder of masks that segprep predict wrote",
            )
        missing = len(stems) - len(chosen)
        notes = (Note("prediction-missing", f"{missing} samples have no prediction; skipped"),)
        return Choice(dict.fromkeys(chosen, ("",)), notes if missing else ())

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Loss | Note]:
        """The JSON and the image."""
        picture, stem = (
            self._picture(sample),
            sample.entry.stem,
        )
        classes, mask = names.required(sample.classes), sample.mask
        if self.predictions is not None:
            (folder,) = real_folders(self.predictions)
            mask = foreign_masks.read(folder / f"{stem}.png", folder, sample, self.max_pixels)
        drawn = (
            shapes.bitmaps(mask, classes.background)
            if self.shapes == "mask"
            else shapes.bounded(mask, classes.background, self.tolerance, self.max_loss)
        )
        yield from picture.notes
        yield Loss("pixels lie on the other side of a polygon's outline", drawn.changed)
        yield Loss(f"images {outlines.CLOSER}", int(drawn.closer))
        yield Loss(_RIMS, int(drawn.has_bitmap))
        yield picture.named(stem)
        name = Path(stem).name + picture.suffix
        yield Product(f"{stem}.json", records.document(_content(drawn, mask, classes, name)))

    def _picture(self, sample: LabeledImage) -> pictures.Picture:
        """The image as labelme can show it: it opens no CMYK JPEG and no PNG of 16 bits."""
        if sample.header.mode == "CMYK":
            return pictures.converted(sample, "png", self.max_pixels)
        return pictures.kept(sample, self.link, self.max_pixels)

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """labels.txt and README.txt."""
        classes = names.required(inventory.classes)
        listed = [_label(classes, value) for value in range(len(classes.names))]
        rest = [name for name in listed if name != BACKGROUND]
        code = (
            "labelme OUT --labels OUT/labels.txt --nodata --autosave\n"
            "# and back, after the corrections:\n"
            "segprep json2mask OUT NEW --classes OUT/labels.txt"
        )
        facts = [
            "Shapes cover each other in the order of the file: draw corrections last, and leave"
            " json2mask's --overlap as it is, also where it notes class-covered.",
        ]
        if moved := _moved(classes, listed):
            facts.append(f"json2mask numbers the background 0, so that ids move:\n{moved}")
        title = "labelme annotations. OUT is the folder of this file."
        head = [IGNORED, BACKGROUND] if BACKGROUND in listed else [IGNORED]
        return {
            "labels.txt": "".join(f"{name}\n" for name in (*head, *rest)).encode(),
            readme.README: readme.text(title, code, gathered, classes, facts),
        }


def _moved(classes: Classes, listed: list[str]) -> str:
    """A line for each class whose id is another once json2mask has read labels.txt."""
    order = sorted(range(len(listed)), key=lambda value: listed[value] != BACKGROUND)
    first = 0 if BACKGROUND in listed else 1
    return "\n".join(
        f"- {value} {classes.names[value]} became {number}"
        for value, number in sorted(zip(order, count(first)))
        if value != number
    )


def _label(classes: Classes, value: int) -> str:
    if value == IGNORE:
        return IGNORED
    return BACKGROUND if value == classes.background else classes.names[value]


def _content(
    drawn: shapes.Drawing, mask: NDArray[np.uint8], classes: Classes, name: str
) -> dict[str, Any]:
    listed: list[dict[str, Any]] = [
        {
            "label": _label(classes, shape.value),
            "points": [[float(x), float(y)] for x, y in shape.points],
            "group_id": None,
            "description": "",
            "shape_type": "polygon" if shape.bitmap is None else "mask",
            "flags": {},
            "mask": shape.bitmap,
        }
        for shape in drawn.shapes
    ]
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": listed,
        "imagePath": name,
        "imageData": None,
        "imageHeight": mask.shape[0],
        "imageWidth": mask.shape[1],
    }
