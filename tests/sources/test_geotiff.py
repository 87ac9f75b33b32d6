"""GeoTIFFs: number types, bands, no-data, and the ground that a picture lies on."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sources.region_files import HEIGHT, WIDTH, only

import segprep
from segprep.errors import SourceError
from segprep.imaging import georeference
from segprep.sources import guesses, recognize
from segprep.sources.geotiff import Reader
from segprep.tiling import tile

IDS = np.zeros((HEIGHT, WIDTH), np.uint8)
IDS[2:5, 3:8], IDS[6:, :4] = 1, 2
KINDS = {"u": 1, "i": 2, "f": 3}


def raster(
    path: Path,
    pixels: np.ndarray[Any, Any],
    *,
    nodata: str = "",
    origin: tuple[float, float] | None = (635000.0, 4000000.0),
    epsg: int = 32611,
) -> Path:
    """A plain GeoTIFF of *pixels* (H, W) or (H, W, C), half a meter per pixel, written by hand."""
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    height, width, bands = pixels.shape
    content = np.ascontiguousarray(pixels).tobytes()
    bits = 8 * pixels.dtype.itemsize
    tags: dict[int, tuple[int, tuple[Any, ...]]] = {
        256: (4, (width,)),
        257: (4, (height,)),
        258: (3, (bits,) * bands),
        259: (3, (1,)),
        262: (3, (1,)),
        273: (4, (8,)),
        277: (3, (bands,)),
        278: (4, (height,)),
        279: (4, (len(content),)),
        339: (3, (KINDS[pixels.dtype.kind],) * bands),
    }
    if origin:
        tags[33550] = (12, (0.5, 0.5, 0.0))
        tags[33922] = (12, (0.0, 0.0, 0.0, *origin, 0.0))
        tags[34735] = (3, (1, 1, 0, 2, 1025, 0, 1, 1, 3072, 0, 1, epsg))
    if nodata:
        tags[42113] = (2, tuple(f"{nodata}\0".encode()))
    start = 8 + len(content)
    after, entries, values = start + 2 + 12 * len(tags) + 4, b"", b""
    for tag, (kind, numbers) in sorted(tags.items()):
        packed = struct.pack(
            f"<{len(numbers)}{({2: 'B', 3: 'H', 4: 'I', 12: 'd'})[kind]}", *numbers
        )
        place = packed.ljust(4, b"\0")
        if len(packed) > 4:
            place, values = struct.pack("<I", after + len(values)), values + packed
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + place
    path.parent.mkdir(parents=True, exist_ok=True)
    page = struct.pack("<H", len(tags)) + entries + bytes(4) + values
    path.write_bytes(b"II*\0" + struct.pack("<I", start) + content + page)
    return path


def photo(kind: str = "uint8", bands: int = 3) -> np.ndarray[Any, Any]:
    shape = (HEIGHT, WIDTH, bands)
    return np.random.default_rng(0).integers(1, 100, shape).astype(kind)


def put(folder: Path, image: Any = None, labels: Any = IDS, **more: Any) -> Reader:
    options = {name: more.pop(name) for name in ("nodata", "label_nodata") if name in more}
    image = photo() if image is None else image
    raster(folder / "images" / "a.tif", image, nodata=options.get("nodata", ""))
    raster(folder / "labels" / "a.tif", labels, nodata=options.get("label_nodata", ""))
    return Reader(folder, **{"classes": "background,forest,water", **more})


def example(folder: Path) -> Reader:
    return put(folder)


def picture(reader: Reader, out: Path) -> np.ndarray[Any, Any]:
    """The image of the only sample as its tree has it."""
    options = {"bands": reader.bands, "range": reader.range, "classes": reader.classes}
    segprep.convert("geotiff", reader.root, out, **options)
    with Image.open(out / "JPEGImages" / "a.png") as written:
        return np.asarray(written)


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_labels_of_any_number_type(tmp_path: Path, kind: str) -> None:
    assert (only(put(tmp_path, labels=IDS.astype(kind))) == IDS).all()
    assert recognize(tmp_path)[0] == "geotiff"


@pytest.mark.parametrize(
    ("kind", "nodata", "stored"),
    [
        ("int16", "-9999", -9999),
        ("float32", "-3.40282e+38", -3.40282e38),
        ("float32", "nan", np.nan),
    ],
)
def test_labels_without_data_are_ignored(
    tmp_path: Path, kind: str, nodata: str, stored: float
) -> None:
    labels = IDS.astype(kind)
    labels[0, :3] = stored
    expected = IDS.copy()
    expected[0, :3] = 255
    assert (only(put(tmp_path, labels=labels, label_nodata=nodata)) == expected).all()


def test_255_as_a_class_beside_no_data(tmp_path: Path) -> None:
    labels = IDS.astype(np.int16)
    labels[0, 0], labels[1, 1] = -1, 255
    reader = put(tmp_path, labels=labels, label_nodata="-1")
    with pytest.raises(SourceError, match="the value 255"):
        only(reader)


def test_fractions_are_no_labels(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="fractions") as caught:
        only(put(tmp_path, labels=IDS.astype(np.float32) / 2))
    assert "array > 0.5" in caught.value.hint  # of (H, W), no --axis makes classes


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_images_that_a_png_holds_stay(tmp_path: Path, kind: str) -> None:
    reader = put(tmp_path / "in", photo(kind, 1))
    assert (picture(reader, tmp_path / "out") == photo(kind, 1)[..., 0]).all()


@pytest.mark.parametrize("kind", ["int16", "float32"])
def test_other_numbers_need_a_range(tmp_path: Path, kind: str) -> None:
    reader = put(tmp_path / "in", photo(kind))
    with pytest.raises(SourceError, match="which PNG cannot store") as caught:
        only(reader)
    low, high = photo().min(), photo().max()
    assert f"--range {low},{high}" in caught.value.hint
    reader = put(tmp_path / "in", photo(kind), range="0,51")
    seen = picture(reader, tmp_path / "out")
    assert (seen == np.clip(photo().astype(int) * 5, 0, 255)).all()
    reader = put(tmp_path / "in", photo(kind), range="set")
    assert f"{low} to {high}" in next(n.message for n in reader.scan().notes)
    seen = picture(reader, tmp_path / "set")
    assert (seen.min(), seen.max()) == (0, 255)


def test_bands_are_chosen(tmp_path: Path) -> None:
    image = photo(bands=5)
    with pytest.raises(SourceError, match="has 5 bands"):
        only(put(tmp_path / "in", image))
    seen = picture(put(tmp_path / "in", image, bands="4,3,2"), tmp_path / "out")
    assert (seen == image[..., [3, 2, 1]]).all()
    with pytest.raises(SourceError, match="not 9"):
        only(put(tmp_path / "in", image, bands="9"))


def test_images_without_data_are_ignored(tmp_path: Path) -> None:
    image = photo("float32")
    image[:2] = -9999
    image[5, 5, 0] = -9999  # another band has data
    reader = put(tmp_path, image, nodata="-9999", range="0,100")
    mask = only(reader)
    expected = IDS.copy()
    expected[:2] = 255
    assert (mask == expected).all()


@pytest.mark.parametrize("change", [{"origin": (635003.0, 4000000.0)}, {"epsg": 4326}])
def test_labels_on_other_ground_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    reader = put(tmp_path)
    raster(tmp_path / "labels" / "a.tif", IDS, **change)
    with pytest.raises(SourceError, match="lies elsewhere") as caught:
        only(reader)
    assert caught.value.code == "georeference-differs"


def test_the_ground_is_kept_and_passed_to_tiles(tmp_path: Path) -> None:
    put(tmp_path / "in")
    segprep.convert("geotiff", tmp_path / "in", tmp_path / "tree", classes="background,a,b")
    tile(tmp_path / "tree", tmp_path / "tiles", size=6, overlap=0, keep_empty=True)
    ground = json.loads((tmp_path / "tiles" / "tiles.json").read_text())
    assert "635000.0" in json.dumps(ground)
    assert "32611" in json.dumps(ground)


def test_masks_of_black_and_white_are_not_claimed(tmp_path: Path) -> None:
    put(tmp_path, labels=np.where(IDS, 255, 0).astype(np.uint8))
    assert "geotiff" not in dict(guesses(tmp_path))


def test_the_center_of_a_pixel_as_the_tie_point(tmp_path: Path) -> None:
    data = raster(tmp_path / "a.tif", IDS).read_bytes()
    point = data.replace(struct.pack("<4H", 1025, 0, 1, 1), struct.pack("<4H", 1025, 0, 1, 2))
    place, other = georeference.read(data), georeference.read(point)
    assert place
    assert other
    assert (other.transform[2], other.transform[5]) == (
        place.transform[2] - 0.25,
        place.transform[5] + 0.25,
    )
