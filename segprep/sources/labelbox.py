"""Labelbox NDJSON: one file with a line per image.

    src/
      export.ndjson     {"data_row": {"external_id": "NAME.jpg"}, "media_attributes": {"height",
                         "width"}, "projects": {ID: {"labels": [{"annotations": {"objects": [
                         {"name": "cat", "polygon": [{"x", "y"}, …]} or
                         {"name": "cat", "mask": {"url": "…/MASK.png"}}]}}]}}}
                        or the same as a list: export.json
      MASK.png          masks that were downloaded, called as the last part of their URL or as
                        the feature_id of the object
      NAME.jpg          anywhere below SRC or --image-root

Format: https://docs.labelbox.com/reference/label-export. Assumptions: nothing is downloaded; a mask
covers where it is not black (or not transparent), a composite mask where it has its color; an
image with several labels needs one project and one label.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np

from segprep.errors import ForeignFileError, SourceError
from segprep.files import MAX_BYTES, read_below, walk
from segprep.imaging import mask_files
from segprep.names import shown
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes.faulty_regions import sound_regions, unannotated
from segprep.sources._common.shapes.region_attributes import named_values
from segprep.sources._common.shapes.region_shapes import Region, whole_mask
from segprep.sources._common.shapes.regions import AttributeReader, Document, files_with
from segprep.sources._common.texts import json_values, strict_json
from segprep.types import Evidence

EXAMPLES = ("segprep convert labelbox export/ out/ --image-root images/ --boxes skip",)
Files = dict[str, list[Path]]
SHORT = 12  # letters; shorter parts of a URL (v1, masks, index) name no file
SUFFIXES = (".ndjson", ".jsonl", ".json")


@dataclass(frozen=True, slots=True)
class Reader(AttributeReader):
    """Read Labelbox NDJSON files."""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A file of lines with data_row and projects."""
        real = root.resolve()
        for path in (path for path in walk(real) if path.suffix.lower() in SUFFIXES):
            try:
                head = read_below(path, (real,), MAX_BYTES)[:200_000]
            except SourceError:
                continue
            if b'"data_row"' in head and b'"projects"' in head:
                return Evidence(0.95, f"{path.name} has lines with data_row and projects")
        return None

    def documents(self) -> list[Path]:
        """Every .ndjson, .jsonl or .json file."""
        root = self.roots()[0]
        return sorted(path for suffix in SUFFIXES for path in files_with(root, suffix))

    def context(self) -> Files:
        """Every file below the roots by its name: masks are looked up among them."""
        files: Files = defaultdict(list)
        for file in (file for root in self.roots() for file in walk(root)):
            files[file.name].append(file)
        return dict(files)

    def parse(self, path: Path, context: Any = None) -> Document:
        """The images of one file."""
        files: Files = self.context() if context is None else context
        images = []
        for address, entry in _rows(read_below(path, self.roots(), MAX_BYTES), path):
            if not isinstance(entry, dict) or not {"data_row", "projects"} <= entry.keys():
                raise ForeignFileError(path, f"{address}: is not a Labelbox row")
            images.append(self._image(entry, path, address, files))
        return Document(tuple(images))

    def _image(
        self, entry: Mapping[str, Any], path: Path, address: str, files: Files
    ) -> AnnotatedImage:
        name, size, fault, regions = "", None, None, list[Region]()
        try:
            row = json_values.mapping(entry["data_row"], path, f"{address}: data_row")
            said = row.get("external_id") or row.get("global_key") or row.get("row_data")
            name = _last(json_values.text(said, path, f"{address}: data_row.external_id"))
            media = entry.get("media_attributes") or {}
            if isinstance(media, dict):
                size = json_values.size(media.get("height"), media.get("width"), path, address)
            for n, thing in enumerate(_objects(entry["projects"], path, address)):
                where = f"{address}: objects[{n}]"
                draw = partial(self._regions, thing, path, where, files)
                drawn = sound_regions(draw, where, self.bad_shape)
                answers = tuple(_answers(thing)) if isinstance(thing, dict) else ()
                regions += [replace(region, attributes=answers) for region in drawn]
        except SourceError as error:
            fault = error
        return AnnotatedImage(name, "", size, tuple(regions), fault=fault)

    def _regions(self, raw: Any, path: Path, address: str, files: Files) -> list[Region]:
        thing = json_values.mapping(raw, path, address)
        label = json_values.label(thing.get("name"), path, f"{address}.name")
        if "polygon" in thing:
            ring = json_values.ring(thing["polygon"], path, f"{address}.polygon")
            return [Region(label, address, "polygon", (ring,))]
        if mask := thing.get("composite_mask") or thing.get("mask"):
            content = json_values.mapping(mask, path, address)
            url = json_values.text(content.get("url"), path, f"{address}.mask.url")
            file = _local(url, thing.get("feature_id"), files, path, address)
            return [self._mask(file, content.get("color_rgb"), label, path, address)]
        if "bounding_box" in thing:
            box = json_values.mapping(thing["bounding_box"], path, f"{address}.bounding_box")
            left, top, width, height = (
                json_values.number(box.get(key), path, f"{address}.bounding_box.{key}")
                for key in ("left", "top", "width", "height")
            )
            return [Region(label, address, "box", ((left, top, left + width, top + height),))]
        return [Region(label, address, "points")]

    def _mask(self, file: Path, color: Any, label: str, path: Path, address: str) -> Region:
        """Where *file* is not black or clear, or has the *color* of a composite mask."""
        data = read_below(file, self.roots(), MAX_BYTES)
        if color is None:
            return whole_mask(label, address, mask_files.cutout(data, file))
        rgb = json_values.sequence(color, path, f"{address}.composite_mask.color_rgb")
        pixels = mask_files.colors(data, file)
        bits = (pixels == np.array(rgb[:3], np.int64)).all(axis=2)
        return whole_mask(label, address, np.asarray(bits))


