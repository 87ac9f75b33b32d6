"""A small dataset in memory: read once, within a limit, with every bad file named."""

import io

import numpy as np
import pytest

pytest.importorskip("torch")

from PIL import Image

from segprep.dataset.tree import Tree
from segprep.errors import SegprepError, SourceError
from segprep.imaging.image import encode_mask
from segprep.training.augmentation.cache import Cached, stacked
from segprep.training.data.pairs import View, read_pair


@pytest.fixture
def place(tmp_path):
    """Six samples of 20 x 30: 20 * 30 * 4 bytes each."""
    rng = np.random.default_rng(0)
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / folder).mkdir()
    for n in range(6):
        out = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(out, "PNG")
        (tmp_path / "JPEGImages" / f"s{n}.png").write_bytes(out.getvalue())
        (tmp_path / "SegmentationClass" / f"s{n}.png").write_bytes(
            encode_mask(rng.integers(0, 3, (20, 30), dtype=np.uint8))
        )
    return Tree(tmp_path)


def test_files_are_read_once(place):
    cached = Cached(place, place.stems())
    assert cached.preload()
    assert cached.held == 6 * 2400
    wanted = [read_pair(place, stem) for stem in place.stems()]
    for path in (place.root / "JPEGImages").iterdir():
        path.unlink()
    assert all(
        np.array_equal(a.image, b.image) and np.array_equal(a.mask, b.mask)
        for a, b in zip(cached, wanted, strict=True)
    )
    assert cached[-1].stem == "s5"
    assert [pair.stem for pair in cached[1:3]] == ["s1", "s2"]
    with pytest.raises(IndexError):
        cached[6]


def test_beyond_the_limit_files_are_read_anew(place):
    cached = Cached(place, place.stems(), limit=5000)
    assert not cached.preload()
    assert cached.held == 4800
    assert np.array_equal(cached[5].mask, read_pair(place, "s5").mask)
    (place.root / "JPEGImages" / "s5.png").unlink()
    with pytest.raises(SourceError) as error:
        cached[5]
    assert error.value.code == "image-missing"


def test_at_the_scale_of_a_view(place):
    cached = Cached(place, place.stems(), view=View(16, 0.5, (0, 0, 0), (1, 1, 1)))
    assert cached[0].image.shape == (10, 15, 3)
    assert cached[0].size == (20, 30)


def test_all_bad_files_are_named(place):
    stems = place.stems()
    (place.root / "JPEGImages" / "s1.png").write_bytes(b"\x89PNG no more")
    (place.root / "SegmentationClass" / "s3.png").unlink()
    with pytest.raises(SegprepError, match=r"2 samples.*s1\.png.*s3\.png"):
        Cached(place, stems).preload()
    with pytest.raises(SegprepError) as error:
        Cached(place, stems[4:], classes=2).preload()
    assert error.value.code == "unknown-value"


def test_two_arrays(place):
    cached = Cached(place, place.stems())
    x, y = stacked(cached)
    assert x.shape == (6, 20, 30, 3)
    assert y.shape == (6, 20, 30)
    assert x.dtype == y.dtype == np.uint8
    assert np.array_equal(y[2], read_pair(place, "s2").mask)
    (place.root / "JPEGImages" / "s0.png").write_bytes(
        (place.root / "JPEGImages" / "s1.png").read_bytes()
    )
    Image.new("RGB", (9, 9)).save(place.root / "JPEGImages" / "s4.png")
    Image.new("L", (9, 9)).save(place.root / "SegmentationClass" / "s4.png")
    with pytest.raises(SourceError) as error:
        stacked(Cached(place, place.stems()))
    assert error.value.code == "size-mismatch"
