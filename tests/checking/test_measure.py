"""Facts of one mask: the fast ways give what the plain ones would."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_erosion, gaussian_filter

from segprep import kernel
from segprep.checking import measure, thin_values
from segprep.errors import SourceError
from segprep.imaging import image, inspection, png

PATH = Path("a.jpg")


def plain(ids: np.ndarray) -> tuple[set[int], set[int]]:
    """Values whose 3 x 3 erosion is empty, and those of them that lie between their neighbors."""
    values = np.unique(ids).tolist()
    thin = {
        value
        for value in values
        if not binary_erosion(ids == value, np.ones((3, 3)), border_value=0).any()
    }
    between = set()
    for value in thin:
        middle = []
        for row, column in zip(*np.nonzero(ids[1:-1, 1:-1] == value), strict=True):
            around = ids[row : row + 3, column : column + 3]
            middle.append(around.min() < value < around.max())
        if middle and np.mean(middle) >= (0.6 if (ids == value).sum() > 32 else 0.9):
            between.add(value)
    return thin, between


@pytest.mark.parametrize("seed", range(40))
def test_thin_values(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(3, 60, 2).tolist()
    blocks = rng.integers(0, 5, (height // 6 + 1, width // 6 + 1)) * int(rng.integers(1, 40))
    ids = np.kron(blocks, np.ones((7, 7)))[:height, :width]
    if seed % 2:
        ids = gaussian_filter(ids, 0.8)
    if seed % 3 == 0:
        ids[rng.random(ids.shape) < 0.05] = 255
    mask = np.ascontiguousarray(ids.astype(np.uint16 if seed % 4 == 0 else np.uint8))
    thin, between = thin_values.find(mask, image.histogram(mask))
    expected, middle = plain(mask)
    assert set(thin) == expected
    assert set(between) <= middle


@pytest.mark.parametrize(("step", "told"), [(1, 1), (2, 2), (3, 3), (4, 4), (6, 3)])
def test_steps_of_an_enlarged_mask(step: int, told: int) -> None:
    small = np.random.default_rng(step).integers(0, 2, (30, 40), dtype=np.uint8)
    assert measure._steps(np.ascontiguousarray(small.repeat(step, 0).repeat(step, 1))) == told


def jpeg(pixels: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def photographed() -> np.ndarray:
    """Smooth colors with edges (300, 420, 3)."""
    small = np.random.default_rng(3).integers(0, 256, (15, 21, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((420, 300), Image.Resampling.BICUBIC))


def test_a_draft_shows_what_the_whole_picture_does() -> None:
    data = jpeg(photographed())
    draft = inspection.photograph(data, PATH, 64, full=())
    whole = inspection.photograph(data, PATH, 64)
    assert draft.header == whole.header
    assert (draft.header.width, draft.header.height) == (420, 300)
    assert np.corrcoef(draft.colors.reshape(-1), whole.colors.reshape(-1))[0, 1] > 0.98
    again = inspection.photograph(jpeg(photographed(), comment=b"copied"), PATH, 64, full=())
    assert again.sketch == draft.sketch  # the same pixels in another file


def test_jpegs_of_the_size_of_another_format_are_decoded_in_full() -> None:
    data = jpeg(photographed())
    whole = inspection.photograph(data, PATH, 64)
    assert inspection.photograph(data, PATH, 64, full={(420, 300)}).sketch == whole.sketch
    assert inspection.photograph(data, PATH, 64, full={(300, 420)}).sketch != whole.sketch


def test_sizes_of_images_of_other_formats(tmp_path: Path) -> None:
    jpegs = [tmp_path / f"{n}.jpg" for n in range(9)]
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"broken")
    others = [tmp_path / "a.png", tmp_path / "b.png"]
    assert measure.sizes_of_others(jpegs, (tmp_path,)) == frozenset()
    mixed = measure.sizes_of_others([*jpegs, *jpegs, *others], (tmp_path,))
    assert mixed == frozenset([(30, 20)])
    assert measure.sizes_of_others([*jpegs, *others], (tmp_path,)) is None


def test_a_draft_is_looked_at_in_full_where_that_tells_more() -> None:
    pixels = photographed().copy()
    pixels[200:] = 128
    small = inspection.photograph(jpeg(pixels), PATH, 64, full=())
    assert small.stored is not None
    assert small.stored.shape == pixels.shape
    flat = np.full((300, 420, 3), 90, np.uint8)
    flat[150, 200] = 255
    assert inspection.photograph(jpeg(flat), PATH, 64, full=()).span[1] > 150
    with pytest.raises(SourceError, match="truncated"):
        inspection.photograph(jpeg(pixels)[:-3000], PATH, 64, full=())


def test_an_alpha_channel_changes_no_color() -> None:
    pixels = photographed()
    clear = np.dstack([pixels, np.zeros(pixels.shape[:2], np.uint8)])
    shown = []
    for array in (pixels, clear):
        out = io.BytesIO()
        Image.fromarray(array).save(out, "PNG")
        shown.append(inspection.photograph(out.getvalue(), PATH, 64).colors)
    np.testing.assert_array_equal(shown[0], shown[1])


@pytest.mark.parametrize("compiled", [kernel.compiled, None])
def test_a_picture_of_one_color_has_no_spread(
    compiled: kernel.Kernel | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even by rounding: an image of one color is no outlier of contrast."""
    monkeypatch.setattr(kernel, "compiled", compiled)
    path = tmp_path / "a.png"
    Image.new("RGB", (50, 40), (233, 238, 174)).save(path)
    facts, _ = measure.image_facts(path, (tmp_path,))
    assert (facts.spread, facts.levels, facts.mean) == (0, 1, (233, 238, 174))
    Image.new("L", (50, 40), 37).save(path)
    facts, _ = measure.image_facts(path, (tmp_path,))
    assert (facts.spread, set(bytes(facts.thumbnail)), facts.gray) == (0, {37}, True)


@pytest.mark.parametrize("mode", ["L", "P"])
@pytest.mark.parametrize("extra", [{}, {"dpi": (72, 72)}, {"transparency": 0}])
def test_a_mask_read_without_pillow_is_the_same(
    mode: str, extra: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Image.fromarray(np.arange(35, dtype=np.uint8).reshape(5, 7))
    if mode == "P":
        picture.putpalette(image.voc_colors())
    file = io.BytesIO()
    picture.save(file, "PNG", **extra)
    fast = inspection.mask(file.getvalue(), PATH)
    assert (png.mask(file.getvalue(), 1000) is None) == bool(extra)
    monkeypatch.setattr(png, "mask", lambda *_: None)
    slow = inspection.mask(file.getvalue(), PATH)
    assert (fast.header, fast.palette) == (slow.header, slow.palette)
    assert np.array_equal(fast.samples, slow.samples)
