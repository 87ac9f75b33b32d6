"""Seeded labelme JSON files with every kind of shape that labelme can draw, made to look for
differences in pixels.

    python generated.py OUT [--count 1000] [--seed 1]

OUT/labels.txt is the class list. Nothing here comes from segprep or labelme, so the files favor
neither.
"""

import argparse
import base64
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

LABELS = ("__ignore__", "_background_", "cat", "dog", "tree", "road", "sky", "car")
FAR = 32_000  # within segprep's promise (±32,767) even after a radius is added
CROWDED = 300  # more shapes than a byte can number

Point = list[float]
Shape = dict[str, Any]
Size = tuple[int, int]  # width, height


def write(folder: Path, count: int = 1000, seed: int = 1) -> list[Path]:
    """Write *count* files and labels.txt into *folder*; the same *seed* gives the same files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in LABELS), encoding="utf-8")
    paths = []
    for number in range(count):
        path = folder / f"g{number:04}.json"
        path.write_text(json.dumps(_file(Random(f"{seed}/{number}"), number)), encoding="utf-8")
        paths.append(path)
    return paths


def picture(width: int, height: int) -> str:
    """A black PNG of that size, as base64."""
    stream = io.BytesIO()
    Image.new("L", (width, height)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def bitmap_base64(bitmap: Any) -> str:
    """A bitmap (h, w) of booleans as a mask shape holds it."""
    stream = io.BytesIO()
    Image.fromarray(bitmap).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def _file(rng: Random, number: int) -> dict[str, Any]:
    size = _size(rng)
    count = CROWDED if number % 250 == 249 else rng.randint(0, 12)
    content: dict[str, Any] = {
        "version": rng.choice(["3.16.7", "4.5.6", "5.4.1", "6.3.1"]),
        "flags": {},
        "shapes": [_shape(rng, size) for _ in range(count)],
        "imagePath": f"g{number:04}.png",
        "imageData": picture(*size),
    }
    if rng.random() < 0.9:
        content |= {"imageHeight": size[1], "imageWidth": size[0]}
    return content


def _size(rng: Random) -> Size:
    most = rng.choice([3, 17, 64, 64, 150, 600])
    return rng.randint(1, most), rng.randint(1, most)


def _shape(rng: Random, size: Size) -> Shape:
    kind = rng.choice(list(_MAKERS))
    shape: Shape = {"label": rng.choice(LABELS), "shape_type": kind, "flags": {}} | _MAKERS[kind](
        rng, size
    )
    if kind == "polygon" and (form := rng.random()) < 0.2:
        shape["shape_type"] = None
        if form < 0.1:
            del shape["shape_type"]
    if rng.random() < 0.8:
        shape["group_id"] = rng.choice([None, None, 0, 1, 2])
    return shape


def _number(rng: Random, most: int) -> float:
    """A coordinate: mostly near the image, at times far off; whole, half, next to a half, or any
    fraction.
    """
    reach = rng.random()
    if reach < 0.75:
        value = rng.uniform(0, most)
    elif reach < 0.97:
        value = rng.uniform(-1.5 * most - 8, 2.5 * most + 8)
    else:
        value = rng.uniform(-FAR, FAR)
    form = rng.random()
    if form < 0.3:
        return round(value)
    if form < 0.45:
        return math.floor(value) + 0.5
    if form < 0.5:
        return math.floor(value) + 0.5 + rng.choice([-1e-9, 1e-9, 1e-6])
    return value


def _points(rng: Random, size: Size, count: int) -> list[Point]:
    return [[_number(rng, size[0]), _number(rng, size[1])] for _ in range(count)]


def _polygon(rng: Random, size: Size) -> Shape:
    form = rng.random()
    if form < 0.15:
        return {"points": _collinear(rng, size)}
    if form < 0.25:
        return {"points": [_points(rng, size, 1)[0]] * rng.randint(3, 5)}
    if form < 0.55:
        return {"points": _star(rng, size)}
    points = _points(rng, size, rng.randint(3, 40))  # crosses itself
    return {"points": points + points[: rng.randint(0, 1)]}


def _star(rng: Random, size: Size) -> list[Point]:
    """A simple, mostly concave polygon, either way round."""
    (x, y), reach, count = _points(rng, size, 1)[0], rng.uniform(0.5, max(size)), rng.randint(3, 60)
    turn = rng.choice([1, -1]) * 2 * math.pi / count
    radii = [reach * rng.uniform(0.2, 1) for _ in range(count)]
    return [
        [x + radius * math.cos(turn * n), y + radius * math.sin(turn * n)]
        for n, radius in enumerate(radii)
    ]


def _collinear(rng: Random, size: Size) -> list[Point]:
    (x, y), (dx, dy) = _points(rng, size, 2)
    if rng.random() < 0.5:
        dx, dy = rng.choice([(0.0, dy), (dx, 0.0), (3, 3), (-2, 2)])
    return [
        [x + dx * n / 2, y + dy * n / 2]
        for n in (rng.randint(-4, 4) for _ in range(rng.randint(3, 6)))
    ]


def _two(rng: Random, size: Size) -> Shape:
    """Two points, at times the same one twice or on one row or column: no length, no radius, no
    area.
    """
    (x0, y0), (x1, y1) = _points(rng, size, 2)
    return {
        "points": rng.choice(
            [[[x0, y0], [x1, y1]]] * 6
            + [[[x0, y0], [x0, y0]], [[x0, y0], [x0, y1]], [[x0, y0], [x1, y0]]]
        )
    }


def _circle(rng: Random, size: Size) -> Shape:
    """A circle; the far ones are held back so that their box stays within ±32,767."""
    if rng.random() < 0.3:
        x, y = _points(rng, size, 1)[0]
        return {"points": [[x, y], [x + rng.choice([0, 0.2, 0.5, 1, 1.5, 5]), y]]}
    (x, y), (px, py) = _two(rng, size)["points"]
    share = min(1.0, max(0.0, FAR - max(abs(x), abs(y))) / max(1e-9, math.hypot(px - x, py - y)))
    return {
        "points": [[x, y], [x + (px - x) * share, y + (py - y) * share] if share < 1 else [px, py]]
    }


def _linestrip(rng: Random, size: Size) -> Shape:
    points = _points(rng, size, rng.randint(2, 12))
    return {"points": points + points[-1:] if rng.random() < 0.2 else points}


def _point(rng: Random, size: Size) -> Shape:
    return {"points": _points(rng, size, 1)}


def _oriented(rng: Random, size: Size) -> Shape:
    (x, y), (width, height), angle = (
        _points(rng, size, 1)[0],
        _points(rng, size, 1)[0],
        rng.uniform(0, 2 * math.pi),
    )
    width, height = rng.choice([(width, height), (0.0, height), (0.0, 0.0), (width, height)])
    across, down = (
        (width * math.cos(angle), width * math.sin(angle)),
        (-height * math.sin(angle), height * math.cos(angle)),
    )
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    return {
        "points": [
            [x + a * across[0] + d * down[0], y + a * across[1] + d * down[1]] for a, d in corners
        ]
    }


def _mask(rng: Random, size: Size) -> Shape:
    """A bitmap within the image; one in eight reaches over its right or lower edge, where labelme
    gives up.
    """
    left, top = rng.randrange(size[0]), rng.randrange(size[1])
    over = rng.random() < 0.125
    width, height = (
        rng.randint(1, end - start + (5 if over else 0))
        for start, end in ((left, size[0]), (top, size[1]))
    )
    level = rng.choice([1, 255])
    bitmap = Image.frombytes(
        "L", (width, height), bytes(level * (rng.random() < 0.6) for _ in range(width * height))
    )
    stream = io.BytesIO()
    (bitmap.convert("1") if level == 255 and rng.random() < 0.5 else bitmap).save(stream, "PNG")
    shift = rng.choice([0, 0, 0.25, 0.9])
    corners = [[left + shift, top + shift], [left + width - 1 + shift, top + height - 1 + shift]]
    return {"points": corners, "mask": base64.b64encode(stream.getvalue()).decode()}


_MAKERS: dict[str, Callable[[Random, Size], Shape]] = {
    "polygon": _polygon,
    "rectangle": _two,
    "circle": _circle,
    "line": _two,
    "linestrip": _linestrip,
    "point": _point,
    "oriented_rectangle": _oriented,
    "mask": _mask,
}


def main() -> None:
    """Write the files from a command line."""
    parser = argparse.ArgumentParser(description="Write seeded labelme JSON files.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{len(write(options.out, options.count, options.seed))} files in {options.out}")


if __name__ == "__main__":
    main()
