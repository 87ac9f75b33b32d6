"""Where the tree lies below a source, and which of its folders holds the masks."""

import shlex
from itertools import combinations
from pathlib import Path

from segprep.dataset.tree import IMAGES, MASKS
from segprep.errors import UsageError
from segprep.imaging.image import SUFFIXES
from segprep.names import natural_key
from segprep.sources._common.pairing import name_rules
from segprep.types import Note

MASK_FOLDERS = (
    MASKS,
    "SegmentationClassPNG",
    "SegmentationClassRaw",
)  # old labelme keeps arrays in SegmentationClass, DeepLab the ids in Raw
_ALL = "if all are meant, convert each, then: segprep merge OUT1 OUT2 OUT"


def homes(root: Path, *, images: bool = True) -> list[Path]:
    """*root* if it holds masks, and JPEGImages unless *images* lie elsewhere; else all such folders
    up to three levels below, hidden ones apart.
    """
    wanted = (IMAGES,) if images else MASK_FOLDERS
    for pattern in ("", "*/", "*/*/", "*/*/*/"):
        below = {
            path.parent
            for name in wanted
            for path in root.glob(pattern + name)
            if not any(
                part == "__MACOSX" or part.startswith(".") for part in path.relative_to(root).parts
            )
        }
        complete = [home for home in below if any((home / name).is_dir() for name in MASK_FOLDERS)]
        if complete:
            return sorted(complete)
    return []


def home(root: Path, *, images: bool = True) -> Path:
    """The folder that holds SegmentationClass, and JPEGImages unless *images* lie elsewhere.

    Raises UsageError.
    """
    trees = homes(root, images=images)
    if not trees and images and (bare := homes(root, images=False)):
        raise UsageError(
            "folders-unclear",
            f"{bare[0]} holds {mask_folder(bare[0]).name} but no {IMAGES}",
            "name the folder of the images: --image-root FOLDER, or export again with images"
            " (CVAT: Save images)",
        )
    if len(trees) != 1:
        listed = ", ".join(path.relative_to(root).as_posix() for path in trees)
        raise UsageError(
            "folders-unclear",
            f"{root} holds {f'several trees: {listed}' if trees else f'no {IMAGES} and {MASKS}'}",
            f"give the folder of one tree{f': {trees[0]}; {_ALL}' if trees else ''}",
        )
    return trees[0]


def mask_folder(home: Path) -> Path:
    """The folder of the masks: the first of MASK_FOLDERS with an image in it."""
    there = [home / name for name in MASK_FOLDERS if (home / name).is_dir()]
    return next((folder for folder in there if has_pictures(folder)), there[0])


def has_pictures(folder: Path) -> bool:
    """Whether a picture lies anywhere below *folder*."""
    return any(path.suffix.lower() in SUFFIXES for path in folder.rglob("*"))


def masks(root: Path, home: Path, named: str) -> Path:
    """The folder of the masks: *named* below *root*, else the one of *home*.

    Raises UsageError for a name outside *root*, and where folders below the one of *home* hold
    masks of the same names, and images have no such folders: only the user knows which of them is
    the truth.
    """
    if named:
        folder = root / named
        if not folder.is_dir() or not folder.resolve().is_relative_to(root):
            raise UsageError(
                "bad-option",
                f"--masks: {folder} is not a folder inside the source",
                f"give a folder below {root}",
            )
        return folder
    folder = mask_folder(home)
    inner = sorted(
        (
            path
            for path in folder.iterdir()
            if path.is_dir() and not (home / IMAGES / path.name).is_dir()
        ),
        key=lambda path: natural_key(path.name),
    )
    names = [{name for _, name in name_rules.image_files(path).parts()} for path in inner]
    if any(len(a & b) * 2 > min(len(a), len(b)) > 0 for a, b in combinations(names, 2)):
        choices = [shlex.quote(path.relative_to(root).as_posix()) for path in inner]
        counted = ", ".join(
            f"{path.name}/ ({len(files)})" for path, files in zip(inner, names, strict=True)
        )
        raise UsageError(
            "folders-unclear",
            f"{folder} holds several masks of the same names: {counted}; which is the truth?",
            f"choose one: segprep convert voc … --masks {' or --masks '.join(choices)}",
        )
    return folder


def scan_notes(folder: Path, bare: int, images: int) -> list[Note]:
    """What is said of the masks of *folder*: *bare* of the *images* have none."""
    notes = list[Note]()
    if bare:
        text = f"{bare} of {images} images have no mask; they were skipped"
        notes.append(Note("mask-missing", text))
    if folder.name != MASKS:
        notes.append(Note("labels-from", f"the masks were read from {folder.name}"))
    return notes
