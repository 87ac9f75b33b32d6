"""Folders that hold masks alone: their images lie elsewhere, where --image-root says."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from segprep.errors import SegprepError
from segprep.files import listing, read_below
from segprep.imaging import image, mask_files
from segprep.imaging.image import SUFFIXES
from segprep.names import stem_of
from segprep.sources._common.classes import color_tables
from segprep.sources._common.classes.mask_values import LARGEST
from segprep.sources._common.masks import lossy
from segprep.types import IGNORE

_MOST_FILES, _TRIED, _MOST_COLORS = 20_000, 12, 64
_WHAT = {"binary": "are black and white", "pairs": "hold small ids", "colormap": "hold few colors"}


def guess(*folders: Path) -> tuple[str, str] | None:
    """The format that reads the masks of all *folders*, and by what evidence; None where some of
    the files that are tried are photographs, or all are black.
    """
    tried = _sampled(folders)
    kinds = {_kind(path, folders) for path in tried} - {"black"}
    if not kinds or "" in kinds:
        return None
    format = next(name for name in ("colormap", "pairs", "binary") if name in kinds)
    return format, f"all {len(tried)} image files that were tried {_WHAT[format]}"


def odd(*folders: Path) -> Path | None:
    """The first of the masks of *folders* that are tried which no format reads; None if all are
    read.
    """
    return next((path for path in _sampled(folders) if not _kind(path, folders)), None)


def _sampled(folders: tuple[Path, ...]) -> list[Path]:
    """The files below *folders* that are tried, all over them."""
    paths = [Path(*file) for folder in folders for file in _images(folder)]
    return paths[:: max(1, len(paths) // _TRIED)][:_TRIED]


def reason(root: Path) -> tuple[str, str] | None:
    """That *root* holds masks only, and the command for them; None where it does not, or where a
    name occurs twice: one of the two may be an image.
    """
    stems = [stem_of(name) for _, name in _images(root)]
    masks = guess(root) if len(set(stems)) == len(stems) else None
    if masks is None:
        return None
    format, evidence = masks
    hint = f"segprep convert {format} SRC OUT --image-root FOLDER, the folder of the images"
    return f"holds masks only, it seems, and no images: {evidence}", hint


def _images(root: Path) -> list[tuple[str, str]]:
    """Folder and name of the image files below *root*."""
    files = islice(listing(str(root)), _MOST_FILES)
    return [file for file in files if file[1].lower().endswith(SUFFIXES)]


def _kind(path: Path, roots: tuple[Path, ...]) -> str:
    """The format that reads the mask at *path*; "black" for any; "" for no mask."""
    try:
        data = read_below(path, roots)
        lossy.refuse(data, path, stated=False)
        seen: Iterable[int] = image.histogram(mask_files.values(data, path, []))
    except SegprepError as error:
        return "colormap" if error.code == "mask-is-colour" and _is_flat(data, path) else ""
    values = set(seen)
    if values == {0}:
        return "black"
    if values <= {0, IGNORE}:
        return "binary"
    return "pairs" if max(values - {IGNORE}) <= LARGEST else ""


def _is_flat(data: bytes, path: Path) -> bool:
    """Whether the picture has few colors."""
    try:
        return len(color_tables.counted(mask_files.colors(data, path))) <= _MOST_COLORS
    except SegprepError:
        return False
