"""The results of one Label Studio task as regions: shapes, labels, and answers to questions."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from segprep.errors import SegprepError, SourceError
from segprep.imaging import mask_files
from segprep.names import shown
from segprep.sources._common.shapes import packed_bits
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_attributes import named_values
from segprep.sources._common.shapes.region_shapes import Kind, Region, rotated_box, whole_mask
from segprep.sources._common.texts import json_values

PLAIN = ("polygon", "brush", "bitmask", "vector", "rectangle", "ellipse", "keypoint")
PNG = "data:image/png;base64,"
LABELS = tuple(f"{kind}labels" for kind in PLAIN)
ANSWERS = {"choices": "choices", "textarea": "text", "taxonomy": "taxonomy", "rating": "rating",
           "number": "number"}  # fmt: skip
MARGIN = 50  # percent that a hand may draw beyond the image
WITHOUT_REGION = (*ANSWERS, "relation", "labels", "pairwise", "ranker", "datetime")


def regions_of(
    results: list[Any], path: Path, address: str, *, labeled: bool, bad_shape: str
) -> tuple[tuple[Region, ...], tuple[int, int] | None]:
    """The regions of a task's results, one per label (*labeled*: each needs one), and the size
    (H, W) of its image, None without regions. Results of one id speak of one region.

    Raises SourceError.
    """
    mappings = [
        json_values.mapping(raw, path, f"{address}.result[{n}]") for n, raw in enumerate(results)
    ]
    _refuse_several(mappings, path, address)
    said: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for result in mappings:
        said[str(result.get("id") or id(result))].append(result)
    regions: list[Region] = []
    sizes: list[tuple[int, int]] = []
    for n, result in enumerate(mappings):
        where = f"{address}.result[{n}]"
        others = said[str(result.get("id") or id(result))]
        draw = partial(_regions, result, others, sizes, path, where, labeled)
        regions += sound_regions(draw, where, bad_shape)
    return tuple(regions), sizes[-1] if sizes else None


def _refuse_several(results: list[dict[str, Any]], path: Path, address: str) -> None:
    """Raise SourceError where *results* outline things on several images of one task."""
    drawn = [result for result in results if result.get("type") in (*LABELS, *PLAIN)]
    pages = {
        (shown(result["to_name"]), str(result.get("item_index") or ""))
        for result in drawn
        if result.get("to_name")
    }
    if len(pages) > 1:
        listed = ", ".join(f"{name} {page}".strip() for name, page in sorted(pages))
        reason = f"{address}: has regions of {len(pages)} images: {listed}"
        hint = "make a task of each image, or skip it with --on-error skip"
        raise SourceError(path, reason, hint, "annotations-unclear")


def _regions(
    result: Mapping[str, Any],
    others: list[Mapping[str, Any]],
    sizes: list[tuple[int, int]],
    path: Path,
    address: str,
    labeled: bool,
) -> list[Region]:
    """The regions of one result, one per label; the size of its image goes to *sizes*."""
    kind = result.get("type")
    if kind in WITHOUT_REGION or kind is None:
        return []
    if kind not in (*LABELS, *PLAIN):
        reason = f"{address}.type: {shown(kind)!r} is not known"
        hint = f"known: {', '.join(LABELS)}"
        raise SourceError(path, reason, hint, "unknown-shape-type")
    region, size = _region(result, path, address)
    sizes.append(size)
    attributes = tuple(pair for other in others for pair in _answers(other))
    region = replace(region, attributes=attributes)
    names = _labels(result, others, path, address) if labeled else [""]
    return [replace(region, label=name) for name in names]


def _answers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was answered about a region, by the name of the question."""
    value, key = result.get("value"), ANSWERS.get(str(result.get("type")))
    if not isinstance(value, dict) or not key:
        return []
    answer = value.get(key)
    if key == "taxonomy" and isinstance(answer, list):
        answer = [branch[-1] for branch in answer if isinstance(branch, list) and branch]
    return list(named_values(result.get("from_name"), answer))


def _labels(
    result: Mapping[str, Any], others: list[Mapping[str, Any]], path: Path, address: str
) -> list[str]:
    """The labels of a region, its own or those that a result of type labels gives it.

    Raises SourceError if a region that can have none of its own has no other.
    """
    kind = str(result.get("type"))
    key, holders = kind, [result]
    if kind in PLAIN:
        key, holders = "labels", [other for other in others if other.get("type") == "labels"]
        if not holders:
            hint = "label with PolygonLabels or BrushLabels; or name a question: --class-from NAME"
            raise SourceError(path, f"{address}: a {kind} has no label", hint, "bad-label")
    value = json_values.mapping(holders[0].get("value"), path, f"{address}.value")
    listed = json_values.sequence(value.get(key), path, f"{address}.value.{key}")
    return [
        json_values.label(label, path, f"{address}.value.{key}[{n}]")
        for n, label in enumerate(listed)
    ]


