"""No single file costs more than five seconds or its share of memory."""

import struct
import subprocess
import sys

import numpy as np
import pytest
from hostile.cases import points, shapes
from hostile.labelme.drawings import comb
from hostile.makers import encoded, plain, shape

TIMED = {
    "comb-25k": points(*comb(12_500)),
    "comb-99k": points(*comb(49_500)),
    "comb-99k-low": points(*comb(49_500, 14)),
    "star-30k": points(
        *([20 + 400 * np.cos(n * 2.4), 15 + 400 * np.sin(n * 2.4)] for n in range(30_000))
    ),
    "circle-1e6": points([0, 0], [1e6, 0], kind="circle"),
    "circle-9e5": points([0, 0], [9e5, 0], kind="circle"),
    "circle-1e8": points([0, 0], [1e8, 0], kind="circle"),
    "circle-1e300": points([0, 0], [1e300, 0], kind="circle"),
    "circle-32766": points([0, 0], [32_766, 0], kind="circle"),
    "line-1e10": points([-1e10, -1e10], [1e10, 1e10], kind="line"),
    "line-32767": points([-32_767, -32_767], [32_767, 32_767], kind="line"),
    "strip-99k": points(
        *([(n * 7919) % 32_767, (n * 104_729) % 32_767] for n in range(99_000)), kind="linestrip"
    ),
    "points-99k": points(*([n % 512, n % 511] for n in range(99_000)), kind="points"),
    "shapes-4000": shapes(
        *(shape(points=[[0, 0], [511, 0], [511, 511], [n % 512, 511]]) for n in range(4000))
    ),
    "shapes-4000-circles": shapes(
        *(shape(points=[[256, 256], [256 + n % 300, 256]], kind="circle") for n in range(4000))
    ),
    "shapes-4000-lines": shapes(
        *(shape(points=[[0, n % 512], [32_000, n % 512]], kind="line") for n in range(4000))
    ),
    "combs-400": shapes(*(shape(points=comb(125)) for _ in range(400))),
    "million-points": points(*([n % 512, n % 511] for n in range(1_000_000))),
    "empty-objects": {"flags": [{}] * 1_000_000},
    "labels-20k": shapes(
        *(
            shape(f"label {n % 200}", [[n % 512, 3], [n % 512, 9], [4, n % 512]])
            for n in range(20_000)
        )
    ),
    "gif-100k-frames": {},
    "tiff-100k-pages": {},
}
TIMER = """
import sys, time
from click.testing import CliRunner
from segprep_cli.main import group
for name in sys.argv[2:]:
    started = time.process_time()
    folders = [f"{sys.argv[1]}/{name}", f"{sys.argv[1]}/out-{name}"]
    result = CliRunner().invoke(group, ["json2mask", *folders, "-j", "1", "--on-error", "skip"])
    seconds, error = time.process_time() - started, type(result.exception).__name__
    print(name, seconds, result.exit_code, error, flush=True)
"""


def _gif_of(frames: int) -> bytes:
    one = encoded("GIF", "L", (8, 8))
    start = 13 + 3 * 2 ** ((one[10] & 7) + 1)
    return one[:start] + one[start:-1] * frames + b";"


def _tiff_of(pages: int) -> bytes:
    """Uncompressed 8 x 8 gray pages that share their pixels."""
    entries = (
        (256, 8),
        (257, 8),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 8),
        (279, 64),
    )
    fields = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries
    )
    size = len(fields) + 4
    follow = [72 + size * (n + 1) for n in range(pages - 1)] + [0]
    return (
        struct.pack("<2sHI", b"II", 42, 72)
        + bytes(64)
        + b"".join(fields + struct.pack("<I", offset) for offset in follow)
    )


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[float, int, str]]:
    base = tmp_path_factory.mktemp("timed")
    big = encoded(size=(512, 512))
    for name, content in TIMED.items():
        if "frames" in name or "pages" in name:
            plain(
                base / name,
                name,
                *((_gif_of(100_000), ".gif") if "gif" in name else (_tiff_of(100_000), ".tif")),
            )
        else:
            plain(base / name, name, big, **content)
        plain(base / name, "good")
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", TIMER, str(base), *TIMED], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = process.communicate(timeout=1100)[0].splitlines()
        except subprocess.TimeoutExpired:
            process.kill()
            lines = process.communicate()[0].splitlines()
    return {
        name: (float(seconds), int(code), error)
        for name, seconds, code, error in map(str.split, lines)
    }


@pytest.mark.parametrize("name", TIMED)
def test_no_file_takes_longer_than_five_seconds(
    timed: dict[str, tuple[float, int, str]], name: str
) -> None:
    """HAZARDS B4."""
    assert name in timed, "this one, or the one before it, never ended"
    seconds, code, error = timed[name]
    assert seconds <= 5
    assert code in (0, 3)
    assert error in ("NoneType", "SystemExit")
