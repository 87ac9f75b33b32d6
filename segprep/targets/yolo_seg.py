"""YOLO segmentation: one text file of polygons per image, and data.yaml.

    OUT/images/<split>/<stem>.jpg        copies, hard or symbolic links
    OUT/labels/<split>/<stem>.txt        class x1 y1 x2 y2 …, coordinates from 0 to 1
    OUT/data.yaml                        train, val, test, names without the background
    OUT/README.txt

Format: Ultralytics, instance segmentation. A polygon runs through the centers of an object's border
pixels, and readers fill it with its outline; a hole is joined to it by a line there and back.
Classes are numbered without the background. Polygons are written from large to small, since
Ultralytics paints small ones over large ones. Ignored pixels are lost.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from segprep.imaging import contours
from segprep.imaging.contours import Points
from segprep.targets._common import lists, names, objects, outlines, pictures, readme
from segprep.targets._common.objects import Thing
from segprep.targets._common.outlines import Costs
from segprep.targets._common.split_writers import OutlineWriter, ignored
from segprep.types import Classes, Note
from segprep.writer import Gathered, Inventory, LabeledImage, Loss, Product

EXAMPLES = (
    "segprep export yolo-seg yolo/ --link sym           the dataset of the current folder",
    "segprep export yolo-seg yolo/ -d out/ --tolerance 0.5",
)


@dataclass(frozen=True, slots=True)
class Writer(OutlineWriter):
    """Write images and polygons by list."""

    def files(
        self, sample: LabeledImage, places: tuple[str, ...]
    ) -> Iterator[Product | Loss | Note]:
        """The image and its polygons."""
        picture, stem = pictures.kept(sample, self.link, self.max_pixels), sample.entry.stem
        classes = names.required(sample.classes)
        numbers = {value: number for number, (value, _) in enumerate(_listed(classes))}
        height, width = sample.mask.shape
        scale, drawn, tiny, costs = np.array([width, height]), [], 0, list[Costs]()
        for thing in objects.things(sample, classes):
            rings, areas, cost = self._outlined(thing)
            costs.append(cost)
            for ring, area in zip(rings, areas, strict=True):
                tiny += len(ring) < 3
                corners = _polygon(ring)
                points = (corners[:, ::-1] + 0.5) / scale
                text = " ".join(f"{number:.6f}" for number in points.ravel())
                drawn.append((-area, f"{numbers[thing.value]} {text}\n"))
        drawn.sort(key=lambda line: line[0])
        yield from picture.notes
        yield ignored(sample)
        yield from outlines.summed(costs)
        yield Loss("regions are one or two pixels: their polygons have no area", tiny)
        for name in places:
            yield picture.named(f"images/{name}/{stem}")
            yield Product(f"labels/{name}/{stem}.txt", "".join(line for _, line in drawn).encode())

    def _outlined(self, thing: Thing) -> tuple[list[Points], list[float], Costs]:
        """The outlines of *thing*, holes joined to them, what each encloses, and what they cost."""
        regions = list(contours.traced(thing.bits, thing.value, thing.top, thing.left))
        whole = [
            contours.bridged(region.outer.pixels, [hole.pixels for hole in region.holes])
            for region in regions
        ]
        rings, costs = outlines.bounded(
            thing,
            lambda tolerance: [contours.simplified(ring, tolerance) for ring in whole],
            lambda thing, rings: outlines.beside_centers(thing, list(map(_polygon, rings))),
            self.tolerance,
            self.max_loss,
        )
        return rings, [region.outer.area for region in regions], costs

    def texts(self, inventory: Inventory, gathered: Gathered) -> dict[str, bytes]:
        """data.yaml and README.txt."""
        classes, splits = names.required(inventory.classes), lists.stems_by_split(inventory)
        rows = ["# without a path, Ultralytics takes the folder of this file"]
        rows += [f"{name}: images/{name}" for name in splits]
        if "val" not in splits:
            rows.append("val: images/train   # there is no val list; Ultralytics wants one")
        rows.append("names:")
        rows += [
            f"  {number}: {json.dumps(name, ensure_ascii=False)}"
            for number, (_, name) in enumerate(_listed(classes))
        ]
        code = (
            "from ultralytics import YOLO\n"
            'model = YOLO("yolo26n-seg.pt")\n'
            'model.train(data="OUT/data.yaml", epochs=100)'
        )
        facts = ["Polygons are numbered without the background: see data.yaml."]
        title = "YOLO segmentation. OUT is the folder of this file."
        return {
            "data.yaml": ("\n".join(rows) + "\n").encode(),
            readme.README: readme.text(title, code, gathered, classes, facts),
        }


def _polygon(ring: Points) -> Points:
    """*ring* with three points or more."""
    return ring if len(ring) > 2 else np.resize(ring, (3, 2))


def _listed(classes: Classes) -> list[tuple[int, str]]:
    """(Pixel value, name) of every class but the background."""
    return [
        (value, name) for value, name in enumerate(classes.names) if value != classes.background
    ]
