"""ISAT (Image Segmentation Annotation Tool): one JSON per image.

    src/
      NAME.json     {"info": {"name": "NAME.jpg", "width", "height"},
                     "objects": [{"category", "group", "segmentation": [[x, y], …], "layer"}]}
      isat.yaml     optional: label: [{name: __background__}, {name: cat}, …]
      NAME.jpg      beside it, anywhere below SRC, or below --image-root

Format: https://github.com/yatengLG/ISAT_with_segment_anything. Assumptions: a higher layer covers a
lower one; regions of one group are one object; the category __background__ cuts holes.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from segprep.dataset.classes import BACKGROUND
from segprep.errors import ForeignFileError
from segprep.files import MAX_BYTES, read_below
from segprep.sources._common.classes import nearest_files
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_attributes import named_values
from segprep.sources._common.shapes.region_shapes import Region
from segprep.sources._common.shapes.regions import AttributeReader, Document, files_with, readable
from segprep.sources._common.texts import json_values, strict_json, strict_yaml
from segprep.types import Evidence

EXAMPLES = (
    "segprep convert isat annotations/ out/ --image-root images/",
    "segprep convert isat data/ out/ --objects",
)
CLASS_FILES = ("isat.yaml", "isat.yml")


@dataclass(frozen=True, slots=True)
class Reader(AttributeReader):
    """Read a folder of ISAT JSON files."""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A JSON file with the keys info and objects, whose info says ISAT."""
        path = readable(cls(root.resolve()))
        return (
            Evidence(0.95, f"{path.name} has info and objects, as ISAT writes them")
            if path
            else None
        )

    def documents(self) -> list[Path]:
        """Every JSON file."""
        return files_with(self.roots()[0], ".json")

    def declared(self, context: Any = None) -> tuple[tuple[str, ...], str]:
        """The labels of the isat.yaml nearest above each file."""
        root = self.roots()[0]
        paths = nearest_files.above(root, self.documents(), CLASS_FILES)
        return nearest_files.union(root, [(path, _labels(path, root)) for path in paths])

    def parse(self, path: Path, context: Any = None) -> Document:
        """The image and the regions of one file."""
        content = strict_json.parse(read_below(path, self.roots(), MAX_BYTES), path).value
        if not isinstance(content, dict) or not {"info", "objects"} <= content.keys():
            raise ForeignFileError(path, "is not an ISAT annotation: no info and objects")
        info = json_values.mapping(content["info"], path, "info")
        regions = [
            (_layer(entry, path, f"objects[{n}]"), region)
            for n, entry in enumerate(json_values.sequence(content["objects"], path, "objects"))
            for region in sound_regions(
                partial(_regions, entry, path, f"objects[{n}]"), f"objects[{n}]", self.bad_shape
            )
        ]
        image = AnnotatedImage(
            json_values.text(info.get("name"), path, "info.name"),
            size=json_values.size(info.get("height"), info.get("width"), path, "info"),
            regions=tuple(region for _, region in sorted(regions, key=lambda pair: pair[0])),
        )
        return Document((image,))


def _labels(path: Path, root: Path) -> tuple[str, ...]:
    content = strict_yaml.parse(read_below(path, (root,), MAX_BYTES), path)
    return tuple(
        _name(json_values.mapping(entry, path, f"label[{n}]").get("name"), path, f"label[{n}]")
        for n, entry in enumerate(json_values.sequence(content.get("label"), path, "label"))
    )


def _layer(entry: object, path: Path, address: str) -> float:
    layer = entry.get("layer") if isinstance(entry, dict) else None
    return 0.0 if layer is None else json_values.number(layer, path, f"{address}.layer")


def _regions(entry: object, path: Path, address: str) -> list[Region]:
    content = json_values.mapping(entry, path, address)
    label = _name(content.get("category"), path, f"{address}.category")
    ring = json_values.ring(content.get("segmentation"), path, f"{address}.segmentation")
    attributes = tuple(
        pair for key in ("note", "group", "iscrowd") for pair in named_values(key, content.get(key))
    )
    group = content.get("group")
    return [Region(label, address, "polygon", (ring,), group=group, attributes=attributes)]


def _name(value: object, path: Path, address: str) -> str:
    label = json_values.label(value, path, address)
    return BACKGROUND if label == "__background__" else label
