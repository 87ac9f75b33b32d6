"""CVAT for images 1.1 and CVAT for video 1.1: one XML file with polygons, masks and boxes.

    src/
      annotations.xml       <image name="a.jpg" width height subset><polygon label points z_order/>
                            <mask label rle left top width height/> <box/> <ellipse/></image>
                            or, of a video: <track label><polygon frame outside points/></track>
      images/…              found by name anywhere below SRC or --image-root; frames of a video
                            are frame_000012.png

Format: https://docs.cvat.ai/docs/manual/advanced/xml_format/. Assumptions: a larger z_order covers
a smaller one; a mask's RLE counts along the rows of its box, zeros first; polylines, points and
tags have no area. In CVAT: Actions, Export task dataset, "CVAT for images 1.1".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from segprep.errors import ForeignFileError, SourceError
from segprep.files import MAX_BYTES, read_below, walk
from segprep.names import shown
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.pairing.official_lists import SPLITS
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_attributes import named_values
from segprep.sources._common.shapes.region_shapes import Region, Ring, mask_region, rotated_box
from segprep.sources._common.shapes.regions import AttributeReader, Document, files_with
from segprep.sources._common.texts import json_values, strict_xml
from segprep.types import MAX_PIXELS, Evidence

EXAMPLES = (
    "segprep convert cvat export/ out/",
    "segprep convert cvat annotations/ out/ --image-root images/ --boxes fill",
)
KINDS = ("polygon", "mask", "box", "ellipse", "polyline", "points", "cuboid", "skeleton")


@dataclass(frozen=True, slots=True)
class Reader(AttributeReader):
    """Read CVAT XML files."""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """An XML file whose root is <annotations>."""
        real = root.resolve()
        for path in (path for path in walk(real) if path.suffix.lower() == ".xml"):
            try:
                head = read_below(path, (real,))[:4000]
            except SourceError:
                continue
            if b"<annotations" in head:
                return Evidence(0.95, f"{path.name} has <annotations>, as CVAT writes it")
            return None
        return None

    def documents(self) -> list[Path]:
        """Every XML file."""
        return files_with(self.roots()[0], ".xml")

    def parse(self, path: Path, context: Any = None) -> Document:
        """The images or frames of one file."""
        root = strict_xml.parse(read_below(path, self.roots(), MAX_BYTES), path)
        if root.tag != "annotations":
            kind = f"is not a CVAT file: its root is <{shown(root.tag)[:40]}>"
            raise ForeignFileError(path, kind, code="other-json")
        images = tuple(self._images(root, path)) + tuple(self._frames(root, path))
        return Document(images, tuple(_labels(root)))

    def _images(self, root: Element, path: Path) -> Iterator[AnnotatedImage]:
        for n, image in enumerate(root.iter("image")):
            name, address = image.get("name") or "", f"image[{n}]"
            try:
                size = _size(image.get("height"), image.get("width"), path, address)
                regions = self._regions(image, path, address)
                fault = None
            except SourceError as error:
                size, regions, fault = None, (), error
            said = (image.get("subset") or "").lower()
            subset, near = SPLITS.get(said, ""), (said,) if said else ()
            yield AnnotatedImage(name, "", size, regions, subset, near=near, fault=fault)

    def _frames(self, root: Element, path: Path) -> Iterator[AnnotatedImage]:
        frames: dict[int, list[tuple[float, Region]]] = defaultdict(list)
        original = root.find("meta/task/original_size")
        size = None
        if original is not None:
            height, width = original.findtext("height"), original.findtext("width")
            size = _size(height, width, path, "meta/task/original_size")
        tracks = root.findall("track")  # those within a skeleton are its points
        _refuse_tasks(tracks, path)
        for n, track in enumerate(tracks):
            for m, shape in enumerate(track):
                if shape.tag not in KINDS:
                    continue
                address = f"track[{n}][{m}]"
                frame = strict_xml.whole(shape.get("frame"), path, f"{address}: frame")
                listed = frames[frame]
                if shape.get("outside") != "1":
                    label = track.get("label") or ""
                    listed += self._region(shape, path, address, label, track.get("id"))
        for frame, listed in sorted(frames.items()):
            regions = tuple(region for _, region in sorted(listed, key=lambda pair: pair[0]))
            yield AnnotatedImage(f"frame_{frame:06}", "", size, regions, by_stem=True)

    def _regions(self, image: Element, path: Path, address: str) -> tuple[Region, ...]:
        listed: list[tuple[float, Region]] = []
        for n, shape in enumerate(image):
            group = shape.get("group_id")
            label = shape.get("label") or ""
            where = f"{address}.{shape.tag}[{n}]"
            listed += self._region(shape, path, where, label, group if group != "0" else None)
        return tuple(region for _, region in sorted(listed, key=lambda pair: pair[0]))

    def _region(
        self, shape: Element, path: Path, address: str, label: str, group: str | None
    ) -> list[tuple[float, Region]]:
        """The region of *shape* with its z order; none for tags."""
        if shape.tag not in KINDS:
            return []
        draw = partial(_regions, shape, path, address, label, group)
        order = float(strict_xml.whole(shape.get("z_order") or "0", path, f"{address}: z_order"))
        return [(order, region) for region in sound_regions(draw, address, self.bad_shape)]


def _regions(
    shape: Element, path: Path, address: str, label: str, group: str | None
) -> list[Region]:
    name = json_values.label(label, path, f"{address}: label")
    attributes = tuple(
        pair for a in shape.iter("attribute") for pair in named_values(a.get("name"), a.text)
    )
    return [replace(_drawn(shape, path, address, name, group), attributes=attributes)]


def _drawn(shape: Element, path: Path, address: str, label: str, group: str | None) -> Region:
    def value(key: str) -> float:
        return strict_xml.number(shape, key, path, address)

    if shape.tag == "mask":
        left, top = int(value("left")), int(value("top"))
        height, width = int(value("height")), int(value("width"))
        bits = _unpacked(shape.get("rle") or "", height, width, path, address)
        return mask_region(label, address, bits, (left, top), group)
    turn = value("rotation") if shape.get("rotation") else 0.0
    if shape.tag == "ellipse":
        ring: Ring = (value("cx"), value("cy"), value("rx"), value("ry"), turn)
        return Region(label, address, "ellipse", (ring,), group=group)
    if shape.tag == "box":
        corners = (value("xtl"), value("ytl"), value("xbr"), value("ybr"))
        ring = _turned(corners, turn) if turn else corners
        return Region(label, address, "box", (ring,), group=group)
    if shape.tag in ("cuboid", "skeleton"):
        return Region(label, address, "points", group=group)
    ring = _points(shape.get("points") or "", path, address)
    kind = {"polygon": "polygon", "polyline": "line"}.get(shape.tag, "points")
    return Region(label, address, kind, (ring,), group=group)  # type: ignore[arg-type]


def _turned(corners: tuple[float, float, float, float], degrees: float) -> Ring:
    """A box rotated around its center, as CVAT draws it."""
    left, top, right, bottom = corners
    width, height = right - left, bottom - top
    x, y = (left + right) / 2, (top + bottom) / 2
    first = rotated_box(x, y, 0, 0, degrees)[:2]
    offset = rotated_box(0, 0, width / 2, height / 2, degrees)[4:6]
    return rotated_box(first[0] - offset[0], first[1] - offset[1], width, height, degrees)


def _points(text: str, path: Path, address: str) -> Ring:
    try:
        return tuple(float(value) for pair in text.split(";") for value in _pair(pair))
    except ValueError:
        reason = f"{address}: points x,y;x,y;… were expected, not {shown(text)[:60]}"
        raise SourceError(path, reason, "redraw or delete the shape", "bad-shape") from None


def _pair(text: str) -> tuple[str, str]:
    x, y = text.split(",")
    return x, y


def _unpacked(rle: str, height: int, width: int, path: Path, address: str) -> NDArray[np.bool_]:
    """The pixels (h, w) of an RLE along the rows, zeros first. Raises SourceError."""
    try:
        counts = np.array([int(count) for count in rle.split(",")], np.int64)
    except (ValueError, OverflowError):
        counts = np.array([-1])
    if height < 1 or width < 1 or height * width > MAX_PIXELS or counts.min() < 0:
        raise SourceError(path, f"{address}: is not a mask of {width}x{height}", code="bad-shape")
    if int(counts.sum()) != height * width:
        reason = f"{address}: the runs sum to {counts.sum()} pixels, the box has {height * width}"
        raise SourceError(path, reason, "export it again", "bad-shape")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(height, width)


def _size(
    height: str | None, width: str | None, path: Path, address: str
) -> tuple[int, int] | None:
    if not height and not width:
        return None
    rows = strict_xml.whole(height, path, f"{address}: height")
    return rows, strict_xml.whole(width, path, f"{address}: width")


def _refuse_tasks(tracks: Iterable[Element], path: Path) -> None:
    """Raise SourceError where *tracks* belong to several tasks, as in the export of a project: each
    counts its frames from 0.
    """
    tasks = list(dict.fromkeys(track.get("task_id") or "" for track in tracks))
    if len(tasks) > 1:
        listed = ", ".join(shown(task) for task in tasks[:6])
        reason = f"holds tracks of {len(tasks)} tasks ({listed}), each with its own frame numbers"
        hint = "in CVAT: Tasks, Actions, Export task dataset, for each task; convert each alone"
        raise SourceError(path, reason, hint, "annotations-unclear")


def _labels(root: Element) -> list[str]:
    """The labels of the task or project in their order, without those for whole images and for the
    points of skeletons.
    """
    names = [
        label.findtext("name")
        for label in root.iter("label")
        if label.findtext("type") != "tag" and not label.findtext("parent")
    ]
    return list(dict.fromkeys(name.strip() for name in names if name and name.strip()))
