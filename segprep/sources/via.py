"""VGG Image Annotator, version 2 and 3: one JSON file for many images.

    src/
      via_project.json    VIA 2: {"_via_img_metadata": {KEY: {"filename", "regions": [
                          {"shape_attributes": {"name": "polygon", "all_points_x", "all_points_y"},
                           "region_attributes": {"class": "cat"}}]}}}, or that inner object alone
                          VIA 3: {"file": {ID: {"fname"}}, "view", "metadata": {KEY: {"vid",
                           "xy": [7, x0, y0, …], "av": {"1": "cat"}}}}
      NAME.jpg            anywhere below SRC or --image-root

Format: https://gitlab.com/vgg/via/-/blob/master/via-3.x.y/src/doc/DOCUMENTATION.md and the JSON
export of VIA 2. Assumptions: the class is the value of one attribute, the only one there is, one
that all others equal in every region, or --class-from; without any attribute in any file every
region is of the class object. Of several images with its name the one counts that has the bytes
that VIA 2 noted. In VIA 2: Annotation, Export Annotations (as json).
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from segprep.errors import ForeignFileError, SourceError, UsageError
from segprep.files import MAX_BYTES, read_below, walk
from segprep.names import shown
from segprep.sources._common.classes.labels import LabelRules, LabelTable
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes import region_attributes
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_attributes import named_values
from segprep.sources._common.shapes.region_shapes import Attributes, Kind, Region, Ring
from segprep.sources._common.shapes.regions import Document, RegionReader, files_with
from segprep.sources._common.texts import json_values, strict_json
from segprep.types import Evidence, Note

EXAMPLES = (
    "segprep convert via annotations/ out/ --image-root images/",
    "segprep convert via annotations/ out/ --class-from type",
)
NAMELESS = "object"
SHAPES_3 = {1: "point", 2: "rect", 3: "circle", 4: "ellipse", 5: "line", 6: "polyline",
            7: "polygon", 8: "polyline", 9: "polyline"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reader(RegionReader):
    """Read VIA JSON files."""

    class_from: Annotated[
        str, "The region attribute that holds the class, where there are several."
    ] = ""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A JSON file with VIA's keys."""
        real = root.resolve()
        for path in (path for path in walk(real) if path.suffix.lower() == ".json"):
            try:
                content = strict_json.parse(read_below(path, (real,), MAX_BYTES), path).value
            except SourceError:
                continue
            if _images_2(content) or _is_3(content):
                return Evidence(0.95, f"{path.name} has regions with shape and region attributes")
            return None
        return None

    def documents(self) -> list[Path]:
        """Every JSON file."""
        return files_with(self.roots()[0], ".json")

    def parse(self, path: Path, context: Any = None) -> Document:
        """The images of one file."""
        content = strict_json.parse(read_below(path, self.roots(), MAX_BYTES), path).value
        images = _images_2(content)
        if images:
            drawn = list(_read_2(images, path, self.bad_shape))
        elif _is_3(content):
            drawn = list(_read_3(content, path, self.bad_shape))
        else:
            raise ForeignFileError(path, "is not a VIA file: no regions with shape attributes")
        regions = [region for image in drawn for region in image.regions]
        attribute = region_attributes.only_attribute(regions, path, self.class_from)
        result = [
            replace(image, regions=tuple(_labeled(region, attribute) for region in image.regions))
            for image in drawn
        ]
        notes: tuple[Note, ...] = ()
        address = shown(path.relative_to(self.roots()[0]).as_posix())
        if not attribute and regions:
            text = f"{address}: no region has attributes; all are of the class {NAMELESS!r}"
            notes = (Note("classes-inferred", text),)
        elif attribute and not self.class_from:
            text = f"{address}: the class is the attribute {shown(attribute)!r}"
            notes = (Note("classes-found", text),)
        return Document(tuple(result), (), notes)

    def _label_table(
        self, rules: LabelRules, documents: Sequence[tuple[Path, Document]], context: Any
    ) -> tuple[LabelTable, tuple[Note, ...]]:
        """The class list. Raises UsageError where the regions of some files have attributes, those
        of others none, and nobody said what these are.
        """
        bare = [
            path
            for path, document in documents
            if any(note.code == "classes-inferred" for note in document.notes)
        ]
        images = (
            image for path, document in documents if path not in bare for image in document.images
        )
        labels = list(dict.fromkeys(r.label for image in images for r in image.regions if r.label))
        stated = NAMELESS in rules.renames or rules.excludes(NAMELESS) or self.classes is not None
        if bare and (labels or self.class_from) and not stated:
            others = (
                f"; those of other files are {', '.join(map(shown, labels[:8]))}" if labels else ""
            )
            pair = f"{NAMELESS}={shown(labels[0]) if labels else 'NAME'}"
            hint = (
                f"say what they are: --map {shlex.quote(pair)}; or leave them out: --exclude"
                f" {NAMELESS}"
            )
            address = shown(bare[0].relative_to(self.roots()[0]).as_posix())
            reason = f"no region of {address} has any attribute for its class{others}"
            raise UsageError("classes-ambiguous", reason, hint)
        return RegionReader._label_table(self, rules, documents, context)


