"""Scalabel, the format of BDD100K: one JSON file for many images.

    src/
      labels.json       [{"name": "NAME.jpg", "labels": [{"category": "car",
                         "poly2d": [{"vertices": [[x, y], …], "types": "LLCC", "closed": true}],
                         "rle": {"counts", "size"}, "box2d": {"x1", "y1", "x2", "y2"}}]}]
                        or {"frames": […], "config": {"categories": [{"name"}, …]}}
      NAME.jpg          anywhere below SRC or --image-root

Format: https://doc.scalabel.ai/format.html. Assumptions: a vertex of type C is a control point of
a cubic curve; outlines that are not closed have no area; RLE is COCO's; later
labels cover earlier ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from segprep.errors import ForeignFileError, SourceError
from segprep.files import MAX_BYTES, read_below, walk
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes import rle
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_attributes import named_values
from segprep.sources._common.shapes.region_shapes import Attributes, Region, Ring, mask_region
from segprep.sources._common.shapes.regions import AttributeReader, Document, files_with
from segprep.sources._common.texts import json_values, strict_json
from segprep.types import Evidence

EXAMPLES = ("segprep convert scalabel labels/ out/ --image-root images/ --boxes skip",)
CURVE_STEPS = 20


@dataclass(frozen=True, slots=True)
class Reader(AttributeReader):
    """Read Scalabel JSON files."""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A JSON file that lists frames with a name and labels with a category."""
        real = root.resolve()
        for path in (path for path in walk(real) if path.suffix.lower() == ".json"):
            try:
                content = strict_json.parse(read_below(path, (real,), MAX_BYTES), path).value
                frames, _ = _frames(content, path)
            except ForeignFileError:
                return None
            except SourceError:
                continue
            if any(frame.get("labels") for frame in frames):
                return Evidence(0.9, f"{path.name} lists frames with labels of a category")
        return None

    def documents(self) -> list[Path]:
        """Every JSON file."""
        return files_with(self.roots()[0], ".json")

    def parse(self, path: Path, context: Any = None) -> Document:
        """The frames of one file."""
        content = strict_json.parse(read_below(path, self.roots(), MAX_BYTES), path).value
        frames, declared = _frames(content, path)
        images = []
        for n, frame in enumerate(frames):
            name = frame["name"].rsplit("/", 1)[-1] if "://" in frame["name"] else frame["name"]
            fault, regions = None, list[Region]()
            try:
                labels = json_values.sequence(frame.get("labels"), path, f"[{n}].labels")
                for m, label in enumerate(labels):
                    where = f"[{n}].labels[{m}]"
                    draw = partial(_regions, label, path, where)
                    drawn = sound_regions(draw, where, self.bad_shape)
                    attributes = _attributes(label)
                    regions += [replace(region, attributes=attributes) for region in drawn]
            except SourceError as error:
                fault = error
            images.append(AnnotatedImage(name, regions=tuple(regions), fault=fault))
        return Document(tuple(images), declared)


