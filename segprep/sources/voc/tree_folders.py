"""Where the tree lies below a source, and which of its folders holds the masks."""

from pathlib import Path

from segprep.dataset.tree import IMAGES, MASKS
from segprep.errors import UsageError
from segprep.imaging.image import SUFFIXES

MASK_FOLDERS = (
    MASKS,
    "SegmentationClassPNG",
    "SegmentationClassRaw",
)  # old labelme keeps arrays in SegmentationClass, DeepLab the ids in Raw


def homes(root: Path, *, images: bool = True) -> list[Path]:
    """*root* if it holds masks, and JPEGImages unless *images* lie elsewhere; else all such folders
    up to three levels below.
    """
    wanted = (IMAGES,) if images else MASK_FOLDERS
    for pattern in ("", "*/", "*/*/", "*/*/*/"):
        below = {
            path.parent
            for name in wanted
            for path in root.glob(pattern + name)
            if "__MACOSX" not in path.parts
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
            f"give the folder of one tree: {trees[0]}" if trees else "give the folder of one tree",
        )
    return trees[0]


def mask_folder(home: Path) -> Path:
    """The folder of the masks: the first of MASK_FOLDERS with an image in it."""
    there = [home / name for name in MASK_FOLDERS if (home / name).is_dir()]
    return next(
        (
            folder
            for folder in there
            if any(path.suffix.lower() in SUFFIXES for path in folder.rglob("*"))
        ),
        there[0],
    )
