"""STARE: packed files, observers, partners, and what hostile gzip files do; on made files of its
kind.
"""

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import SourceError
from segprep.files import MAX_BYTES
from segprep.sources.stare import Reader, unpacked
from segprep.types import Sample, Scan

BAR = np.zeros((7, 10), np.uint8)
BAR[3] = 255
PHOTO = np.random.default_rng(3).integers(0, 256, (7, 10, 3), dtype=np.uint8)


def ppm(pixels: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PPM")
    return out.getvalue()


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def example(folder: Path) -> Reader:
    put(folder / "stare-images" / "im0001.ppm.gz", ppm(PHOTO))
    put(folder / "stare-images" / "im0002.ppm", ppm(PHOTO))
    for number in (1, 2):
        put(folder / "labels-ah" / f"im{number:04}.ah.ppm.gz", ppm(BAR))
        put(folder / "labels-vk" / f"im{number:04}.vk.ppm.gz", ppm(np.roll(BAR, 1, 0)))
    return Reader(folder)


def first(reader: Reader) -> Sample:
    return reader.read(reader.scan().items[0])


def refused(reader: Reader) -> SourceError:
    with pytest.raises(SourceError) as caught:
        first(reader)
    return caught.value


def codes(scan: Scan) -> dict[str, str]:
    return {Path(one.path).name: one.code for one in scan.skipped}


def test_packed_or_not_the_pixels_are_the_same(tmp_path: Path) -> None:
    root = tmp_path / "STARE"
    example(root)
    done = segprep.convert("stare", root, tmp_path / "out")
    assert (done.converted, done.skipped, done.classes) == (2, (), ("_background_", "vessel"))
    for name in ("im0001", "im0002"):
        assert np.array_equal(
            segprep.read_mask(tmp_path / "out" / "SegmentationClass" / f"{name}.png"), BAR // 255
        )
        with Image.open(tmp_path / "out" / "JPEGImages" / f"{name}.png") as kept:
            assert np.array_equal(np.asarray(kept), PHOTO)
    again = segprep.convert("stare", root, tmp_path / "out")
    assert (again.kept, again.written) == (2, False)
    put(root / "labels-ah" / "im0001.ah.ppm.gz", ppm(255 - BAR))
    changed = segprep.convert("stare", root, tmp_path / "out")
    assert (changed.converted, changed.kept) == (1, 1)


def test_the_other_observer(tmp_path: Path) -> None:
    example(tmp_path)
    assert np.array_equal(first(Reader(tmp_path, annotator="vk")).mask, np.roll(BAR, 1, 0) // 255)


def test_all_in_one_folder_or_labels_told_by_their_folder(tmp_path: Path) -> None:
    put(tmp_path / "flat" / "im0001.ppm", ppm(PHOTO))
    put(tmp_path / "flat" / "im0001.ah.ppm", ppm(BAR))
    assert np.array_equal(first(Reader(tmp_path / "flat")).mask, BAR // 255)
    put(tmp_path / "named" / "images" / "im0001.ppm", ppm(PHOTO))
    put(tmp_path / "named" / "labels-vk" / "im0001.ppm.gz", ppm(BAR))
    assert np.array_equal(first(Reader(tmp_path / "named", annotator="vk")).mask, BAR // 255)


def test_a_file_packed_and_unpacked_counts_once(tmp_path: Path) -> None:
    example(tmp_path)
    put(tmp_path / "stare-images" / "im0001.ppm", ppm(PHOTO))
    scan = Reader(tmp_path).scan()
    assert [item.image.name for item in scan.items if item.image] == ["im0001.ppm", "im0002.ppm"]
    assert [note.code for note in scan.notes] == ["packed-twin"]


def test_missing_partners_are_named(tmp_path: Path) -> None:
    example(tmp_path)
    (tmp_path / "labels-ah" / "im0001.ah.ppm.gz").unlink()
    (tmp_path / "stare-images" / "im0002.ppm").unlink()
    scan = Reader(tmp_path).scan()
    assert codes(scan) == {"im0001.ppm.gz": "mask-missing", "im0002.ah.ppm.gz": "image-missing"}
    assert "im0001.ah.ppm" in next(one.reason for one in scan.skipped if one.code == "mask-missing")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    reader = example(tmp_path)
    bomb = tmp_path / "stare-images" / "im0001.ppm.gz"
    bomb.write_bytes(gzip.compress(bytes(MAX_BYTES + 1), 1))
    assert bomb.stat().st_size < 2_000_000
    assert (refused(reader).code, refused(reader).path) == ("file-too-large", bomb)


def test_unpacking_stops_at_the_limit() -> None:
    assert unpacked(gzip.compress(b"x" * 10, mtime=0), Path("a.gz"), 10) == b"x" * 10
    with pytest.raises(SourceError) as caught:
        unpacked(gzip.compress(b"x" * 11, mtime=0), Path("a.gz"), 10)
    assert caught.value.code == "file-too-large"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (gzip.compress(ppm(PHOTO))[:-12], "image-damaged"),
        (gzip.compress(ppm(PHOTO)) + b"more", "image-damaged"),
        (
            gzip.compress(ppm(PHOTO))[:40] + b"\0\1\2\3" + gzip.compress(ppm(PHOTO))[44:],
            "image-damaged",
        ),
        (gzip.compress(b"", mtime=0), "empty-file"),
        (gzip.compress(ppm(PHOTO)[:-20]), "image-damaged"),
        (gzip.compress(b"no picture", mtime=0), "image-unsupported"),
        (b"no gzip file either", "image-unsupported"),
    ],
)
def test_damaged_photographs_are_named(tmp_path: Path, data: bytes, code: str) -> None:
    reader = example(tmp_path)
    path = tmp_path / "stare-images" / "im0001.ppm.gz"
    path.write_bytes(data)
    assert (refused(reader).code, refused(reader).path) == (code, path)


def test_a_drawing_of_another_size(tmp_path: Path) -> None:
    reader = example(tmp_path)
    put(tmp_path / "labels-ah" / "im0001.ah.ppm.gz", ppm(BAR[1:]))
    assert (refused(reader).code, refused(reader).path.name) == (
        "size-mismatch",
        "im0001.ah.ppm.gz",
    )


def test_too_many_pixels(tmp_path: Path) -> None:
    example(tmp_path)
    assert refused(Reader(tmp_path, max_pixels=69)).code == "image-too-large"


def test_recognized_by_its_drawings(tmp_path: Path) -> None:
    evidence = Reader.recognize(example(tmp_path / "a").root)
    assert evidence
    assert evidence.score > 0.9
    assert "im0001" in evidence.reason
    put(tmp_path / "b" / "im0001.ppm", ppm(PHOTO))
    assert Reader.recognize(tmp_path / "b") is None
