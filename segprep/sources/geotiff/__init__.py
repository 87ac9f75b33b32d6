"""GeoTIFFs: images and label rasters of any number type, with bands, no-data and georeference.

    images/a.tif      8 or 16 bits, signed, float; any number of bands
    labels/a.tif      one band of class ids, whole floats too; no-data becomes 255

Format: OGC GeoTIFF 1.1, https://docs.ogc.org/is/19-008r4/19-008r4.html. Assumptions: pairs as in
the format "pairs"; image and labels lie on the same grid, or are refused; bands other than 1 or 3
are chosen with --bands, numbers that no PNG holds are stretched by --range. The georeference is
kept in the record of the sample, and "segprep tile" passes it on. QGIS makes such labels from
polygons: Raster, Conversion, Rasterize (vector to raster).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
from numpy.typing import NDArray

from segprep import engine
from segprep.dataset import classes as class_lists
from segprep.errors import SourceError, UsageError
from segprep.files import read_below
from segprep.imaging import (
    georeference,
    image,
    lookup,
    mask_files,
    png,
    samples,
    tiff,
    whole_numbers,
)
from segprep.packed_items import FirstLabels
from segprep.sources._common.classes import mask_values, palette_order
from segprep.sources._common.classes.mask_values import ClassesById, Ids
from segprep.sources._common.pairing import files_beside, matching
from segprep.sources._common.pairing.paired_folders import PairedFolders, background_of
from segprep.sources.geotiff.grids import bands_of, check_grid
from segprep.types import (
    IGNORE,
    Evidence,
    Item,
    Note,
    Progress,
    Sample,
    Scan,
    no_progress,
)

EXAMPLES = (
    "segprep convert geotiff landcover/ out/ --classes background,forest,water",
    "segprep convert geotiff sentinel/ out/ --bands 4,3,2 --range 0,3000 --ids 10=tree,80=water",
)
_PLAIN = ("uint8", "uint16")  # what a PNG holds


@dataclass(frozen=True, slots=True)
class Reader(PairedFolders):
    """Read images and label rasters as GeoTIFF."""

    classes: ClassesById = None
    ids: Ids = ""
    bands: Annotated[
        str, "The bands of an image to take, from 1: 3,2,1 for colors, or 1 for gray."
    ] = ""
    range: Annotated[
        str,
        "LOW,HIGH = the values that become 0 and 255; set = the least and the largest of all images"
        " (both are noted).",
    ] = ""

    @classmethod
    def recognize(cls, root: Path) -> Evidence | None:
        """Folders of images and masks; the masks are TIFFs on a map, or the images need a range."""
        root = root.resolve()
        if not (glimpse := matching.glimpse(root)):
            return None
        folders, paths = glimpse
        reader = cls(root)
        for path in paths:
            try:
                data = read_below(path, (root,))
                values = reader.label_values(data, path)
            except SourceError:
                continue
            if georeference.read(data) and set(np.unique(values).tolist()) - {0, IGNORE}:
                reason = f"{folders.masks.name}/{path.name} holds ids on a map"
                return Evidence(0.75, reason)
        return None

    def scan(self, jobs: int = 1, progress: Progress[Any] = no_progress) -> Scan:
        """Every pair is an item; the payload says what its values mean."""
        roots, folders = self.roots(), self.folders()
        chosen = bands_of(self.bands)
        matched = self.paired(folders)
        if not matched.items:
            return Scan((), class_lists.numbered(1), matched.skipped, {}, matched.notes)
        labels = FirstLabels(matched.items)
        palette_order.check(labels, roots, jobs=jobs, otherwise="")
        limits, notes = self._limits(matched, jobs, progress)
        beside = files_beside.class_file(roots[0], folders)
        classes, table, told = self._meaning(beside, matched, jobs, progress)
        background = background_of(classes, matched.items)
        payload = (table, len(classes.names), background, chosen, limits)
        items = matched.items.with_payload(payload)
        every = (*matched.notes, *notes, *told)
        return Scan(items, classes, matched.skipped, matched.lists, every)

    def read(self, item: Item) -> Sample:
        """The image in its chosen bands, and the labels through the table."""
        table, classes, background, bands, limits = item.payload
        path, picture = item.labels[0], cast("Path", item.image)
        data, notes = read_below(picture, self.roots()), list[Note]()
        content, empty = self._picture(data, picture, bands, limits)
        reference = georeference.read(data)
        if path == picture:
            mask = np.full(empty.shape, background, np.uint8)
        else:
            labels = read_below(path, self.roots())
            check_grid(reference, georeference.read(labels), path)
            mask = lookup.translate(self.label_values(labels, path), table, path, classes)
        if mask.shape != empty.shape:
            reason = f"the image is {empty.shape[::-1]}, the mask {mask.shape[::-1]} pixels"
            hint = "cut both to the same grid: gdalwarp -te … -tr …"
            raise SourceError(path, reason, hint, "size-mismatch")
        if empty.any():
            mask = np.where(empty, IGNORE, mask).astype(np.uint8)
            count = int(np.count_nonzero(empty))
            notes.append(Note("no-data", f"{count} pixels of {picture.name} hold no data: ignored"))
        if reference:
            notes.append(georeference.note(reference))
        return Sample(item.stem, content, mask, notes=tuple(notes))

    def label_values(self, data: bytes, path: Path) -> NDArray[Any]:
        """Class ids (H, W) of one label file; no-data is 255. Raises SourceError."""
        raster = whole_numbers.of_raster(data, path, self.max_pixels)
        if raster is not None and not tiff.several(data):
            return raster
        return mask_files.values(data, path, [], self.max_pixels)

    def image_numbers(self, data: bytes, path: Path) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The chosen bands (H, W, C) of an image, and where all of them hold no data (H, W)."""
        numbers = samples.read(data, path, self.max_pixels)
        if numbers is None:
            with image.opened(data, path, self.max_pixels) as picture:
                numbers = np.asarray(picture.convert("RGB"))
        layout = tiff.first(data)
        numbers = image.upright_array(numbers, layout.number(tiff.ORIENTATION, 1) if layout else 1)
        bands, count = bands_of(self.bands), numbers.shape[2]
        if not bands and count not in (1, 3):
            hint = "say which make the image: --bands 3,2,1, or --bands 1"
            raise SourceError(path, f"has {count} bands", hint, "image-unsupported")
        if bands and max(bands) >= count:
            hint = f"give bands from 1 to {count}"
            raise SourceError(path, f"has {count} bands, not {max(bands) + 1}", hint, "bad-option")
        numbers = numbers[..., bands] if bands else numbers
        return numbers, whole_numbers.without_data(numbers, georeference.nodata(data))

    def _picture(
        self,
        data: bytes,
        path: Path,
        bands: tuple[int, ...],
        limits: tuple[float, float] | None,
    ) -> tuple[bytes, NDArray[np.bool_]]:
        """The image as PNG, and where it holds no data."""
        numbers, empty = self.image_numbers(data, path)
        if limits is None and numbers.dtype.name not in _PLAIN:
            seen = numbers[~empty]
            low, high = (seen.min(), seen.max()) if seen.size else (0, 1)
            reason = f"holds {numbers.dtype} from {low:g} to {high:g}, which PNG cannot store"
            hint = f"say what becomes black and white: --range {low:g},{high:g}, or --range set"
            raise SourceError(path, reason, hint, "image-unsupported")
        if limits is not None:
            low, high = limits
            shares = (numbers.astype(np.float64) - low) / (high - low)
            numbers = np.rint(np.clip(np.nan_to_num(shares), 0, 1) * 255).astype(np.uint8)
        numbers = np.where(empty[..., None], 0, numbers).astype(numbers.dtype)
        return png.encode(numbers if numbers.shape[2] > 1 else numbers[..., 0]), empty

    def _limits(
        self, matched: matching.Pairing, jobs: int, progress: Progress[Any]
    ) -> tuple[tuple[float, float] | None, list[Note]]:
        """What becomes 0 and 255, or None. Raises UsageError."""
        if not self.range:
            return None, []
        if self.range != "set":
            parts = self.range.split(",")
            try:
                low, high = (float(part) for part in parts)
            except ValueError:
                low = high = 0.0
            if not low < high:
                message = f"--range {self.range!r} is neither LOW,HIGH nor set"
                raise UsageError("bad-option", message, "for example: --range 0,3000")
            return (low, high), []
        paths = [cast("Path", item.image) for item in matched.items]
        results = progress(engine.run(_Extremes(self), paths, jobs=jobs), len(paths), "measuring")
        seen = [pair for pair in results if isinstance(pair, tuple)]
        if not seen:
            raise UsageError(
                "values-unclear", "no image could be measured", "give --range LOW,HIGH"
            )
        low, high = min(pair[0] for pair in seen), max(pair[1] for pair in seen)
        text = f"all images hold {low:g} to {high:g}, which became 0 to 255"
        return (low, max(high, low + 1e-9)), [Note("image-converted", text)]

    def _meaning(
        self,
        beside: Path | None,
        matched: matching.Pairing,
        jobs: int,
        progress: Progress[Any],
    ) -> mask_values.Meaning:
        """The classes, and pixel value -> id; 255 is ignored unless it is a class."""
        if meaning := mask_values.meaning(self.classes, self.ids, beside):
            classes, table, notes = meaning
            return classes, {IGNORE: IGNORE} | table, notes
        contents = mask_values.Contents()
        paths = FirstLabels(matched.items)
        results = engine.run(_LabelValues(self), paths, jobs=jobs)
        for histogram in progress(results, len(paths), "reading masks"):
            if not isinstance(histogram, engine.Failure):
                contents.add(histogram)
        classes, inferred = mask_values.infer(contents)
        return classes, mask_values.identity(classes), inferred


@dataclass(frozen=True, slots=True)
class _LabelValues:
    """The histogram of one label file, for the engine."""

    reader: Reader

    def __call__(self, path: Path) -> dict[int, int]:
        return image.histogram(
            self.reader.label_values(read_below(path, self.reader.roots()), path)
        )


@dataclass(frozen=True, slots=True)
class _Extremes:
    """The least and the largest number of one image, for the engine."""

    reader: Reader

    def __call__(self, path: Path) -> tuple[float, float]:
        numbers, empty = self.reader.image_numbers(read_below(path, self.reader.roots()), path)
        seen = numbers[~empty]
        seen = seen[np.isfinite(seen)]
        if not seen.size:
            raise SourceError(path, "holds no data", code="image-unsupported")
        return float(seen.min()), float(seen.max())