def _labeled(region: Region, attribute: str) -> Region:
    if attribute or region.fault:
        return region_attributes.classed(region, attribute)
    return replace(region, label=NAMELESS)


def _images_2(content: Any) -> dict[str, Any]:
    """The images of a VIA 2 project or export; empty if it is neither."""
    if isinstance(content, dict):
        inner = content.get("_via_img_metadata", content)
        if (
            isinstance(inner, dict)
            and inner
            and all(
                isinstance(entry, dict) and {"filename", "regions"} <= entry.keys()
                for entry in inner.values()
            )
        ):
            return inner
    return {}


def _is_3(content: Any) -> bool:
    return isinstance(content, dict) and {"file", "view", "metadata"} <= content.keys()


def _read_2(images: Mapping[str, Any], path: Path, bad_shape: str) -> Iterator[AnnotatedImage]:
    """The images of VIA 2, their regions with attributes for labels."""
    for key, entry in images.items():
        name = json_values.text(entry["filename"], path, f"{shown(key)}.filename")
        regions, fault = list[Region](), None
        try:
            given = entry["regions"]
            listed = list(given.values()) if isinstance(given, dict) else given
            for n, raw in enumerate(json_values.sequence(listed, path, f"{name}.regions")):
                address = f"{shown(name)}.regions[{n}]"
                regions += sound_regions(
                    partial(_regions_2, raw, path, address), address, bad_shape
                )
        except SourceError as error:
            fault = error
        size = entry.get("size")
        file_size = size if isinstance(size, int) and size > 0 else 0
        yield AnnotatedImage(name, regions=tuple(regions), fault=fault, file_size=file_size)


def _regions_2(raw: Any, path: Path, address: str) -> list[Region]:
    content = json_values.mapping(raw, path, address)
    shape = json_values.mapping(content.get("shape_attributes"), path, address)
    attributes = json_values.mapping(content.get("region_attributes") or {}, path, address)
    return [replace(_shape_2(shape, path, address), attributes=_texts(attributes))]


def _texts(attributes: Mapping[str, Any]) -> Attributes:
    """The attributes with what was written or chosen; a checkbox has a value for each tick."""
    ticked = {
        name: [key for key, on in value.items() if on] if isinstance(value, dict) else value
        for name, value in attributes.items()
    }
    return tuple(pair for name, value in ticked.items() for pair in named_values(name, value))


def _shape_2(shape: Mapping[str, Any], path: Path, address: str) -> Region:
    kind = shape.get("name")

    def value(key: str) -> float:
        return json_values.number(shape.get(key), path, f"{address}.{key}")

    if kind in ("polygon", "polyline"):
        xs = json_values.sequence(shape.get("all_points_x"), path, f"{address}.all_points_x")
        ys = json_values.sequence(shape.get("all_points_y"), path, f"{address}.all_points_y")
        if len(xs) != len(ys):
            reason = f"{address}: {len(xs)} x and {len(ys)} y coordinates"
            raise SourceError(path, reason, "redraw the region", "bad-shape")
        ring = json_values.ring(list(map(list, zip(xs, ys, strict=True))), path, address)
        return Region("", address, "polygon" if kind == "polygon" else "line", (ring,))
    if kind == "rect":
        x, y = value("x"), value("y")
        return Region("", address, "box", ((x, y, x + value("width"), y + value("height")),))
    if kind == "circle":
        ring = (value("cx"), value("cy"), value("r"), value("r"), 0.0)
        return Region("", address, "ellipse", (ring,))
    if kind == "ellipse":
        turn = value("theta") * 57.29577951308232 if "theta" in shape else 0.0
        ring = (value("cx"), value("cy"), value("rx"), value("ry"), turn)
        return Region("", address, "ellipse", (ring,))
    if kind == "point":
        return Region("", address, "points", ((value("cx"), value("cy")),))
    hint = "known: polygon, polyline, rect, circle, ellipse, point"
    reason = f"{address}: the shape {shown(kind)!r} is not known"
    raise SourceError(path, reason, hint, "unknown-shape-type")


