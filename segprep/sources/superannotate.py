"""SuperAnnotate: one JSON file per image, of vectors or pixels.

    src/
      NAME.jpg.json                 or NAME.jpg___objects.json: {"metadata": {"name", "width",
                                    "height"}, "instances": [{"type": "polygon", "className",
                                    "points": [x, y, …], "exclude": [[x, y, …]]}]}
      NAME.jpg___pixel.json         or NAME.jpg.json: {"instances": [{"className",
                                    "parts": [{"color": "#0a3c7f"}]}]}
      NAME.jpg___save.png           the pixels of those colors
      classes/classes.json          optional: [{"name": "cat"}, …]
      NAME.jpg                      beside it; else what metadata.name says, below SRC or
                                    --image-root

Format: https://doc.superannotate.com/docs/vector-json and pixel-json. Assumptions: exclude are
holes; later instances cover earlier ones; instances of one groupId above 0 are one object.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from segprep.errors import ForeignFileError, SourceError
from segprep.files import MAX_BYTES, listing, read_below
from segprep.imaging import mask_files
from segprep.names import shown
from segprep.sources._common.classes import nearest_files
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes.faulty_regions import sound_regions, unannotated
from segprep.sources._common.shapes.region_attributes import named_values
from segprep.sources._common.shapes.region_shapes import Attributes, Region, whole_mask
from segprep.sources._common.shapes.regions import AttributeReader, Document, readable
from segprep.sources._common.texts import json_values, strict_json
from segprep.types import Evidence

EXAMPLES = ("segprep convert superannotate export/ out/ --boxes skip",)
PICTURES = ("___save.png", "___fuse.png")
SUFFIXES = ("___objects.json", "___pixel.json", ".json")
THIN = {"polyline": "line", "point": "points", "template": "points", "cuboid": "points"}


@dataclass(frozen=True, slots=True)
class Reader(AttributeReader):
    """Read a SuperAnnotate export."""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A JSON file with metadata and instances."""
        path = readable(cls(root.resolve()))
        return Evidence(0.9, f"{path.name} has metadata and instances") if path else None

    def documents(self) -> list[Path]:
        """Every JSON file but those of classes/."""
        return [
            Path(folder, name)
            for folder, name in listing(str(self.roots()[0]))
            if name.endswith(".json") and Path(folder).name != "classes"
        ]

    def declared(self, context: Any = None) -> tuple[tuple[str, ...], str]:
        """The names of the classes/classes.json nearest above each file."""
        root = self.roots()[0]
        paths = nearest_files.above(root, self.documents(), ("classes/classes.json",))
        return nearest_files.union(root, [(path, _classes(path, root)) for path in paths])

    def parse(self, path: Path, context: Any = None) -> Document:
        """The instances of one image."""
        content = strict_json.parse(read_below(path, self.roots(), MAX_BYTES), path).value
        if not isinstance(content, dict) or not {"metadata", "instances"} <= content.keys():
            raise ForeignFileError(path, "is not a SuperAnnotate file: no metadata and instances")
        metadata = json_values.mapping(content["metadata"], path, "metadata")
        size = json_values.size(metadata.get("height"), metadata.get("width"), path, "metadata")
        suffix = next(suffix for suffix in SUFFIXES if path.name.endswith(suffix))
        name, named = path.name.removesuffix(suffix), metadata.get("name")
        beside = path.with_name(name)
        instances = json_values.sequence(content["instances"], path, "instances")
        if not instances and (status := metadata.get("status")) in ("NotStarted", "Skipped"):
            raise unannotated(path, f"nobody annotated it: its status is {status}")
        if any(isinstance(entry, dict) and "parts" in entry for entry in instances):
            regions = self._pixels(path, name, instances)
        else:
            regions = [
                replace(region, attributes=_attributes(entry) if isinstance(entry, dict) else ())
                for n, entry in enumerate(instances)
                for region in sound_regions(
                    partial(_regions, entry, path, f"instances[{n}]"),
                    f"instances[{n}]",
                    self.bad_shape,
                )
            ]
        image = AnnotatedImage(
            named if isinstance(named, str) and named else name,
            size=size,
            regions=tuple(regions),
            path=beside if beside.is_file() else None,
            masks=tuple(path.with_name(f"{name}{end}") for end in PICTURES),
        )
        return Document((image,))

    def _pixels(self, path: Path, name: str, instances: list[Any]) -> list[Region]:
        """The pixels of each part's color in the picture that was saved beside."""
        png = path.with_name(f"{name}___save.png")
        pixels = mask_files.colors(read_below(png, self.roots(), MAX_BYTES), png).astype(np.int64)
        colors = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
        regions = []
        for n, raw in enumerate(instances):
            entry, address = json_values.mapping(raw, path, f"instances[{n}]"), f"instances[{n}]"
            if entry.get("type") == "tag":
                continue
            label = json_values.label(entry.get("className"), path, f"{address}.className")
            parts = json_values.sequence(entry.get("parts"), path, f"{address}.parts")
            values = [_color(part, path, f"{address}.parts[{m}]") for m, part in enumerate(parts)]
            region = whole_mask(label, address, np.isin(colors, values))
            regions.append(replace(region, attributes=_attributes(entry)))
        return regions


