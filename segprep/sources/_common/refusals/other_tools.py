"""Annotation files of other tools than labelme, named by the keys that they write, with the format
that reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NO_OUTLINES = "it holds boxes; segmentation needs outlines or masks"


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
    keys = _first(content).keys()
    if "data" in keys and keys & {"annotations", "completions", "predictions"}:
        return Tool("Label Studio", "a list with data and annotations", _read("label-studio"))
    if {"name", "labelIdx", "points"} <= keys:
        return Tool("EISeg", "a list with name, labelIdx, points", _read("eiseg"))
    if {"image", "annotations"} <= keys:
        return Tool("CreateML", "a list with image and annotations", NO_OUTLINES)
    if {"name", "labels"} <= keys:
        return Tool("Scalabel", "a list with name and labels", _read("scalabel"))
    return None


def _of_object(content: Mapping[str, Any]) -> Tool | None:
    keys = content.keys()
    info = content.get("info")
    if isinstance(info, dict) and info.get("description") == "ISAT" and "objects" in keys:
        return Tool("ISAT", "info.description is ISAT", _read("isat"))
    if {"images", "annotations"} <= keys or {"images", "categories"} <= keys:
        return Tool("COCO", "images, annotations, categories", _read("coco"))
    if {"_via_settings", "_via_img_metadata"} & keys or _is_via(content):
        return Tool("VGG Image Annotator (VIA)", "filename and regions", _read("via"))
    if _first(content.get("objects")).keys() & {"classTitle", "geometryType"}:
        return Tool("Supervisely", "objects with classTitle", _read("supervisely"))
    if {"item", "annotations"} <= keys:
        return Tool("V7 Darwin", "item and annotations", _read("darwin"))
    if {"metadata", "instances"} <= keys:
        return Tool("SuperAnnotate", "metadata and instances", _read("superannotate"))
    if {"imgHeight", "imgWidth", "objects"} <= keys:
        return Tool("Cityscapes", "imgHeight, objects", _read("cityscapes"))
    if {"labels", "numTraining"} <= keys:
        return Tool("nnU-Net's dataset.json", "labels, numTraining", _read("pairs"))
    return None


def _read(name: str) -> str:
    return f"use: segprep convert {name} SRC OUT"


def _is_via(content: Mapping[str, Any]) -> bool:
    return {"filename", "regions"} <= _first(list(content.values())).keys()


def _first(value: Any) -> Mapping[str, Any]:
    """The first element of a list, if it is an object; else an empty one."""
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}


def xml_tool(path: Path, head: bytes) -> Tool | None:
    """The tool that wrote the XML file *path*, by its first bytes *head*."""
    if path.suffix.lower() != ".xml":
        return None
    if b"<annotations" in head and (b"<meta" in head or b"<image" in head):
        return Tool("CVAT XML", "<annotations> with <image>", _read("cvat"))
    if b"<annotation" in head and b"<bndbox" in head:
        return Tool("Pascal VOC boxes", "<annotation> with <bndbox>", NO_OUTLINES)
    if b"<polygon" in head and b"<annotation" in head:
        name = "LabelMe XML (CVAT, the web LabelMe)"
        return Tool(name, "<annotation> with <polygon>", _read("labelme-xml"))
    return None