def _read_3(content: Mapping[str, Any], path: Path, bad_shape: str) -> Iterator[AnnotatedImage]:
    """The images of a VIA 3 project, their regions with attributes for labels."""
    files = json_values.mapping(content["file"], path, "file")
    views = json_values.mapping(content["view"], path, "view")
    attributes = json_values.mapping(content.get("attribute") or {}, path, "attribute")
    drawn: dict[str, list[Region]] = {key: [] for key in views}
    faults: dict[str, SourceError] = {}
    for key, raw in json_values.mapping(content["metadata"], path, "metadata").items():
        address = f"metadata.{shown(key)}"
        entry = json_values.mapping(raw, path, address)
        view, xy = str(entry.get("vid")), entry.get("xy")
        if not xy:
            continue  # an attribute of the whole file
        if view not in drawn:
            raise SourceError(path, f"{address}.vid: there is no view {shown(view)}")
        try:
            draw = partial(_regions_3, entry, attributes, path, address)
            drawn[view] += sound_regions(draw, address, bad_shape)
        except SourceError as error:
            faults.setdefault(view, error)
    for key, raw in views.items():
        listed = json_values.sequence(
            json_values.mapping(raw, path, f"view.{shown(key)}").get("fid_list"), path, "fid_list"
        )
        file = json_values.mapping(files.get(str(listed[0]) if listed else ""), path, "file")
        name = json_values.text(file.get("fname"), path, "file.fname")
        yield AnnotatedImage(name, regions=tuple(drawn[key]), fault=faults.get(key))


def _regions_3(
    entry: Mapping[str, Any], attributes: Mapping[str, Any], path: Path, address: str
) -> list[Region]:
    region = _shape_3(json_values.sequence(entry["xy"], path, f"{address}.xy"), path, address)
    texts = json_values.mapping(entry.get("av") or {}, path, f"{address}.av")
    return [replace(region, attributes=_texts_3(texts, attributes))]


def _texts_3(texts: Mapping[str, Any], attributes: Mapping[str, Any]) -> Attributes:
    """The attributes with what was written or chosen; a choice is kept as the key of its option,
    several as keys with commas between them.
    """
    result: list[tuple[str, str]] = []
    for key, value in texts.items():
        described = attributes.get(key)
        described = described if isinstance(described, dict) else {}
        options = described.get("options")
        values = [value]
        if isinstance(options, dict) and options and isinstance(value, str):
            values = [options.get(part, part) for part in value.split(",")]
        result += named_values(str(described.get("aname", key)), values)
    return tuple(result)


def _shape_3(xy: list[Any], path: Path, address: str) -> Region:
    """``[kind, numbers…]`` as a region."""
    numbers: Ring = tuple(
        json_values.number(value, path, f"{address}.xy[{n}]") for n, value in enumerate(xy)
    )
    kind, rest = SHAPES_3.get(int(numbers[0])), numbers[1:]
    counts = {"rect": 4, "circle": 3, "ellipse": 4}
    if kind is None or len(rest) < counts.get(kind, 2):
        reason = f"{address}.xy: shape {shown(xy)[:60]} is not known"
        raise SourceError(path, reason, "redraw the region", "bad-shape")
    if kind == "rect":
        x, y, width, height = rest[:4]
        return Region("", address, "box", ((x, y, x + width, y + height),))
    if kind == "circle":
        return Region("", address, "ellipse", ((rest[0], rest[1], rest[2], rest[2], 0.0),))
    if kind == "ellipse":
        return Region("", address, "ellipse", ((*rest[:4], 0.0),))
    names: dict[str, Kind] = {"polygon": "polygon", "point": "points"}
    return Region("", address, names.get(kind, "line"), (rest,))
