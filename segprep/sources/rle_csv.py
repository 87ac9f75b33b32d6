"""RLE in a CSV table, as Kaggle's challenges publish masks (Airbus, Severstal, DSB2018).

    src/
      train.csv       ImageId,EncodedPixels            one row per object, or per image
                      ImageId,ClassId,EncodedPixels    or ImageId_ClassId,EncodedPixels
      NAME.jpg        anywhere below SRC or --image-root

Format: https://www.kaggle.com/competitions/severstal-steel-defect-detection/overview/evaluation.
Assumptions: START LENGTH START LENGTH …, where pixels count down the columns from 1; a row without
RLE, and an image without rows, is all background, but for test images of which none has a row; a
table without classes has one, object; a table called a submission, beside others, is not meant.
"""

import csv
import io
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from segprep.errors import ForeignFileError, SourceError
from segprep.files import MAX_BYTES, read_below, walk
from segprep.imaging import image
from segprep.imaging.image import SUFFIXES
from segprep.names import natural_key, shown, stem_key, stem_of
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.pairing.folder_names import split_of, words
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_shapes import Region, mask_region
from segprep.sources._common.shapes.regions import Document, RegionReader, files_with
from segprep.sources._common.texts import json_values
from segprep.types import Evidence, Item, Note, Sample

EXAMPLES = (
    "segprep convert rle-csv airbus/ out/ --objects",
    "segprep convert rle-csv severstal/ out/ --image-root train_images/",
)
IMAGE = ("imageid", "image_id", "image", "img", "filename", "file_name", "id", "imageid_classid")
RUNS = (
    "encodedpixels",
    "rle",
    "rle_mask",
    "encoded_pixels",
    "encoding",
    "annotation",
    "segmentation",
    "mask",
)
CLASS = ("classid", "class_id", "class", "label", "category")
NAMELESS = "object"
FEW, MANY = 3, 10  # images and rows of one RLE that no annotation has
Images = defaultdict[str, dict[str, bool]]  # stem key -> name -> whether it is a test image
_PAIRS = re.compile(r"\s*\d+ \d+(?: \d+ \d+)* ?")  # START LENGTH START LENGTH


@dataclass(frozen=True, slots=True)
class Reader(RegionReader):
    """Read RLE from CSV files."""

    rows_only: Annotated[
        bool, "Skip images without a row, instead of taking them as all background."
    ] = False

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A CSV file with a column for the image and one for RLE."""
        real = root.resolve()
        for path in _meant(files_with(real, ".csv")):
            try:
                head = read_below(path, (real,), MAX_BYTES)[:65_536].decode("utf-8-sig", "replace")
                rows = csv.DictReader(io.StringIO(head, newline=""))
                columns = _columns(rows.fieldnames or (), path)
                cells = [row[columns[1]] or "" for row in islice(rows, 100)]
            except (SourceError, csv.Error):
                continue
            named = any(word in columns[1].lower() for word in ("encod", "rle"))
            if named or any(_PAIRS.match(cell) for cell in cells):
                return Evidence(0.9, f"{path.name} has the columns {columns[0]} and {columns[1]}")
        return None

    def documents(self) -> list[Path]:
        """Every CSV file."""
        return files_with(self.roots()[0], ".csv")

    def context(self) -> Images:
        """Every image's stem key with its name and whether it lies in a folder of test images."""
        images = Images(dict)
        for root in self.roots():
            for path in walk(root):
                if path.suffix.lower() in SUFFIXES:
                    is_test = split_of(str(path.parent.relative_to(root))) == "test"
                    images[stem_key(stem_of(path.name))][path.name] = is_test
        return images

    def parse(self, path: Path, context: Any = None) -> Document:
        """The images of one table, and those that it does not name."""
        tables = self.documents() if self.annotations else _meant(self.documents())
        if path not in tables:
            reason = "holds predictions, by its name, beside other tables"
            hint = f"if it is meant: --annotations {shlex.quote(path.name)}"
            raise ForeignFileError(path, reason, hint)
        images: Images = self.context() if context is None else context
        rows, labels = self._rows(path)
        _refuse_template(rows, path)
        listed = [
            AnnotatedImage(name, regions=tuple(regions), by_stem=True)
            for name, regions in rows.items()
        ]
        bare, notes = _without_rows(images, rows)
        alone = len(tables) == 1
        if alone and not self.rows_only:
            listed += [AnnotatedImage(name, by_stem=True) for name in bare]
        used = {region.label for regions in rows.values() for region in regions}
        declared = sorted(labels | used, key=natural_key) if alone and labels - used else ()
        return Document(
            tuple(listed), tuple(declared), notes if alone and not self.rows_only else ()
        )

    def read(self, item: Item, data: bytes | None = None) -> Sample:
        """The image, and the mask of its RLE, which need its size."""
        table, annotated = item.payload
        assert item.image
        data = read_below(item.image, self.roots(), MAX_BYTES) if data is None else data
        height, width = image.header(data, item.image, self.max_pixels).shape(upright=False)
        regions = tuple(
            sound
            for region in annotated.regions
            for sound in sound_regions(
                partial(_unpacked, region, height, width, item.labels[0]),
                region.address,
                self.bad_shape,
            )
        )
        drawn = AnnotatedImage(annotated.name, size=(height, width), regions=regions)
        return RegionReader.read(
            self, Item(item.stem, item.image, item.labels, (table, drawn), item.group), data
        )

    def _rows(self, path: Path) -> tuple[dict[str, list[Region]], set[str]]:
        """Image name -> its regions, RLE still as text in their group; and the classes of all rows,
        those without RLE, too.
        """
        text = read_below(path, self.roots(), MAX_BYTES).decode("utf-8-sig", "replace")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        name_column, run_column, class_column = _columns(reader.fieldnames or (), path)
        rows, labels = defaultdict[str, list[Region]](list), set[str]()
        for n, row in enumerate(reader, 2):
            name, label = (row[name_column] or "").strip(), NAMELESS
            if name_column.lower() == "imageid_classid":
                name, _, number = name.rpartition("_")
                label = f"class_{number}"
            elif class_column:
                said = (row[class_column] or "").strip()
                label = f"class_{said}" if said.isdecimal() else said
            if not name:
                raise SourceError(path, f"line {n}: names no image")
            runs = (row[run_column] or "").strip()
            listed = rows[name]
            label = json_values.label(label or NAMELESS, path, f"line {n}")
            if label != NAMELESS:
                labels.add(label)
            if runs and runs not in ("-1", "nan", "NaN"):
                listed.append(Region(label, f"line {n}", "mask", group=runs))
        return dict(rows), labels


