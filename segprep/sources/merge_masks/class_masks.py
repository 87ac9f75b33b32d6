"""Single masks of classes or regions: which image each belongs to and which class it shows, by
folders, names, or a table.
"""

import csv
import io
import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from segprep.errors import SegprepError, SourceError, UsageError
from segprep.files import listing, read_below, read_plain
from segprep.imaging import mask_files
from segprep.imaging.image import SUFFIXES
from segprep.names import natural_key, stem_key, stem_of
from segprep.sources._common.pairing import folder_names, image_folders
from segprep.sources._common.texts import strict_json
from segprep.types import Note, Skipped

_EXPORT = re.compile(r"task-(\d+)-annotation-\d+-by-[^-]*-[^-]*-(.+)-\d+$")  # Label Studio
_UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts before an uploaded file's name
_SEPARATOR = re.compile(r"[_\-. ]")
_COUNTER = re.compile(r"[_\-. ]+\d+$")


@dataclass(frozen=True, slots=True)
class RegionFolders:
    """Folder of images, folder of masks, table file; each may be empty."""

    images: str = ""
    masks: str = ""
    table: str = ""


@dataclass(frozen=True, slots=True)
class ClassMask:
    """One mask file and the class it shows."""

    path: Path
    label: str


def find(
    root: Path, folders: RegionFolders, skipped: list[Skipped], *, empty: bool = False
) -> dict[Path, list[ClassMask]]:
    """Image -> its regions in natural order (with *empty*, none for images without a mask); files
    that belong nowhere go to *skipped*.

    Raises UsageError where nothing fits.
    """
    images, masks = _files(root, folders)
    by_stem: dict[str, list[Path]] = {}
    for path in images:
        by_stem.setdefault(stem_key(stem_of(path.name)), []).append(path)
    rule = _from_table(folders.table) if folders.table else _rule(root, masks, by_stem)
    regions: dict[Path, list[ClassMask]] = {path: [] for path in images}
    for path in masks:
        stem, label = rule(path)
        if len(owners := by_stem.get(stem_key(stem), [])) == 1 and label:
            regions[owners[0]].append(ClassMask(path, label))
        else:
            why = f"{len(owners)} images are called {stem}" if stem else "its name matches no image"
            skipped.append(
                Skipped(
                    stem_of(path.name),
                    str(path),
                    "image-missing",
                    why,
                    "rename it, or list it in a --table of mask,image,class",
                )
            )
    for path in [path for path, listed in regions.items() if not listed and not empty]:
        del regions[path]
        skipped.append(
            Skipped(
                stem_of(path.name),
                str(path),
                "mask-missing",
                "no mask belongs to this image",
                "add masks, give --missing empty, or skip it with --on-error skip",
            )
        )
    return {
        path: sorted(listed, key=lambda region: natural_key(str(region.path)))
        for path, listed in regions.items()
    }


def is_colored(path: Path, root: Path) -> bool:
    """Whether the picture at *path* can be read and holds colors."""
    try:
        mask_files.lit(read_below(path, (root,)), path)
    except SegprepError as error:
        return error.code == "mask-is-colour"
    return False


def numbered(labels: set[str]) -> list[Note]:
    """A note where all *labels* are numbers, as objects of one class have."""
    if len(labels) < 2 or not all(label.isdecimal() for label in labels):
        return []
    first, *others = sorted(labels, key=natural_key)
    maps = " ".join(f"--map {label}=object" for label in (first, *others))
    reason = f"the classes {first} to {others[-1]} are numbers; if these are objects of one class"
    return [Note("instances-suspected", f"{reason}, then: segprep remap OUT MERGED {maps}")]


def _files(root: Path, folders: RegionFolders) -> tuple[list[Path], list[Path]]:
    """Image files and mask files: in two folders, or mixed in one."""
    every = [
        Path(folder, name) for folder, name in listing(str(root)) if name.lower().endswith(SUFFIXES)
    ]
    try:
        pairs = image_folders.folders(root, folders.images, folders.masks, mixed=False)
    except UsageError:
        if folders.images or folders.masks:
            raise
        stems = {(path.parent, stem_key(stem_of(path.name))) for path in every}
        images = [
            path
            for path in every
            if not any(
                (path.parent, start) in stems for start in _starts(stem_key(stem_of(path.name)))
            )
        ]
        if len(images) == len(every):
            raise
        whole = set(images)
        return images, [path for path in every if path not in whole]
    truths, pictures = {pair.masks for pair in pairs}, {pair.images for pair in pairs}
    masks = [path for path in every if truths.intersection(path.parents)]
    taken = set(masks)
    return [
        path for path in every if path not in taken and pictures.intersection(path.parents)
    ], masks


