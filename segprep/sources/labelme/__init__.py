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
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, cast

from segprep.errors import SourceError, UsageError
from segprep.files import listing, walk
from segprep.names import natural_key, stem_key, stem_of
from segprep.sources._common.classes.label_options import LabelOptions
from segprep.sources._common.classes.labels import LabelTable
from segprep.sources._common.pairing import official_lists, stems
from segprep.sources._common.pairing.folder_names import ExcludeFolder, is_excluded, split_of
from segprep.sources._common.pairing.official_lists import ListsFromFolders
from segprep.sources._common.shapes.outlines import drawn
from segprep.sources._common.shapes.region_areas import refuse_outside
from segprep.sources._common.shapes.region_attributes import ClassFrom
from segprep.sources.labelme import annotation_file, drawing, other_files, picture
from segprep.sources.labelme.annotation_file import Annotation
from segprep.sources.labelme.search import ImageFrom, Search
from segprep.sources.labelme.shape_types import Pens
from segprep.sources.labelme.trust import UNKNOWN, Trust, trust
from segprep.types import Evidence, Item, Note, Progress, Sample, Scan, no_progress

EXAMPLES = (
    "segprep json2mask before/ out/",
    "segprep json2mask before/ out/ --classes labels.txt --on-error skip",
    "segprep json2mask annotations/ out/ --image-root images/ --map kitten=cat --exclude dontcare",
)


