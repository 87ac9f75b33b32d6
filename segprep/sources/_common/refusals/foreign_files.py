"""Annotation files of other tools, told by what they hold: what each is, and what to do with it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from segprep.errors import SegprepError
from segprep.files import read_below
from segprep.sources._common.texts import strict_yaml

_NO_MASKS = "segmentation needs masks; boxes have none"
_AS_COCO = "export it there as COCO, then: segprep convert coco"
_VOTT = "write its polygons as COCO; VoTT's own exports to other formats keep boxes alone"
_SLIDE = "export the region of the slide as an image, and its shapes as GeoJSON (QuPath does both)"
POSE = (
    "describes key points (kpt_shape, YOLO pose): its labels hold a box and points, no outlines",
    "segmentation needs outlines or masks; export or draw them",
)
_TOOLS = (  # keys of an object, or of the first in a list
    ({"asset", "regions"}, "an asset of VoTT", _VOTT),
    ({"assets", "tags", "videoSettings"}, "an export of VoTT", _VOTT),
    ({"label_hash", "data_units"}, "an export of Encord", _AS_COCO),
    ({"externalId", "content", "labels"}, "an export of Kili", _AS_COCO),
    ({"filename", "datasetId", "annotations"}, "an annotation of Dataloop", _AS_COCO),
    (
        {"dataset", "description", "created_at"},
        "a release of Segments.ai",
        "export it by segments.utils.export_dataset, export_format='coco-instance'",
    ),
)


def named(name: str) -> str:
    """The hint for files of the format *name* in a layout that was not recognized."""
    return f"segprep convert {name} reads such files, and says what it misses here"


def _of_json(data: bytes, path: Path) -> tuple[str, str] | None:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return None
    first = content[0] if isinstance(content, list) and content else content
    keys = set(first) if isinstance(first, dict) else set[str]()
    for marks, what, hint in _TOOLS:
        if marks <= keys:
            return what, hint
    if isinstance(content, list):
        return _of_list(keys)
    return _of_object(content) if isinstance(content, dict) else None


def _of_list(keys: set[str]) -> tuple[str, str] | None:
    if {"annotations", "data"} <= keys or {"completions", "data"} <= keys:
        return "a JSON export of Label Studio", named("label-studio")
    if {"labelIdx", "points"} <= keys or {"labelIdx", "color"} <= keys:
        return "a JSON file of EISeg", named("eiseg")
    if {"Label", "External ID"} <= keys:
        return "an export of Labelbox of before 2024", "export it again there, as NDJSON"
    if {"data_row", "projects"} <= keys:
        return "an export of Labelbox", named("labelbox")
    if {"image", "annotations"} <= keys:
        return "a CreateML annotation: boxes, no masks", _NO_MASKS
    return None


def _of_object(content: dict[str, Any]) -> tuple[str, str] | None:
    keys = set(content)
    first = next(iter(content.values()), None)
    if "_via_img_metadata" in keys or (
        isinstance(first, dict) and {"filename", "regions"} <= set(first)
    ):
        return "a project of the VGG Image Annotator (VIA)", named("via")
    info = content.get("info")
    if isinstance(info, dict) and "ISAT" in str(info.get("description", "")):
        return "an ISAT annotation", named("isat")
    objects = content.get("objects")
    things = [o for o in objects if isinstance(o, dict)] if isinstance(objects, list) else []
    titled = any("classTitle" in thing for thing in things)
    if titled or {"classes", "tags", "projectType"} <= keys:
        return "a Supervisely annotation", named("supervisely")
    if {"image", "annotations"} <= keys:
        hint = "give each mask a class first: as COCO with categories, or as mask files"
        return "an SA-1B annotation, whose masks have no classes", hint
    if {"label_classes", "images"} <= keys:
        return "an export of Hasty", "export it there as COCO or as semantic PNG"
    if "openlabel" in keys:
        return "an OpenLABEL annotation", "export it as COCO, then: segprep convert coco"
    if {"items", "categories"} <= keys:
        return "a Datumaro annotation", "datum convert it to voc or coco_instances first"
    if {"height", "width"} <= keys and any(
        {"label", "polygon"} <= thing.keys() for thing in things
    ):
        hint = "its folder labels/ holds masks of the same: segprep convert pairs"
        return "a polygon file of Mapillary Vistas", hint
    if content.get("type") == "FeatureCollection":
        return "GeoJSON", "call it NAME.geojson, then: segprep convert geojson"
    if isinstance(objects, list) and {"imgHeight", "imgWidth"} & keys:
        return (
            "a polygon file of Cityscapes",
            "segprep convert cityscapes reads leftImg8bit/ + gtFine/",
        )
    return None


def _of_xml(data: bytes, path: Path) -> tuple[str, str] | None:
    head = data[: 1 << 20]
    if b"<annotations>" in head and (b"<polygon" in head or b"<mask" in head or b"<image " in head):
        return "an XML export of CVAT", named("cvat")
    for mark, tool in ((b"<ASAP_Annotations", "ASAP"), (b"<Annotations Micr", "Aperio ImageScope")):
        if mark in head:
            return f"an XML file of {tool}, with shapes on a slide", _SLIDE
    if b"<annotation" in head and b"<bndbox>" in head:
        polygons = b"<polygon" in head
        what = "PASCAL VOC XML with polygons" if polygons else "PASCAL VOC XML: boxes, no masks"
        return what, named("labelme-xml") if polygons else _NO_MASKS
    return None


def _of_text(data: bytes, path: Path) -> tuple[str, str] | None:
    lines = [line.split() for line in data[:65_536].decode("utf-8", "replace").splitlines()[:50]]
    lines = [words for words in lines if words]
    try:
        numbers = [[float(word) for word in words] for words in lines]
    except ValueError:
        return None
    if numbers and all(len(row) > 5 and len(row) % 3 == 2 and _is_seen(row) for row in numbers):
        return "a label of YOLO pose: a box and key points, no outlines", POSE[1]
    inside = all(all(-0.01 <= value <= 1.01 for value in row[1:]) for row in numbers)
    if not numbers or not inside or any(len(row) < 5 or row[0] != int(row[0]) for row in numbers):
        return None
    if any(len(row) > 6 and len(row) % 2 for row in numbers):
        return "a YOLO segmentation label", named("yolo-seg")
    if all(len(row) > 6 for row in numbers):
        what = "a prediction of YOLO, with a confidence at the end of each line"
        return what, "if it is meant as truth, save it without them (save_conf=False)"
    return "a YOLO box label, which holds no mask", _NO_MASKS


def _is_seen(row: list[float]) -> bool:
    """Whether the third value of each point says how visible it is: 0, 1 or 2, and one is 2."""
    seen = row[7::3]
    return set(seen) <= {0, 1, 2} and 2 in seen


def is_pose(content: Mapping[str, Any]) -> bool:
    """Whether a data.yaml says that its labels are key points."""
    return "kpt_shape" in content and "names" in content


def pose_data(root: Path) -> bool:
    """Whether a YAML file at the top of *root* says that its labels are key points."""
    paths = sorted([*root.glob("*.yaml"), *root.glob("*.yml")])
    for path in paths:
        try:
            if is_pose(strict_yaml.parse(read_below(path, (root,)), path)):
                return True
        except SegprepError:
            continue
    return False


def _of_yaml(data: bytes, path: Path) -> tuple[str, str] | None:
    try:
        content = strict_yaml.parse(data, path)
    except SegprepError:
        return None
    if is_pose(content):
        return "the data.yaml of YOLO pose: key points, no outlines", POSE[1]
    return None


def _of_csv(data: bytes, path: Path) -> tuple[str, str] | None:
    header = data[:2048].split(b"\n")[0].decode("utf-8", "replace").lower()
    if any(word in header for word in ("encodedpixels", "rle", "run_length", "segmentation")):
        return "a table of RLE masks", named("rle-csv")
    if "region_shape_attributes" in header:
        return (
            "a CSV of the VGG Image Annotator (VIA)",
            "in VIA: Annotation, Export Annotations (as json), then: segprep convert via",
        )
    if "maskpath" in header:
        hint = "put the masks of each class into a folder, then: segprep convert merge-masks"
        return "a table of Open Images: one mask file per object", hint
    if "xmin" in header and "ymin" in header:
        return "a table of boxes", _NO_MASKS
    return None


def _of_lines(data: bytes, path: Path) -> tuple[str, str] | None:
    if b'"image_url"' in data[:65_536] and b'"label"' in data[:65_536]:
        return "a table of Azure Machine Learning", _AS_COCO
    if b'"class_names"' in data[:65_536] and b'"task"' in data[:65_536]:
        return "a dataset of the Ultralytics platform", "download it there as YOLO"
    if b'"source-ref"' in data[:65_536]:
        hint = "fetch the masks that it names, then: segprep convert colormap"
        return "a manifest of SageMaker Ground Truth", hint
    return None


JUDGES: dict[str, Callable[[bytes, Path], tuple[str, str] | None]] = {
    ".json": _of_json,
    ".xml": _of_xml,
    ".yaml": _of_yaml,
    ".yml": _of_yaml,
    ".txt": _of_text,
    ".csv": _of_csv,
    ".manifest": _of_lines,
    ".jsonl": _of_lines,
    ".ndjson": _of_lines,
}