def _meant(tables: list[Path]) -> list[Path]:
    """*tables* without those that are called submissions, if there are others."""
    truths = [path for path in tables if not {"submission", "submit"} & {*words(path.stem)}]
    return truths or tables


def _refuse_template(rows: Mapping[str, Sequence[Region]], path: Path) -> None:
    """Raise SourceError where every row holds the same RLE, as in a sample submission."""
    runs = [str(region.group) for regions in rows.values() for region in regions]
    if len(rows) >= FEW and len(runs) >= MANY and len(set(runs)) == 1:
        reason = f"all {len(runs)} rows hold the same RLE, {shown(runs[0])[:40]}"
        hint = "it is a template for predictions; give the table of the annotated images"
        raise SourceError(path, reason, hint, "bad-annotation")


def _without_rows(images: Images, rows: Iterable[str]) -> tuple[list[str], tuple[Note, ...]]:
    """The names of the *images* that no row names, and what is to be said of them. Those in a
    folder of test images, where no row names any there, are no background: nobody annotated them.
    """
    named = {stem_key(stem_of(name)) for name in rows}
    tested = any(any(images[key].values()) for key in named & images.keys())
    bare = [
        (name, is_test and not tested)
        for key in sorted(images.keys() - named)
        for name, is_test in islice(images[key].items(), 1)
    ]
    kept = [name for name, is_left in bare if not is_left]
    left, notes = len(bare) - len(kept), list[Note]()
    if kept:
        text = f"{len(kept)} images have no row and are all background; --rows-only skips them"
        notes.append(Note("image-unlabelled", text))
    if left:
        text = f"{left} images in folders of test images were skipped: the table names none there"
        notes.append(Note("image-unlabelled", text))
    return kept, tuple(notes)


def _columns(names: Any, path: Path) -> tuple[str, str, str]:
    """The columns of image, RLE and class ("" without). Raises ForeignFileError."""
    columns = {str(name).strip().lower(): name for name in names}
    image_column = next((columns[name] for name in IMAGE if name in columns), "")
    runs = next((columns[name] for name in RUNS if name in columns), "")
    if not image_column or not runs:
        raise ForeignFileError(
            path, f"is not an RLE table: its columns are {shown(', '.join(columns))[:100]}"
        )
    return image_column, runs, next((columns[name] for name in CLASS if name in columns), "")


def _unpacked(region: Region, height: int, width: int, path: Path) -> list[Region]:
    """The region of START LENGTH pairs, down the columns from 1. Raises SourceError (bad-shape)."""
    words = str(region.group).split()
    try:
        numbers = np.array([int(word) for word in words], np.int64)
    except (ValueError, OverflowError):
        numbers = np.array([-1])
    starts, lengths = numbers[::2] - 1, numbers[1::2]
    fits = len(words) % 2 == 0 and (numbers >= 0).all() and (starts >= 0).all()
    if not fits or (starts + lengths > height * width).any():
        reason = (
            f"{region.address}: START LENGTH pairs within {width}x{height} pixels were expected"
        )
        raise SourceError(path, reason, "is this the right image?", "bad-shape")
    steps = np.zeros(height * width + 1, np.int32)
    np.add.at(steps, starts, 1)
    np.add.at(steps, starts + lengths, -1)
    bits = (np.cumsum(steps[:-1]) > 0).reshape(width, height).T
    return [mask_region(region.label, region.address, bits, group=region.address)]
