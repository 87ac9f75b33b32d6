"""Supervisely: one project folder with meta.json and, per dataset, ann/ and img/.

    src/
      meta.json                      {"classes": [{"title", "shape", "color"}, …]}
      DATASET/ann/NAME.jpg.json      {"size": {"height", "width"}, "objects": [{"classTitle",
                                      "geometryType": "polygon" | "bitmap" | "rectangle", …}]}
      DATASET/img/NAME.jpg

Format: https://docs.supervisely.com/customization-and-integration/00_ann_format_navi. Assumptions:
a bitmap is a PNG, most often compressed by zlib, in base64, with its first pixel at origin [x, y];
an alpha mask covers where it is not clear;
later objects cover earlier ones; interior rings are holes; datasets called train, val or test are
official lists.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep.errors import ForeignFileError, SegprepError, SourceError
from segprep.files import MAX_BYTES, listing, read_below
from segprep.imaging import mask_files
from segprep.names import shown
from segprep.sources._common.classes import nearest_files
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_attributes import named_values
from segprep.sources._common.shapes.region_shapes import Attributes, Region, mask_region
from segprep.sources._common.shapes.regions import AttributeReader, Document
from segprep.sources._common.texts import json_values, strict_json
from segprep.types import Evidence

EXAMPLES = (
    "segprep convert supervisely project/ out/",
    "segprep convert supervisely project/ out/ --boxes skip",
)
PNG = b"\x89PNG"
THIN = ("graph", "cuboid", "cuboid_2d")  # keypoints, and boxes in space
MAX_BITMAP = 64 << 20  # bytes of one PNG after zlib


@dataclass(frozen=True, slots=True)
class Reader(AttributeReader):
    """Read a Supervisely project."""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """meta.json with classes, and a folder ann/."""
        reader = cls(root.resolve())
        try:
            names, _ = reader.declared()
            if names and reader.documents():
                return Evidence(0.95, "meta.json lists classes, and there is a folder ann/")
        except SegprepError:
            return None
        return None

    def documents(self) -> list[Path]:
        """Every JSON file in a folder ann/."""
        return [
            Path(folder, name)
            for folder, name in listing(str(self.roots()[0]))
            if name.endswith(".json") and Path(folder).name == "ann"
        ]

    def declared(self, context: Any = None) -> tuple[tuple[str, ...], str]:
        """The classes of the meta.json nearest above each file."""
        root = self.roots()[0]
        paths = nearest_files.above(root, self.documents(), ("meta.json",))
        return nearest_files.union(root, [(path, _classes(path, root)) for path in paths])

    def parse(self, path: Path, context: Any = None) -> Document:
        """The objects of one image."""
        content = strict_json.parse(read_below(path, self.roots(), MAX_BYTES), path).value
        if isinstance(content, dict) and (other := _other_kind(content)):
            hint = "make a project of images of it in Supervisely, and export that"
            raise SourceError(path, f"annotates {other}, not an image", hint, "bad-annotation")
        if not isinstance(content, dict) or not {"size", "objects"} <= content.keys():
            raise ForeignFileError(path, "is not a Supervisely annotation: no size and objects")
        size = json_values.mapping(content["size"], path, "size")
        regions = tuple(
            replace(region, attributes=_tags(entry) if isinstance(entry, dict) else ())
            for n, entry in enumerate(json_values.sequence(content["objects"], path, "objects"))
            for region in sound_regions(
                partial(_regions, entry, path, f"objects[{n}]"), f"objects[{n}]", self.bad_shape
            )
        )
        shape = json_values.size(size.get("height"), size.get("width"), path, "size")
        name = path.name.removesuffix(".json")
        picture = path.parent.parent / "img" / name
        return Document(
            (AnnotatedImage(name, "", shape, regions, path=picture if picture.is_file() else None),)
        )


def _other_kind(content: Mapping[str, Any]) -> str:
    """What else than an image *content* annotates; "" if nothing."""
    signs = (("volumeMeta", "a volume"), ("framesCount", "a video"), ("frames", "a video"))
    return next((kind for key, kind in signs if key in content), "")


def _classes(path: Path, root: Path) -> tuple[str, ...]:
    content = strict_json.parse(read_below(path, (root,), MAX_BYTES), path).value
    entries = json_values.mapping(content, path, "the file").get("classes")
    return tuple(
        json_values.label(
            json_values.mapping(entry, path, f"classes[{n}]").get("title"),
            path,
            f"classes[{n}].title",
        )
        for n, entry in enumerate(json_values.sequence(entries, path, "classes"))
    )


def _regions(entry: object, path: Path, address: str) -> list[Region]:
    return [_region(entry, path, address)]


def _region(entry: object, path: Path, address: str) -> Region:
    content = json_values.mapping(entry, path, address)
    label = json_values.label(content.get("classTitle"), path, f"{address}.classTitle")
    kind, group = content.get("geometryType"), content.get("instance")
    if kind in THIN:
        return Region(label, address, "points", group=group)
    if kind in ("bitmap", "alpha_mask"):
        bitmap = json_values.mapping(content.get("bitmap"), path, f"{address}.bitmap")
        bits = _bitmap(bitmap.get("data"), path, f"{address}.bitmap.data")
        origin = json_values.ring([bitmap.get("origin")], path, f"{address}.bitmap.origin")
        return mask_region(label, address, bits, (int(origin[0]), int(origin[1])), group)
    points = json_values.mapping(content.get("points"), path, f"{address}.points")
    outline = json_values.ring(points.get("exterior"), path, f"{address}.points.exterior")
    holes = json_values.sequence(points.get("interior"), path, f"{address}.points.interior")
    rings = (
        outline,
        *(
            json_values.ring(hole, path, f"{address}.points.interior[{n}]")
            for n, hole in enumerate(holes)
        ),
    )
    kinds = {"polygon": "polygon", "rectangle": "box", "line": "line", "point": "points"}
    if kind not in kinds:
        raise SourceError(
            path, f"{address}.geometryType: {shown(kind)!r} is not known",
            f"known: bitmap, alpha_mask, {', '.join((*kinds, *THIN))}", "unknown-shape-type",
        )  # fmt: skip
    return Region(label, address, kinds[kind], rings, group=group)  # type: ignore[arg-type]


def _tags(entry: Mapping[str, Any]) -> Attributes:
    """The tags by their names; those without a value are values of "tags"."""
    listed = entry.get("tags")
    named: list[tuple[str, str]] = []
    for tag in listed if isinstance(listed, list) else []:
        if isinstance(tag, dict) and tag.get("value") is not None:
            named += named_values(tag.get("name"), tag["value"])
        elif isinstance(tag, dict):
            named += named_values("tags", tag.get("name"))
    return tuple(named)


def _bitmap(data: object, path: Path, address: str) -> NDArray[np.bool_]:
    """The pixels (h, w) of a bitmap. Raises SourceError (bad-shape)."""
    try:
        packed = base64.b64decode(json_values.text(data, path, address), validate=True)
        if packed.startswith(PNG):
            return mask_files.cutout(packed, path)
        stream = zlib.decompressobj()
        png = stream.decompress(packed, MAX_BITMAP)
        if stream.unconsumed_tail:
            raise SourceError(path, f"{address}: is larger than {MAX_BITMAP} bytes")
        return mask_files.cutout(png, path)
    except (binascii.Error, ValueError, zlib.error, SegprepError) as error:
        reason = getattr(error, "reason", str(error))
        raise SourceError(
            path, f"{address}: {reason}", "redraw or delete the object", "bad-shape"
        ) from error
