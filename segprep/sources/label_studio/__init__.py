"""Label Studio: the export JSON or JSON-MIN, one file for many images.

    src/
      export.json       JSON: [{"data": {"image": "/data/upload/1/ab12cd34-NAME.jpg"},
                         "annotations": [{"result": [{"type": "polygonlabels" | "brushlabels" | …,
                         "original_width", "original_height", "value"}]}]}]
                        JSON-MIN: [{"image": "…", "label": [{"points", "polygonlabels", …}]}]
      NAME.jpg          with or without the upload's prefix, anywhere below SRC or --image-root

Format: https://labelstud.io/guide/export. Assumptions: coordinates are percent of width and height;
brush masks are the alpha channel of packed RGBA, bitmasks that of a PNG; a closed vector without
curves is a polygon; later results cover earlier ones; of several images with one name, that in the
folders of the link. In Label Studio: Export, JSON (brush masks are in it, not in JSON-MIN of old
versions).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit

from segprep.errors import ForeignFileError, SourceError
from segprep.files import MAX_BYTES, read_below
from segprep.names import shown
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.shapes.faulty_regions import unannotated
from segprep.sources._common.shapes.region_shapes import Region
from segprep.sources._common.shapes.regions import AttributeReader, Document, files_with, readable
from segprep.sources._common.texts import json_values, strict_json
from segprep.sources.label_studio.results import LABELS, regions_of
from segprep.types import Evidence

EXAMPLES = (
    "segprep convert label-studio export/ out/ --image-root images/",
    "segprep convert label-studio export/ out/ --annotator latest",
)
PREFIX = re.compile(r"^[0-9a-f]{8}-")


@dataclass(frozen=True, slots=True)
class Reader(AttributeReader):
    """Read Label Studio exports."""

    annotator: Annotated[
        str,
        "Whose annotation counts where a task has several: an id or e-mail, latest, or union (all,"
        " in order).",
    ] = ""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A JSON file whose list has tasks with results."""
        path = readable(cls(root.resolve(), annotator="union"))
        return (
            Evidence(0.95, f"{path.name} lists tasks with annotations and results")
            if path
            else None
        )

    def documents(self) -> list[Path]:
        """Every JSON file."""
        return files_with(self.roots()[0], ".json")

    def parse(self, path: Path, context: Any = None) -> Document:
        """The tasks of one file."""
        tasks = strict_json.parse(read_below(path, self.roots(), MAX_BYTES), path).value
        full = isinstance(tasks, list) and all(_is_task(task) for task in tasks)
        brief = isinstance(tasks, list) and _are_brief(tasks)
        if not tasks or not (full or brief):
            raise ForeignFileError(path, "is not a Label Studio export: no list of tasks")
        images = []
        for n, task in enumerate(tasks):
            address, name = f"[{n}]", ""
            regions: tuple[Region, ...] = ()
            aliases: tuple[str, ...] = ()
            fault, size = None, None
            try:
                link = _image_path(_link(task["data"] if full else task, path, address))
                folder, slash, full_name = link.rpartition("/")
                name = f"{folder}{slash}{PREFIX.sub('', full_name)}"
                aliases = (link,)
                results = self._results(task, path, address) if full else _brief_results(task)
                regions, size = regions_of(
                    results, path, address, labeled=not self.class_from, bad_shape=self.bad_shape
                )
            except SourceError as error:
                fault = error
            images.append(
                AnnotatedImage(name, "", size, regions, by_stem=True, aliases=aliases, fault=fault)
            )
        return Document(tuple(images))

    def _results(self, task: Mapping[str, Any], path: Path, address: str) -> list[Any]:
        """The results of the annotation that counts. Raises SourceError if several may."""
        listed = task.get("annotations") or task.get("completions") or []
        annotations = [
            json_values.mapping(entry, path, f"{address}.annotations")
            for entry in json_values.sequence(listed, path, f"{address}.annotations")
            if not (isinstance(entry, dict) and entry.get("was_cancelled"))
        ]
        if not annotations:
            why = "nobody annotated it" if not listed else "its annotator skipped it"
            raise unannotated(path, f"{address}: {why}")
        if len(annotations) > 1:
            annotations = self._chosen(annotations, path, address)
        return [
            result
            for entry in annotations
            for result in json_values.sequence(entry.get("result"), path, f"{address}.result")
        ]

    def _chosen(
        self, annotations: list[dict[str, Any]], path: Path, address: str
    ) -> list[dict[str, Any]]:
        if self.annotator == "union":
            return annotations
        if self.annotator == "latest":
            return [max(annotations, key=lambda entry: str(entry.get("updated_at") or ""))]
        names = [_annotator(entry) for entry in annotations]
        chosen = [
            entry
            for entry, name in zip(annotations, names, strict=True)
            if self.annotator and name == self.annotator
        ]
        if len(chosen) != 1:
            listed = ", ".join(map(shown, names))
            raise SourceError(
                path,
                f"{address}: has {len(annotations)} annotations, by {listed}",
                "say which counts: --annotator latest, union, or one of these",
                "annotations-unclear",
            )
        return chosen


def _annotator(entry: Mapping[str, Any]) -> str:
    author = entry.get("completed_by")
    return str(author.get("email") or author.get("id")) if isinstance(author, dict) else str(author)


def _is_task(task: Any) -> bool:
    return (
        isinstance(task, dict)
        and isinstance(task.get("data"), dict)
        and isinstance(task.get("annotations", task.get("completions")), list)
    )


def _are_brief(tasks: list[Any]) -> bool:
    """Whether these are tasks of JSON-MIN; those without regions lack the list of them."""
    drawn = [
        isinstance(task, dict) and any(map(_is_brief_result, _lists_of(task))) for task in tasks
    ]
    return any(drawn) and all(
        is_drawn or (isinstance(task, dict) and "annotation_id" in task)
        for task, is_drawn in zip(tasks, drawn, strict=True)
    )


def _lists_of(task: Mapping[str, Any]) -> Iterator[Any]:
    for value in task.values():
        if isinstance(value, list):
            yield from value


def _is_brief_result(entry: Any) -> bool:
    return isinstance(entry, dict) and any(key in entry for key in LABELS)


def _brief_results(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The results of JSON-MIN in the form that JSON has."""
    results = []
    for entry in _lists_of(task):
        if _is_brief_result(entry):
            kind = next(key for key in LABELS if key in entry)
            sizes = {key: entry.get(key) for key in ("original_width", "original_height")}
            results.append({"type": kind, "value": entry, **sizes})
    return results


def _link(data: Mapping[str, Any], path: Path, address: str) -> str:
    """The link to the image: the only text that names a file."""
    links = {
        key: value
        for key, value in data.items()
        if isinstance(value, str) and Path(_image_name(value)).suffix
    }
    for key in ("image", "img", "ocr"):
        if isinstance(link := data.get(key), str) and _image_name(link):
            return link
    if len(links) != 1:
        reason = f"{address}: which value is the image? {', '.join(map(shown, data))}"
        raise SourceError(path, reason, "name it image", "image-ambiguous")
    return next(iter(links.values()))


def _image_name(link: str) -> str:
    """The file name in a link."""
    return _image_path(link).rsplit("/", 1)[-1]


def _image_path(link: str) -> str:
    """The folders and the file name in a link."""
    parts = urlsplit(link)
    local = parse_qs(parts.query).get("d")
    return (local[0] if local else unquote(parts.path)).replace("\\", "/")
