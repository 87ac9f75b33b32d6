"""GeoJSON polygons, on the ground of a GeoTIFF (SpaceNet, QGIS) or in pixels (QuPath).

    src/
      geojson/buildings_AOI_2_img1.geojson   {"type": "FeatureCollection", "features": [{"geometry":
                                             {"type": "Polygon", "coordinates": [[[x, y], …]]},
                                             "properties": {"class": "roof"}}]}
      images/RGB_AOI_2_img1.tif              anywhere below SRC or --image-root: the same name, or
                                             the only one that begins or ends alike

Format: https://www.rfc-editor.org/rfc/rfc7946. Assumptions: places are meters or degrees where the
image is a GeoTIFF, else pixels; x and y are corners of pixels; longitude and latitude are put on
UTM and web Mercator. The class is one property, --class-from names it. In QGIS: Layer, Export, Save
Features As, GeoJSON; in QuPath: File, Export objects as GeoJSON.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from segprep.errors import ForeignFileError, SourceError
from segprep.files import MAX_BYTES, read_below
from segprep.imaging.center_fill import center_fill
from segprep.imaging.coordinates import shapes_of
from segprep.imaging.image import header
from segprep.names import shown
from segprep.sources._common.images.image_index import ImageIndex
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_shapes import Kind, Region, Ring, mask_region
from segprep.sources._common.shapes.regions import Document, RegionReader, files_with
from segprep.sources._common.texts import json_values, strict_json
from segprep.sources.geojson.ends import ImageEnds
from segprep.sources.geojson.ground import Ground
from segprep.types import Evidence, Note

EXAMPLES = (
    "segprep convert geojson geojson/ out/ --image-root PS-RGB/",
    "segprep convert geojson fields/ out/ --class-from crop --map wheat=grain",
)
NAMELESS = "object"
USUAL = ("classification", "class", "label", "category", "class_name", "landcover")
_KINDS: dict[str, tuple[Kind, int]] = {
    "Polygon": ("polygon", 1),
    "MultiPolygon": ("polygon", 2),
    "LineString": ("line", 0),
    "MultiLineString": ("line", 1),
    "Point": ("points", -1),
    "MultiPoint": ("points", 0),
}


@dataclass(frozen=True, slots=True)
class Reader(RegionReader):
    """Read GeoJSON files, one per image."""

    class_from: Annotated[
        str, "The property that holds the class; a.b is the property b of the property a."
    ] = ""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A .geojson file that is a collection of features."""
        reader = cls(root.resolve())
        for path in reader.documents()[:5]:
            try:
                _features(reader.content(path), path)
            except (SourceError, ForeignFileError):
                continue
            return Evidence(0.9, f"{path.name} is a GeoJSON collection of features")
        return None

    def documents(self) -> list[Path]:
        """Every .geojson file."""
        return files_with(self.roots()[0], ".geojson")

    def content(self, path: Path) -> Mapping[str, Any]:
        """The collection at *path*. Raises SourceError."""
        value = strict_json.parse(read_below(path, self.roots(), MAX_BYTES), path).value
        if not isinstance(value, dict) or value.get("type") not in ("FeatureCollection", "Feature"):
            raise ForeignFileError(path, "is not a GeoJSON collection of features")
        return value

    def context(self) -> ImageEnds:
        """All images by the ends of their names."""
        return ImageEnds(ImageIndex.below(self.roots()))

    def parse(self, path: Path, context: Any = None) -> Document:
        """The one image of a file."""
        content = self.content(path)
        features = _features(content, path)
        attribute, notes = self._attribute(features, path)
        picture = context.find(path) if context else None
        if picture is None:
            return Document((AnnotatedImage(path.name, by_stem=True),))
        image = read_below(picture, self.roots(), MAX_BYTES)
        try:
            size = header(image, picture, self.max_pixels).shape(upright=True)
            ground = Ground.of(image, content, path)
            regions = tuple(
                region
                for n, feature in enumerate(features)
                for region in sound_regions(
                    partial(_drawn, feature, f"features[{n}]", attribute, ground, path, size),
                    f"features[{n}]",
                    self.bad_shape,
                )
            )
        except SourceError as error:
            return Document((AnnotatedImage(picture.name, path=picture, fault=error),))
        kept = (*ground.notes(), *_outside(regions))
        annotated = AnnotatedImage(picture.name, regions=regions, path=picture, notes=kept)
        return Document((annotated,), (), notes)

    def _attribute(
        self, features: list[Mapping[str, Any]], path: Path
    ) -> tuple[str, tuple[Note, ...]]:
        """The property that holds the class, "" for none. Raises SourceError if several may."""
        present = dict.fromkeys(
            name for feature in features for name in (feature.get("properties") or {})
        )
        if self.class_from:
            if features and not any(_value(feature, self.class_from) for feature in features):
                reason = f"no feature has the property {shown(self.class_from)!r}"
                hint = f"there are: {', '.join(map(shown, present)) or 'none'}"
                raise SourceError(path, reason, hint, "classes-ambiguous")
            return self.class_from, ()
        usual = [name for name in USUAL if name in present]
        if len(usual) > 1:
            reason = f"the class may be any of several properties: {', '.join(usual)}"
            hint = f"say which: --class-from {usual[0]}"
            raise SourceError(path, reason, hint, "classes-ambiguous")
        if usual:
            text = f"{path.name}: the class is the property {usual[0]!r}"
            return usual[0], (Note("classes-found", text),)
        if not features:
            return "", ()
        listed = f" (properties: {', '.join(map(shown, present))})" if present else ""
        text = f"{path.name}: no property names a class; all are of the class {NAMELESS!r}{listed}"
        return "", (Note("classes-inferred", text),)


