"""Draw the bundled example: twelve small scenes in examples/shapes, annotated as labelme would.

Run once; the result is committed. Annotations are the same on every machine, JPEG bytes only with
the same Pillow.

    python examples/make_shapes.py [FOLDER]
"""

import base64
import io
import json
import math
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

SCENES, WIDTH, HEIGHT, FINE = 30, 240, 180, 4
EMBEDDED = (4, 8, 12)  # these scenes have no image file, only imageData
GLARES = (3, 10)  # these have a spot too bright to tell what lies below: __ignore__
GROUNDS = [
    ((214, 196, 168), (188, 163, 128)),
    ((176, 192, 198), (142, 161, 172)),
    ((203, 205, 184), (170, 176, 148)),
    ((219, 206, 203), (190, 170, 168)),
]
PAINTS = {
    "disc": [(231, 111, 81), (42, 157, 143), (233, 196, 106)],
    "box": [(38, 70, 83), (181, 101, 29), (87, 117, 144)],
    "triangle": [(244, 162, 97), (109, 89, 122), (67, 170, 139)],
    "ring": [(120, 124, 132), (205, 164, 94), (94, 96, 108)],
    "leaf": [(82, 121, 60), (132, 150, 58), (170, 92, 46)],
}
Points = list[list[float]]


@dataclass(frozen=True)
class Shape:
    """One object: its *label*, the *points* of a circle, rectangle or polygon, and for a ring the
    *hole*.
    """

    label: str
    kind: str
    points: Points
    hole: Points | None = None

    def entries(self) -> list[dict[str, object]]:
        """As labelme writes it; the hole of a ring is a shape of the background painted over it."""
        drawn = [_entry(self.label, self.kind, self.points)]
        return drawn + ([_entry("_background_", self.kind, self.hole)] if self.hole else [])


def _entry(label: str, kind: str, points: Points) -> dict[str, object]:
    return {
        "label": label,
        "points": points,
        "group_id": None,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": None,
    }


def _around(x: float, y: float, radii: list[float], turn: float) -> Points:
    """Points at *radii* from (x, y), evenly turned, to a tenth of a pixel."""
    angles = [turn + 2 * math.pi * n / len(radii) for n in range(len(radii))]
    return [
        [round(x + r * math.cos(a), 1), round(y + r * math.sin(a), 1)]
        for r, a in zip(radii, angles, strict=True)
    ]


def _turned(x: float, y: float, along: float, across: float, turn: float) -> list[float]:
    c, s = math.cos(turn), math.sin(turn)
    return [round(x + along * c - across * s, 1), round(y + along * s + across * c, 1)]


def random_shape(rng: random.Random, label: str, x: float, y: float, size: float) -> Shape:
    """An object of *label* about (x, y), that fits into a circle of radius *size*."""
    turn = rng.uniform(0, 2 * math.pi)
    if label in ("disc", "ring"):
        hole = [[x, y], *_around(x, y, [0.45 * size], turn)] if label == "ring" else None
        return Shape(label, "circle", [[x, y], *_around(x, y, [size], turn)], hole)
    if label == "triangle":
        return Shape(
            label, "polygon", _around(x, y, [size * rng.uniform(0.85, 1.0) for _ in range(3)], turn)
        )
    if label == "leaf":
        along = [math.cos(2 * math.pi * n / 26) for n in range(26)]
        across = [
            0.5
            * rng.uniform(0.92, 1.0)
            * math.sin(2 * math.pi * n / 26)
            * (0.75 + 0.25 * a)
            * (1 - a**6)
            for n, a in enumerate(along)
        ]
        return Shape(
            label,
            "polygon",
            [_turned(x, y, size * a, size * b, turn) for a, b in zip(along, across, strict=True)],
        )
    if rng.random() < 0.5:
        wide, high = (
            round(size * rng.uniform(0.7, 0.9), 1),
            round(size * rng.uniform(0.45, 0.65), 1),
        )
        return Shape(
            label,
            "rectangle",
            [[round(x - wide, 1), round(y - high, 1)], [round(x + wide, 1), round(y + high, 1)]],
        )
    corner = rng.uniform(0.35, 0.6)
    return Shape(
        label,
        "polygon",
        [
            [round(x + size * math.cos(turn + a), 1), round(y + size * math.sin(turn + a), 1)]
            for a in (-corner, corner, math.pi - corner, math.pi + corner)
        ],
    )


def scene(number: int) -> list[Shape]:
    """The objects of scene *number*, in the order in which they lie on each other; a ring lies on
    nothing.
    """
    rng = random.Random(f"shapes {number}")
    placed: list[tuple[float, float, float]] = []
    shapes: list[Shape] = []
    labels = list(PAINTS)
    for label in [
        labels[number % 5],
        labels[(number + 2) % 5],
        *rng.choices(labels, k=rng.randint(3, 5)),
    ]:
        for _ in range(200):
            size = round(rng.uniform(17, 36), 1)
            x, y = (
                round(rng.uniform(size, WIDTH - size), 1),
                round(rng.uniform(size, HEIGHT - size), 1),
            )
            gap = 1.08 if label == "ring" or any(shape.hole for shape in shapes) else 0.9
            if all(math.dist((x, y), (a, b)) > gap * (size + other) for a, b, other in placed):
                placed.append((x, y, size))
                shapes.append(random_shape(rng, label, x, y, size))
                break
    return shapes


