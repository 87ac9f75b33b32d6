"""Why no format reads a folder: broken files first, then layouts of other tools."""

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from segprep.errors import SegprepError, SourceError
from segprep.files import listing, read_below
from segprep.imaging import image
from segprep.imaging.image import SUFFIXES
from segprep.sources._common import strict_json

_MOST_FILES, _MOST_READ = 20_000, 40
_NUMBERED = re.compile(r"(\D*)(\d+)(\D*)")
_LOSSY = (".jpg", ".jpeg", ".webp")


def _named(name: str) -> str:
    """The hint for files of the format *name* in a layout that was not recognized."""
    return f"segprep convert {name} reads such files, and says what it misses here"


_ONE_ARCHIVE = "give one of them as the source, or unpack all and give the folder"


_BY_SUFFIX = {
    ".mat": ("MATLAB files", _named("mat")),
    ".nii": ("NIfTI volumes", "export their slices as PNG, then: segprep convert pairs"),
    ".gz": ("gzip archives or NIfTI volumes", "unpack them, or export their slices as PNG"),
    ".dcm": ("DICOM files", "export their slices as PNG, then: segprep convert pairs"),
    ".npy": ("NumPy arrays", _named("arrays")),
    ".npz": ("NumPy arrays", _named("arrays")),
    ".h5": ("HDF5 files", "export their arrays as PNG"),
    ".parquet": ("Parquet tables", "save their images and masks as files"),
    ".tfrecord": ("TFRecord files", "save their images and masks as files"),
    ".zip": ("zip archives", _ONE_ARCHIVE),
    ".tar": ("tar archives", _ONE_ARCHIVE),
    ".tgz": ("tar archives", _ONE_ARCHIVE),
    ".7z": ("7z archives", "unpack them"),
    ".rar": ("rar archives", "unpack them"),
    ".svs": ("whole-slide images", "export regions of them as PNG"),
    ".geojson": ("GeoJSON shapes", _named("geojson")),
    ".shp": ("shapefiles", "rasterize them to PNG masks, then: segprep convert pairs"),
}


def reason(root: Path) -> tuple[str, str] | None:
    """What *root* holds that keeps it from being read, and what to do; None if unknown."""
    paths = [Path(folder, name) for folder, name in islice(listing(str(root)), _MOST_FILES)]
    if not paths:
        links = [path.name for path in root.iterdir() if path.is_symlink()]
        if links:
            return f"holds only links: {', '.join(links[:4])}", "give the folder that they lead to"
        return "holds no files", "give the folder that holds the images"
    return (
        _broken(root, paths)
        or _without_images(root, paths)
        or _broken_json(root, paths)
        or _other_tool(root, paths)
    )


def _without_images(root: Path, paths: Sequence[Path]) -> tuple[str, str] | None:
    """Masks of a VOC-style export that was made without the images."""
    kinds = {part for path in paths for part in path.relative_to(root).parts[:-1]}
    if "SegmentationClass" in kinds and "JPEGImages" not in kinds:
        return (
            "holds masks (SegmentationClass) but no JPEGImages",
            "export it again with its images (CVAT: Save images), or put them into JPEGImages",
        )
    return None


