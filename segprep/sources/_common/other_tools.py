"""Annotation files that no format here reads, named by the keys that their tools write, with the
export to choose there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXPORT_COCO = "export COCO there, then: segprep convert coco SRC OUT"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool's *name*, the *evidence* it was known by, and a *hint* that says what to do."""

    name: str
    evidence: str
    hint: str


def tool_of(content: Any) -> Tool | None:
    """The tool that wrote this JSON value, or None where its keys do not tell."""
    if isinstance(content, list):
        return _of_list(content)
    return _of_object(content) if isinstance(content, dict) else None


def _of_list(content: list[Any]) -> Tool | None:
    first = content[0] if content and isinstance(content[0], dict) else {}
    keys = first.keys()
    if "data" in keys and keys & {"annotations", "completions", "predictions"}:
        hint = "export COCO, or brush labels to PNG, in Label Studio"
        return Tool("Label Studio", "a list with data and annotations", hint)
    if {"name", "labelIdx", "points"} <= keys:
        hint = f"in EISeg save as COCO, or as gray masks; {EXPORT_COCO}"
        return Tool("EISeg", "a list with name, labelIdx, points", hint)
    if {"image", "annotations"} <= keys:
        return Tool("CreateML", "a list with image and annotations", EXPORT_COCO)
    return None


def _of_object(content: Mapping[str, Any]) -> Tool | None:
    keys = content.keys()
    info = content.get("info")
    if isinstance(info, dict) and info.get("description") == "ISAT" and "objects" in keys:
        hint = "in ISAT: Tools, Convert, ISAT to LabelMe or COCO; then convert what it wrote"
        return Tool("ISAT", "info.description is ISAT", hint)
    if {"images", "annotations"} <= keys or {"images", "categories"} <= keys:
        hint = "use: segprep convert coco SRC OUT"
        return Tool("COCO", "images, annotations, categories", hint)
    if {"_via_settings", "_via_img_metadata"} & keys or _is_via(content):
        hint = f"in VIA: Annotation, Export Annotations (COCO format); {EXPORT_COCO}"
        return Tool("VGG Image Annotator (VIA)", "filename and regions", hint)
    if _first(content.get("objects")).keys() & {"classTitle", "geometryType"}:
        hint = f"in Supervisely export as COCO or as masks; {EXPORT_COCO}"
        return Tool("Supervisely", "objects with classTitle", hint)
    if {"imgHeight", "imgWidth", "objects"} <= keys:
        return Tool("Cityscapes", "imgHeight, objects", "use: segprep convert cityscapes SRC OUT")
    if {"labels", "numTraining"} <= keys:
        hint = "use: segprep convert pairs SRC OUT"
        return Tool("nnU-Net's dataset.json", "labels, numTraining", hint)
    return None


def _is_via(content: Mapping[str, Any]) -> bool:
    return {"filename", "regions"} <= _first(list(content.values())).keys()


def _first(value: Any) -> Mapping[str, Any]:
    """The first element of a list, if it is an object; else an empty one."""
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}


def xml_tool(path: Path, head: bytes) -> Tool | None:
    """The tool that wrote the XML file *path*, by its first bytes *head*."""
    if path.suffix.lower() != ".xml":
        return None
    if b"<polygon" in head and b"<annotation" in head:
        hint = f"in CVAT export COCO, or Segmentation mask 1.1; {EXPORT_COCO}"
        return Tool("LabelMe XML (CVAT, the web LabelMe)", "<annotation> with <polygon>", hint)
    if b"<annotations" in head and (b"<meta" in head or b"<image" in head):
        return Tool("CVAT XML", "<annotations> with <image>", f"in CVAT {EXPORT_COCO}")
    if b"<annotation" in head and b"<bndbox" in head:
        hint = "boxes have no outline; annotate polygons"
        return Tool("Pascal VOC boxes", "<annotation> with <bndbox>", hint)
    return None
