"""The compiled kernel inflates streams and undoes the filters of PNG rows as zlib and Pillow do."""

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from twins import Bytes, both, built, maps

from segprep import kernel
from segprep.evaluation import label_maps
from segprep.evaluation.arrays import Reading
from segprep.imaging import image, mask_files, png, png_filters
from segprep.metrics.counting import tally


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
    data = file_of(filtered(mask[0], kinds))
    parts = both(lambda: mask_files.lit(data, Path("a.png")))
    for part in parts:
        assert part.size == mask[0].shape
        whole = np.zeros(part.size, np.uint8)
        tall, wide = part.pixels.shape
        whole[part.top : part.top + tall, part.left : part.left + wide] = part.pixels
        assert np.array_equal(whole, mask[0])
        assert part.lit == np.count_nonzero(whole)
        assert part.whites == np.count_nonzero(whole == 255) == np.count_nonzero(part.white)
        edges = np.diff(np.pad(whole > 0, ((0, 0), (1, 0))).astype(np.int8), axis=1)
        assert part.pieces == np.count_nonzero(edges > 0)
        assert part.plain == (set(np.unique(whole)) in ({0, 255}, {255}))
        assert np.array_equal(part.white, part.pixels == 255)
    assert parts[0].pixels.shape == parts[1].pixels.shape
    assert parts[0][1:3] == parts[1][1:3]


@given(maps(2), st.integers(0, 2**32), st.booleans())
def test_pairs_of_two_files_are_counted_as_those_of_their_maps(
    pair: Bytes, seed: int, plain: bool
) -> None:
    random = np.random.default_rng(seed)
    truth, pred = (
        file_of(filtered(ids, random.integers(0, 1 if plain else 5, len(ids)))) for ids in pair
    )
    paths, how = (Path("a.png"), Path("b.png")), Reading(256)
    for first, second, ids in ((truth, pred, pair), (pred, truth, pair[::-1])):
        ways = both(lambda: label_maps.counted(first, second, paths, how))  # noqa: B023
        assert kernel.compiled is None or ways[0] is not None
        assert not plain or ways[1] is not None
        expected = tally(*ids)
        for mine in ways:
            for name in ("truth", "pred", "pixels") if mine is not None else ():
                assert np.array_equal(getattr(mine, name), getattr(expected, name))
    height, width = pair[0].shape
    odd = [
        png.encode(np.zeros((width, height + 1), np.uint8)),
        png.encode(np.zeros((height, width), np.uint16)),
        file_of(np.full((height, width + 1), 5, np.uint8)),
        file_of(np.zeros((height, width + 1), np.uint8), spare=1),
        truth[:-1],
        truth[:45] + bytes([truth[45] ^ 1]) + truth[46:],
    ]
    for other in odd:
        assert both(lambda: label_maps.counted(truth, other, paths, how)) == (None, None)  # noqa: B023
        assert both(lambda: label_maps.counted(other, pred, paths, how)) == (None, None)  # noqa: B023
    assert label_maps.counted(truth, pred, (Path("a.png"), Path("b.npy")), how) is None
    for reading in (
        replace(how, threshold=0.5),
        replace(how, objects=True),
        replace(how, colors=True),
        replace(how, truth_ids={}),
    ):
        assert label_maps.counted(truth, pred, paths, reading) is None


@built
def test_memory_for_pairs_is_taken_again_whatever_their_sizes() -> None:
    for side in (3, 300, 20, 301, 300, 5000, 7):
        ids = np.zeros((side, side), np.uint8)
        streams = [png.deflated(png.encode(ids), side * side)] * 2
        height, width, stream = streams[0]  # type: ignore[misc]
        counts = kernel.compiled.joint_streams(stream, stream, height, width)  # type: ignore[union-attr]
        assert np.frombuffer(counts or b"", np.int64).tolist() == [0, 0, side * side]


def file_of(rows: Bytes, spare: int = 0) -> bytes:
    """A gray PNG of filtered *rows* (H, 1 + W), with *spare* bytes behind the last."""
    data = png.encode(np.zeros((len(rows), rows.shape[1] - 1), np.uint8))
    body = zlib.compress(rows.tobytes() + bytes(spare), 9)
    return data[: data.index(b"IDAT") - 4] + png.chunk(b"IDAT", body) + png.chunk(b"IEND", b"")


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
    data = data[: data.index(b"IDAT") - 4] + png.chunk(b"IDAT", body) + png.chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    with Image.open(tmp_path / "a.png") as picture:
        assert np.array_equal(np.asarray(picture), pixels)
    mine, plain = both(lambda: image.decode_mask(data, tmp_path / "a.png"))
    assert np.array_equal(mine, pixels)
    assert np.array_equal(plain, pixels)