def _starts(stem: str) -> list[str]:
    """What *stem* begins with, up to each of its separators."""
    return [stem[: at.start()] for at in _SEPARATOR.finditer(stem)]


def _rule(
    root: Path, masks: Sequence[Path], by_stem: Mapping[str, list[Path]]
) -> Callable[[Path], tuple[str, str]]:
    """How a mask's path tells its image's stem and its class: the first way that serves most."""
    tasks = _tasks(root) if any(_EXPORT.match(stem_of(path.name)) for path in masks[:20]) else {}

    def by_export(path: Path) -> tuple[str, str]:
        match = _EXPORT.match(stem_of(path.name))
        return (tasks.get(int(match[1]), ""), match[2]) if match else ("", "")

    def by_class_folder(path: Path) -> tuple[str, str]:
        return stem_of(path.name), path.parent.name

    def by_image_folder(path: Path) -> tuple[str, str]:
        return path.parent.name, _COUNTER.sub("", stem_of(path.name))

    numbers = {int(stem): stem for stem in by_stem if stem.isdecimal()}

    def by_number(path: Path) -> tuple[str, str]:
        """``0/00012_hair.png`` is of image 12, whatever batch its folder stands for."""
        match = re.fullmatch(r"0*(\d+)[_-](.+)", stem_of(path.name))
        return (numbers.get(int(match[1]), ""), match[2]) if match else ("", "")

    def by_name(path: Path) -> tuple[str, str]:
        name = folder_names.whole_name(stem_of(path.name))
        stem = next((start for start in reversed(_starts(name)) if stem_key(start) in by_stem), "")
        return stem, _COUNTER.sub("", name[len(stem) :].lstrip("_-. ")) if stem else ""

    def success(rule: Callable[[Path], tuple[str, str]]) -> tuple[int, int]:
        """How many masks the rule gives an image, and to how many images."""
        stems = [stem_key(stem) for stem, label in map(rule, masks) if label]
        served = [stem for stem in stems if stem in by_stem]
        return len(served), len(set(served))

    return max((by_class_folder, by_image_folder, by_name, by_export, by_number), key=success)


def _tasks(root: Path) -> dict[int, str]:
    """Task number -> stem of its image, from the JSON exports at *root*; the eight digits of an
    upload dropped.
    """
    stems: dict[int, str] = {}
    for path in sorted(root.glob("*.json")):
        try:
            content = strict_json.parse(read_below(path, (root,)), path).value
        except SourceError:
            continue
        for task in content if isinstance(content, list) else ():
            data = task.get("data") if isinstance(task, dict) else None
            named = (
                next(
                    (
                        value
                        for value in data.values()
                        if isinstance(value, str) and value.lower().endswith(SUFFIXES)
                    ),
                    "",
                )
                if isinstance(data, dict)
                else ""
            )
            if named and isinstance(task.get("id"), int):
                stems[task["id"]] = _UPLOADED.sub("", stem_of(PureWindowsPath(named).name))
    return stems


def _from_table(table: str) -> Callable[[Path], tuple[str, str]]:
    """The rule of a CSV file with the columns mask, image and class. Raises UsageError."""
    try:
        rows = list(csv.DictReader(io.StringIO(read_plain(table).decode("utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            "bad-option",
            f"{table}: cannot be read: {error}",
            "give a CSV file with the columns mask, image, class",
        ) from error
    if not rows or not {"mask", "image", "class"} <= rows[0].keys():
        raise UsageError(
            "bad-option",
            f"{table} does not have the columns mask, image, class",
            "name them in its first line",
        )
    by_name = {
        PureWindowsPath(row["mask"]).name: (
            stem_of(PureWindowsPath(row["image"]).name),
            row["class"].strip(),
        )
        for row in rows
        if row["mask"] and row["image"]
    }
    return lambda path: by_name.get(path.name, ("", ""))


def refuse_view(labels: Collection[str]) -> None:
    """Raise UsageError where one of *labels* names the field of view of a camera."""
    views = sorted(label for label in labels if folder_names.shows_view(label))
    if views and len(labels) > len(views):
        raise UsageError(
            "folders-unclear",
            f"{views[0]} is the name of a camera's field of view; is it a class?",
            "if not, name the folder of the drawings and that of the field of view: segprep convert"
            " binary --masks NAME --view NAME; if so, name the classes: --classes"
            f" {shlex.quote(','.join(sorted(labels)))}",
        )
