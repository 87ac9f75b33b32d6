"""EISeg (PaddleSeg): one JSON list of polygons per image.

    src/
      NAME.json     [{"name": "cat", "labelIdx": 1, "color", "points": [[x, y], …]}, …]
      NAME.jpg      beside it, anywhere below SRC, or below --image-root
      label.txt     optional: ID NAME R G B per line

Format: https://github.com/PaddlePaddle/PaddleSeg/tree/release/2.8/EISeg. Assumptions: coordinates
are pixels; later polygons cover earlier ones; the image has the name of the JSON file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from segprep.errors import ForeignFileError
from segprep.files import MAX_BYTES, read_below
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_shapes import Region
from segprep.sources._common.shapes.regions import Document, RegionReader, files_with, readable
from segprep.sources._common.texts import json_values, strict_json
from segprep.types import Evidence

EXAMPLES = ("segprep convert eiseg labels/ out/ --image-root images/",)


@dataclass(frozen=True, slots=True)
class Reader(RegionReader):
    """Read a folder of EISeg JSON files."""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A JSON file that is a list of objects with labelIdx and points."""
        path = readable(cls(root.resolve()))
        return Evidence(0.9, f"{path.name} is a list of polygons with labelIdx") if path else None

    def documents(self) -> list[Path]:
        """Every JSON file."""
        return files_with(self.roots()[0], ".json")

    def parse(self, path: Path, context: Any = None) -> Document:
        """The polygons of one file, and the image of its name."""
        entries = strict_json.parse(read_below(path, self.roots(), MAX_BYTES), path).value
        if not isinstance(entries, list) or not all(
            isinstance(entry, dict) and {"name", "labelIdx", "points"} <= entry.keys()
            for entry in entries
        ):
            raise ForeignFileError(path, "is not an EISeg annotation: no list of name and points")
        regions = tuple(
            region
            for n, entry in enumerate(entries)
            for region in sound_regions(
                partial(_regions, entry, path, f"[{n}]"), f"[{n}]", self.bad_shape
            )
        )
        return Document((AnnotatedImage(path.name, regions=regions, by_stem=True),))


def _regions(entry: Mapping[str, Any], path: Path, address: str) -> list[Region]:
    label = json_values.label(entry["name"], path, f"{address}.name")
    ring = json_values.ring(entry["points"], path, f"{address}.points")
    return [Region(label, address, "polygon", (ring,))]
