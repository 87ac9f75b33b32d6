"""labelme JSON annotations, version 3.16 to 7.x, in one folder or nested folders.

    before/
      cat.json        {"shapes": [{"label", "points", "shape_type", "group_id"}], "imagePath",
                       "imageData", "version", ...}
      cat.jpg         or embedded in the JSON, or below --image-root
      labels.txt      optional: __ignore__, _background_, then the classes

Format: https://github.com/wkentaro/labelme (the files its label-file writer saves). Assumptions:
coordinates are pixels of the picture as labelme shows it, that is upright; a missing shape_type is
a polygon; later shapes cover earlier ones; where labelme's drawing changed, the file's version says
how its author saw it.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from segprep import engine
from segprep.errors import ForeignFileError, SourceError, UsageError
from segprep.files import listing, real_folders, walk
from segprep.imaging import shapes
from segprep.imaging.coverage import covered_classes
from segprep.names import stem_key, stem_of
from segprep.sources._common import other_tools, stems
from segprep.sources.labelme import annotation_file, drawing, labels, picture
from segprep.sources.labelme.annotation_file import Annotation
from segprep.sources.labelme.picture import ImageFrom
from segprep.sources.labelme.shape_types import Pens
from segprep.types import (
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
SAMPLED = 12  # annotations whose image is compared with its copy before a large folder is trusted


@dataclass(frozen=True, slots=True)
class Reader:
    """Read a folder of labelme JSON files."""

    root: Path
    classes: ClassList = None
    image_root: Annotated[
        tuple[Path, ...], "Another folder to look for images in (with its subfolders)."
    ] = ()
    image_from: ImageFrom = "auto"
    unknown: Unknown = "error"
    overlap: Overlap = "order"
    priority: Annotated[
        str, "With --overlap priority: class names, the one that wins first: a,b,c."
    ] = ""
    bad_shape: Annotated[
        Literal["error", "skip"],
        "A shape that cannot be drawn: error = refuse the file, skip = leave the shape out.",
    ] = "error"
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
    compare: Annotated[
        bool, "Compare each image file with the embedded copy pixel by pixel, too."
    ] = False
    encoding: Annotated[
        str,
        "Text encoding of the JSON files, such as cp1252; auto tries UTF-8, UTF-16, GB18030,"
        " Shift-JIS, EUC-KR and Big5 and takes what reads plausibly.",
    ] = "auto"
    stem: Stem = "name"
    max_pixels: MaxPixels = MAX_PIXELS

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """JSON files that have the key "shapes"."""
        root = root.resolve()
        for path in (path for path in walk(root) if path.suffix.lower() == ".json"):
            try:
                annotation_file.load(path, (root,), "auto")
            except SourceError:
                continue
            return Evidence(0.9, f"{path.name} has a list of shapes")
        return None

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every .json file is an item; the class list comes from --classes, SRC/labels.txt or all
        labels, in this order.
        """
        _check_options(self)
        roots = self.roots()
        files = list(listing(str(roots[0])))
        jsons = [Path(folder, name) for folder, name in files if name.lower().endswith(".json")]
        near = stems.images_by_stem(files)
        classes, notes = self._classes(roots[0], jsons, jobs, progress)
        notes += [
            Note("linked-folder", f"{path} is a link to a folder; it was not entered")
            for path in (Path(*file) for file in files if "." not in file[1])
            if path.is_dir()
        ]
        further: dict[str, list[Path]] = {}
        for root in roots[1:]:
            for key, paths in stems.images_below(root).items():
                further.setdefault(key, []).extend(paths)
        items: list[Item] = []
        for path in jsons:
            key = stem_key(stem_of(path.name))
            beside = near.get((os.path.dirname(path), key), ())
            payload = (classes, beside, tuple(further.get(key, ())), True)
            items.append(Item(stems.sample_stem(path, roots[0], self.stem), None, (path,), payload))
        if not _is_doubtful(self, items):
            items = [replace(item, payload=(*item.payload[:3], False)) for item in items]
        skipped = _other_files(files) if not jsons else []
        kept = stems.unique(items, skipped, lambda item: _foreign(self, item))
        return Scan(kept, classes, tuple(skipped), notes=tuple(notes))

    def read(self, item: Item) -> Sample:
        """The image, and the mask that its shapes paint."""
        annotation, view, notes = self.view(item)
        classes: Classes = item.payload[0]
        origin = labels.origin_of(self.classes, self.roots()[0])
        meanings = labels.meanings(
            classes,
            origin,
            unknown=self.unknown,
            exclude=self.exclude,
            renames=_renames(self.map),
        )
        pens = Pens(self.line_width, self.point_radius)
        drawn, shape_notes = drawing.shapes_of(
            annotation, meanings, size=view.size, pens=pens, skip_bad=self.bad_shape == "skip"
        )
        if not annotation.shapes:
            shape_notes.append(Note("no-shapes", "no shapes: the mask is all background"))
        order = shapes.PaintOrder(self.overlap, _names(self.priority))
        painted = shapes.paint_file(
            drawn,
            view.size,
            path=annotation.path,
            address="shapes",
            order=order,
            background=classes.background or 0,
            objects=self.objects,
        )
        losses = covered_classes(drawn, painted, order, background=classes.background or 0)
        return Sample(
            item.stem,
            view.data,
            painted.mask,
            painted.objects,
            view.upright,
            (*annotation.notes, *notes, *shape_notes, *painted.notes, *losses),
            painted.pixels,
            drawing.unpainted(annotation, meanings, size=view.size, pens=pens),
        )

    def view(self, item: Item) -> tuple[Annotation, picture.View, list[Note]]:
        """The annotation of *item*, the image that it means, and notes on the choice.

        Raises SourceError.
        """
        annotation = self.annotation(item.labels[0])
        _, beside, below, doubted = cast("tuple[Classes, Any, Any, bool]", item.payload)
        view, notes = picture.view_of(self._search(annotation, beside, below, doubted))
        return annotation, view, notes

    def annotation(self, path: Path) -> Annotation:
        """The JSON file *path*. Raises SourceError."""
        return annotation_file.load(path, self.roots(), self.encoding)

    def roots(self) -> tuple[Path, ...]:
        """The folders that may be opened, resolved; the source itself first."""
        return real_folders(self.root, self.image_root)

    def _search(
        self,
        annotation: Annotation,
        beside: Sequence[str],
        below: Sequence[Path],
        doubted: bool,
    ) -> picture.Search:
        return picture.Search(
            annotation.path,
            annotation.named,
            annotation.embedded,
            annotation.recorded,
            annotation.reach,
            [annotation.path.parent / name for name in beside],
            below,
            self.roots(),
            self.image_from,
            self.compare,
            self.max_pixels,
            doubted,
        )

    def _classes(
        self, root: Path, jsons: Sequence[Path], jobs: int, progress: Progress[Any]
    ) -> tuple[Classes, list[Note]]:
        if listed := labels.stated(self.classes, root):
            return listed
        renames = _renames(self.map)
        counts: Counter[str] = Counter()
        results = engine.run(_Labels(self), jsons, jobs=jobs, chunk=32)
        for result in progress(results, len(jsons), "reading labels"):
            if not isinstance(result, engine.Failure):
                for label, count in result.items():
                    if label not in self.exclude:
                        counts[renames.get(label, label)] += count
        return labels.inferred(counts, root)


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of one file, for the engine."""

    reader: Reader

    def __call__(self, path: Path) -> Counter[str]:
        try:
            listed = self.reader.annotation(path).shapes
        except SourceError:
            return Counter()  # the same fault is reported with its address when the file is read
        counts: Counter[str] = Counter()
        for raw in listed:
            try:
                counts[annotation_file.label_of(raw)] += 1
            except (ValueError, AttributeError):
                continue  # the same
        return counts


def _is_doubtful(reader: Reader, items: Sequence[Item]) -> bool:
    """Whether pictures have to be compared where path and name agree: in a small folder always, in
    a large one if a few of its annotations, spread evenly, have an image that disagrees.
    """
    if len(items) <= SAMPLED:
        return True
    for item in items[:: len(items) // SAMPLED]:
        try:
            _, _, notes = reader.view(item)
        except SourceError:
            continue  # reported when it is read
        if any(note.code == "image-disagrees" for note in notes):
            return True
    return False


def _foreign(reader: Reader, item: Item) -> Skipped | None:
    """Why *item* is not a labelme annotation at all, or None if it may be one."""
    try:
        reader.annotation(item.labels[0])
    except ForeignFileError as error:
        reason, hint = error.reason, error.hint
        return Skipped(item.stem, str(error.path), error.code, reason, hint, foreign=True)
    except SourceError:
        pass
    return None


def _other_files(files: Sequence[tuple[str, str]]) -> list[Skipped]:
    """The first XML annotation, named by its tool, where a folder holds no JSON."""
    for path in (Path(*file) for file in files if file[1].lower().endswith(".xml")):
        with open(path, "rb") as file:
            tool = other_tools.xml_tool(path, file.read(4096))
        if tool:
            reason = f"is not a labelme JSON but {tool.name}"
            name = stem_of(path.name)
            return [Skipped(name, str(path), "other-json", reason, tool.hint, foreign=True)]
    return []


def _check_options(reader: Reader) -> None:
    """Raise UsageError for options that contradict each other."""
    _renames(reader.map)
    if (reader.overlap == "priority") != bool(_names(reader.priority)):
        raise UsageError(
            "bad-option",
            "--overlap priority and --priority a,b,c go together",
            "give both or neither",
        )
    pens = (reader.line_width, reader.point_radius)
    if min(pens) < 1 or max(pens) > 10_000:
        raise UsageError("bad-option", "--line-width is 1 to 10000, --point-radius 1 to 10000")


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _renames(pairs: Sequence[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    for pair, (old, _, new) in zip(pairs, split, strict=True):
        if not old.strip() or not new.strip():
            reason = f"--map {pair!r} is not OLD=NEW"
            raise UsageError("bad-option", reason, "for example: --map kitten=cat")
    return {old.strip(): new.strip() for old, _, new in split}
