"""labelme JSON annotations, version 3.16 to 7.x, in one folder or nested folders.

    before/
      cat.json        {"shapes": [{"label", "points", "shape_type", "group_id"}], "imagePath",
      "imageData", ...}
      cat.jpg         or embedded in the JSON, or below --image-root
      labels.txt      optional: __ignore__, _background_, then the classes

Format: https://github.com/wkentaro/labelme (the files its label-file writer saves). Assumptions:
coordinates are pixels of the picture as labelme shows it, that is upright; a missing shape_type is
a polygon; later shapes cover earlier ones.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

from segprep import engine
from segprep.dataset import classes as class_lists
from segprep.errors import ForeignFileError, SourceError, UnknownClassError, UsageError
from segprep.files import MAX_BYTES, listing, read_below, real_folders, walk
from segprep.imaging import shapes
from segprep.imaging.coordinates import shapes_of
from segprep.imaging.shapes import Shape
from segprep.names import clean_label, shown, stem_key, stem_of
from segprep.sources._common import stems, strict_json
from segprep.sources.labelme import picture, shape_types
from segprep.types import (
    IGNORE,
    MAX_PIXELS,
    Classes,
    ClassList,
    Evidence,
    Item,
    MaxPixels,
    Note,
    Overlap,
    Progress,
    Sample,
    Scan,
    Skipped,
    Stem,
    Unknown,
    no_progress,
)

EXAMPLES = (
    "segprep json2mask before/ out/",
    "segprep json2mask before/ out/ --classes labels.txt --on-error skip",
    "segprep json2mask annotations/ out/ --image-root images/ --map kitten=cat --exclude dontcare",
)
_LEFT_OUT = -1


@dataclass(frozen=True, slots=True)
class Reader:
    """Read a folder of labelme JSON files."""

    root: Path
    classes: ClassList = None
    image_root: Annotated[
        tuple[Path, ...], "Another folder to look for images in (with its subfolders)."
    ] = ()
    unknown: Unknown = "error"
    overlap: Overlap = "order"
    priority: Annotated[
        str, "With --overlap priority: class names, the one that wins first: a,b,c."
    ] = ""
    exclude: Annotated[tuple[str, ...], "Leave shapes with this label out."] = ()
    map: Annotated[
        tuple[str, ...],
        "OLD=NEW: read label OLD as NEW (merge or rename); NEW may be _background_ or __ignore__.",
    ] = ()
    objects: Annotated[
        bool, "Write SegmentationObject as well: one id per group_id, or per shape without one."
    ] = False
    line_width: Annotated[int, "Width of line and linestrip shapes in pixels."] = 10
    point_radius: Annotated[int, "Radius of point shapes in pixels."] = 5
    compare: Annotated[bool, "Compare each image file with the copy embedded in the JSON."] = False
    encoding: Annotated[
        str, "Text encoding of the JSON files; auto tries UTF-8, UTF-16 and GB18030."
    ] = "auto"
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognise(cls, root: Path) -> Evidence | None:
        """JSON files that have the key "shapes"."""
        root = root.resolve()
        for path in (p for p in walk(root) if p.suffix.lower() == ".json"):
            try:
                listed = _annotation(cls(root), path)[0].get("shapes")
            except SourceError:
                continue
            if isinstance(listed, list):
                return Evidence(0.9, f"{path.name} has a list of shapes")
        return None

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every .json file is an item; the class list comes from --classes, SRC/labels.txt or all
        labels, in this order.
        """
        _checked(self)
        roots = self.roots()
        files = list(listing(str(roots[0])))
        jsons = [Path(folder, name) for folder, name in files if name.lower().endswith(".json")]
        near = stems.images_by_stem(files)
        known, notes = self._classes(roots[0], jsons, jobs, progress)
        notes += [
            Note("linked-folder", f"{path} is a link to a folder; it was not entered")
            for path in (Path(*file) for file in files if "." not in file[1])
            if path.is_dir()
        ]
        further: dict[str, list[Path]] = {}
        for root in roots[1:]:
            for key, paths in stems.images_below(root).items():
                further.setdefault(key, []).extend(paths)
        items = []
        for path in jsons:
            key = stem_key(stem_of(path.name))
            payload = (
                known,
                near.get((os.path.dirname(path), key), ()),
                tuple(further.get(key, ())),
            )
            items.append(Item(stems.sample_stem(path, roots[0], self.stem), None, (path,), payload))
        skipped: list[Skipped] = []
        kept = stems.unique(items, skipped, lambda item: _foreign(self, item))
        return Scan(kept, known, tuple(skipped), notes=tuple(notes))

    def read(self, item: Item) -> Sample:
        """The image, and the mask that its shapes paint."""
        path = item.labels[0]
        content, embedded, notes = _annotation(self, path)
        known = cast("Classes", item.payload[0])
        named = content.get("imagePath")
        if not isinstance(named, str | None):
            raise SourceError(path, f"imagePath: text was expected, not {type(named).__name__}")
        size = picture.recorded_size(path, content)
        search = picture.Search(
            path,
            named or "",
            embedded,
            size,
            [path.parent / name for name in item.payload[1]],
            item.payload[2],
            self.roots(),
            self.compare,
            self.max_pixels,
        )
        view = picture.view_of(search, notes)
        listed = content.get("shapes") or []
        if not listed:
            notes.append(Note("no-shapes", "no shapes: the mask is all background"))
        drawn = _shapes(self, path, listed, known, view.size)
        notes += filter(None, map(shape_types.degenerate, drawn))
        painted = shapes.paint_file(
            drawn,
            view.size,
            path=path,
            address="shapes",
            order=shapes.PaintOrder(self.overlap, _names(self.priority)),
            background=known.background or 0,
            objects=self.objects,
        )
        return Sample(
            item.stem,
            view.data,
            painted.mask,
            painted.objects,
            view.upright,
            (*notes, *painted.notes),
            painted.pixels,
        )

    def roots(self) -> tuple[Path, ...]:
        """The folders that may be opened, resolved; the source itself first."""
        return real_folders(self.root, self.image_root)

    def _classes(
        self, root: Path, jsons: Sequence[Path], jobs: int, progress: Progress[Any]
    ) -> tuple[Classes, list[Note]]:
        excluded, renamed = set(self.exclude), _renames(self.map)
        if self.classes is not None:
            if self.classes.isdecimal():
                raise UsageError(
                    "bad-classes",
                    "labelme annotations have names, so --classes needs names",
                    "give a FILE or a,b,c",
                )
            return class_lists.make(class_lists.parse_list(self.classes)), []
        if (root / "labels.txt").is_file():
            read_below(root / "labels.txt", (root,))
            return class_lists.make(class_lists.read_list(root / "labels.txt")), [
                Note("classes-found", f"classes read from {root / 'labels.txt'}")
            ]
        found: set[str] = set()
        for labels in progress(
            engine.run(_Labels(self), jsons, jobs=jobs, chunk=32), len(jsons), "reading labels"
        ):
            if not isinstance(labels, engine.Failure):
                found.update(renamed.get(label, label) for label in labels if label not in excluded)
        return class_lists.infer(found)


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of one file, for the engine."""

    reader: Reader

    def __call__(self, path: Path) -> set[str]:
        try:
            content, _, _ = _annotation(self.reader, path)
            return {clean_label(shape["label"]) for shape in content.get("shapes") or []}
        except (SourceError, ValueError, TypeError, KeyError):
            return set()  # the same fault is reported with its address when the file is read


def _foreign(reader: Reader, item: Item) -> Skipped | None:
    """Why *item* is no labelme annotation at all, or None if it may be one."""
    try:
        _annotation(reader, item.labels[0])
    except ForeignFileError as error:
        return Skipped(item.stem, str(error.path), error.code, error.reason, foreign=True)
    except SourceError:
        pass
    return None


def _checked(reader: Reader) -> None:
    """Raise UsageError for options that contradict each other."""
    _renames(reader.map)
    if (reader.overlap == "priority") != bool(_names(reader.priority)):
        raise UsageError(
            "bad-option",
            "--overlap priority and --priority a,b,c go together",
            "give both or neither",
        )
    if (
        reader.line_width < 1
        or reader.point_radius < 1
        or max(reader.line_width, reader.point_radius) > 10_000
    ):
        raise UsageError("bad-option", "--line-width is 1 to 10000, --point-radius 1 to 10000")


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _renames(pairs: Sequence[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    if wrong := [
        pair
        for pair, (old, _, new) in zip(pairs, split, strict=True)
        if not old.strip() or not new.strip()
    ]:
        raise UsageError(
            "bad-option", f"--map {wrong[0]!r} is not OLD=NEW", "for example: --map kitten=cat"
        )
    return {old.strip(): new.strip() for old, _, new in split}


def _annotation(reader: Reader, path: Path) -> tuple[dict[str, Any], bytes | None, list[Note]]:
    """The JSON object of *path*, its embedded image (base64) and notes.

    Raises ForeignFileError if it is another kind of JSON.
    """
    parsed = strict_json.parse(
        read_below(path, reader.roots(), MAX_BYTES), path, "imageData", reader.encoding
    )
    content = parsed.value
    if not isinstance(content, dict):
        raise ForeignFileError(
            path, f"is no labelme annotation: a JSON {type(content).__name__}, not an object"
        )
    embedded = parsed.out or content.get("imageData")
    if (
        "shapes" not in content
        and embedded is None
        and "imagePath" not in content
        and "imageData" not in content
    ):
        keys = ", ".join(shown(key) for key in list(content)[:6])
        kind = "COCO" if {"images", "annotations"} <= content.keys() else "other JSON"
        raise ForeignFileError(path, f"is no labelme annotation but {kind} (keys: {keys})")
    if not isinstance(content.get("shapes") or [], list):
        raise SourceError(
            path, f"shapes: a list was expected, not {type(content['shapes']).__name__}"
        )
    if embedded is not None and not isinstance(embedded, str | bytes):
        raise SourceError(path, f"imageData: text was expected, not {type(embedded).__name__}")
    notes = (
        [] if parsed.encoding == "utf-8" else [Note("other-encoding", f"read as {parsed.encoding}")]
    )
    return content, embedded.encode() if isinstance(embedded, str) else embedded, notes


def _values(reader: Reader, known: Classes) -> dict[str, int]:
    """Label -> pixel value, or _LEFT_OUT."""
    values = {name: number for number, name in enumerate(known.names)}
    values |= {class_lists.IGNORED: IGNORE}
    if known.background is not None:
        values.setdefault(class_lists.BACKGROUND, known.background)
        values.setdefault("background", known.background)
    values |= {old: values[new] for old, new in _renames(reader.map).items() if new in values}
    return values | dict.fromkeys(reader.exclude, _LEFT_OUT)


def _shapes(
    reader: Reader, path: Path, listed: Sequence[Any], known: Classes, size: tuple[int, int]
) -> list[Shape]:
    """What is to be painted of the shapes *listed*, in the file's order. Raises SourceError."""
    values, renamed = _values(reader, known), _renames(reader.map)
    pens = shape_types.Pens(reader.line_width, reader.point_radius)
    drawn = []
    for number, raw in enumerate(listed):
        address = f"shapes[{number}]"
        if not isinstance(raw, dict):
            reason = f"{address}: an object was expected, not {type(raw).__name__}"
            raise SourceError(path, reason)
        try:
            label = clean_label(raw.get("label"))
        except ValueError as error:
            reason = f"{address}.label: {error}"
            raise SourceError(path, reason, "name it in labelme", "bad-label") from error
        label = renamed.get(label, label)
        value = _value(reader, path, address, label, values, known)
        if value != _LEFT_OUT:
            meaning = shape_types.Meaning(label, value, number, address)
            with shapes_of(path):
                drawn.append(shape_types.shape(raw, meaning, path=path, size=size, pens=pens))
    return drawn


def _value(
    reader: Reader, path: Path, where: str, label: str, values: Mapping[str, int], known: Classes
) -> int:
    if label in values:
        return values[label]
    if class_lists.is_background(label) and known.background is not None:
        return known.background
    if reader.unknown == "error":
        raise UnknownClassError(
            path,
            f"{where}.label: {shown(label)!r} is not in the class list",
            class_lists.suggestion(label, known.names),
        )
    return {"ignore": IGNORE, "background": known.background or 0, "skip": _LEFT_OUT}[
        reader.unknown
    ]
