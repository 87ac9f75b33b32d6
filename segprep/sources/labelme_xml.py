"""LabelMe XML, of the MIT tool and as CVAT exports it ("LabelMe 3.0"), and PASCAL VOC XML with
polygons, of RectLabel and Roboflow: one file per image.

    src/
      NAME.xml          <annotation><filename>NAME.jpg</filename><object><name>cat</name>
                        <deleted>0</deleted><polygon><pt><x>1</x><y>2</y></pt>…</polygon></object>
                        or <polygon><x1>1</x1><y1>2</y1>…</polygon>
      Masks/…           of an object with <segm><mask>FILE.png</mask></segm>
      NAME.jpg          beside it, anywhere below SRC, or below --image-root

Format: http://labelme.csail.mit.edu/Release3.0/. Assumptions: later objects cover earlier ones;
deleted objects are not painted; an object of type bounding_box is a box; parts are objects of their
own.
"""

import re
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from segprep.errors import ForeignFileError, SourceError
from segprep.files import MAX_BYTES, read_below, walk
from segprep.imaging import image, mask_files
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_attributes import named_values
from segprep.sources._common.shapes.region_shapes import Attributes, Region, whole_mask
from segprep.sources._common.shapes.regions import AttributeReader, Document, files_with
from segprep.sources._common.texts import json_values, strict_xml
from segprep.types import Evidence

_TRIED = 40  # of some files all objects may be boxes
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_NUMBERED = re.compile(r"[xy][0-9]{1,6}")
EXAMPLES = (
    "segprep convert labelme-xml export/ out/",
    "segprep convert labelme-xml a/ out/ --boxes skip",
)


@dataclass(frozen=True, slots=True)
class Reader(AttributeReader):
    """Read a folder of LabelMe XML files."""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """An XML file whose root is <annotation>, with <polygon> or <segm>."""
        real = root.resolve()
        files = (path for path in walk(real) if path.suffix.lower() == ".xml")
        for path in islice(files, _TRIED):
            try:
                data = read_below(path, (real,))
            except SourceError:
                continue
            if b"<annotation" in data[:2000] and (b"<polygon>" in data or b"<segm>" in data):
                return Evidence(0.9, f"{path.name} has <annotation> with <polygon>")
        return None

    def documents(self) -> list[Path]:
        """Every XML file."""
        return files_with(self.roots()[0], ".xml")

    def parse(self, path: Path, context: Any = None) -> Document:
        """The image and the objects of one file."""
        root = strict_xml.parse(read_below(path, self.roots(), MAX_BYTES), path)
        if root.tag != "annotation":
            raise ForeignFileError(path, "is not a LabelMe file: no <annotation>")
        regions: list[Region] = []
        for n, thing in enumerate(root.findall("object")):
            if (thing.findtext("deleted") or "0").strip() != "1":
                draw = partial(self._regions, thing, path, f"object[{n}]")
                regions += sound_regions(draw, f"object[{n}]", self.bad_shape)
        name = (root.findtext("filename") or "").strip()
        shape = None
        for element, *keys in (("imagesize", "nrows", "ncols"), ("size", "height", "width")):
            texts = [root.findtext(f"{element}/{key}") or "0" for key in keys]
            if shape is None and texts[0].strip() != "0":
                rows, columns = (strict_xml.whole(text, path, element) for text in texts)
                shape = rows, columns
        return Document((AnnotatedImage(name or path.name, "", shape, tuple(regions)),))

    def _regions(self, thing: Element, path: Path, address: str) -> list[Region]:
        return [replace(self._region(thing, path, address), attributes=_attributes(thing))]

    def _region(self, thing: Element, path: Path, address: str) -> Region:
        label = json_values.label((thing.findtext("name") or "").strip(), path, f"{address}/name")
        group = (thing.findtext("id") or "").strip() or address
        mask = thing.findtext("segm/mask")
        if mask:
            return self._mask(thing, path, address, label, mask.strip())
        outline, box = thing.find("polygon"), thing.find("bndbox")
        if outline is None and box is not None:
            corners = [_coordinate(box, key, path, f"{address}/bndbox") for key in _CORNERS]
            return Region(label, address, "box", (tuple(corners),), group=group)
        if outline is None:
            reason = f"{address}: has neither <polygon> nor <segm>"
            raise SourceError(path, reason, "redraw or delete it", "bad-shape")
        points = _points(outline, path, f"{address}/polygon")
        boxed = (thing.findtext("type") or "").strip() == "bounding_box"
        kind = "box" if boxed and len(points) == 8 else "polygon"
        if kind == "box":
            xs, ys = points[::2], points[1::2]
            points = [min(xs), min(ys), max(xs), max(ys)]
        return Region(label, address, kind, (tuple(points),), group=group)  # type: ignore[arg-type]

    def _mask(self, thing: Element, path: Path, address: str, label: str, name: str) -> Region:
        folders = [path.parent, path.parent / "Masks"]
        file = next((f / name for f in folders if (f / name).is_file()), folders[1] / name)
        data = read_below(file, self.roots(), MAX_BYTES)
        if image.header(data, file).mode in ("RGB", "RGBA", "LA"):  # strokes on a clear sheet
            bits = mask_files.cutout(data, file)
        else:
            bits = image.decode_mask(data, file) > 0
        return whole_mask(label, address, bits, address)


def _attributes(thing: Element) -> Attributes:
    """What <attributes> says: name=value, …; words without a name are values of "attributes"."""
    named: list[tuple[str, str]] = []
    for part in (thing.findtext("attributes") or "").split(","):
        name, equals, value = part.partition("=")
        named += named_values(*((name.strip(), value) if equals else ("attributes", part)))
    return tuple(named)


def _points(outline: Element, path: Path, address: str) -> list[float]:
    """The coordinates of <pt><x/><y/></pt>…, or of <x1/><y1/><x2/><y2/>…"""
    points = outline.findall("pt")
    numbers = {int(part.tag[1:]) for part in outline if _NUMBERED.fullmatch(part.tag)}
    holders = [(point, "", f"{address}/pt[{n}]") for n, point in enumerate(points)]
    holders = holders or [(outline, str(n), address) for n in sorted(numbers)]
    return [
        _coordinate(holder, f"{axis}{number}", path, where)
        for holder, number, where in holders
        for axis in ("x", "y")
    ]


def _coordinate(point: Element, axis: str, path: Path, address: str) -> float:
    try:
        return float(point.findtext(axis) or "")
    except ValueError:
        raise SourceError(
            path, f"{address}/{axis}: a number was expected", "redraw the object", "bad-shape"
        ) from None
