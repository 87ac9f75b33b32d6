"""GeoJSON: pixels of QuPath, the ground of GeoTIFFs, names that are alike at one end only."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources.region_files import HEIGHT, WIDTH, only, photo, write
from sources.test_geotiff import raster

import segprep
from segprep.errors import SourceError
from segprep.imaging.georeference import of_note
from segprep.sources import recognize
from segprep.sources._common.shapes import projections
from segprep.sources.geojson import Reader

SQUARE = [[2, 2], [9, 2], [9, 8], [2, 8], [2, 2]]  # corners of pixels: 7 columns, 6 rows
HOLE = [[4, 4], [7, 4], [7, 6], [4, 6], [4, 4]]
ORIGIN = (635000.0, 4000000.0)


def filled(value: int = 1) -> np.ndarray[Any, Any]:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[2:8, 2:9] = value
    return mask


def feature(rings: Any = (SQUARE,), kind: str = "Polygon", **properties: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": rings}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(*features: Any, system: str = "") -> dict[str, Any]:
    crs = {"crs": {"type": "name", "properties": {"name": system}}} if system else {}
    return {"type": "FeatureCollection", **crs, "features": list(features)}


def put(folder: Path, content: Any, **options: Any) -> Reader:
    photo(folder / "a.png")
    write(folder / "a.geojson", content)
    return Reader(folder, **options)


def example(folder: Path) -> Reader:
    return put(folder, collection(feature(**{"class": "roof"})))


def on_ground(rings: Any) -> Any:
    """Pixel corners as places of the raster that the tests of GeoTIFF write."""
    return [[[ORIGIN[0] + x / 2, ORIGIN[1] - y / 2] for x, y in ring] for ring in rings]


def test_pixels(tmp_path: Path) -> None:
    reader = example(tmp_path)
    assert (only(reader) == filled()).all()
    assert reader.scan().classes.names == ("_background_", "roof")
    assert recognize(tmp_path)[0] == "geojson"


def test_holes_and_several_parts(tmp_path: Path) -> None:
    parts = feature([[SQUARE, HOLE], [[[0, 0], [2, 0], [2, 1], [0, 1]]]], "MultiPolygon")
    mask = only(put(tmp_path, collection(parts)))
    assert mask[0, 0] == mask[0, 1] == mask[2, 2] == 1
    assert not mask[5, 5]


def test_the_class_of_qupath(tmp_path: Path) -> None:
    listed = [
        feature(classification={"name": "Tumor", "color": [1, 2, 3]}, objectType="annotation")
    ]
    reader = put(tmp_path, collection(*listed))
    assert reader.scan().classes.names == ("_background_", "Tumor")


def test_the_class_by_a_property(tmp_path: Path) -> None:
    content = collection(feature(crop="wheat", **{"class": "a", "label": "b"}))
    with pytest.raises(SourceError) as caught:
        put(tmp_path, content).parse(tmp_path / "a.geojson")
    assert caught.value.code == "classes-ambiguous"
    assert put(tmp_path, content, class_from="crop").scan().classes.names[1:] == ("wheat",)
    missing = put(tmp_path, content, class_from="nope").scan().skipped[0]
    assert "crop" in missing.hint


def test_no_class_is_said(tmp_path: Path) -> None:
    scan = put(tmp_path, collection(feature(HGIS_OBJID="7"))).scan()
    assert scan.classes.names == ("_background_", "object")
    assert "HGIS_OBJID" in scan.notes[-1].message + scan.notes[0].message


def test_places_on_the_ground(tmp_path: Path) -> None:
    raster(tmp_path / "a.tif", np.full((HEIGHT, WIDTH, 3), 9, np.uint8))
    for system in ("", "urn:ogc:def:crs:EPSG::32611"):
        write(tmp_path / "a.geojson", collection(feature(on_ground([SQUARE])), system=system))
        assert (only(Reader(tmp_path)) == filled()).all()
    (item,) = Reader(tmp_path).scan().items
    (place,) = filter(None, map(of_note, Reader(tmp_path).read(item).notes))
    assert place.transform[2] == ORIGIN[0]


def test_degrees_on_a_utm_image(tmp_path: Path) -> None:
    """Checked against PROJ, whose figures these are."""
    project = projections.from_geographic(32633)
    assert project
    x, y = project(13.0, 42.0)
    assert (x, y) == pytest.approx((334_361.17794600927, 4_651_711.059431951), abs=1e-3)
    assert project(15.0, 42.0)[0] == pytest.approx(500_000, abs=1e-6)
    image = np.full((HEIGHT, WIDTH, 3), 9, np.uint8)
    raster(tmp_path / "a.tif", image, origin=(x - 1, y + 1), epsg=32633)
    step = 5e-6  # degrees: half a meter, about a pixel
    ring = [[13 - step, 42 - step], [13 + step, 42 - step], [13 + step, 42 + step]]
    write(tmp_path / "a.geojson", collection(feature([[*ring, ring[0]]])))
    mask = only(Reader(tmp_path))
    assert mask[2, 2]
    assert 2 <= mask.sum() <= 9


@pytest.mark.parametrize(
    ("system", "epsg", "ring"),
    [("EPSG:2056", 32611, SQUARE), ("EPSG:4326", 2056, [[7.1, 46.2], [7.2, 46.2], [7.2, 46.3]])],
)
def test_other_systems_are_refused(tmp_path: Path, system: str, epsg: int, ring: Any) -> None:
    raster(tmp_path / "a.tif", np.full((HEIGHT, WIDTH, 3), 9, np.uint8), epsg=epsg)
    write(tmp_path / "a.geojson", collection(feature([ring]), system=system))
    (skipped,) = Reader(tmp_path).scan().skipped
    assert skipped.code == "georeference-differs"
    assert f"ogr2ogr -t_srs EPSG:{epsg}" in skipped.hint


def test_degrees_on_an_image_without_a_place(tmp_path: Path) -> None:
    ring = [[-115.17, 36.12], [-115.16, 36.12], [-115.16, 36.13]]
    (skipped,) = put(tmp_path, collection(feature([ring]))).scan().skipped
    assert "give the GeoTIFF" in skipped.hint


def test_names_that_are_alike_at_one_end(tmp_path: Path) -> None:
    """SpaceNet 2: buildings_AOI_2_Vegas_img10.geojson, RGB-PanSharpen_AOI_2_Vegas_img10.tif."""
    for n in (1, 10, 101):
        photo(tmp_path / "RGB" / f"RGB-PanSharpen_AOI_2_Vegas_img{n}.png", n)
        content = collection(*([feature()] if n == 10 else []))
        write(tmp_path / "geojson" / f"buildings_AOI_2_Vegas_img{n}.geojson", content)
    out = tmp_path.parent / f"{tmp_path.name}-out"
    done = segprep.convert("auto", tmp_path, out)
    assert done.converted == 3
    folder = out / "SegmentationClass"
    sums = {path.stem[-6:]: int(segprep.read_mask(path).sum()) for path in folder.iterdir()}
    assert sums == {"s_img1": 0, "_img10": 42, "img101": 0}


def test_shapes_outside_are_said(tmp_path: Path) -> None:
    away = [[50, 50], [60, 50], [60, 60]]
    reader = put(tmp_path, collection(feature(), feature([away])))
    (item,) = reader.scan().items
    sample = reader.read(item)
    assert "shape-outside" in [note.code for note in sample.notes]
    assert (sample.mask == filled()).all()


def test_two_kinds_of_images_need_a_choice(tmp_path: Path) -> None:
    for kind in ("RGB", "MUL"):
        photo(tmp_path / kind / f"{kind}_img1.png")
    write(tmp_path / "labels_img1.geojson", collection(feature()))
    (skipped,) = Reader(tmp_path).scan().skipped
    assert (skipped.code, "--image-root" in skipped.hint) == ("image-ambiguous", True)
    (item,) = Reader(tmp_path, image_root=(tmp_path / "MUL",)).scan().items
    assert item.image == tmp_path / "MUL/MUL_img1.png"


def test_masks_of_the_same_name_are_no_second_image(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        photo(tmp_path / folder / "a.png")
    write(tmp_path / "labels/a.geojson", collection(feature()))
    (item,) = Reader(tmp_path).scan().items
    assert item.image == tmp_path / "images/a.png"


@pytest.mark.parametrize(
    "content",
    [
        {"type": "FeatureCollection"},
        collection({"type": "Feature", "geometry": {"type": "Circle"}}),
        collection(feature([[[1, 2], [3]]])),
        collection(feature([[[1, 2], [float("nan"), 3], [4, 4]]])),
        collection(feature("x")),
    ],
)
def test_bad_collections_are_named(tmp_path: Path, content: Any) -> None:
    photo(tmp_path / "a.png")
    (tmp_path / "a.geojson").write_text(json.dumps(content))
    assert Reader(tmp_path).scan().skipped or only_fails(Reader(tmp_path))


def only_fails(reader: Reader) -> bool:
    try:
        only(reader)
    except SourceError:
        return True
    return False
