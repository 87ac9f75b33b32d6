"""Files of annotation tools: a writer for each, and a reference of a few lines that reads them."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from .source_masks import Shape

coco_masks = pytest.importorskip("pycocotools.mask")

Size = tuple[int, int]  # W, H
Part = tuple[str, Any]  # a label, and rings or bits (H, W)
Annotated = tuple[str, Size, list[Part]]


def points(ring: Any) -> list[dict[str, Any]]:
    return [{"x": x, "y": y} for x, y in ring]


def flat(ring: Any) -> list[float]:
    return [value for point in ring for value in point]


def darwin(root: Path, stem: str, size: Size, shapes: list[Shape]) -> None:
    layer, numbers, listed = np.zeros(size[::-1], int), {}, list[dict[str, Any]]()
    for n, (label, shape) in enumerate(shapes):
        if isinstance(shape, np.ndarray):
            layer[shape] = numbers[f"id{n}"] = n + 1
            listed.append({"id": f"id{n}", "name": label, "mask": {}})
        else:
            listed.append({"id": f"id{n}", "name": label, "polygon": {"paths": [points(shape)]}})
    runs = [value for pixel in layer.ravel().tolist() for value in (pixel, 1)]
    raster = {"dense_rle": runs, "mask_annotation_ids_mapping": numbers}
    listed.append({"id": "r", "name": "__raster_layer__", "raster_layer": raster})
    item = {"name": f"{stem}.png", "slots": [{"width": size[0], "height": size[1]}]}
    content = {"version": "2.0", "item": item, "annotations": listed}
    (root / f"{stem}.json").write_text(json.dumps(content))


def read_darwin(root: Path) -> Iterator[Annotated]:
    for path in root.glob("*.json"):
        content = json.loads(path.read_text())
        slot, annotations = content["item"]["slots"][0], content["annotations"]
        raster = next(one["raster_layer"] for one in annotations if "raster_layer" in one)
        pairs = zip(raster["dense_rle"][::2], raster["dense_rle"][1::2], strict=True)
        layer = np.array([value for value, count in pairs for _ in range(count)])
        layer = layer.reshape(slot["height"], slot["width"])
        parts: list[Part] = []
        for one in annotations:
            if "mask" in one:
                number = raster["mask_annotation_ids_mapping"][one["id"]]
                parts.append((one["name"], layer == number))
            elif "polygon" in one:
                rings = [[(p["x"], p["y"]) for p in ring] for ring in one["polygon"]["paths"]]
                parts.append((one["name"], rings))
        yield path.stem, (slot["width"], slot["height"]), parts


def superannotate(root: Path, stem: str, size: Size, shapes: list[Shape]) -> None:
    listed = [
        {"type": "polygon", "className": label, "points": flat(shape), "exclude": [], "groupId": 0}
        for label, shape in shapes
    ]
    metadata = {"name": f"{stem}.png", "width": size[0], "height": size[1]}
    content = {"metadata": metadata, "instances": listed, "tags": [], "comments": []}
    (root / f"{stem}.png___objects.json").write_text(json.dumps(content))


def read_superannotate(root: Path) -> Iterator[Annotated]:
    for path in root.glob("*.json"):
        content = json.loads(path.read_text())
        size = content["metadata"]["width"], content["metadata"]["height"]
        parts = [
            (one["className"], [np.reshape(ring, (-1, 2)) for ring in (one["points"],)])
            for one in content["instances"]
        ]
        yield path.name.split(".")[0], size, parts


def labelbox(root: Path, stem: str, size: Size, shapes: list[Shape]) -> None:
    listed = list[dict[str, Any]]()
    for n, (label, shape) in enumerate(shapes):
        if isinstance(shape, np.ndarray):
            name = f"{stem}-{n}.png"
            (root / "masks").mkdir(exist_ok=True)
            Image.fromarray(np.where(shape, 255, 0).astype(np.uint8)).save(root / "masks" / name)
            listed.append({"name": label, "mask": {"url": f"https://host/v1/{name}?token=1"}})
        else:
            listed.append({"name": label, "polygon": points(shape)})
    labels = [{"annotations": {"objects": listed, "classifications": []}}]
    row = {
        "data_row": {"id": stem, "external_id": f"{stem}.png"},
        "media_attributes": {"height": size[1], "width": size[0]},
        "projects": {"p": {"labels": labels}},
    }
    with (root / "export.ndjson").open("a") as file:
        file.write(json.dumps(row) + "\n")


def read_labelbox(root: Path) -> Iterator[Annotated]:
    for line in (root / "export.ndjson").read_text().splitlines():
        row = json.loads(line)
        media, (project,) = row["media_attributes"], row["projects"].values()
        parts: list[Part] = []
        for one in project["labels"][0]["annotations"]["objects"]:
            if "mask" in one:
                name = one["mask"]["url"].split("/")[-1].split("?")[0]
                parts.append((one["name"], cv2.imread(str(root / "masks" / name), 0) > 0))
            else:
                parts.append((one["name"], [[(p["x"], p["y"]) for p in one["polygon"]]]))
        stem = row["data_row"]["external_id"].removesuffix(".png")
        yield stem, (media["width"], media["height"]), parts


def via(root: Path, stem: str, size: Size, shapes: list[Shape]) -> None:
    file = root / "via.json"
    project = json.loads(file.read_text()) if file.exists() else {"_via_img_metadata": {}}
    regions = []
    for label, shape in shapes:
        outline = {"all_points_x": [x for x, _ in shape], "all_points_y": [y for _, y in shape]}
        attributes = {"name": "polygon", **outline}
        regions.append({"shape_attributes": attributes, "region_attributes": {"type": label}})
    entry = {"filename": f"{stem}.png", "size": 1, "regions": regions, "file_attributes": {}}
    project["_via_img_metadata"][f"{stem}.png1"] = entry
    file.write_text(json.dumps(project))


def read_via(root: Path) -> Iterator[Annotated]:
    for one in json.loads((root / "via.json").read_text())["_via_img_metadata"].values():
        parts = []
        for region in one["regions"]:
            shape = region["shape_attributes"]
            ring = [*zip(shape["all_points_x"], shape["all_points_y"], strict=True)]
            parts.append((region["region_attributes"]["type"], [ring]))
        yield one["filename"].removesuffix(".png"), _size(root, one["filename"]), parts


def via_3(root: Path, stem: str, size: Size, shapes: list[Shape]) -> None:
    file = root / "via.json"
    empty = {"file": {}, "view": {}, "metadata": {}, "attribute": {"1": {"aname": "type"}}}
    project = json.loads(file.read_text()) if file.exists() else empty
    key = str(len(project["file"]) + 1)
    project["file"][key] = {"fid": key, "fname": f"{stem}.png"}
    project["view"][key] = {"fid_list": [key]}
    for label, shape in shapes:
        entry = {"vid": key, "flg": 0, "z": [], "xy": [7, *flat(shape)], "av": {"1": label}}
        project["metadata"][f"{key}_{len(project['metadata'])}"] = entry
    file.write_text(json.dumps(project))


def read_via_3(root: Path) -> Iterator[Annotated]:
    project = json.loads((root / "via.json").read_text())
    for key, file in project["file"].items():
        mine = [one for one in project["metadata"].values() if one["vid"] == key]
        parts = [(one["av"]["1"], [np.reshape(one["xy"][1:], (-1, 2))]) for one in mine]
        yield file["fname"].removesuffix(".png"), _size(root, file["fname"]), parts


def isat(root: Path, stem: str, size: Size, shapes: list[Shape]) -> None:
    listed = [
        {"category": label, "group": n, "segmentation": [*map(list, shape)], "layer": n * 7 % 5}
        for n, (label, shape) in enumerate(shapes)
    ]
    info = {"description": "ISAT", "name": f"{stem}.png", "width": size[0], "height": size[1]}
    (root / f"{stem}.json").write_text(json.dumps({"info": info, "objects": listed}))


def read_isat(root: Path) -> Iterator[Annotated]:
    for path in root.glob("*.json"):
        content = json.loads(path.read_text())
        ordered = sorted(content["objects"], key=lambda one: one["layer"])
        parts = [(one["category"], [one["segmentation"]]) for one in ordered]
        yield path.stem, (content["info"]["width"], content["info"]["height"]), parts


def eiseg(root: Path, stem: str, size: Size, shapes: list[Shape]) -> None:
    listed = [
        {"name": label, "labelIdx": 1, "color": [1, 2, 3], "points": [*map(list, shape)]}
        for label, shape in shapes
    ]
    (root / f"{stem}.json").write_text(json.dumps(listed))


def read_eiseg(root: Path) -> Iterator[Annotated]:
    for path in root.glob("*.json"):
        parts = [(one["name"], [one["points"]]) for one in json.loads(path.read_text())]
        yield path.stem, _size(root, f"{path.stem}.png"), parts


def scalabel(root: Path, stem: str, size: Size, shapes: list[Shape]) -> None:
    file, labels = root / "labels.json", list[dict[str, Any]]()
    for label, shape in shapes:
        if isinstance(shape, np.ndarray):
            rle = coco_masks.encode(np.asfortranarray(shape.astype(np.uint8)))
            rle["counts"] = rle["counts"].decode()
            labels.append({"category": label, "rle": rle})
        else:
            outline = {"vertices": [*map(list, shape)], "types": "L" * len(shape), "closed": True}
            labels.append({"category": label, "poly2d": [outline]})
    frames = json.loads(file.read_text()) if file.exists() else []
    file.write_text(json.dumps([*frames, {"name": f"{stem}.png", "labels": labels}]))


def read_scalabel(root: Path) -> Iterator[Annotated]:
    for frame in json.loads((root / "labels.json").read_text()):
        parts: list[Part] = []
        for one in frame["labels"]:
            if "rle" in one:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of NumPy, about pycocotools' arrays
                    parts.append((one["category"], coco_masks.decode(one["rle"]) > 0))
            else:
                parts.append((one["category"], [outline["vertices"] for outline in one["poly2d"]]))
        yield frame["name"].removesuffix(".png"), _size(root, frame["name"]), parts


def _size(root: Path, name: str) -> Size:
    height, width = cv2.imread(str(root / name)).shape[:2]
    return width, height


Writer = Callable[[Path, str, Size, list[Shape]], None]
TOOLS: Mapping[str, tuple[str, Writer, Callable[[Path], Iterator[Annotated]], bool]] = {
    "darwin": ("darwin", darwin, read_darwin, True),
    "superannotate": ("superannotate", superannotate, read_superannotate, False),
    "labelbox": ("labelbox", labelbox, read_labelbox, True),
    "via 2": ("via", via, read_via, False),
    "via 3": ("via", via_3, read_via_3, False),
    "isat": ("isat", isat, read_isat, False),
    "eiseg": ("eiseg", eiseg, read_eiseg, False),
    "scalabel": ("scalabel", scalabel, read_scalabel, True),
}
