"""Makers of tiny real annotations, shared by all tests."""

import base64
import io
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

# A suite that a script starts in the background ignores Ctrl-C, and so would the processes that
# tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
# A busy machine is slow, not wrong: no time limits on generated cases. They are the same in every
# run, so that a change is what makes a test fail; make slow generates others.
settings.register_profile(
    "patient",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not os.environ.get("SEGPREP_SLOW"),
    database=None,
)
settings.load_profile("patient")

ROOT = Path(__file__).parents[1]
SQUARE = [[2, 2], [5, 2], [5, 5], [2, 5]]


def jpeg(width: int = 32, height: int = 24, color: str = "gray", comment: str = "") -> bytes:
    """A plain picture; a *comment* makes its bytes differ from others'."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), color).save(out, "JPEG", comment=comment)
    return out.getvalue()


def shape(
    label: str = "cat", points: Any = None, kind: str | None = "polygon", **more: Any
) -> dict[str, Any]:
    return {
        "label": label,
        "points": SQUARE if points is None else points,
        "shape_type": kind,
        "group_id": None,
        "flags": {},
    } | more


def annotate(
    folder: Path,
    stem: str,
    *shapes: dict[str, Any],
    image: bool = True,
    embed: bool = False,
    size: tuple[int, int] = (32, 24),
    **more: Any,
) -> Path:
    """Write STEM.json, with STEM.jpg beside it or embedded."""
    folder.mkdir(parents=True, exist_ok=True)
    data = jpeg(*size, comment=stem)
    if image:
        (folder / f"{stem}.jpg").write_bytes(data)
    content = {
        "version": "5.0.1",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": f"{stem}.jpg",
        "imageData": base64.b64encode(data).decode() if embed else None,
        "imageHeight": size[1],
        "imageWidth": size[0],
    } | more
    path = folder / f"{stem}.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


@pytest.fixture
def make() -> Callable[..., Path]:
    return annotate


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Twelve annotated images of three classes."""
    for n in range(12):
        kinds = [
            shape("cat"),
            shape("dog", [[8, 8], [20, 8], [20, 20]]),
            shape("cow", [[0, 0], [3, 3]], "rectangle"),
        ]
        annotate(tmp_path / "before", f"img{n}", *kinds[: n % 3 + 1], embed=n % 4 == 0)
    return tmp_path / "before"


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real samples; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("SEGPREP_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real samples here: set SEGPREP_REAL_DATA")
    return folder


def marked(width: int, height: int) -> "np.ndarray[Any, Any]":
    picture = np.full((height, width, 3), 255, np.uint8)
    picture[5:13, 5:21] = (255, 0, 0)
    return picture