def _region(result: Mapping[str, Any], path: Path, address: str) -> tuple[Region, tuple[int, int]]:
    """What one result outlines, without its label, and the size of its image."""
    kind = str(result["type"])
    value = json_values.mapping(result.get("value"), path, f"{address}.value")
    size = json_values.size(
        result.get("original_height"), result.get("original_width"), path, address
    )
    if size is None:
        raise SourceError(path, f"{address}: original_width and original_height are missing")
    turn = result.get("image_rotation")
    if turn not in (None, 0):
        reason = f"{address}: was drawn on an image rotated by {shown(turn)} degrees"
        raise SourceError(path, reason, "set the rotation back in Label Studio", "bad-shape")
    return _drawn(kind.removesuffix("labels"), value, size, path, address), size


def _drawn(
    kind: str, value: Mapping[str, Any], size: tuple[int, int], path: Path, address: str
) -> Region:
    height, width = size

    def number(key: str, scale: float) -> float:
        return json_values.number(value.get(key), path, f"{address}.value.{key}") * scale / 100

    if kind == "brush":
        return _brush(value, size, path, address)
    if kind == "bitmask":
        return _bitmask(value, path, address)
    if kind in ("polygon", "vector"):
        key = "points" if kind == "polygon" else "vertices"
        ring = json_values.ring(value.get(key), path, f"{address}.value.{key}")
        if any(not -MARGIN <= part <= 100 + MARGIN for part in ring):
            reason = f"{address}.value.{key}: percent of the image were expected, not {max(ring):g}"
            raise SourceError(path, reason, "divide pixels by the image's size", "bad-shape")
        pixels = tuple(v * (height if n % 2 else width) / 100 for n, v in enumerate(ring))
        return Region("", address, _closed(kind, value, path, address), (pixels,))
    if kind == "keypoint":
        return Region("", address, "points")
    x, y = number("x", width), number("y", height)
    turn = json_values.number(value.get("rotation") or 0, path, f"{address}.value.rotation")
    if kind == "ellipse":
        ring = (x, y, number("radiusX", width), number("radiusY", height), turn)
        return Region("", address, "ellipse", (ring,))
    across, down = number("width", width), number("height", height)
    corners = rotated_box(x, y, across, down, turn) if turn else (x, y, x + across, y + down)
    return Region("", address, "box", (corners,))


def _brush(value: Mapping[str, Any], size: tuple[int, int], path: Path, address: str) -> Region:
    listed = json_values.sequence(value.get("rle"), path, f"{address}.value.rle")
    try:
        values = packed_bits.unpacked(bytes(listed), size[0] * size[1] * 4)
        if len(values) != size[0] * size[1] * 4:
            raise ValueError(f"it holds {len(values)} values for {size[1]}x{size[0]} pixels")
    except (ValueError, TypeError) as error:
        reason = f"{address}.value.rle: cannot be unpacked: {error}"
        raise SourceError(path, reason, "export it again", "bad-shape") from error
    return whole_mask("", address, values.reshape(*size, 4)[..., 3] > 0)


def _closed(kind: str, value: Mapping[str, Any], path: Path, address: str) -> Kind:
    """The kind of region that a polygon or a vector is: an open one has no area.

    Raises SourceError for one of curves.
    """
    if kind == "polygon":
        return "polygon"
    if value.get("closed") is not True:
        return "line"
    if any(isinstance(vertex, dict) and vertex.get("isBezier") for vertex in value["vertices"]):
        reason = f"{address}.value.vertices: has curves, which are not read"
        hint = "redraw it of straight lines, or label with BrushLabels or BitmaskLabels"
        raise SourceError(path, reason, hint, "bad-shape")
    return "polygon"


def _bitmask(value: Mapping[str, Any], path: Path, address: str) -> Region:
    """Where the picture of a bitmask is not clear."""
    text = json_values.text(value.get("imageDataURL"), path, f"{address}.value.imageDataURL")
    try:
        data = base64.b64decode(text.removeprefix(PNG), validate=True)
        return whole_mask("", address, mask_files.cutout(data, path))
    except (binascii.Error, ValueError, SegprepError) as error:
        reason = f"{address}.value.imageDataURL: {getattr(error, 'reason', error)}"
        raise SourceError(path, reason, "export it again", "bad-shape") from error