@dataclass(frozen=True, slots=True)
class Reader(LabelOptions):
    """Read a folder of labelme JSON files."""

    exclude_folder: ExcludeFolder = ()
    lists_from_folders: ListsFromFolders = "auto"
    objects: Annotated[
        bool, "Write SegmentationObject as well: one id per group_id, or per shape without one."
    ] = False
    image_from: ImageFrom = "auto"
    line_width: Annotated[int, "Width of line and linestrip shapes in pixels."] = 10
    point_radius: Annotated[int, "Radius of point shapes in pixels."] = 5
    compare: Annotated[
        bool, "Also compare each image file with its embedded copy pixel by pixel."
    ] = False
    class_from: ClassFrom = ""
    encoding: Annotated[
        str,
        "Text encoding of the JSON files, such as cp1252; auto tries UTF-8, UTF-16, GB18030,"
        " Shift-JIS, EUC-JP, EUC-KR and Big5 and takes what reads plausibly.",
    ] = "auto"

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
        rules, roots = self.rules(), self.roots()
        if (
            min(self.line_width, self.point_radius) < 1
            or max(self.line_width, self.point_radius) > 10_000
        ):
            raise UsageError("bad-option", "--line-width is 1 to 10000, --point-radius 1 to 10000")
        files = [
            (folder, name)
            for folder, name in listing(str(roots[0]))
            if not is_excluded(Path(folder), roots[0], self.exclude_folder)
        ]
        jsons = [Path(folder, name) for folder, name in files if name.lower().endswith(".json")]
        jsons = [path for path in jsons if not other_files.is_record(path, roots, self.encoding)]
        reading = drawing.FileReading(roots, self.encoding, jobs, progress, self.class_from)
        table, notes = drawing.label_table(rules, roots[0], jsons, reading)
        notes = (*notes, *other_files.linked_folders(files))
        near, below = stems.images_by_stem(files), self._below(files)
        items: list[Item] = []
        for path in jsons:
            key = stem_key(stem_of(path.name))
            beside = near.get((os.path.dirname(path), key), ())
            payload = (table, beside, tuple(below.get(key, ())))
            items.append(Item(stems.sample_stem(path, roots[0], self.stem), None, (path,), payload))
        images = {item.labels[0]: item.payload[1:] for item in items}
        folder = trust(jsons, lambda path: self._search(self.annotation(path), *images[path]))
        items = [replace(item, payload=(*item.payload, folder)) for item in items]
        skipped = other_files.named(files) if not jsons else []
        kept = stems.unique(
            items, skipped, lambda item: other_files.foreign(item, roots, self.encoding)
        )
        lists, unlisted = self._lists(kept)
        skips = tuple(map(stems.with_exclusion, skipped))
        return Scan(kept, table.classes, skips, lists, (*notes, *unlisted))

    def read(self, item: Item) -> Sample:
        """The image, and the mask that its shapes paint."""
        annotation = self.annotation(item.labels[0])
        table, *images = cast("tuple[LabelTable, Any, Any, Trust]", item.payload)
        view, notes = picture.view_of(self._search(annotation, *images))
        pens = Pens(self.line_width, self.point_radius)
        outlines = drawing.outlines(
            annotation, size=view.size, pens=pens, class_from=self.class_from
        )
        skip_bad = self.bad_shape == "skip"
        shapes = drawn(outlines, table, path=annotation.path, size=view.size, skip_bad=skip_bad)
        if not annotation.shapes:
            notes.append(Note("no-shapes", "no shapes: the mask is all background"))
        painted, more = self.painted(
            shapes,
            view.size,
            path=annotation.path,
            address="shapes",
            background=table.classes.background,
        )
        if not skip_bad and len(shapes.shapes) > 1:  # one alone may be a stray click
            refuse_outside(annotation.path, shapes.shapes, more, view.size)
        return Sample(
            item.stem,
            view.data,
            painted.mask,
            painted.objects,
            view.upright,
            (*annotation.notes, *notes, *shapes.notes, *more),
            painted.pixels,
            shapes.unpainted,
        )

    def annotation(self, path: Path) -> Annotation:
        """The JSON file *path*. Raises SourceError."""
        return annotation_file.load(path, self.roots(), self.encoding)

    def _below(self, files: Sequence[tuple[str, str]]) -> Mapping[str, Sequence[Path]]:
        """Stem key -> the images of that name below SRC, whose *files* are listed, that have no
        annotation beside them, and those below --image-root.
        """
        below: dict[str, list[Path]] = defaultdict(list)
        claimed = {
            (folder, stem_key(stem_of(name)))
            for folder, name in files
            if name.lower().endswith(".json")
        }
        for (folder, key), names in stems.images_by_stem(files).items():
            if (folder, key) not in claimed:
                below[key] += (Path(folder, name) for name in names)
        for root in self.roots()[1:]:
            for key, paths in stems.images_below(root).items():
                below[key] += (path for path in paths if path not in below[key])
        return below

    def _lists(self, items: Sequence[Item]) -> tuple[dict[str, tuple[str, ...]], list[Note]]:
        """The official lists that the annotations' folders stand for, if they name one for every
        annotation, or several; a note on annotations in no list.
        """
        if self.lists_from_folders == "no":
            return {}, []
        lists: dict[str, list[Item]] = defaultdict(list)
        for item in sorted(items, key=lambda item: natural_key(item.stem)):
            lists[split_of(str(item.labels[0].parent.relative_to(self.roots()[0])))].append(item)
        without = lists.pop("", [])
        if without and len(lists) < 2:
            return {}, []
        roots = self.roots()
        lost = [i.stem for i in without if not other_files.foreign(i, roots, self.encoding)]
        stems_of = {name: tuple(item.stem for item in listed) for name, listed in lists.items()}
        return stems_of, official_lists.unlisted(lost, "annotations")

    def _search(
        self,
        annotation: Annotation,
        beside: Sequence[str],
        below: Sequence[Path],
        folder: Trust = UNKNOWN,
    ) -> Search:
        return Search(
            annotation.path,
            annotation.named,
            annotation.embedded,
            annotation.recorded,
            annotation.reach,
            annotation.topmost,
            [annotation.path.parent / name for name in beside],
            below,
            self.roots(),
            self.image_from,
            self.compare,
            self.max_pixels,
            folder.doubted,
            folder.against,
        )
