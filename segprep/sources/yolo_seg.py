"""YOLO segmentation (Ultralytics): one text file of polygons per image.

    src/
      data.yaml                    path, train, val, test; names: [cat, dog] or {0: cat, 1: dog}
      images/train/NAME.jpg        or train/images/NAME.jpg, or images/NAME.jpg
      labels/train/NAME.txt        CLASS x0 y0 x1 y1 …   as fractions of width and height

Format: https://docs.ultralytics.com/datasets/segment/. Assumptions: a label file lies where its
image does, with the last folder called images replaced by labels, or beside it; an image without a
label file is all background; later lines cover earlier ones. Class 0 becomes pixel value 1, since
0 is the background.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from segprep.errors import SourceError
from segprep.files import MAX_BYTES, listing, read_below, walk
from segprep.imaging.image import SUFFIXES
from segprep.names import clean_label, shown, stem_key, stem_of
from segprep.sources._common import foreign_files, strict_yaml
from segprep.sources._common.faulty_regions import sound_regions
from segprep.sources._common.folder_names import split_of
from segprep.sources._common.official_lists import SPLITS
from segprep.sources._common.region_shapes import Kind, Region, Ring
from segprep.sources._common.regions import Document, RegionReader
from segprep.sources._common.source_images import AnnotatedImage
from segprep.types import Evidence, Note

EXAMPLES = (
    "segprep convert yolo-seg dataset/ out/",
    "segprep convert yolo-seg dataset/ out/ --boxes skip",
)
LISTS_OF_CLASSES = ("classes.txt", "obj.names", "predefined_classes.txt")
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
        for path in walk(real):
            name = path.name.lower()
            if not name.endswith(EVERY_TEXT) or name in LISTS_OF_CLASSES or name[:6] == "readme":
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
        texts, images = {}, []
        for folder, name in listing(str(self.roots()[0])):
            path = Path(folder, name)
            if name.lower().startswith("readme"):
                continue
            if name.lower().endswith(EVERY_TEXT) and name not in LISTS_OF_CLASSES:
                texts[_image_key(path)] = path
            elif path.suffix.lower() in SUFFIXES:
                images.append(path)
        lists = {path for path in texts.values() if self._is_list(path)}
        labels = {key: path for key, path in texts.items() if path not in lists}
        folders = {folder for folder, _ in labels}
        bare = [path for path in images if _key(path) not in labels and (_key(path)[0] in folders)]
        return sorted([*labels.values(), *bare])

    def context(self) -> "DataFile":
        """What data.yaml and the class lists say."""
        return data_file(self.roots()[0])

    def declared(self, context: Any = None) -> tuple[tuple[str, ...], str]:
        """The names of data.yaml, or of classes.txt."""
        names = context.names
        return tuple(names[number] for number in sorted(names)), context.origin

    def parse(self, path: Path, context: Any = None) -> Document:
        """The polygons of one label file; an image without one has none."""
        described = context or self.context()
        subset = described.subset(path.relative_to(self.roots()[0]))
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

    def _is_list(self, path: Path) -> bool:
        """Whether a text file at the top is a list of images (train.txt) rather than labels."""
        if stem_of(path.name).lower() not in SPLITS:
            return False
        first = read_below(path, self.roots(), MAX_BYTES).split(b"\n", 1)[0].strip()
        return Path(first.decode("utf-8", "replace")).suffix.lower() in SUFFIXES


def _regions(line: str, path: Path, address: str, described: "DataFile") -> list[Region]:
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
            f"{address}: class {number} is not in {described.origin}, which names {len(names)}"
            " classes",
            f"add it to {described.origin}",
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


def _image_key(path: Path) -> tuple[str, str]:
    """The folder and stem key of the image that a label file belongs to."""
    parts = [*path.parent.parts]
    for n in reversed(range(len(parts))):
        if parts[n].lower() == "labels":
            parts[n] = parts[n].replace("labels", "images").replace("Labels", "Images")
            break
    return str(Path(*parts)), stem_key(stem_of(path.name))


def _key(path: Path) -> tuple[str, str]:
    return str(path.parent), stem_key(stem_of(path.name))


def _beside_labels(path: Path) -> Path | None:
    """The image of the label file *path* in images/ or beside it, if there is just one."""
    folder, key = _image_key(path)
    images = [
        image
        for home in dict.fromkeys((Path(folder), path.parent))
        if home.is_dir()
        for image in sorted(home.iterdir())
        if image.suffix.lower() in SUFFIXES and stem_key(stem_of(image.name)) == key
    ]
    return images[0] if len(images) == 1 else None


@dataclass(frozen=True, slots=True)
class DataFile:
    """What data.yaml says: *names* by class number, read from *origin*; *folders* and *stems* of
    each of train, val and test.
    """

    names: Mapping[int, str]
    origin: str = ""
    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stems: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def subset(self, path: Path) -> str:
        """The list of the label file or image *path*, relative to the source; "" if none says."""
        image = Path(_image_key(path)[0]).as_posix()
        for name, stems in self.stems.items():
            if stem_of(path.name) in stems:
                return name
        matches = {
            name
            for name, folders in self.folders.items()
            for folder in folders
            if image == folder or image.startswith(f"{folder}/")
        }
        return matches.pop() if len(matches) == 1 else split_of(str(path.parent))


def data_file(root: Path) -> DataFile:
    """The only YAML file at the top of *root* that has names, else a list of classes.

    Raises SourceError: classes-ambiguous, bad-yaml, bad-classes, shape-without-area.
    """
    described = []
    for path in sorted([*root.glob("*.yaml"), *root.glob("*.yml")]):
        content = strict_yaml.parse(read_below(path, (root,), MAX_BYTES), path)
        if foreign_files.is_pose(content):
            raise SourceError(path, *foreign_files.POSE, "shape-without-area")
        if "names" in content:
            described.append((path, content))
    if len(described) > 1:
        listed = ", ".join(path.name for path, _ in described)
        reason = f"several files name classes: {listed}"
        raise SourceError(root, reason, "keep one of them", "classes-ambiguous")
    if described:
        path, content = described[0]
        entries = {name: _entries(content.get(name)) for name in ("train", "val", "test")}
        folders = {
            name: tuple(entry for entry in listed if not entry.endswith(".txt"))
            for name, listed in entries.items()
        }
        stems = {name: _stems_of(root, listed) for name, listed in entries.items()}
        return DataFile(_numbered(path, content["names"]), path.name, folders, stems)
    for folder in (root, root / "labels"):
        for path in (folder / name for name in LISTS_OF_CLASSES if (folder / name).is_file()):
            text = read_below(path, (root,), MAX_BYTES).decode("utf-8-sig", "replace")
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            return DataFile(_numbered(path, lines), path.name)
    return DataFile({})


def _numbered(path: Path, names: Any) -> dict[int, str]:
    """Class number -> name. Raises SourceError (bad-classes)."""
    pairs = names.items() if isinstance(names, dict) else enumerate(names or [])
    try:
        return {int(number): clean_label(str(name)) for number, name in pairs}
    except (ValueError, TypeError) as error:
        raise SourceError(path, f"names: {error}", code="bad-classes") from error


def _entries(value: Any) -> list[str]:
    """The folders and lists of a key of data.yaml, from its folder, without leading ./ and ../"""
    listed = value if isinstance(value, list) else [value]
    return [
        "/".join(part for part in entry.replace("\\", "/").split("/") if part.strip("."))
        for entry in listed
        if isinstance(entry, str)
    ]


def _stems_of(root: Path, entries: list[str]) -> frozenset[str]:
    """The stems that the list files among *entries* name."""
    stems = set()
    for path in (root / entry for entry in entries if entry.endswith(".txt")):
        if path.is_file():
            text = read_below(path, (root,), MAX_BYTES).decode("utf-8-sig", "replace")
            stems |= {stem_of(line.strip().rsplit("/", 1)[-1]) for line in text.splitlines()}
    return frozenset(stems - {""})