def _features(content: Mapping[str, Any], path: Path) -> list[Mapping[str, Any]]:
    """All features that have a geometry. Raises SourceError."""
    if content.get("type") == "Feature":
        return [content]
    if "features" not in content:
        raise SourceError(path, "the collection has no features", "export it again")
    listed = json_values.sequence(content.get("features"), path, "features")
    every = [json_values.mapping(raw, path, f"features[{n}]") for n, raw in enumerate(listed)]
    return [feature for feature in every if feature.get("geometry") is not None]


def _value(feature: Mapping[str, Any], attribute: str) -> Any:
    """The text or number of *attribute*; QuPath keeps the name within an object."""
    value: Any = feature.get("properties") or {}
    for part in attribute.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    value = value.get("name") if isinstance(value, dict) else value
    return str(value) if type(value) is int else value


def _drawn(
    feature: Mapping[str, Any],
    address: str,
    attribute: str,
    ground: Ground,
    path: Path,
    size: tuple[int, int],
) -> list[Region]:
    with shapes_of(path):
        return list(_regions(feature, address, attribute, ground, path, size))


def _regions(
    feature: Mapping[str, Any],
    address: str,
    attribute: str,
    ground: Ground,
    path: Path,
    size: tuple[int, int],
) -> Iterator[Region]:
    label = NAMELESS
    if attribute:
        where = f"{address}.properties.{attribute}"
        label = json_values.label(_value(feature, attribute), path, where)
    geometry = json_values.mapping(feature["geometry"], path, f"{address}.geometry")
    parts = geometry.get("geometries") if geometry.get("type") == "GeometryCollection" else None
    for part in parts if isinstance(parts, list) else [geometry]:
        inner = json_values.mapping(part, path, f"{address}.geometry")
        kind, depth = _KINDS.get(str(inner.get("type")), (None, 0))
        if kind is None:
            reason = f"{address}.geometry: the type {shown(inner.get('type'))!r} is not known"
            raise SourceError(path, reason, "known: Polygon, MultiPolygon", "unknown-shape-type")
        coordinates = inner.get("coordinates")
        if kind != "polygon":
            yield Region(label, address, kind, ())
            continue
        for rings in coordinates if depth == 2 and isinstance(coordinates, list) else [coordinates]:
            outlines = _rings(rings, address, ground, path)
            corner, bits = center_fill(outlines, *size, address)
            yield mask_region(label, address, bits, corner, address)


def _outside(regions: Iterable[Region]) -> list[Note]:
    """A note on the shapes that cover no center of a pixel."""
    empty = [region.address for region in regions if region.bits and not region.bits[0].any()]
    text = f"{len(empty)} shapes cover no pixel of the image, {empty[0]} first" if empty else ""
    return [Note("shape-outside", text)] if empty else []


def _rings(rings: Any, address: str, ground: Ground, path: Path) -> tuple[Ring, ...]:
    """The outline and the holes of one polygon, in pixels."""
    where = f"{address}.geometry.coordinates"
    result = []
    for raw in json_values.sequence(rings, path, where):
        points = json_values.sequence(raw, path, where)
        flat: list[float] = []
        for point in points:
            pair = json_values.sequence(point, path, where)
            if len(pair) < 2:
                raise SourceError(path, f"{where}: a point needs x and y", code="bad-shape")
            x, y = (json_values.number(value, path, where) for value in pair[:2])
            flat += ground.pixel(x, y)
        result.append(tuple(flat))
    return tuple(result)
