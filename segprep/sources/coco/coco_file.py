"""One COCO annotation file: its categories, its images, and the text of each image's annotations,
checked for what holds them together.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from segprep.errors import SourceError
from segprep.files import read_below
from segprep.names import clean_label, shown, stem_of
from segprep.sources.coco import json_stream, plain_entries
from segprep.types import Note, Skipped

Id = int | str
MAX_JSON = (
    4 * 1024**3
)  # bytes; the instances of COCO 2017 have 470 million, its panoptic and stuff files less


@dataclass(frozen=True, slots=True)
class Category:
    """A class of the file; *thing*: it can be counted, so that its objects are instances; *above*:
    its supercategory, if it names one.
    """

    id: Id
    name: str
    thing: bool
    above: str = ""


class ImageEntry(NamedTuple):
    """An entry of ``images``: its *number* there, the size (H, W) that it states, if any, and its
    ``file_name``.
    """

    number: int
    id: Id
    name: str
    size: tuple[int, int] | None


@dataclass(slots=True)
class CocoFile:
    """What the file at *path* says.

    *marks* has, by image, the numbers of its annotations, whose *texts* are here; *masks* its
    panoptic PNG.
    """

    path: Path
    categories: list[Category] = field(default_factory=list)
    pictures: list[ImageEntry] = field(default_factory=list)
    marks: dict[Id, list[int]] = field(default_factory=lambda: defaultdict(list))
    texts: list[str] = field(default_factory=list)
    masks: dict[Id, str] = field(default_factory=dict)
    used: Counter[Id] = field(default_factory=Counter)
    crowds: int = 0
    polygons: bool = False
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _images: set[Id] = field(default_factory=set)
    _ids: set[Id] = field(default_factory=set)
    _twins: list[int] = field(default_factory=list)

    def fault(
        self,
        where: str,
        reason: str,
        stem: str = "",
        code: str = "bad-annotation",
        hint: str = "fix or remove it",
    ) -> None:
        """Leave something out of the file, with its address."""
        self.skipped.append(
            Skipped(
                stem or stem_of(self.path.name), str(self.path), code, f"{where}: {reason}", hint
            )
        )


def load(path: Path, roots: tuple[Path, ...]) -> CocoFile:
    """Read *path*, once. A part that cannot be used is listed in ``skipped``. Raises SourceError
    where the file as a whole cannot.
    """
    coco = CocoFile(path)
    rest = json_stream.parse(
        read_below(path, roots, MAX_JSON),
        path,
        {
            "images": partial(_pictures, coco),
            "annotations": partial(_annotations, coco),
        },
    )
    for key in ("images", "annotations", "categories"):
        if not isinstance(rest.get(key), list):
            reason = (
                f"{key}: a list was expected, not {type(rest[key]).__name__}"
                if key in rest
                else f"has no {key}"
            )
            raise SourceError(path, reason, "name the files that have them with --annotations")
    coco.categories = [
        _category(path, number, raw) for number, raw in enumerate(rest["categories"])
    ]
    _refuse_twins(path, "categories", "id", [category.id for category in coco.categories])
    _leave_root(coco)
    _refuse_twins(path, "categories", "name", [category.name for category in coco.categories])
    _reconcile(coco)
    return coco


def _leave_root(coco: CocoFile) -> None:
    """Drop the category that no annotation uses and that all others name as their supercategory:
    Roboflow's exports have one, often of the name of a true class.
    """
    above = Counter(category.above for category in coco.categories)
    for root in coco.categories if len(coco.categories) > 1 else ():
        below = above[root.name] - (root.above == root.name)
        if (
            not coco.used[root.id]
            and root.above in ("", "none")
            and below == len(coco.categories) - 1
        ):
            coco.categories = [category for category in coco.categories if category is not root]
            reason = (
                f"{coco.path.parent.name}/{coco.path.name}: category {root.id} ({root.name!r}) is"
                " not a class: no annotation uses it, and all others name it as supercategory"
            )
            coco.notes.append(Note("root-category", reason))
            return


def is_id(value: Any) -> TypeGuard[Id]:
    """Whether *value* can be an id: a whole number, or text."""
    return type(value) is int or (type(value) is str and len(value) <= 200)


def _category(path: Path, number: int, raw: Any) -> Category:
    where = f"categories[{number}]"
    if not isinstance(raw, dict) or not is_id(raw.get("id")):
        raise SourceError(path, f"{where}.id: a number was expected")
    try:
        name, thing = clean_label(raw.get("name")), bool(raw.get("isthing", 1))
        return Category(raw["id"], name, thing, str(raw.get("supercategory") or ""))
    except ValueError as error:
        raise SourceError(
            path, f"{where}.name: {error}", "give the category a name", "bad-label"
        ) from error


def _refuse_twins(path: Path, key: str, what: str, values: Iterable[Id]) -> None:
    first: dict[Id, int] = {}
    for number, value in enumerate(values):
        if first.setdefault(value, number) != number:
            raise SourceError(
                path,
                f"{key}[{number}].{what}: {shown(value)} is that of {key}[{first[value]}] too",
                "make them differ, or merge the two",
            )


def _pictures(coco: CocoFile, first: int, values: list[Any], texts: list[str]) -> None:
    columns = plain_entries.image_columns(values)
    if columns is None:
        for number, (value, text) in enumerate(zip(values, texts, strict=True), first):
            _picture(coco, number, json_stream.exact(value, text))
        return
    ids, names, heights, widths = columns
    coco._images.update(ids)
    sizes = zip(heights, widths, strict=True)
    coco.pictures += map(ImageEntry, count(first), ids, names, sizes)


def _picture(coco: CocoFile, number: int, raw: Any) -> None:
    where = f"images[{number}]"
    if not isinstance(raw, dict) or not is_id(raw.get("id")):
        coco.fault(where, "an object with an id was expected")
        return
    coco._images.add(raw["id"])
    name, height, width = raw.get("file_name"), raw.get("height"), raw.get("width")
    if name is None and isinstance(raw.get("coco_url"), str):
        name = raw["coco_url"].rpartition("/")[2]  # LVIS names its images so
    if not isinstance(name, str) or not name.strip():
        coco.fault(f"{where}.file_name", f"a file name was expected, not {shown(name)[:80]!r}")
    elif height is None and width is None:
        coco.pictures.append(ImageEntry(number, raw["id"], name, None))
    elif not _is_length(height) or not _is_length(width):
        coco.fault(
            where,
            "height, width: two positive whole numbers were expected, not"
            f" {shown((height, width))[:80]}",
            _stem(name),
        )
    else:
        coco.pictures.append(ImageEntry(number, raw["id"], name, (int(height), int(width))))


def _is_length(value: Any) -> TypeGuard[float]:
    return type(value) in (int, float) and 0 < value < plain_entries.LONGEST and int(value) == value


def _annotations(coco: CocoFile, first: int, values: list[Any], texts: list[str]) -> None:
    coco.texts += texts
    if plain_entries.are_outlines(values, coco._ids):
        _take(coco, first, values)
        return
    for number, (value, text) in enumerate(zip(values, texts, strict=True), first):
        _annotation(coco, number, json_stream.exact(value, text))


def _take(coco: CocoFile, first: int, values: list[dict[str, Any]]) -> None:
    """Add the annotations *values*, which are plain, from number *first* on."""
    coco._ids.update([value["id"] for value in values])
    coco.used.update([value["category_id"] for value in values])
    coco.crowds += [value.get("iscrowd") for value in values].count(1)
    coco.polygons = coco.polygons or any(
        not isinstance(value.get("segmentation"), dict) for value in values
    )
    marks = coco.marks
    for number, value in enumerate(values, first):
        marks[value["image_id"]].append(number)


def _annotation(coco: CocoFile, number: int, raw: Any) -> None:
    if not isinstance(raw, dict) or not is_id(raw.get("image_id")):
        coco.fault(
            f"annotations[{number}]", "an object with the id of its image (image_id) was expected"
        )
        return
    segments, image = raw.get("segments_info"), raw["image_id"]
    if segments is not None:
        if image in coco.masks:
            coco.fault(
                f"annotations[{number}].image_id",
                f"image {shown(image)} has another panoptic annotation",
            )
        coco.masks[image] = str(raw.get("file_name"))
    elif is_id(own := raw.get("id")):
        if own in coco._ids:
            coco._twins.append(number)
        coco._ids.add(own)
    for segment in segments if isinstance(segments, list) else (raw,):
        if isinstance(segment, dict):
            if segment.get("iscrowd") in (1, True):
                coco.crowds += 1
            if segments is None and not coco.polygons:
                coco.polygons = not isinstance(segment.get("segmentation"), dict)
            if is_id(category := segment.get("category_id")):
                coco.used[category] += 1
    coco.marks[image].append(number)


def _reconcile(coco: CocoFile) -> None:
    """Leave out images with one id, and name annotations that belong to no image."""
    coco._ids.clear()
    counts = Counter(picture.id for picture in coco.pictures)
    for picture in coco.pictures:
        if counts[picture.id] > 1:
            reason = (
                f"{counts[picture.id]} images have the id {shown(picture.id)}; whose annotations"
                " are whose?"
            )
            coco.fault(f"images[{picture.number}].id", reason, _stem(picture.name))
    coco.pictures = [picture for picture in coco.pictures if counts[picture.id] == 1]
    if lost := [
        number
        for image, numbers in coco.marks.items()
        if image not in coco._images
        for number in numbers
    ]:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        coco.fault(
            f"annotations[{min(lost)}].image_id",
            f"is the id of no image{more}",
            hint="export the file again, or remove these annotations",
        )
    if coco._twins:
        more = f" (and {len(coco._twins) - 1} more)" if len(coco._twins) > 1 else ""
        coco.notes.append(
            Note(
                "duplicate-id",
                f"{coco.path.name}: annotations[{coco._twins[0]}].id{more} is that of another"
                " annotation; all were drawn",
            )
        )


def _stem(name: str) -> str:
    return stem_of(re.split(r"[/\\]", name)[-1])
