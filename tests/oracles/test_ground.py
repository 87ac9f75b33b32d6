"""GeoTIFF and GeoJSON as GDAL has them: every number of a raster, and every pixel of a polygon.

rasterio writes the files and fills the polygons, in a process of its own.
"""

import itertools
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from segprep.imaging import georeference, samples
from segprep.imaging.center_fill import center_fill

KINDS = ("uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")
PACKING = (("none", 1), ("lzw", 2), ("deflate", 3), ("deflate", 1), ("zstd", 1))
PROGRAM = """
import itertools, sys
from pathlib import Path
import numpy as np
import rasterio
from rasterio.features import rasterize
from rasterio.transform import Affine

out, kinds, packing = Path(sys.argv[1]), eval(sys.argv[2]), eval(sys.argv[3])
draw = np.random.default_rng(0)
place = Affine(0.3, 0, 635000, 0, -0.5, 4000000)
cases = itertools.product(kinds, (1, 3, 6), packing, (False, True), ("pixel", "band"))
for number, (kind, bands, (packed, predictor), tiled, order) in enumerate(cases):
    if (predictor == 3) != kind.startswith("float") and predictor > 1:
        continue
    pixels = draw.normal(0, 100, (bands, 50, 70))
    pixels = (np.abs(pixels) if kind.startswith("u") else pixels).astype(kind)
    more = {} if packed == "none" else {"compress": packed, "predictor": predictor}
    blocks = {"blockxsize": 32, "blockysize": 32} if tiled else {"blockysize": 7}
    with rasterio.open(
        out / f"{number}.tif", "w", driver="GTiff", width=70, height=50, count=bands, dtype=kind,
        crs="EPSG:32611", transform=place, tiled=tiled, interleave=order, nodata=7,
        photometric="MINISBLACK", **blocks, **more,
    ) as file:
        file.write(pixels)
    np.save(out / f"{number}.npy", np.moveaxis(pixels, 0, 2))
rings, masks = [], []
for _ in range(300):
    ring = draw.uniform(-5, 45, (draw.integers(3, 9), 2)).round(3)
    shape = {"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()]]}
    masks.append(rasterize([shape], (40, 40), dtype="uint8", transform=Affine.identity()))
    rings.append(np.pad(ring.ravel(), (0, 16 - ring.size), constant_values=np.nan))
np.savez(out / "polygons.npz", rings=rings, masks=masks)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of rasters with their numbers, and of polygons with their pixels."""
    python = os.environ.get("SEGPREP_DATUMARO_PYTHON")
    if not python:
        pytest.skip("SEGPREP_DATUMARO_PYTHON names no Python that has rasterio (make oracles)")
    out = tmp_path_factory.mktemp("ground")
    command = [python, "-c", PROGRAM, str(out), repr(KINDS), repr(PACKING)]
    env = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr[-2000:]
    return out


def test_every_number_of_a_raster(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    different, paths = [], sorted(made.glob("*.tif"))
    for path in paths:
        data, expected = path.read_bytes(), np.load(path.with_suffix(".npy"))
        read, place = samples.read(data, path), georeference.read(data)
        assert place
        assert place.transform == pytest.approx((0.3, 0, 635000, 0, -0.5, 4000000))
        assert (place.epsg, georeference.nodata(data)) == (32611, 7)
        if read is None or read.dtype != expected.dtype or not np.array_equal(read, expected):
            different.append(path.name)
    with capsys.disabled():
        print(f"\n{len(paths)} rasters of {len(KINDS)} number types; {len(different)} differ")
    assert not different
    assert len(paths) > 200


def test_every_pixel_of_a_polygon(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    different = 0
    with np.load(made / "polygons.npz") as arrays:
        pairs = list(zip(arrays["rings"], arrays["masks"], strict=True))
    for ring, mask in pairs:
        flat = [float(value) for value in itertools.takewhile(lambda v: not np.isnan(v), ring)]
        (left, top), bits = center_fill([flat], 40, 40, "polygon")
        drawn = np.zeros((40, 40), np.uint8)
        drawn[top : top + bits.shape[0], left : left + bits.shape[1]] = bits
        different += not np.array_equal(drawn, mask)
    with capsys.disabled():
        print(f"\n{len(pairs)} polygons filled as GDAL fills them; {different} differ")
    assert not different