def _local(url: str, feature: Any, files: Files, path: Path, address: str) -> Path:
    """The file that was downloaded from *url*: called as its last part, unless that is a number
    only, as the object's *feature* id, or as another long part. Raises SourceError.
    """
    last, *others = [unquote(part) for part in reversed(urlsplit(url).path.split("/"))]
    long = [part for part in others if len(part) >= SHORT]
    ends = ["" if last.isdecimal() else last, str(feature or ""), *long]
    keys = [key for key in ends if key] or [last]
    names = [name for key in keys for name in (key, f"{key}.png")]
    places = next((files[name] for name in names if name in files), [])
    if len(places) != 1:
        named = ", ".join(map(shown, keys))
        reason = f"{address}.mask: {len(places)} local files are called {named}"
        hint = "download the masks into SRC, each called as the feature_id of its object (.png)"
        raise SourceError(path, reason, hint, "mask-missing")
    return places[0]


def _rows(data: bytes, path: Path) -> Iterator[tuple[str, Any]]:
    """Each row with its address: a line, or an element of the list that the file is."""
    if data.lstrip()[:1] == b"[":
        listed = strict_json.parse(data, path).value
        yield from ((f"[{n}]", entry) for n, entry in enumerate(listed))
        return
    for n, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            yield f"line {n}", strict_json.parse(line, path).value


def _objects(projects: Any, path: Path, address: str) -> list[Any]:
    """The objects of the only label. Raises SourceError if there are several."""
    labels = [
        json_values.mapping(label, path, f"{address}: labels")
        for project in json_values.mapping(projects, path, f"{address}: projects").values()
        for label in json_values.sequence(
            json_values.mapping(project, path, address).get("labels"), path, f"{address}: labels"
        )
    ]
    if len(labels) > 1:
        reason = f"{address}: has {len(labels)} labels, of several people or projects"
        hint = "export one project, and one label per image"
        raise SourceError(path, reason, hint, "annotations-unclear")
    if not labels:
        raise unannotated(path, f"{address}: nobody labeled it")
    details = labels[0].get("performance_details")
    if isinstance(details, dict) and details.get("skipped") is True:
        raise unannotated(path, f"{address}: its labeler skipped it")
    annotations = json_values.mapping(labels[0].get("annotations"), path, f"{address}: annotations")
    return json_values.sequence(annotations.get("objects"), path, f"{address}: objects")


def _answers(thing: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The questions below an object or an answer, by their names, each with what was answered."""
    listed = thing.get("classifications")
    for raw in listed if isinstance(listed, list) else []:
        entry = raw if isinstance(raw, dict) else {}
        text, radio = entry.get("text_answer"), entry.get("radio_answer")
        if isinstance(text, dict):
            yield from named_values(entry.get("name"), text.get("content"))
        answers = entry.get("checklist_answers")
        for answer in [radio, *(answers if isinstance(answers, list) else [])]:
            if isinstance(answer, dict):
                yield from named_values(entry.get("name"), answer.get("name"))
                yield from _answers(answer)


def _last(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path if "://" in url else url)).name
