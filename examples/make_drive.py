"""Draw a look-alike of DRIVE, which may not be passed on: invented retinas in its folders, sizes
and file types.

Nothing in it is of a real eye. The same seed draws the same pictures on every machine with the same
numpy and Pillow.

    python examples/make_drive.py FOLDER [TRAINING [TEST]]
"""

import math
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT, FINE = 565, 584, 3
RADIUS, CENTER = 269.0, (282.0, 292.0)  # of the field of view
Canvas = NDArray[np.float64]


@dataclass
class Eye:
    """One retina being drawn: *truth* where vessels are, *dark* how dark they look, both FINE times
    finer.
    """

    rng: random.Random
    scale: float
    truth: Image.Image
    dark: Image.Image
    nerve: tuple[float, float]
    fovea: tuple[float, float]

    def vessel(
        self,
        x: float,
        y: float,
        heading: float,
        width: float,
        length: float,
        tone: int,
        bend: float,
    ) -> None:
        """Walk a vessel from (x, y) toward *heading* (radians), turning by *bend* a step,
        branching and thinning on its way.
        """
        rng, step, walked, lean = self.rng, 3.0, 0.0, bend
        on_truth, on_dark = ImageDraw.Draw(self.truth), ImageDraw.Draw(self.dark)
        next_branch = rng.uniform(25, 60)
        while walked < length and width > 0.8 and math.dist((x, y), CENTER) < RADIUS + 2:
            bend = lean + 0.9 * (bend - lean) + rng.gauss(0, 0.012)
            heading += bend
            if (
                reach := math.dist((x, y), self.fovea)
            ) < 42 and walked > 20:  # vessels go round the fovea
                away = math.atan2(y - self.fovea[1], x - self.fovea[0])
                heading += 0.25 * math.sin(away - heading) * (1 - reach / 42)
            ahead = x + step * math.cos(heading), y + step * math.sin(heading)
            for draw, value in ((on_truth, 255), (on_dark, int(tone * min(1.0, 0.45 + width / 7)))):
                self._stroke(draw, (x, y), ahead, width, value)
            (x, y), walked, width = (
                ahead,
                walked + step,
                width * (1 - 0.0028 * rng.uniform(0.4, 1.6)),
            )
            if walked > next_branch and width > 1.1:
                side, share = rng.choice((-1, 1)), rng.uniform(0.45, 0.8)
                self.vessel(
                    x,
                    y,
                    heading + side * rng.uniform(0.5, 1.1),
                    width * share,
                    (length - walked) * rng.uniform(0.35, 0.9),
                    tone,
                    0.0,
                )
                heading, width = heading - side * rng.uniform(0.05, 0.2), width * (1 - 0.18 * share)
                next_branch = walked + rng.uniform(22, 70)

    def _stroke(
        self,
        draw: ImageDraw.ImageDraw,
        start: tuple[float, float],
        end: tuple[float, float],
        width: float,
        value: int,
    ) -> None:
        fine = FINE * self.scale
        half = max(0.5, width * fine / 2)
        ends = [(a * fine, b * fine) for a, b in (start, end)]
        draw.line(ends, fill=value, width=max(1, round(2 * half)))
        for a, b in ends:
            draw.ellipse((a - half, b - half, a + half, b + half), fill=value)


def eye(seed: str, size: tuple[int, int]) -> Eye:
    """The vessels of one retina: arcades above and below the fovea, a few toward the nose."""
    rng, fine = random.Random(seed), (size[0] * FINE, size[1] * FINE)
    side = rng.choice((-1, 1))  # left or right eye
    nerve = CENTER[0] + side * rng.uniform(150, 185), CENTER[1] + rng.uniform(-20, 20)
    fovea = CENTER[0] - side * rng.uniform(15, 45), CENTER[1] + rng.uniform(-10, 25)
    retina = Eye(rng, size[0] / WIDTH, Image.new("L", fine), Image.new("L", fine), nerve, fovea)
    temple = math.pi if side > 0 else 0.0
    for above in (-1, 1):
        for tone, width in (
            (130, rng.uniform(7.0, 8.6)),
            (95, rng.uniform(5.0, 6.2)),
        ):  # vein, artery
            heading = temple + side * above * -1 * rng.uniform(1.15, 1.5)
            bend = side * above * rng.uniform(0.010, 0.014)
            retina.vessel(*nerve, heading, width, rng.uniform(430, 560), tone, bend)
        retina.vessel(
            *nerve,
            temple + math.pi + above * rng.uniform(0.4, 1.1),
            rng.uniform(3, 4.5),
            220,
            105,
            0.0,
        )
        retina.vessel(
            *nerve,
            temple + above * rng.uniform(0.25, 0.6),
            rng.uniform(1.8, 2.4),
            rng.uniform(70, 110),
            95,
            0.0,
        )
    return retina


