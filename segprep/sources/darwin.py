"""V7 Darwin JSON 2.0 (and 1.0): one file per image.

    src/
      NAME.json       {"version": "2.0",
                       "item": {"name": "NAME.jpg", "slots": [{"width", "height"}]},
                       "annotations": [{"name": "cat", "polygon": {"paths": [[{"x", "y"}, …]]}}]}
      NAME.jpg        beside it, anywhere below SRC, or below --image-root

Format: https://docs.v7labs.com/reference/darwin-json. Assumptions: a path inside another one is a
hole; masks lie in a raster layer of RLE along the rows, whose values are looked up in its
mapping; later annotations cover earlier ones; an item of several slots or frames is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from segprep.errors import ForeignFileError, SourceError
from segprep.files import MAX_BYTES, read_below
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_attributes import named_values
from segprep.sources._common.shapes.region_shapes import Attributes, Region, mask_region
from segprep.sources._common.shapes.regions import AttributeReader, Document, files_with, readable
from segprep.sources._common.texts import json_values, strict_json
from segprep.types import Evidence

EXAMPLES = ("segprep convert darwin export/ out/ --image-root images/ --boxes skip",)
THIN = {"line": "line", "keypoint": "points", "skeleton": "points", "simple_table": "points"}


@dataclass(frozen=True, slots=True)
class Reader(AttributeReader):
    """Read a folder of Darwin JSON files."""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A JSON file with item (or image) and annotations that have a name."""
        path = readable(cls(root.resolve()))
        return Evidence(0.9, f"{path.name} has an item and named annotations") if path else None

    def documents(self) -> list[Path]:
        """Every JSON file."""
        return files_with(self.roots()[0], ".json")

    def parse(self, path: Path, context: Any = None) -> Document:
        """The annotations of one file."""
        content = strict_json.parse(read_below(path, self.roots(), MAX_BYTES), path).value
        if not isinstance(content, dict) or not isinstance(content.get("annotations"), list):
            raise ForeignFileError(path, "is not a Darwin file: no annotations")
        item = content.get("item")
        if not isinstance(item, dict):
            item = content.get("image")
            if not isinstance(item, dict) or "filename" not in item:
                raise ForeignFileError(path, "is not a Darwin file: no item")
        slots = json_values.sequence(item.get("slots"), path, "item.slots")
        if len(slots) > 1:
            reason = f"item.slots: has {len(slots)} slots; one image was expected"
            raise SourceError(path, reason, "export the slots one by one")
        slot = json_values.mapping(slots[0], path, "item.slots[0]") if slots else item
        size = json_values.size(slot.get("height"), slot.get("width"), path, "item")
        name = json_values.text(item.get("name") or item.get("filename"), path, "item.name")
        annotations = [
            json_values.mapping(entry, path, f"annotations[{n}]")
            for n, entry in enumerate(content["annotations"])
        ]
        layers = _layers(annotations, size, path)
        regions = tuple(
            replace(region, attributes=_attributes(entry))
            for n, entry in enumerate(annotations)
            for region in sound_regions(
                partial(_regions, entry, path, f"annotations[{n}]", layers),
                f"annotations[{n}]",
                self.bad_shape,
            )
        )
        return Document((AnnotatedImage(name, "", size, regions),))


def _regions(
    entry: Mapping[str, Any], path: Path, address: str, layers: Mapping[str, Any]
) -> list[Region]:
    if "raster_layer" in entry or "tag" in entry:
        return []
    label = json_values.label(entry.get("name"), path, f"{address}.name")
    if "polygon" in entry or "complex_polygon" in entry:
        outline = json_values.mapping(
            entry.get("polygon") or entry.get("complex_polygon"), path, f"{address}.polygon"
        )
        paths = outline.get("paths") or [
            outline.get("path"),
            *json_values.sequence(outline.get("additional_paths"), path, address),
        ]
        rings = tuple(
            json_values.ring(ring, path, f"{address}.polygon.paths[{n}]")
            for n, ring in enumerate(json_values.sequence(paths, path, address))
        )
        return [Region(label, address, "polygon", rings)]
    if "mask" in entry:
        bits = layers.get(str(entry.get("id")))
        if bits is None:
            reason = f"{address}.mask: no raster layer has its id"
            raise SourceError(path, reason, "export it again", "bad-shape")
        return [mask_region(label, address, bits)]
    if "ellipse" in entry:
        return [
            _ellipse(json_values.mapping(entry["ellipse"], path, address), label, path, address)
        ]
    if thin := next((THIN[key] for key in THIN if key in entry), None):
        return [Region(label, address, thin)]  # type: ignore[arg-type]
    if "bounding_box" in entry:
        box = json_values.mapping(entry["bounding_box"], path, f"{address}.bounding_box")
        x, y, width, height = (
            json_values.number(box.get(key), path, f"{address}.bounding_box.{key}")
            for key in ("x", "y", "w", "h")
        )
        return [Region(label, address, "box", ((x, y, x + width, y + height),))]
    keys = ", ".join(entry)
    raise SourceError(path, f"{address}: has no known shape (keys: {keys})", code="bad-shape")


def _attributes(entry: Mapping[str, Any]) -> Attributes:
    """Its properties by their names; those of older exports have none and are "attributes"."""
    listed = entry.get("properties")
    properties = (
        [attribute for attribute in listed if isinstance(attribute, dict)]
        if isinstance(listed, list)
        else []
    )
    named = [
        pair
        for attribute in properties
        for pair in named_values(attribute.get("name"), attribute.get("value"))
    ]
    return (*named, *named_values("attributes", entry.get("attributes")))


def _ellipse(content: Mapping[str, Any], label: str, path: Path, address: str) -> Region:
    center = json_values.ring([content.get("center")], path, f"{address}.ellipse.center")
    radius = json_values.ring([content.get("radius")], path, f"{address}.ellipse.radius")
    turn = json_values.number(content.get("angle") or 0, path, f"{address}.ellipse.angle")
    ring = (*center, *radius, turn * 57.29577951308232)
    return Region(label, address, "ellipse", (ring,))


def _layers(
    annotations: list[dict[str, Any]], size: tuple[int, int] | None, path: Path
) -> dict[str, Any]:
    """Annotation id -> its pixels (H, W), of all raster layers. Raises SourceError."""
    pixels: dict[str, Any] = {}
    for n, entry in enumerate(annotations):
        if "raster_layer" not in entry:
            continue
        address = f"annotations[{n}].raster_layer"
        layer = json_values.mapping(entry["raster_layer"], path, address)
        listed = json_values.sequence(layer.get("dense_rle"), path, f"{address}.dense_rle")
        runs = [
            json_values.whole(value, path, f"{address}.dense_rle[{m}]")
            for m, value in enumerate(listed)
        ]
        counts = runs[1::2]
        if size is None or len(runs) % 2 or sum(counts) != size[0] * size[1] or min(counts) < 0:
            reason = f"{address}: its runs do not fill the image"
            raise SourceError(path, reason, "export it again", "bad-shape")
        values = np.repeat(runs[::2], counts).reshape(size)
        mapping = layer.get("mask_annotation_ids_mapping")
        for key, value in json_values.mapping(mapping, path, f"{address}.mapping").items():
            pixels[key] = values == json_values.whole(value, path, f"{address}.mapping")
    return pixels