def glare(number: int) -> Points:
    """The outline of the spot of scene *number* that is too bright to annotate."""
    rng = random.Random(f"glare {number}")
    return _around(rng.choice([52.0, 188.0]), 44.0, [rng.uniform(24, 32) for _ in range(12)], 0.2)


def outline(shape: Shape) -> Image.Image:
    """Where *shape* is, FINE times finer than the scene."""
    mask = Image.new("L", (WIDTH * FINE, HEIGHT * FINE))
    draw = ImageDraw.Draw(mask)
    for points, fill in ((shape.points, 255), (shape.hole, 0)):
        if points is None:
            continue
        flat = [((x + 0.5) * FINE, (y + 0.5) * FINE) for x, y in points]
        if shape.kind == "circle":
            draw.circle(flat[0], math.dist(*flat), fill=fill)
        elif shape.kind == "rectangle":
            draw.rectangle(flat, fill=fill)
        else:
            draw.polygon(flat, fill=fill)
    return mask


def _shifted(mask: Image.Image, right: int, down: int) -> Image.Image:
    return mask.transform(mask.size, Image.Transform.AFFINE, (1, 0, -right, 0, 1, -down))


def painted(number: int, shapes: list[Shape]) -> Image.Image:
    """The picture of a scene: a grained ground, objects with light from the upper left and a soft
    shadow.
    """
    rng = random.Random(f"paint {number}")
    light, dark = rng.choice(GROUNDS)
    size = (WIDTH * FINE, HEIGHT * FINE)
    slope = Image.linear_gradient("L").rotate(90 * rng.randrange(4)).resize(size)
    picture = Image.composite(Image.new("RGB", size, dark), Image.new("RGB", size, light), slope)
    glow = Image.radial_gradient("L").point(lambda v: max(0, 178 - v) * 5 // 9)
    for shape in shapes:
        mask = outline(shape)
        shadow = (
            _shifted(mask, 3 * FINE, 4 * FINE)
            .filter(ImageFilter.GaussianBlur(3 * FINE))
            .point(lambda v: int(v * 0.45))
        )
        picture.paste((40, 34, 30), mask=shadow)
        body = Image.new("RGB", size, rng.choice(PAINTS[shape.label]))
        left, top, right, bottom = mask.getbbox() or (0, 0, FINE, FINE)
        lit = glow.resize((right - left, bottom - top))
        body.paste((255, 248, 232), (left - (right - left) // 5, top - (bottom - top) // 4), lit)
        body.paste(
            (255, 255, 255),
            mask=ImageChops.subtract(mask, _shifted(mask, FINE, FINE)).point(lambda v: v // 3),
        )
        body.paste(
            (0, 0, 0),
            mask=ImageChops.subtract(mask, _shifted(mask, -2 * FINE, -2 * FINE)).point(
                lambda v: v // 5
            ),
        )
        picture.paste(body, mask=mask)
    if number in GLARES:
        spot = outline(Shape("glare", "polygon", glare(number))).filter(
            ImageFilter.GaussianBlur(7 * FINE)
        )
        picture.paste((255, 253, 246), mask=spot)
    small = np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BOX), dtype=np.float64)
    noise = np.random.default_rng(number)
    grain = noise.normal(0, 2.0, (HEIGHT, WIDTH, 1)) + np.repeat(
        noise.normal(0, 0.8, (HEIGHT, 1, 1)), WIDTH, axis=1
    )
    return Image.fromarray(np.clip(small + grain, 0, 255).astype(np.uint8))


def annotation(number: int, shapes: list[Shape], embedded: bytes | None) -> str:
    """The labelme JSON of a scene."""
    entries = [entry for shape in shapes for entry in shape.entries()]
    if number in GLARES:
        entries.append(_entry("__ignore__", "polygon", glare(number)))
    content = {
        "version": "5.5.0",
        "flags": {},
        "shapes": entries,
        "imagePath": f"scene_{number:02}.jpg",
        "imageData": base64.b64encode(embedded).decode() if embedded else None,
        "imageHeight": HEIGHT,
        "imageWidth": WIDTH,
    }
    return json.dumps(content, indent=1) + "\n"


def make(folder: Path) -> None:
    """Write all scenes to *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, SCENES + 1):
        shapes, stream = scene(number), io.BytesIO()
        painted(number, shapes).save(stream, "JPEG", quality=90, subsampling=0)
        embedded = stream.getvalue() if number in EMBEDDED else None
        if embedded is None:
            (folder / f"scene_{number:02}.jpg").write_bytes(stream.getvalue())
        (folder / f"scene_{number:02}.json").write_text(
            annotation(number, shapes, embedded), encoding="utf-8", newline="\n"
        )


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "shapes")
