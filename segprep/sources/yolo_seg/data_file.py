"""What stands beside YOLO's label files: data.yaml, or a list of classes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segprep.errors import SourceError
from segprep.files import MAX_BYTES, listing, read_below
from segprep.names import clean_label, stem_key, stem_of
from segprep.sources._common.classes import nearest_files
from segprep.sources._common.pairing.folder_names import split_of
from segprep.sources._common.refusals import foreign_files
from segprep.sources._common.texts import strict_yaml

LISTS_OF_CLASSES = ("classes.txt", "obj.names", "predefined_classes.txt")


def image_key(path: Path) -> tuple[str, str]:
    """The folder and stem key of the image that a label file belongs to."""
    parts = [*path.parent.parts]
    for n in reversed(range(len(parts))):
        if parts[n].lower() == "labels":
            parts[n] = parts[n].replace("labels", "images").replace("Labels", "Images")
            break
    return str(Path(*parts)), stem_key(stem_of(path.name))


@dataclass(frozen=True, slots=True)
class DataFile:
    """What a data.yaml or a list of classes at *path* says: *names* by class number; *folders* and
    *stems* of each of train, val and test. Its paths start at the folder *home*.
    """

    home: Path
    names: Mapping[int, str]
    path: Path | None = None
    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stems: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What its file is called."""
        return self.path.name if self.path else ""

    def in_order(self) -> tuple[str, ...]:
        """The names by their numbers."""
        return tuple(self.names[number] for number in sorted(self.names))

    def subset(self, path: Path) -> str:
        """The list of the label file or image *path*, relative to *home*; "" if none says."""
        image = Path(image_key(path)[0]).as_posix()
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


DataFiles = Mapping[Path, DataFile]  # by the folder of a label file


def data_files(root: Path, labels: Iterable[Path]) -> DataFiles:
    """For the folder of each of the *labels* the nearest YAML file at or above it, up to *root*,
    that has names, else the nearest list of classes, else that in *root*/labels.

    Raises SourceError: classes-ambiguous, bad-yaml, bad-classes, shape-without-area.
    """
    yamls, lists = defaultdict[Path, list[Path]](list), defaultdict[Path, list[Path]](list)
    for folder, name in listing(str(root)):
        if name.lower().endswith((".yaml", ".yml")):
            yamls[Path(folder)].append(Path(folder, name))
        elif name in LISTS_OF_CLASSES:
            lists[Path(folder)].append(Path(folder, name))
    labels = list(labels)
    described = nearest_files.by_folder(
        root, labels, lambda folder: _described(yamls[folder], root)
    )
    beside = nearest_files.by_folder(root, labels, lambda folder: _listed(lists[folder], root))
    last = _listed(lists[root / "labels"], root) or DataFile(root, {})
    return {folder: described[folder] or beside[folder] or last for folder in described}


def _described(paths: Sequence[Path], root: Path) -> DataFile | None:
    """What the only one of the YAML files *paths* of one folder says that has names."""
    described = []
    for path in sorted(paths):
        content = strict_yaml.parse(read_below(path, (root,), MAX_BYTES), path)
        if foreign_files.is_pose(content):
            raise SourceError(path, *foreign_files.POSE, "shape-without-area")
        if "names" in content:
            described.append((path, content))
    if len(described) > 1:
        listed = ", ".join(path.name for path, _ in described)
        reason = f"several files name classes: {listed}"
        raise SourceError(path.parent, reason, "keep one of them", "classes-ambiguous")
    if not described:
        return None
    path, content = described[0]
    entries = {name: _entries(content.get(name)) for name in ("train", "val", "test")}
    folders = {
        name: tuple(entry for entry in listed if not entry.endswith(".txt"))
        for name, listed in entries.items()
    }
    stems = {name: _stems_of(path.parent, listed, root) for name, listed in entries.items()}
    return DataFile(path.parent, _numbered(path, content["names"]), path, folders, stems)


def _listed(paths: Sequence[Path], root: Path) -> DataFile | None:
    """The classes of the first of the lists *paths*, a name per line."""
    for path in sorted(paths, key=lambda path: LISTS_OF_CLASSES.index(path.name)):
        text = read_below(path, (root,), MAX_BYTES).decode("utf-8-sig", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return DataFile(path.parent, _numbered(path, lines), path)
    return None


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


def _stems_of(home: Path, entries: list[str], root: Path) -> frozenset[str]:
    """The stems that the list files among *entries*, below *home*, name."""
    stems = set()
    for path in (home / entry for entry in entries if entry.endswith(".txt")):
        if path.is_file():
            text = read_below(path, (root,), MAX_BYTES).decode("utf-8-sig", "replace")
            stems |= {stem_of(line.strip().rsplit("/", 1)[-1]) for line in text.splitlines()}
    return frozenset(stems - {""})