def _broken(root: Path, paths: Sequence[Path]) -> tuple[str, str] | None:
    """What is wrong with most of its image files, if most of them cannot be opened."""
    for suffix in sorted(SUFFIXES):  # photographs may be whole where every mask is broken
        images = [path for path in paths if path.suffix.lower() == suffix]
        some = images[:: max(1, len(images) // _MOST_READ)]
        causes = dict[tuple[str, str], list[Path]]()
        for path in some:
            try:
                image.header(read_below(path, (root,)), path)
            except SegprepError as error:
                cause = getattr(error, "reason", error.message), error.hint
                causes.setdefault(cause, []).append(path)
        if 2 * sum(map(len, causes.values())) > len(some):
            (text, hint), broken = max(causes.items(), key=lambda item: len(item[1]))
            what = f"{len(broken)} of {len(some)} {suffix} files that were tried cannot be opened"
            name = broken[0].relative_to(root).as_posix()
            return f"{what}: the file {text} ({name}, …)", hint
    return None


def _broken_json(root: Path, paths: Sequence[Path]) -> tuple[str, str] | None:
    """What is wrong with its JSON files, if none of them can be read."""
    files = [path for path in paths if path.suffix.lower() == ".json"][:_MOST_READ]
    faults: list[SourceError] = []
    for path in files:
        try:
            strict_json.parse(read_below(path, (root,), 64 << 20), path)
        except SourceError as error:
            faults.append(error)
    if not files or len(faults) < len(files):
        return None
    name, fault = files[0].relative_to(root).as_posix(), faults[0]
    what = f"no .json file of {len(files)} that were tried can be read: {name} {fault.reason}"
    return what, fault.hint


def _other_tool(root: Path, paths: Sequence[Path]) -> tuple[str, str] | None:
    suffixes = Counter(path.suffix.lower() for path in paths)
    for suffix, judge in _JUDGES.items():
        for path in [path for path in paths if path.suffix.lower() == suffix][:8]:
            try:
                data = read_below(path, (root,), 64 << 20)
            except SegprepError:
                continue
            if said := judge(data, path):
                return f"{path.relative_to(root).as_posix()} is {said[0]}", said[1]
    for suffix, _ in suffixes.most_common():
        if suffix in _BY_SUFFIX:
            what, hint = _BY_SUFFIX[suffix]
            return f"holds {suffixes[suffix]} {what} (*{suffix})", hint
    return None


def _of_json(data: bytes, path: Path) -> tuple[str, str] | None:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, list):
        return _of_list(content)
    return _of_object(content) if isinstance(content, dict) else None


def _of_list(content: list[Any]) -> tuple[str, str] | None:
    keys = set(content[0]) if content and isinstance(content[0], dict) else set[str]()
    if {"annotations", "data"} <= keys or {"completions", "data"} <= keys:
        return "a JSON export of Label Studio", _named("label-studio")
    if {"labelIdx", "points"} <= keys or {"labelIdx", "color"} <= keys:
        return "a JSON file of EISeg", _named("eiseg")
    if {"Label", "External ID"} <= keys:
        return "an export of Labelbox of before 2024", "export it again there, as NDJSON"
    if {"data_row", "projects"} <= keys:
        return "an export of Labelbox", _named("labelbox")
    return None


def _of_object(content: dict[str, Any]) -> tuple[str, str] | None:
    keys = set(content)
    first = next(iter(content.values()), None)
    if "_via_img_metadata" in keys or (
        isinstance(first, dict) and {"filename", "regions"} <= set(first)
    ):
        return "a project of the VGG Image Annotator (VIA)", _named("via")
    info = content.get("info")
    if isinstance(info, dict) and "ISAT" in str(info.get("description", "")):
        return "an ISAT annotation", _named("isat")
    objects = content.get("objects")
    titled = isinstance(objects, list) and any(
        isinstance(o, dict) and "classTitle" in o for o in objects
    )
    if titled or {"classes", "tags", "projectType"} <= keys:
        return "a Supervisely annotation", _named("supervisely")
    if {"items", "categories"} <= keys:
        return "a Datumaro annotation", "datum convert it to voc or coco_instances first"
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
        return "an XML export of CVAT", _named("cvat")
    if b"<annotation" in head and b"<bndbox>" in head:
        polygons = b"<polygon" in head
        what = "PASCAL VOC XML with polygons" if polygons else "PASCAL VOC XML: boxes, no masks"
        hint = (
            "export it as COCO, then: segprep convert coco"
            if polygons
            else "segmentation needs masks; boxes have none"
        )
        return what, hint
    return None


def _of_text(data: bytes, path: Path) -> tuple[str, str] | None:
    lines = [line.split() for line in data[:65_536].decode("utf-8", "replace").splitlines()[:50]]
    lines = [words for words in lines if words]
    try:
        numbers = [[float(word) for word in words] for words in lines]
    except ValueError:
        return None
    inside = all(all(-0.01 <= value <= 1.01 for value in row[1:]) for row in numbers)
    if not numbers or not inside or any(len(row) < 5 or row[0] != int(row[0]) for row in numbers):
        return None
    if any(len(row) > 6 and len(row) % 2 for row in numbers):
        return "a YOLO segmentation label", _named("yolo-seg")
    return "a YOLO box label, which holds no mask", "segmentation needs polygons or masks"


def _of_csv(data: bytes, path: Path) -> tuple[str, str] | None:
    header = data[:2048].split(b"\n")[0].decode("utf-8", "replace").lower()
    if any(word in header for word in ("encodedpixels", "rle", "run_length", "segmentation")):
        return "a table of RLE masks", _named("rle-csv")
    if "region_shape_attributes" in header:
        return (
            "a CSV of the VGG Image Annotator (VIA)",
            "in VIA: Annotation, Export Annotations (as json), then: segprep convert via",
        )
    return None


_JUDGES = {".json": _of_json, ".xml": _of_xml, ".txt": _of_text, ".csv": _of_csv}


def pairs_hint(root: Path) -> str:
    """How to state which images and masks belong together, for a folder that holds pictures whose
    names do not tell; "" where it holds none.
    """
    names: dict[str, list[str]] = {}
    for folder, name in islice(listing(str(root)), _MOST_FILES):
        if name.lower().endswith(SUFFIXES):
            names.setdefault(os.path.relpath(folder, root), []).append(name)
    if not names:
        return ""
    if len(names) > 1:
        listed = ", ".join(sorted(names)[:6])
        return (
            "name them: segprep convert pairs SRC OUT --images NAME --masks NAME; there are"
            f" {listed}"
        )
    (inside,) = names.values()
    pattern = _two_kinds(inside) or "{stem}.jpg={stem}_anno.png"
    return f"state the pairs, image first: segprep convert pairs SRC OUT --pair '{pattern}'"


def _two_kinds(names: Sequence[str]) -> str:
    """The pattern IMAGE=MASK where all *names* differ from a common stem by one of two ends."""
    kinds: dict[tuple[str, str], set[str]] = {}
    for name in names:
        if not (match := _NUMBERED.fullmatch(name)):
            return ""
        kinds.setdefault((match[1], match[3]), set()).add(match[2])
    if len(kinds) != 2 or len({frozenset(stems) for stems in kinds.values()}) != 1:
        return ""
    ordered = sorted(kinds, key=lambda kind: (not kind[1].lower().endswith(_LOSSY), kind))
    return "=".join(f"{start}{{stem}}{end}" for start, end in ordered)


def file_hint(path: Path) -> str:
    """What to give instead of the file *path* as the source."""
    folder = path.parent if str(path.parent) != "." else Path(os.curdir)
    return f"give the folder that holds it: {folder}"
