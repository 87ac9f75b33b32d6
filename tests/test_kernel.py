"""The compiled kernel and NumPy, or Pillow, give the same; the kernel touches nothing outside its
buffers.
"""

import importlib.util
import math
import os
import subprocess
import sys
import sysconfig
import zlib
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from segprep import kernel
from segprep.checking import information, luminance, measure, signals, thin_values
from segprep.errors import ShapeError
from segprep.imaging import boxes, image, mask_files, png, png_filters, raster
from segprep.imaging.coordinates import coordinates
from segprep.imaging.coverage import covered_classes
from segprep.imaging.raster import LIMIT, Canvas
from segprep.imaging.shapes import PaintOrder, Shape, paint
from segprep.metrics.counting import tally

Bytes = NDArray[np.uint8]
built = pytest.mark.skipif(kernel.compiled is None, reason="the kernel is not built, or turned off")


def both(call: Callable[[], Any]) -> tuple[Any, Any]:
    """What *call* gives with the kernel, and without."""
    with pytest.MonkeyPatch.context() as patch:
        first = call()
        patch.setattr(kernel, "compiled", None)
        return first, call()


@st.composite
def maps(draw: st.DrawFn, count: int = 1) -> Bytes:
    """(count, H, W): noise or runs of few values, of sizes around the eight bytes of a word."""
    shape = count, draw(st.integers(1, 9)), draw(st.integers(1, 70))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = draw(st.sampled_from([1, 2, 3, 256]))
    step = draw(st.sampled_from([1, 7, 8, 33]))
    coarse = random.integers(0, values, (count, shape[1], -(-shape[2] // step)))
    runs = np.repeat(coarse, step, axis=2)[..., : shape[2]]
    blank = random.random(shape) < draw(st.sampled_from([0, 0, 0.9, 1]))
    return np.where(blank, 0, runs).astype(np.uint8)


@built
@given(maps(), st.binary(min_size=256, max_size=256))
def test_values_are_counted_and_translated_the_same(mask: Bytes, table: bytes) -> None:
    for array in (mask[0], mask[0].T, mask[0, ::-1, ::2]):
        assert len(set(map(str, both(lambda: image.histogram(array))))) == 1  # noqa: B023
        mine, plain = both(lambda: image.look_up(array, table))  # noqa: B023
        assert mine[1] == plain[1] == image.histogram(array)
        assert np.array_equal(mine[0], plain[0])
        assert np.array_equal(mine[0], np.frombuffer(table, np.uint8)[array])


@built
@given(maps(2))
def test_pairs_are_counted_the_same(pair: Bytes) -> None:
    mine, plain = both(lambda: tally(*pair))
    for name in ("truth", "pred", "pixels"):
        assert np.array_equal(getattr(mine, name), getattr(plain, name))
        assert getattr(mine, name).dtype == np.int64


@built
@given(maps())
def test_the_lit_part_is_the_same(mask: Bytes) -> None:
    for array in (mask[0], mask[0].T, mask[0] > 1, mask[0, 1:]):
        mine, plain = both(lambda: boxes.lit(array))  # noqa: B023
        assert mine == plain


@built
@given(maps(), st.integers(1, 4))
def test_textures_are_the_same(mask: Bytes, every: int) -> None:
    ids = np.repeat(np.repeat(mask[0], every, 0), every, 1)
    values = image.histogram(ids)
    for look in (
        lambda: measure._steps(ids),
        lambda: measure._specks(ids),
        lambda: thin_values.find(ids, values),
    ):
        mine, plain = both(look)
        assert mine == plain


@built
@given(st.integers(0, 2**32), st.sampled_from([2, 5, 64, 256]), st.booleans(), st.booleans())
def test_signals_are_the_same(seed: int, count: int, ignored: bool, blocks: bool) -> None:
    random = np.random.default_rng(seed)
    colors = random.integers(0, 256, (information.GRID, information.GRID, 3), dtype=np.uint8)
    colors[:8] = 7
    mask = np.repeat(np.repeat(random.integers(0, count, (20, 23)), 9, 0), 8, 1).astype(np.uint8)
    if ignored:
        mask[:50] = 255
    if blocks:
        colors = np.ascontiguousarray(np.repeat(np.repeat(colors[::8, ::8], 8, 0), 8, 1))
    mine, plain = both(lambda: luminance.in_short(colors))
    assert mine == plain
    mine, plain = both(lambda: signals.measure(colors, mask))
    for name in (field.name for field in fields(mine)):
        assert getattr(mine, name) == getattr(plain, name)


@st.composite
def polygons(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[float, ...]]:
    """(H, W) and flat points: noise within and around, a coarse grid, stars, steps, far corners."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    height, width = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    count = draw(st.integers(1, 14)) if draw(st.integers(0, 4)) else draw(st.integers(15, 150))
    turn = np.arange(count) * math.tau / count
    reach = random.uniform(0.2, 1, count) * max(height, width)
    star = np.stack([width / 2 + reach * np.cos(turn), height / 2 + reach * np.sin(turn)], 1)
    steps = np.array([width // 2, height // 2]) + np.cumsum(random.integers(-3, 4, (count, 2)), 0)
    kinds = [
        random.uniform((-5, -5), (width + 5, height + 5), (count, 2)),
        random.uniform(-LIMIT, LIMIT, (count, 2)),
        random.integers(0, 6, (count, 2)).astype(float),
        star,
        steps.astype(float),
    ]
    points = kinds[draw(st.integers(0, 4))]
    if draw(st.booleans()):
        points[random.integers(count)] = points[0]
    if draw(st.booleans()):
        points[:, 1] = np.clip(np.round(points[:, 1] / 4) * 4, -LIMIT, LIMIT)  # 32,768 is clipped
    return (height, width), tuple(points.ravel().tolist())


@built
@settings(max_examples=400)
@given(polygons())
def test_polygons_are_pillow_s(case: tuple[tuple[int, int], tuple[float, ...]]) -> None:
    (height, width), points = case
    picture = Image.new("L", (width, height))
    if len(points) > 2:  # Pillow draws no polygon of one point
        ImageDraw.Draw(picture).polygon(points, fill=7, outline=7)
        drawn = np.zeros((height, width), np.uint8)
        kernel.compiled.polygon(drawn, width, LIMIT, points, 7)  # type: ignore[union-attr]
        assert np.array_equal(drawn, np.asarray(picture))
        canvases = both(lambda: canvas_of(height, width, points))
        assert np.array_equal(*canvases)


def canvas_of(height: int, width: int, points: tuple[float, ...]) -> Bytes:
    canvas = Canvas(height, width)
    canvas.polygon(points, 7)
    return np.asarray(canvas.array())


@built
@given(st.lists(polygons(), min_size=2, max_size=6), st.integers(0, 2**32))
def test_what_covers_polygons_is_counted_the_same(
    cases: list[tuple[tuple[int, int], tuple[float, ...]]], seed: int
) -> None:
    random = np.random.default_rng(seed)
    shapes = [
        Shape("polygon", points * 3 if len(points) < 6 else points, value, f"class {value}", "")
        for (_, points), value in zip(
            cases, random.integers(1, 4, len(cases)).tolist(), strict=True
        )
    ]
    painted = paint(shapes, *cases[0][0])
    mine, plain = both(lambda: covered_classes(shapes, painted, PaintOrder(), background=0))
    assert mine == plain


@built
def test_of_very_many_polygons_no_boxes_are_compared() -> None:
    square = np.array([0, 0, 3, 0, 3, 3, 0, 3], float)
    shapes = [
        Shape("polygon", tuple((square + 5 * (n % 40)).tolist()), 1 + n % 3, "abc"[n % 3], "")
        for n in range(1100)
    ]
    painted = paint(shapes, 210, 210)
    mine, plain = both(lambda: covered_classes(shapes, painted, PaintOrder(), background=0))
    assert len(mine) == 3
    assert mine == plain


@built
def test_a_class_of_many_polygons_is_counted_once() -> None:
    """Each of 300 squares of one class, the left half of each covered by one of another."""
    corners = [(15 * (n % 20), 15 * (n // 20)) for n in range(300)]
    sides = [(9, 1, "cell"), (4, 2, "dirt")]
    shapes = [
        Shape("polygon", (x, y, x + side, y, x + side, y + 9, x, y + 9), value, label, "")
        for side, value, label in sides
        for x, y in corners
    ]
    painted = paint(shapes, 300, 300)
    mine, plain = both(lambda: covered_classes(shapes, painted, PaintOrder(), background=0))
    assert mine == plain
    assert [note.covered.covered for note in mine if note.covered] == [300 * 50]


NUMBERS = st.one_of(
    st.integers(-10, 10),
    st.floats(),
    st.booleans(),
    st.sampled_from([10**6, -(10**6), 10**6 + 1, 10**400, None, "1"]),
)
PAIRS = st.one_of(
    st.lists(st.floats(-9, 9), min_size=2, max_size=2),
    st.lists(NUMBERS, max_size=3),
    st.tuples(NUMBERS, NUMBERS),
    st.none(),
)


@built
@given(st.lists(PAIRS, max_size=5))
def test_points_are_checked_the_same(pairs: list[Any]) -> None:
    def look() -> object:
        try:
            return [(type(value), value) for value in coordinates(pairs, "points", least=0)]
        except ShapeError as error:
            return error.message

    mine, plain = both(look)
    assert mine == plain


@built
def test_a_kernel_that_draws_other_polygons_than_pillow_draws_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert raster.kernel_like_pillow() is kernel.compiled
    monkeypatch.setattr(kernel, "compiled", SimpleNamespace(polygon=lambda *_: 1.0))
    raster.kernel_like_pillow.cache_clear()
    assert raster.kernel_like_pillow() is None
    raster.kernel_like_pillow.cache_clear()


@built
@pytest.mark.parametrize("rounding", ["-Dfloat=double", "-mfpmath=387"])
def test_a_kernel_that_rounds_otherwise_than_pillow_draws_no_polygons(
    rounding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on processors that multiply and add in one step."""
    out, folder = tmp_path / "_kernel.so", Path(kernel.__file__).parent
    sources = [folder / name for name in ("_kernel.c", "_png.c", "_polygons.c", "_signals.c")]
    command: list[str | Path] = [
        "cc",
        "-shared",
        "-fPIC",
        f"-I{sysconfig.get_path('include')}",
        rounding,
        *sources,
    ]
    try:
        subprocess.run([*command, "-o", out], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no compiler, or none that rounds so")
    spec = importlib.util.spec_from_file_location("_kernel", out)
    assert spec is not None
    assert spec.loader is not None
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    monkeypatch.setattr(kernel, "compiled", other)
    raster.kernel_like_pillow.cache_clear()
    assert raster.kernel_like_pillow() is None
    raster.kernel_like_pillow.cache_clear()


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Zeros, noise, runs, repeated patterns and skewed values, up to 70,000 bytes."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.sampled_from([0, 1, 5, 100, 3000, 70_000]))
    step, values = draw(st.sampled_from([1, 3, 9, 300])), draw(st.sampled_from([1, 2, 30, 256]))
    kind = draw(st.integers(0, 2))
    if kind == 0:
        return (
            np.repeat(random.integers(0, values, size // step + 1), step)[:size]
            .astype("u1")
            .tobytes()
        )
    if kind == 1:
        return (random.integers(0, values, step).astype("u1").tobytes() * (size + 1))[:size]
    return np.minimum(random.poisson(values / 4, size), 255).astype("u1").tobytes()


def deflated(draw: Callable[..., Any], content: bytes, more: bytes) -> bytes:
    level, window = draw(st.integers(0, 9)), draw(st.sampled_from([-9, -12, -15]))
    strategy, flush = draw(st.integers(0, 4)), draw(st.sampled_from([0, 2, 3]))
    deflate = zlib.compressobj(
        level, zlib.DEFLATED, window, draw(st.sampled_from([1, 8])), strategy
    )
    first = deflate.compress(content) + (deflate.flush(flush) if flush else b"")
    return first + deflate.compress(more) + deflate.flush()


@built
@settings(max_examples=300)
@given(st.data(), contents(), contents(), st.binary(max_size=20))
def test_streams_are_inflated_as_zlib_does(
    data: st.DataObject, content: bytes, more: bytes, behind: bytes
) -> None:
    stream = deflated(data.draw, content, more)
    inflate = kernel.compiled.inflate  # type: ignore[union-attr]
    out = np.empty(len(content + more), np.uint8)
    assert inflate(stream + behind, out) == len(stream)
    assert out.tobytes() == content + more
    assert inflate(stream, np.empty(len(out) + 1, np.uint8)) == -1
    assert not len(out) or inflate(stream, out[:-1].copy()) == -1
    assert inflate(stream[:-1], out) == -1


@built
@settings(max_examples=300)
@given(
    st.data(),
    contents(),
    st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 7)), min_size=1, max_size=3),
)
def test_damaged_streams_are_refused_or_inflated_as_zlib_does(
    data: st.DataObject, content: bytes, bits: list[tuple[int, int]]
) -> None:
    stream = bytearray(deflated(data.draw, content, b""))
    for at, bit in bits:
        stream[at % len(stream)] ^= 1 << bit
    out = np.empty(len(content), np.uint8)
    read = kernel.compiled.inflate(bytes(stream), out)  # type: ignore[union-attr]
    if read >= 0:
        check = zlib.decompressobj(-15)
        assert check.decompress(bytes(stream)) == out.tobytes()
        assert check.eof
        assert len(stream) - len(check.unused_data) == read


@given(st.binary(max_size=200))
def test_noise_is_no_stream(noise: bytes) -> None:
    assert kernel.compiled is None or kernel.compiled.inflate(noise, np.empty(999, np.uint8)) < 0


@given(maps(), st.integers(0, 2**32), st.booleans())
def test_the_lit_part_of_a_file_is_the_same(mask: Bytes, seed: int, few: bool) -> None:
    kinds = np.random.default_rng(seed).integers(0, 3 if few else 5, len(mask[0]))
    rows = filtered(mask[0], kinds)
    data = png.encode(mask[0])
    body = zlib.compress(rows.tobytes(), 9)
    data = data[: data.index(b"IDAT") - 4] + png._chunk(b"IDAT", body) + png._chunk(b"IEND", b"")
    parts = both(lambda: mask_files.lit(data, Path("a.png")))
    for size, top, left, part in parts:
        assert size == mask[0].shape
        whole = np.zeros(size, np.uint8)
        whole[top : top + part.shape[0], left : left + part.shape[1]] = part
        assert np.array_equal(whole, mask[0])
    assert parts[0][:3] == parts[1][:3]
    assert parts[0][3].size == parts[1][3].size


def filtered(pixels: Bytes, kinds: NDArray[np.int64]) -> Bytes:
    """*pixels* (H, W) with the filter of each row applied, by the format's own words."""
    above = np.vstack([np.zeros_like(pixels[:1]), pixels[:-1]]).astype(int)
    left = np.hstack([np.zeros_like(pixels[:, :1]), pixels[:, :-1]]).astype(int)
    corner = np.hstack([np.zeros_like(above[:, :1]), above[:, :-1]])
    base = left + above - corner
    distances = np.abs(np.stack([base - left, base - above, base - corner]))
    nearest = np.take_along_axis(np.stack([left, above, corner]), distances.argmin(0)[None], 0)[0]
    guesses = np.stack([np.zeros_like(left), left, above, (left + above) // 2, nearest])
    guess = guesses[kinds, np.arange(len(pixels))]
    return np.hstack([kinds[:, None], pixels - guess]).astype(np.uint8)


@given(maps(), st.integers(0, 2**32), st.booleans())
def test_filters_are_undone(mask: Bytes, seed: int, few: bool) -> None:
    kinds = np.random.default_rng(seed).integers(0, 3 if few else 5, len(mask[0]))
    rows = filtered(mask[0], kinds)
    for pixels in both(lambda: png_filters.unfiltered(rows)):
        assert np.array_equal(pixels, mask[0])
    rows[-1, 0] = 5
    assert all(pixels is None for pixels in both(lambda: png_filters.unfiltered(rows)))


@built
def test_many_filtered_rows_are_read_as_pillow_reads_them(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    pixels = np.repeat(random.integers(0, 4, (90, 12)), 9, axis=1).astype(np.uint8)
    data = png.encode(pixels)
    body = zlib.compress(filtered(pixels, random.integers(0, 5, 90)).tobytes())
    data = data[: data.index(b"IDAT") - 4] + png._chunk(b"IDAT", body) + png._chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    with Image.open(tmp_path / "a.png") as picture:
        assert np.array_equal(np.asarray(picture), pixels)
    mine, plain = both(lambda: image.decode_mask(data, tmp_path / "a.png"))
    assert np.array_equal(mine, pixels)
    assert np.array_equal(plain, pixels)


@built
def test_large_maps_are_counted_without_the_interpreter_s_lock() -> None:
    pair = np.random.default_rng(3).integers(0, 256, (2, 999, 777), np.uint8)
    mine, plain = both(lambda: tally(*pair))
    assert np.array_equal(mine.pixels, plain.pixels)
    assert mine.pixels.sum() == 999 * 777


EMPTY, EIGHT, NINE = (np.arange(n, dtype=np.uint8) for n in (0, 8, 9))
SHOWN, DRAWN = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8)
LOGS = information.logs()
POINT = (0.0, 0.0)
FROZEN = np.frombuffer(bytes(8), np.uint8)
HUGE = sys.maxsize
REFUSED = [
    ("histogram", (np.zeros((8, 8), np.uint8)[:, ::2],)),
    ("histogram", ("text",)),
    ("look_up", (EIGHT, bytes(255), EIGHT.copy())),
    ("look_up", (EIGHT, bytes(257), EIGHT.copy())),
    ("look_up", (EIGHT, bytes(256), NINE.copy())),
    ("look_up", (EIGHT, bytes(256), FROZEN)),
    ("look_up", (EIGHT, bytes(256), np.zeros(16, np.uint8)[::2])),
    ("joint", (EIGHT, NINE)),
    ("joint", (EIGHT, np.zeros(16, np.uint8)[::2])),
    ("joint", (EIGHT, None)),
    *(("unfilter", (NINE, width, EIGHT.copy())) for width in (-1, 0, 1, 7, 9, HUGE, -HUGE - 1)),
    ("unfilter", (NINE, 8, NINE.copy())),
    *(("lit", (NINE, width)) for width in (-1, 0, 1, 7, 9, HUGE, -HUGE - 1)),
    ("lit", (EMPTY, 1)),
    ("inflate", (bytes(8), FROZEN)),
    ("inflate", ("text", EIGHT.copy())),
    ("unfilter", (NINE, 2, EIGHT[:5].copy())),
    ("unfilter", (NINE, 8, FROZEN)),
    ("unfilter", (EMPTY, 1, EMPTY)),
    ("unfilter", (NINE, HUGE + 1, EIGHT.copy())),
    *(
        (name, (EIGHT, width))
        for name in ("box", "blocks", "specks", "step")
        for width in (-1, 0, 3, 9, HUGE, -HUGE - 1)
    ),
    *(("in_short", (picture,)) for picture in (EIGHT, SHOWN[:63], SHOWN[::2], "text", None)),
    *(("fit", (picture, DRAWN, LOGS, 12)) for picture in (EIGHT, SHOWN[:63], SHOWN[::2], None)),
    *(("fit", (SHOWN, mask, LOGS, 12)) for mask in (EIGHT, DRAWN[:63], DRAWN.T[::2], None)),
    *(("fit", (SHOWN, DRAWN, logs, 12)) for logs in (EIGHT, LOGS[1:], LOGS.astype(np.int32))),
    *(("polygon", (EIGHT.copy(), width, 9.0, (0.0, 0.0), 1)) for width in (-1, 0, 3, 9, HUGE)),
    *(("polygon", (EIGHT.copy(), 4, 9.0, (0.0, 0.0), value)) for value in (-1, 256, HUGE)),
    *(("polygon", (EIGHT.copy(), 4, limit, (0.0, 0.0), 1)) for limit in (2.0**25, math.inf)),
    *(("polygon", (EIGHT.copy(), 4, 9.0, points, 1)) for points in ((), (1.0,), [0.0, 0.0])),
    *(("polygon", (EIGHT.copy(), 4, 9.0, (0.0, wrong), 1)) for wrong in ("a", None, 10**400)),
    ("polygon", (FROZEN, 4, 9.0, (0.0, 0.0), 1)),
    *(("covers", (EIGHT, width, 9.0, (POINT, POINT), b"12")) for width in (-1, 0, 3, HUGE)),
    *(("covers", (EIGHT, 4, 9.0, (POINT, POINT), values)) for values in (b"", b"123", b"1\xff")),
    *(("covers", (EIGHT, 4, 9.0, polygons, b"12")) for polygons in ((POINT,), (POINT, [0.0, 0.0]))),
    ("covers", (EIGHT, 4, 9.0, (POINT, (0.0, "a")), b"12")),
    ("covers", (EIGHT, 4, 9.0, ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), b"12")),
    ("covers", (EIGHT, 4, 2.0**25, (POINT, POINT), b"12")),
    *(("box", (EIGHT, width)) for width in (-1, 0, 3, 9, HUGE, -HUGE - 1)),
    ("is_base64", ("AAAA", b"000")),
]


@built
@pytest.mark.parametrize(("name", "arguments"), REFUSED)
def test_what_does_not_fit_is_refused(name: str, arguments: tuple[Any, ...]) -> None:
    before = [part.copy() if isinstance(part, np.ndarray) else part for part in arguments]
    with pytest.raises((ValueError, TypeError, BufferError, OverflowError)):
        getattr(kernel.compiled, name)(*arguments)
    for part, copy in zip(arguments, before, strict=True):
        assert np.array_equal(part, copy)


@built
@given(st.binary(max_size=80), st.integers(0, 200), st.binary(min_size=1, max_size=5))
def test_text_is_the_base64_of_bytes_or_not(data: bytes, at: int, other: bytes) -> None:
    text = b2a_base64(data, newline=False)
    assert kernel.compiled is not None
    assert kernel.compiled.is_base64(text, data)
    changed = text[:at] + other + text[at + len(other) :]
    for wrong in (changed, text + other, text[:at], text[:-4], text[:-2] + b"=="):
        assert kernel.compiled.is_base64(wrong, data) == (wrong == text)


@built
def test_nothing_is_counted_in_nothing() -> None:
    assert kernel.compiled is not None
    assert kernel.compiled.histogram(EMPTY) == {}
    assert kernel.compiled.look_up(EMPTY, bytes(256), EMPTY.copy()) == {}
    assert kernel.compiled.joint(EMPTY, EMPTY) == b""
    assert kernel.compiled.box(EMPTY, 5) is None
    assert kernel.compiled.specks(EMPTY, HUGE) == 0


@built
@pytest.mark.parametrize("far", [10.0, -10.0, math.inf, math.nan])
def test_a_polygon_beyond_the_limit_is_not_drawn(far: float) -> None:
    assert kernel.compiled.covers(EIGHT, 4, 9.0, ((), POINT), b"12") is None  # type: ignore[union-attr]
    for points in ((0.0, 0.0, 3.0, 1.0, far, 0.0), (0.0, far, 3.0, 1.0, 2.0, 0.0)):
        pixels = EIGHT.copy()
        assert kernel.compiled.polygon(pixels, 4, 9.0, points, 1) is None  # type: ignore[union-attr]
        covers = kernel.compiled.covers(EIGHT, 4, 9.0, (POINT, points), b"12")  # type: ignore[union-attr]
        assert covers is None
        assert np.array_equal(pixels, EIGHT)


CODE = """
import sys
sys.modules.update({hidden})
from segprep import kernel
from segprep.checking import information, measure, signals, thin_values
print(kernel.used())
"""


def used(hidden: str = "", **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CODE.replace("{hidden}", hidden)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_kernel_can_be_turned_off_and_may_be_missing() -> None:
    assert used(SEGPREP_KERNEL="0") == "NumPy"
    assert used("{'segprep._kernel': None}", SEGPREP_KERNEL="1") == "NumPy"


def test_a_kernel_of_other_sources_is_not_used() -> None:
    old = "{'segprep._kernel': type('Old', (), {'VERSION': 0})}"
    assert used(old, SEGPREP_KERNEL="1") == "NumPy"


INDEX = ".segprep-index"  # has times and inodes


def nuclei(folder: Path) -> None:
    """Two images with three masks each, which Pillow saves with filters of its choice."""
    random = np.random.default_rng(2)
    for name in ("first", "second"):
        for kind in ("images", "masks"):
            (folder / name / kind).mkdir(parents=True)
        photograph = random.integers(0, 255, (40, 52, 3), np.uint8)
        Image.fromarray(photograph).save(folder / name / "images" / f"{name}.png")
        for top in (1, 13, 27):
            mask = np.zeros((40, 52), np.uint8)
            mask[top : top + 9, 2 * top : 2 * top + 6] = 255
            Image.fromarray(mask).save(folder / name / "masks" / f"{top}.png")


def test_whole_runs_give_the_same_bytes(source: Path) -> None:
    """Where the kernel is not built, both runs are NumPy's."""
    nuclei(source.parent / "nuclei")
    results = []
    for setting in ("1", "0"):
        out = source.parent / f"with{setting}"
        out.mkdir()
        for line in (
            "json2mask ../before a -j 1 -q",
            "convert dsb2018 ../nuclei b --objects -j 1 -q",
            "convert pairs b c --masks SegmentationClass --classes background,nucleus -j 1 -q",
            "miou b/SegmentationClass --truth c/SegmentationClass --classes 2 -j 1 --out scores",
        ):
            done = subprocess.run(
                [sys.executable, "-m", "segprep_cli", *line.split()],
                cwd=out,
                env={**os.environ, "SEGPREP_KERNEL": setting},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        files = [path for path in out.rglob("*") if path.is_file() and path.suffix != INDEX]
        results.append({path.relative_to(out): path.read_bytes() for path in files})
    assert results[0] == results[1]
    assert len(results[0]) > 20
