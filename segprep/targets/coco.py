"""COCO instances (and panoptic) files: RLE, or polygons on request.

    OUT/images/<split>/<stem>.jpg                    copies, hard or symbolic links
    OUT/annotations/instances_<split>.json           one annotation per object, or per class
    OUT/annotations/panoptic_<split>.json            with --panoptic
    OUT/annotations/panoptic_<split>/<stem>.png      segment id = R + 256 G + 65536 B, 0 = none
    OUT/README.txt

Format: https://cocodataset.org/#format-data. The background is not a category, and category ids are
the dataset's pixel values (plus one where its background is not 0). Polygons follow the edges of
the pixels; a hole is joined to its outline by a line there and back.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from segprep.imaging import contours, image
from segprep.imaging.contours import Points
from segprep.targets._common import (
    lists,
    names,
    objects,
    outlines,
    pictures,
    readme,
    records,
    run_lengths,
)
from segprep.targets._common.objects import Thing
from segprep.targets._common.outlines import Costs
from segprep.targets._common.split_writers import OutlineWriter, ignored
from segprep.types import Classes, Note
from segprep.writer import Gathered, Inventory, LabeledImage, Loss, Part, Product

EXAMPLES = (
    "segprep export coco coco/ --link sym               the dataset of the current folder",
    "segprep export coco coco/ -d out/ --segmentation polygon --tolerance 0.5",
    "segprep export coco coco/ -d out/ --panoptic",
)


@dataclass(frozen=True, slots=True)
class Writer(OutlineWriter):
    """Write images and annotation files by list."""

    segmentation: Annotated[
        Literal["rle", "polygon"], "rle = RLE, exact; polygon = outlines, see --tolerance."
    ] = "rle"
    panoptic: Annotated[bool, "Also write panoptic files and PNGs."] = False

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Part | Loss | Note]:
        """The image, and its entry with all annotations for each list."""
        classes, stem = names.required(sample.classes), sample.entry.stem
        picture = pictures.kept(sample, self.link, self.max_pixels, deep=True)
        height, width = sample.mask.shape
        things = list(objects.things(sample, classes))
        outlined = [self._outlined(thing) for thing in things if self.segmentation == "polygon"]
        rings = [drawn for drawn, _ in outlined] or [list[Points]() for _ in things]
        annotations = [
            _annotation(thing, outline, classes, sample.mask.shape)
            for thing, outline in zip(things, rings, strict=True)
        ]
        yield from picture.notes
        yield ignored(sample)
        yield from outlines.summed(costs for _, costs in outlined)
        entry = {"file_name": f"{stem}{picture.suffix}", "height": height, "width": width}
        content: dict[str, Any] = {"image": entry, "annotations": annotations}
        if self.panoptic:
            content["segments"] = _segments(things, annotations)
        for name in places:
            yield picture.named(f"images/{name}/{stem}")
            yield Part(name, records.line(content))
            if self.panoptic:
                painted = _painted(things, height, width)
                yield Product(f"annotations/panoptic_{name}/{stem}.png", painted)

    def _outlined(self, thing: Thing) -> tuple[list[Points], Costs]:
        """The outlines of *thing*, holes joined to them, and what they cost; none is simplified to
        nothing.
        """
        whole = [
            contours.bridged(region.outer.corners, [hole.corners for hole in region.holes])
            for region in contours.traced(thing.bits, thing.value, thing.top, thing.left)
        ]

        def drawn(tolerance: float) -> list[Points]:
            few = [contours.simplified(ring, tolerance) for ring in whole]
            return [ring if len(ring) > 2 else own for ring, own in zip(few, whole, strict=True)]

        return outlines.bounded(
            thing, drawn, outlines.beside_corners, self.tolerance, self.max_loss
        )

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """The annotation files and README.txt."""
        classes, first_image, files = names.required(inventory.classes), 1, {}
        for name in lists.stems_by_split(inventory):
            rows = records.lines(gathered.parts.get(name, ()))
            instances = _instances(rows, classes, first_image)
            files[f"annotations/instances_{name}.json"] = _compact(instances)
            if self.panoptic:
                panoptic = _panoptic(rows, classes, first_image)
                files[f"annotations/panoptic_{name}.json"] = _compact(panoptic)
            first_image += len(rows)
        first = lists.in_order(lists.stems_by_split(inventory))[0]
        code = (
            "from pycocotools.coco import COCO\n"
            f'coco = COCO("OUT/annotations/instances_{first}.json")\n'
            "mask = coco.annToMask(coco.loadAnns(coco.getAnnIds())[0])"
        )
        title = "COCO annotation files. OUT is the folder of this file."
        return {**files, readme.README: readme.text(title, code, gathered, classes)}


def _annotation(
    thing: Thing, rings: list[Points], classes: Classes, shape: tuple[int, ...]
) -> dict[str, Any]:
    """The annotation of *thing* by its *rings*, or without any by RLE; *shape* (H, W)."""
    rows, columns = thing.bits.shape
    polygons = [ring[:, ::-1].astype(float).ravel().tolist() for ring in rings]
    return {
        "category_id": thing.value + _first_category(classes),
        "iscrowd": 0,
        "area": thing.area,
        "bbox": [thing.left, thing.top, columns, rows],
        "segmentation": polygons or run_lengths.encoded(thing, shape[0], shape[1]),
    }


def _first_category(classes: Classes) -> int:
    """What is added to a pixel value: category ids begin at 1."""
    return 0 if classes.background == 0 else 1


def _categories(classes: Classes, *, things: bool) -> list[dict[str, Any]]:
    return [
        {"id": value + _first_category(classes), "name": name, "supercategory": "thing"}
        | ({"isthing": 1} if things else {})
        for value, name in enumerate(classes.names)
        if value != classes.background
    ]


def _instances(rows: list[Any], classes: Classes, first_image: int) -> dict[str, Any]:
    images, annotations = list[Any](), list[Any]()
    for number, row in enumerate(rows, start=first_image):
        images.append({"id": number, **row["image"]})
        for annotation in row["annotations"]:
            identity = {"id": len(annotations) + 1, "image_id": number}
            annotations.append(identity | annotation)
    return {
        "info": {"description": "written by segprep export coco"},
        "images": images,
        "categories": _categories(classes, things=False),
        "annotations": annotations,
    }


def _panoptic(rows: list[Any], classes: Classes, first_image: int) -> dict[str, Any]:
    numbered = list(enumerate(rows, start=first_image))
    annotations: list[dict[str, Any]] = []
    for number, row in numbered:
        name = f"{row['image']['file_name'].rpartition('.')[0]}.png"
        annotations.append(
            {"image_id": number, "file_name": name, "segments_info": row["segments"]}
        )
    return {
        "info": {"description": "written by segprep export coco --panoptic"},
        "images": [{"id": number, **row["image"]} for number, row in numbered],
        "categories": _categories(classes, things=True),
        "annotations": annotations,
    }


def _segments(things: list[Thing], annotations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    keys = ("category_id", "iscrowd", "area", "bbox")
    return [
        {"id": number} | {key: annotation[key] for key in keys}
        for number, (_, annotation) in enumerate(zip(things, annotations, strict=True), start=1)
    ]


def _painted(things: list[Thing], height: int, width: int) -> bytes:
    """The segment ids as an RGB PNG."""
    ids = np.zeros((height, width), np.uint32)
    for number, thing in enumerate(things, start=1):
        rows, columns = thing.bits.shape
        box = ids[thing.top : thing.top + rows, thing.left : thing.left + columns]
        box[thing.bits] = number
    channels = np.stack([ids & 255, ids >> 8 & 255, ids >> 16 & 255], axis=2)
    return image.encode_rgb(channels.astype(np.uint8))


def _compact(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False) + "\n").encode()
