"""YOLO segmentation (Ultralytics): one text file of polygons per image.

    src/
      data.yaml                    path, train, val, test; names: [cat, dog] or {0: cat, 1: dog}
      images/train/NAME.jpg        or train/images/NAME.jpg, or images/NAME.jpg
      labels/train/NAME.txt        CLASS x0 y0 x1 y1 …   as fractions of width and height

Format: https://docs.ultralytics.com/datasets/segment/. Assumptions: a label file lies where its
image does, with the last folder called images replaced by labels, or beside it; an image without a
label file is all background; later lines cover earlier ones; the data.yaml or classes.txt nearest
above a label file counts. Class 0 becomes pixel value 1, since 0 is the background.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from segprep.errors import SourceError
from segprep.files import MAX_BYTES, listing, read_below
from segprep.imaging.image import SUFFIXES
from segprep.names import shown, stem_key, stem_of
from segprep.sources._common.classes import nearest_files
from segprep.sources._common.images.source_images import AnnotatedImage
from segprep.sources._common.pairing.official_lists import SPLITS
from segprep.sources._common.refusals import foreign_files
from segprep.sources._common.shapes.faulty_regions import sound_regions
from segprep.sources._common.shapes.region_shapes import Kind, Region, Ring
from segprep.sources._common.shapes.regions import Document, RegionReader
from segprep.sources.yolo_seg.data_file import (
    LISTS_OF_CLASSES,
    DataFile,
    DataFiles,
    data_files,
    image_key,
)
from segprep.types import Evidence, Note

EXAMPLES = (
    "segprep convert yolo-seg dataset/ out/",
    "segprep convert yolo-seg dataset/ out/ --boxes skip",
)
FARTHEST = 1.02  # a fraction beyond this is not a rounding of 1
EVERY_TEXT = (".txt",)


@dataclass(frozen=True, slots=True)
class Reader(RegionReader):
    """Read a YOLO segmentation dataset."""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """A text file below labels/ (or beside an image) whose first line is a class and polygon
        fractions.
        """
        real = root.resolve()
        if foreign_files.pose_data(real):
            return None
        for path in cls(real).documents():
            if path.suffix.lower() in SUFFIXES:
                continue
            try:
                line = read_below(path, (real,)).split(b"\n", 1)[0]
            except SourceError:
                continue
            words = line.split()
            if len(words) < 7 or len(words) % 2 == 0 or not words[0].isdigit():
                return None
            if all(_is_fraction(word) for word in words[1:-1]):
                return Evidence(0.9, f"{path.relative_to(real)} has a class and polygon fractions")
            return None
        return None

    def documents(self) -> list[Path]:
        """Every label file, and every image beside them that has none."""
        entries = [
            (folder, name)
            for folder, name in listing(str(self.roots()[0]))
            if not name.lower().startswith("readme")
        ]
        texts = {
            image_key(Path(folder, name)): Path(folder, name)
            for folder, name in entries
            if name.lower().endswith(EVERY_TEXT) and name not in LISTS_OF_CLASSES
        }
        if not texts:
            return []
        images = [Path(folder, name) for folder, name in entries if name.lower().endswith(SUFFIXES)]
        pictured = set(map(_key, images))
        labels = {
            key: path
            for key, path in texts.items()
            if not self._is_list(path) and (key in pictured or self._is_label(path))
        }
        folders = {folder for folder, _ in labels}
        bare = [path for path in images if _key(path) not in labels and (_key(path)[0] in folders)]
        return sorted([*labels.values(), *bare])

    def context(self) -> DataFiles:
        """What the data.yaml or the class list nearest to each label file says."""
        return data_files(self.roots()[0], self.documents())

    def declared(self, context: Any = None) -> tuple[tuple[str, ...], str]:
        """The names of data.yaml, or of classes.txt."""
        files: DataFiles = context
        return nearest_files.union(
            self.roots()[0], [(file.path, file.in_order()) for file in files.values() if file.path]
        )

    def parse(self, path: Path, context: Any = None) -> Document:
        """The polygons of one label file; an image without one has none."""
        files: DataFiles = self.context() if context is None else context
        described = files[path.parent]
        subset = described.subset(path.relative_to(described.home))
        if path.suffix.lower() in SUFFIXES:
            note = Note("label-file-missing", "no label file: the mask is all background")
            return Document((AnnotatedImage(path.name, path=path, subset=subset, notes=(note,)),))
        regions = tuple(
            region
            for number, line in enumerate(self._lines(path), 1)
            if line.strip()
            for region in sound_regions(
                partial(_regions, line, path, f"line {number}", described),
                f"line {number}",
                self.bad_shape,
            )
        )
        empty = Note("label-file-empty", "its label file is empty: the mask is all background")
        image = AnnotatedImage(
            path.name,
            notes=() if path.stat().st_size else (empty,),
            regions=regions,
            subset=subset,
            path=_beside_labels(path),
            by_stem=True,
            relative=True,
        )
        return Document((image,))

    def _lines(self, path: Path) -> list[str]:
        if path.is_file() and path.stat().st_size == 0:
            return []  # how YOLO writes an image without objects
        try:
            return read_below(path, self.roots(), MAX_BYTES).decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise SourceError(path, f"is not text: {error}", code="bad-encoding") from error

    def _is_label(self, path: Path) -> bool:
        """Whether a text file without an image is a label file all the same: it lies in a folder
        labels, or holds numbers; requirements.txt does not.
        """
        if any(part.lower() == "labels" for part in path.relative_to(self.roots()[0]).parts[:-1]):
            return True
        try:
            words = read_below(path, self.roots(), MAX_BYTES, empty=True)[:200].split()
        except SourceError:
            return True  # whoever reads it says what is wrong with it
        return not words or words[0].isdigit() or sum(map(_is_fraction, words)) > 2

    def _is_list(self, path: Path) -> bool:
        """Whether a text file at the top is a list of images (train.txt) rather than labels."""
        if stem_of(path.name).lower() not in SPLITS:
            return False
        first = read_below(path, self.roots(), MAX_BYTES).split(b"\n", 1)[0].strip()
        return Path(first.decode("utf-8", "replace")).suffix.lower() in SUFFIXES


def _regions(line: str, path: Path, address: str, described: DataFile) -> list[Region]:
    words = line.split()
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if not values or not words[0].isdecimal() or len(words[0]) > 6:
        raise SourceError(
            path, f"{address}: CLASS x0 y0 x1 y1 … was expected, not {shown(line)[:60]}",
            code="bad-shape",
        )  # fmt: skip
    number, points, names = int(words[0]), values[1:], described.names
    if names and number not in names:
        raise SourceError(
            path,
            f"{address}: class {number} is not in {described.name}, which names {len(names)}"
            " classes",
            f"add it to {described.name}",
            "unknown-label",
        )
    if len(points) % 2 and len(points) > 6:
        points = points[:-1]  # a confidence, as predictions have
    if len(points) % 2 or len(points) < 4 or not all(-0.02 <= v <= FARTHEST for v in points):
        raise SourceError(
            path,
            f"{address}: fractions of the image in pairs were expected, not {shown(line)[:60]}",
            "coordinates are divided by the image's width and height",
            "bad-shape",
        )
    label = names.get(number, f"class_{number}")
    kind: Kind = "box" if len(points) == 4 else "polygon"
    return [Region(label, address, kind, (_corners(points) if kind == "box" else tuple(points),))]


def _corners(points: list[float]) -> Ring:
    """The box of center, width and height."""
    x, y, width, height = points
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _is_fraction(word: bytes) -> bool:
    try:
        return -0.02 <= float(word) <= FARTHEST
    except ValueError:
        return False


def _key(path: Path) -> tuple[str, str]:
    return str(path.parent), stem_key(stem_of(path.name))


def _beside_labels(path: Path) -> Path | None:
    """The image of the label file *path* in images/ or beside it, if there is just one."""
    folder, key = image_key(path)
    images = [
        image
        for home in dict.fromkeys((Path(folder), path.parent))
        if home.is_dir()
        for image in sorted(home.iterdir())
        if image.suffix.lower() in SUFFIXES and stem_key(stem_of(image.name)) == key
    ]
    return images[0] if len(images) == 1 else None
