"""Why no format reads a folder: broken files first, then layouts of other tools."""

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from segprep.errors import SegprepError, SourceError
from segprep.files import listing, read_below
from segprep.imaging import image
from segprep.imaging.image import SUFFIXES
from segprep.names import shown, stem_of
from segprep.sources._common.pairing.files_beside import READ_BESIDE
from segprep.sources._common.pairing.folder_names import MASKS, words
from segprep.sources._common.refusals.foreign_files import JUDGES, named
from segprep.sources._common.texts import strict_json

_MOST_FILES, _MOST_READ = 20_000, 40
_NUMBERED = re.compile(r"(\D*)(\d+)(\D*)")
_LOSSY = (".jpg", ".jpeg", ".webp")


_AS_PNG = "save them as PNG, class ids and colors unchanged"
_ONE_ARCHIVE = "give one of them as the source, or unpack all and give the folder"


_BY_SUFFIX = {
    ".mat": ("MATLAB files", named("mat")),
    ".nii": ("NIfTI volumes", "export their slices as PNG, then: segprep convert pairs"),
    ".gz": ("gzip archives or NIfTI volumes", "unpack them, or export their slices as PNG"),
    ".dcm": ("DICOM files", "export their slices as PNG, then: segprep convert pairs"),
    ".npy": ("NumPy arrays", named("arrays")),
    ".npz": ("NumPy arrays", named("arrays")),
    ".h5": ("HDF5 files", "export their arrays as PNG"),
    ".parquet": ("Parquet tables", "save their images and masks as files"),
    ".tfrecord": ("TFRecord files", "save their images and masks as files"),
    ".zip": ("zip archives", _ONE_ARCHIVE),
    ".tar": ("tar archives", _ONE_ARCHIVE),
    ".tgz": ("tar archives", _ONE_ARCHIVE),
    ".7z": ("7z archives", "unpack them"),
    ".rar": ("rar archives", "unpack them"),
    ".jp2": ("JPEG 2000 pictures", _AS_PNG),
    ".tga": ("Targa pictures", _AS_PNG),
    ".exr": ("OpenEXR pictures", _AS_PNG),
    ".pfm": ("PFM pictures", _AS_PNG),
    ".heic": ("HEIC pictures", _AS_PNG),
    ".avif": ("AVIF pictures", _AS_PNG),
    ".psd": ("Photoshop files", _AS_PNG),
    ".svg": ("SVG drawings", _AS_PNG),
    ".roi": ("ImageJ regions", "in ImageJ: Edit, Selection, Create Mask; save the masks as PNG"),
    ".pt": ("PyTorch tensors", "save them with numpy.save, then: segprep convert arrays"),
    ".pth": ("PyTorch tensors", "save them with numpy.save, then: segprep convert arrays"),
    ".pkl": ("pickled objects", "save their masks as PNG; pickles are never opened here"),
    ".nrrd": ("NRRD volumes", "export their slices as PNG, then: segprep convert pairs"),
    ".mha": ("MetaImage volumes", "export their slices as PNG, then: segprep convert pairs"),
    ".svs": ("whole-slide images", "export regions of them as PNG"),
    ".geojson": ("GeoJSON shapes", named("geojson")),
    ".shp": ("shapefiles", "rasterize them to PNG masks, then: segprep convert pairs"),
}


def reason(root: Path) -> tuple[str, str] | None:
    """What *root* holds that keeps it from being read, and what to do; None if unknown."""
    paths = [Path(folder, name) for folder, name in islice(listing(str(root)), _MOST_FILES)]
    if all(path.is_symlink() and path.is_dir() for path in paths):
        links = [path.name for path in root.iterdir() if path.is_symlink()]
        if links:
            return f"holds only links: {', '.join(links[:4])}", "give the folder that they lead to"
        return "holds no files", "give the folder that holds the images"
    return _broken(root, paths) or _without_images(root, paths) or _broken_json(root, paths)


def _without_images(root: Path, paths: Sequence[Path]) -> tuple[str, str] | None:
    """Masks of a VOC-style export that was made without the images."""
    kinds = {part for path in paths for part in path.relative_to(root).parts[:-1]}
    if "SegmentationClass" in kinds and "JPEGImages" not in kinds:
        return (
            "holds masks (SegmentationClass) but no JPEGImages",
            "export it again with its images (CVAT: Save images), or put them into JPEGImages",
        )
    return None