def _classes(path: Path, root: Path) -> tuple[str, ...]:
    content = strict_json.parse(read_below(path, (root,), MAX_BYTES), path).value
    return tuple(
        json_values.label(
            json_values.mapping(entry, path, f"[{n}]").get("name"), path, f"[{n}].name"
        )
        for n, entry in enumerate(json_values.sequence(content, path, "the file"))
    )


def _attributes(entry: Mapping[str, Any]) -> Attributes:
    """The chosen attributes, by the names of their groups."""
    listed = entry.get("attributes")
    chosen = (
        [attribute for attribute in listed if isinstance(attribute, dict)]
        if isinstance(listed, list)
        else []
    )
    return tuple(
        pair
        for attribute in chosen
        for pair in named_values(attribute.get("groupName"), attribute.get("name"))
    )


def _color(raw: Any, path: Path, address: str) -> int:
    text = json_values.text(json_values.mapping(raw, path, address).get("color"), path, address)
    try:
        return int(text.removeprefix("#"), 16)
    except ValueError:
        raise SourceError(path, f"{address}.color: {shown(text)} is not a color") from None


def _regions(raw: Any, path: Path, address: str) -> list[Region]:
    entry: Mapping[str, Any] = json_values.mapping(raw, path, address)
    kind = entry.get("type")
    if kind == "tag":
        return []
    label = json_values.label(entry.get("className"), path, f"{address}.className")
    group = entry.get("groupId") or None
    if kind == "polygon":
        holes = json_values.sequence(entry.get("exclude"), path, f"{address}.exclude")
        rings = tuple(
            json_values.ring(ring, path, f"{address}.points")
            for ring in (entry.get("points"), *holes)
        )
        return [Region(label, address, "polygon", rings, group=group)]
    if kind in THIN:
        return [Region(label, address, THIN[kind])]  # type: ignore[arg-type]

    def number(content: Mapping[str, Any], key: str) -> float:
        return json_values.number(content.get(key), path, f"{address}.{key}")

    if kind == "ellipse":
        ring = tuple(number(entry, key) for key in ("cx", "cy", "rx", "ry"))
        turn = number(entry, "angle") if "angle" in entry else 0.0
        return [Region(label, address, "ellipse", ((*ring, turn),), group=group)]
    if kind == "bbox":
        points = json_values.mapping(entry.get("points"), path, f"{address}.points")
        corners = tuple(number(points, key) for key in ("x1", "y1", "x2", "y2"))
        return [Region(label, address, "box", (corners,), group=group)]
    if kind == "rbbox":
        points = json_values.mapping(entry.get("points"), path, f"{address}.points")
        turned = tuple(number(points, f"{axis}{n}") for n in range(1, 5) for axis in "xy")
        return [Region(label, address, "box", (turned,), group=group)]
    hint = "known: polygon, bbox, rbbox, ellipse, polyline, point"
    reason = f"{address}.type: {shown(kind)!r} is not known"
    raise SourceError(path, reason, hint, "unknown-shape-type")