def _distance(size: tuple[int, int], x: float, y: float) -> Canvas:
    """Distance of every pixel from (x, y), in pixels of the full size."""
    scale = size[0] / WIDTH
    rows, columns = np.mgrid[: size[1], : size[0]]
    return np.hypot((columns + 0.5) / scale - x, (rows + 0.5) / scale - y)


def _reduced(fine: Image.Image, size: tuple[int, int]) -> Canvas:
    return np.asarray(fine.resize(size, Image.Resampling.BOX), dtype=np.float64)


def photograph(retina: Eye, size: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """The picture of *retina*: reddish, darker to the rim and at the fovea, the nerve bright,
    vessels dark, black outside.
    """
    noise = np.random.default_rng(seed)
    rim, nerve, fovea = (
        _distance(size, *center) for center in (CENTER, retina.nerve, retina.fovea)
    )
    blur = Image.fromarray(
        noise.integers(0, 256, (max(2, size[1] // 24), max(2, size[0] // 24)), dtype=np.uint8)
    ).resize(size, Image.Resampling.BICUBIC)
    cloud = (np.asarray(blur, dtype=np.float64) - 128) / 128
    light = 1.0 - 0.32 * (rim / RADIUS) ** 2 + 0.05 * cloud - 0.28 * np.exp(-((fovea / 45) ** 2))
    disc = np.exp(-((nerve / 34) ** 6))
    dark = (
        _reduced(retina.dark.filter(ImageFilter.GaussianBlur(0.8 * FINE * retina.scale)), size)
        / 255
    )
    shine = (
        _reduced(
            retina.truth.filter(ImageFilter.MinFilter(2 * int(1.2 * FINE * retina.scale) + 1)), size
        )
        / 255
    )
    absorbed = np.clip(dark - 0.1 * shine, 0, 1)
    color = np.array(
        retina.rng.choice([(222, 118, 62), (205, 102, 58), (230, 132, 84), (196, 92, 44)]),
        dtype=np.float64,
    )
    picture = color * light[..., None] + disc[..., None] * np.array([28.0, 84, 64])
    picture *= 1 - absorbed[..., None] * np.array([0.42, 1.0, 0.62])
    picture += noise.normal(0, 1, (size[1], size[0], 3)) * np.array([3.0, 3.5, 4.5])
    inside = 1 / (1 + np.exp((rim - RADIUS) * 1.5))
    picture = picture * inside[..., None] + noise.integers(0, 4, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def scene(
    seed: str, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Photograph (H, W, 3), the drawings of two observers and the field of view (H, W of 0 and
    255).
    """
    retina = eye(seed, size)
    rim = _distance(size, *CENTER)
    view = np.where(rim < RADIUS, 255, 0).astype(np.uint8)
    cover = np.where(rim < RADIUS + 1.5, _reduced(retina.truth, size), 0)
    first, second = (np.where(cover > level, 255, 0).astype(np.uint8) for level in (110, 165))
    return photograph(retina, size, random.Random(seed).randrange(2**32)), first, second, view


def make(
    folder: Path,
    training: int = 20,
    test: int = 20,
    seed: int = 0,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> None:
    """Write *training* and *test* retinas to *folder*, laid out as DRIVE is: 21_training, …, and
    01_test, …
    """
    named = [("training", 21 + n) for n in range(training)] + [("test", 1 + n) for n in range(test)]
    for split, number in named:
        picture, first, second, view = scene(f"{seed} {number}", size)
        Image.fromarray(picture).save(_path(folder, split, "images", f"{number:02}_{split}.tif"))
        Image.fromarray(first).save(
            _path(folder, split, "1st_manual", f"{number:02}_manual1.gif"), optimize=False
        )
        Image.fromarray(view).save(
            _path(folder, split, "mask", f"{number:02}_{split}_mask.gif"), optimize=False
        )
        if split == "test":  # as some of the real ones: indices 0 and 1, shown black and white
            indexed = Image.fromarray(second // 255, "P")
            indexed.putpalette([0, 0, 0, 255, 255, 255])
            indexed.save(_path(folder, split, "2nd_manual", f"{number:02}_manual2.gif"))


def _path(*parts: Path | str) -> Path:
    path = Path(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    make(Path(sys.argv[1]), *(int(count) for count in sys.argv[2:4]))