def _frames(content: Any, path: Path) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The frames, and the categories of the configuration. Raises ForeignFileError."""
    listed = content.get("frames") if isinstance(content, dict) else content
    if not isinstance(listed, list) or not listed or not all(_is_frame(frame) for frame in listed):
        raise ForeignFileError(path, "is not a Scalabel file: no frames with a name and labels")
    config = content.get("config") if isinstance(content, dict) else None
    categories = config.get("categories") if isinstance(config, dict) else None
    return listed, tuple(
        json_values.label(
            json_values.mapping(entry, path, f"config.categories[{n}]").get("name"), path, "name"
        )
        for n, entry in enumerate(json_values.sequence(categories, path, "config.categories"))
    )


def _is_frame(frame: Any) -> bool:
    return (
        isinstance(frame, dict)
        and isinstance(frame.get("name"), str)
        and "labels" in frame
        and all(isinstance(x, dict) and "category" in x for x in frame["labels"] or [])
    )


def _regions(raw: Any, path: Path, address: str) -> Iterator[Region]:
    entry = json_values.mapping(raw, path, address)
    label = json_values.label(entry.get("category"), path, f"{address}.category")
    group = entry.get("id", address)
    if entry.get("rle"):
        yield _run_lengths(entry["rle"], label, path, f"{address}.rle")
    elif entry.get("poly2d"):
        closed, opened = list[Ring](), list[Ring]()
        for n, raw_outline in enumerate(json_values.sequence(entry["poly2d"], path, address)):
            outline = json_values.mapping(raw_outline, path, f"{address}.poly2d[{n}]")
            ring = _outline(outline, path, f"{address}.poly2d[{n}].vertices")
            (closed if outline.get("closed", True) else opened).append(ring)
        if closed:
            yield Region(label, address, "polygon", tuple(closed), group=group)
        for ring in opened:
            yield Region(label, address, "line", (ring,), group=group)
    elif entry.get("box2d"):
        box = json_values.mapping(entry["box2d"], path, f"{address}.box2d")
        corners = tuple(
            json_values.number(box.get(key), path, f"{address}.box2d.{key}")
            for key in ("x1", "y1", "x2", "y2")
        )
        yield Region(label, address, "box", (corners,), group=group)
    elif not {"poly2d", "rle", "box2d", "box3d"} & entry.keys():
        reason = f"{address}: has no poly2d, rle or box2d (keys: {', '.join(entry)})"
        raise SourceError(path, reason, "export it again", "bad-shape")
    else:
        yield Region(label, address, "points")


def _attributes(label: Mapping[str, Any]) -> Attributes:
    content = label.get("attributes")
    listed = content.items() if isinstance(content, dict) else ()
    return tuple(pair for name, value in listed for pair in named_values(name, value))


def _run_lengths(raw: Any, label: str, path: Path, address: str) -> Region:
    content = json_values.mapping(raw, path, address)
    size = json_values.sequence(content.get("size"), path, f"{address}.size")
    try:
        if len(size) != 2 or not all(type(side) is int and 0 < side < 65_536 for side in size):
            raise rle.SegmentationError(".size: [height, width] was expected")
        patch = rle.Sheet(*size).patch(content)
    except rle.SegmentationError as error:
        raise SourceError(path, f"{address}{error}", "export it again", error.code) from error
    if patch is None:
        return Region(label, address, "points")
    region = mask_region(label, address, patch.bits, (patch.x, patch.y))
    return replace(region, sheet=(size[0], size[1]))


def _outline(outline: Mapping[str, Any], path: Path, address: str) -> Ring:
    """The vertices as a ring, cubic curves as 20 straight lines each."""
    ring = json_values.ring(outline.get("vertices"), path, address)
    types = outline.get("types") or "L" * (len(ring) // 2)
    if not isinstance(types, str) or len(types) != len(ring) // 2 or set(types) - {"L", "C"}:
        reason = f"{address}: types has to be an L or C for each vertex"
        raise SourceError(path, reason, "export it again", "bad-shape")
    points = list(zip(ring[::2], ring[1::2], strict=True))
    result: list[float] = []
    n = 0
    while n < len(points):
        if types[n] == "L":
            result += points[n]
            n += 1
        elif n and types[n : n + 2] == "CC":
            ends = points[n - 1], points[n], points[n + 1], points[(n + 2) % len(points)]
            result += _curve(*ends)
            n += 2
        else:
            reason = f"{address}: a curve needs two control points between two vertices"
            raise SourceError(path, reason, "export it again", "bad-shape")
    return tuple(result)


Point = tuple[float, float]


def _curve(start: Point, first: Point, second: Point, end: Point) -> list[float]:
    """The points within a cubic Bézier curve, its ends left to their own vertices."""
    values: list[float] = []
    for step in range(1, CURVE_STEPS):
        t = step / CURVE_STEPS
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        for axis in (0, 1):
            values.append(
                sum(w * p[axis] for w, p in zip(weights, (start, first, second, end), strict=True))
            )
    return values
