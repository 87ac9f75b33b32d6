"""The compiled kernel and NumPy, or Pillow, give the same; the kernel touches nothing outside its
buffers.
"""

import ctypes
import math
import os
import subprocess
import sys
from binascii import b2a_base64
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from twins import Bytes, both, built, maps

from segprep import kernel
from segprep.checking import information, luminance, measure, signals, thin_values
from segprep.imaging import boxes, image
from segprep.kernel import Kernel
from segprep.metrics.counting import tally


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
FAR, TWO = (9.0, 9.0), (b"012", b"012")
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
    *(("joint_streams", (b"0", b"0", n, 3)) for n in (-1, 0, HUGE, -HUGE - 1)),
    *(("joint_streams", (b"0", b"0", 3, n)) for n in (-1, 0, HUGE, -HUGE - 1)),
    ("joint_streams", (b"0", "text", 3, 3)),
    *(("unfilter", (NINE, width, EIGHT.copy())) for width in (-1, 0, 1, 7, 9, HUGE, -HUGE - 1)),
    ("unfilter", (NINE, 8, NINE.copy())),
    *(("lit", (b"0", n, 3)) for n in (-1, 0, HUGE, -HUGE - 1)),
    *(("lit", (b"0", 3, n)) for n in (-1, 0, HUGE, -HUGE - 1)),
    ("lit", ("text", 3, 3)),
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
    *(("paint", (EIGHT, width, *FAR, (POINT, POINT), *TWO)) for width in (-1, 0, 3, HUGE)),
    *(("paint", (EIGHT, 4, *FAR, (POINT, POINT), v, TWO[1])) for v in (b"", b"01", b"0123")),
    *(("paint", (EIGHT, 4, *FAR, (POINT, POINT), TWO[0], v)) for v in (b"", b"01", b"0123")),
    *(("paint", (EIGHT, 4, *FAR, ps, *TWO)) for ps in ((POINT,), (POINT, [0.0, 0.0]))),
    ("paint", (EIGHT, 4, *FAR, (POINT, (0.0, "a")), *TWO)),
    ("paint", (EIGHT, 4, *FAR, ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), *TWO)),
    ("paint", (EIGHT, 4, 2.0**25, 9.0, (POINT, POINT), *TWO)),
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


CODE = """
import sys
sys.modules.update({hidden})
from segprep import kernel
from segprep.checking import information, measure, signals, thin_values
print(kernel.used())
"""


@built
@pytest.mark.skipif(sys.platform == "win32", reason="nothing is exported there unless asked for")
def test_its_names_are_its_own() -> None:
    """Where libz is loaded with Python itself, as in Debian's, inflate would be that of libz."""
    library = ctypes.CDLL(vars(kernel.compiled)["__file__"])
    assert hasattr(library, "PyInit__kernel")
    for name in (*(name for name in vars(Kernel) if name[0] != "_"), "as_dict"):
        assert not hasattr(library, name)


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