def _broken(root: Path, paths: Sequence[Path]) -> tuple[str, str] | None:
    """What is wrong with most of its image files, if most of them cannot be opened."""
    for suffix in sorted(SUFFIXES):  # photographs may be whole where every mask is broken
        images = [path for path in paths if path.suffix.lower() == suffix]
        some = images[:: max(1, len(images) // _MOST_READ)]
        causes = dict[tuple[str, str], list[Path]]()
        for path in some:
            try:
                image.header(read_below(path, (root,)), path)
            except SegprepError as error:
                cause = getattr(error, "reason", error.message), error.hint
                causes.setdefault(cause, []).append(path)
        if 2 * sum(map(len, causes.values())) > len(some):
            (text, hint), broken = max(causes.items(), key=lambda item: len(item[1]))
            what = f"{len(broken)} of {len(some)} {suffix} files that were tried cannot be opened"
            name = broken[0].relative_to(root).as_posix()
            return f"{what}: the file {text} ({name}, …)", hint
    return None


def _broken_json(root: Path, paths: Sequence[Path]) -> tuple[str, str] | None:
    """What is wrong with its JSON files, if none of them can be read."""
    files = [path for path in paths if path.suffix.lower() == ".json"][:_MOST_READ]
    faults: list[SourceError] = []
    for path in files:
        try:
            strict_json.parse(read_below(path, (root,), 64 << 20), path)
        except SourceError as error:
            faults.append(error)
    if not files or len(faults) < len(files):
        return None
    name, fault = files[0].relative_to(root).as_posix(), faults[0]
    what = f"no .json file of {len(files)} that were tried can be read: {name} {fault.reason}"
    return what, fault.hint


def other_tool(root: Path) -> tuple[str, str] | None:
    """The annotation files or volumes below *root* that no format reads as they are, and what to do
    with them; None if there are none.
    """
    paths = [Path(folder, name) for folder, name in islice(listing(str(root)), _MOST_FILES)]
    suffixes = Counter(_kind(path) for path in paths)
    for suffix, judge in JUDGES.items():
        for path in [path for path in paths if path.suffix.lower() == suffix][:8]:
            try:
                data = read_below(path, (root,), 64 << 20)
            except SegprepError:
                continue
            if said := judge(data, path):
                return f"{path.relative_to(root).as_posix()} is {said[0]}", said[1]
    pictures = sum(suffixes[suffix] for suffix in SUFFIXES)
    for suffix, count in suffixes.most_common():
        if suffix in _BY_SUFFIX and 4 * count >= pictures:  # not one model beside the images
            what, hint = _BY_SUFFIX[suffix]
            return f"holds {suffixes[suffix]} {what} (*{suffix})", hint
    return None


def _kind(path: Path) -> str:
    """The extension of *path* in small letters; that of what is packed for volumes, .nii.gz."""
    name = path.name.lower()
    return ".nii" if name.endswith(".nii.gz") else path.suffix.lower()


def unnamed(root: Path) -> str:
    """The annotation files below *root* of which no tool is known, by their keys; "" if none."""
    told = []
    for suffix, keys_of in ((".json", _json_keys), (".csv", _csv_keys)):
        files = [
            Path(folder, name)
            for folder, name in islice(listing(str(root)), _MOST_FILES)
            if name.lower().endswith(suffix) and name not in READ_BESIDE
        ]
        try:
            keys = keys_of(read_below(files[0], (root,), 64 << 20)) if files else []
        except (SegprepError, ValueError, RecursionError):
            continue
        if keys:
            listed = ", ".join(shown(key)[:30] for key in keys[:6])
            told.append(f"{files[0].relative_to(root).as_posix()} with {listed}")
    return " and ".join(told)


def _json_keys(data: bytes) -> list[str]:
    content = json.loads(data)
    first = content[0] if isinstance(content, list) and content else content
    return list(first) if isinstance(first, dict) else []


def _csv_keys(data: bytes) -> list[str]:
    line = data[:2048].split(b"\n")[0].decode("utf-8-sig", "replace")
    return [word.strip() for word in re.split("[,;\t]", line)]


def pairs_hint(root: Path) -> str:
    """How to state which images and masks belong together, for a folder that holds pictures whose
    names do not tell; "" where it holds none.
    """
    names: dict[str, list[str]] = {}
    for folder, name in islice(listing(str(root)), _MOST_FILES):
        if name.lower().endswith(SUFFIXES):
            names.setdefault(os.path.relpath(folder, root), []).append(name)
    if not names:
        return ""
    if len(names) > 1:
        if pattern := _in_each(list(names.values())):
            return f"state the pairs: segprep convert pairs SRC OUT --pair '{pattern}' --stem path"
        ends = {os.path.basename(name) for name in names}
        repeated = len(ends) == 2 and len(names) > 2  # train/a, train/b, val/a, val/b
        listed = ", ".join(sorted(ends if repeated else names)[:6])
        return (
            "name them: segprep convert pairs SRC OUT --images NAME --masks NAME; there are"
            f" {listed}"
        )
    (inside,) = names.values()
    pattern = _two_kinds(inside) or "{stem}.jpg={stem}_anno.png"
    return f"state the pairs, image first: segprep convert pairs SRC OUT --pair '{pattern}'"


def _in_each(folders: Sequence[Sequence[str]]) -> str:
    """The pattern IMAGE=MASK where every folder holds the same two files, one of a lossy kind or
    called a mask; else "".
    """
    first = set(folders[0])
    if len(first) != 2 or any(set(names) != first for names in folders):
        return ""
    masks = [name for name in first if set(words(stem_of(name))) & MASKS]
    photographs = [name for name in first if name.lower().endswith(_LOSSY)]
    mask = masks[0] if len(masks) == 1 else ""
    if not mask and len(photographs) == 1:
        (mask,) = first - set(photographs)
    (image,) = first - {mask} if mask else [""]
    return f"{{sample}}/{image}={{sample}}/{mask}" if mask else ""


def _two_kinds(names: Sequence[str]) -> str:
    """The pattern IMAGE=MASK where all *names* differ from a common stem by one of two ends."""
    kinds: dict[tuple[str, str], set[str]] = {}
    for name in names:
        if not (match := _NUMBERED.fullmatch(name)):
            return ""
        kinds.setdefault((match[1], match[3]), set()).add(match[2])
    if len(kinds) != 2 or len({frozenset(stems) for stems in kinds.values()}) != 1:
        return ""
    ordered = sorted(kinds, key=lambda kind: (not kind[1].lower().endswith(_LOSSY), kind))
    return "=".join(f"{start}{{stem}}{end}" for start, end in ordered)


def file_hint(path: Path) -> str:
    """What to give instead of the file *path* as the source."""
    folder = path.parent if str(path.parent) != "." else Path(os.curdir)
    return f"give the folder that holds it: {folder}"
