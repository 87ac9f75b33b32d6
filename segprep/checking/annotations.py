"""labelme annotations as facts, each file and its image read once."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segprep import engine
from segprep.checks._common.annotations import AnnotatedFile, LabeledShape
from segprep.checks._common.survey import Survey, Trouble
from segprep.errors import SourceError, UsageError
from segprep.files import digest_array, find_below, listing, read_below
from segprep.imaging import inspection
from segprep.imaging.image import SUFFIXES
from segprep.imaging.raster import Canvas
from segprep.imaging.resemblance import correlated
from segprep.names import natural_key, stem_of
from segprep.sources._common.texts import strict_json
from segprep.types import Progress, no_progress

SIDE = 32
COARSE = 512  # the longer side at which shapes are painted to see what they hide


def survey(root: Path, *, jobs: int = 1, progress: Progress[Any] = no_progress) -> Survey | None:
    """The annotations below *root*; None if it holds none.

    Raises UsageError if it is not a folder.
    """
    if not root.is_dir():
        raise UsageError("no-tree", f"{root} is not a folder", "give the dataset's folder")
    root = root.resolve()
    paths = [
        Path(folder, name) for folder, name in listing(str(root)) if name.lower().endswith(".json")
    ]
    if not paths:
        return None
    read = engine.run(_ReadAnnotation((root,)), paths, jobs=jobs)
    files = []
    for path, file in zip(paths, progress(read, len(paths), "reading"), strict=True):
        if isinstance(file, engine.Failure):
            trouble = Trouble(file.code, file.reason, file.hint)
            files.append(AnnotatedFile(path, stem_of(path.name), trouble=trouble))
        elif file is not None:
            files.append(file)
    if not any(not file.trouble for file in files):
        return None
    files.sort(key=lambda file: natural_key(file.stem))
    return Survey(root, "annotations", (), annotations=tuple(files))


@dataclass(frozen=True, slots=True)
class _ReadAnnotation:
    """Reads one file; None for JSON of another kind."""

    roots: tuple[Path, ...]

    def __call__(self, path: Path) -> AnnotatedFile | None:
        parsed = strict_json.parse(read_below(path, self.roots), path, "imageData")
        content = parsed.value
        if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
            return None
        outlines = tuple(_outlines(content["shapes"]))
        width, height = content.get("imageWidth"), content.get("imageHeight")
        recorded = (width, height) if isinstance(width, int) and isinstance(height, int) else None
        annotated = AnnotatedFile(path, stem_of(path.name), outlines, recorded, recorded)
        file = self._file(path, content.get("imagePath"))
        copy = _embedded(path, parsed.out or content.get("imageData"))
        first = file or copy
        if first is not None:
            annotated = replace(annotated, size=first[1], picture=first[2])
        if file and copy:
            beside, other = (_gray(part[0]) for part in (file, copy))
            same = file[2] == copy[2]
            annotated = replace(annotated, likeness=1.0 if same else correlated(beside, other))
        return replace(annotated, hidden=tuple(_hidden(annotated)))

    def _file(self, path: Path, named: object) -> "tuple[Any, tuple[int, int], str] | None":
        """The image in its folder: as imagePath says, else of the same stem."""
        tries = []
        if isinstance(named, str) and named:
            tries.append(path.parent.joinpath(*PureWindowsPath(named).parts))
            tries.append(path.parent / PureWindowsPath(named).name)
        tries += [path.with_suffix(suffix) for suffix in SUFFIXES]
        for candidate in tries:
            try:
                if find_below(candidate, self.roots):
                    return _picture(read_below(candidate, self.roots), candidate)
            except SourceError:
                continue  # an image that cannot be read is said when it is converted
        return None


def _outlines(shapes: Sequence[Any]) -> "list[LabeledShape]":
    """The shapes that have a label and points; what else is wrong, the conversion says."""
    labeled = []
    for number, shape in enumerate(shapes):
        if not isinstance(shape, dict) or not isinstance(shape.get("label"), str):
            continue
        points = shape.get("points")
        try:
            plain = tuple((float(x), float(y)) for x, y in points or ())
        except (TypeError, ValueError):
            continue
        if plain and all(isfinite(value) for point in plain for value in point):
            kind = str(shape.get("shape_type") or "polygon")
            labeled.append(LabeledShape(number, shape["label"], kind, plain))
    return labeled


def _embedded(path: Path, data: object) -> "tuple[Any, tuple[int, int], str] | None":
    if not isinstance(data, str | bytes) or not data:
        return None
    try:
        return _picture(base64.b64decode(data), path)
    except (binascii.Error, ValueError):
        return None  # SourceError too: what is wrong with the copy, the conversion says


def _picture(data: bytes, path: Path) -> tuple[Any, tuple[int, int], str]:
    """Colors in short, (width, height) upright, and a digest of the decoded pixels."""
    small = inspection.photograph(data, path, SIDE, whole=True)
    height, width = small.header.shape(upright=True)
    return small.colors, (width, height), digest_array(small.stored)


def _gray(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(colors.mean(2), np.uint8)


def _hidden(file: AnnotatedFile) -> list[int]:
    """Polygons that show no pixel once all later ones are painted, at a coarse scale; small ones
    are skipped, since they may vanish by the scale alone.
    """
    size = file.size or file.recorded
    polygons = [
        outline
        for outline in file.outlines
        if outline.kind == "polygon" and len(outline.points) > 2
    ]
    if not size or not 1 < len(polygons) < 2000 or max(size) > 100_000 or min(size) < 1:
        return []
    scale = min(1.0, COARSE / max(size))
    height, width = (max(1, round(side * scale)) for side in (size[1], size[0]))
    canvas = Canvas(height, width, len(polygons))
    for value, outline in enumerate(polygons, 1):
        flat = [coordinate * scale for point in outline.points for coordinate in point]
        if max(map(abs, flat)) < 30_000:
            canvas.polygon(flat, value)
    shown = set(np.unique(canvas.array()).tolist())
    hidden = []
    for value, outline in enumerate(polygons, 1):
        left, top, right, bottom = outline.box()
        inside = right > 1 and bottom > 1 and left < size[0] - 1 and top < size[1] - 1
        large = (right - left) * scale > 4 and (bottom - top) * scale > 4
        if value not in shown and inside and large:
            hidden.append(outline.number)
    return hidden
