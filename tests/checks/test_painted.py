"""Annotations that are seen in the images: tints and outlines, and what is none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from statistical_faults import VOC, outlined, tinted

import segprep
from segprep.checking.overlays import crossings

SIDE = 160
Paint = Callable[[np.ndarray, np.ndarray], np.ndarray]


def photograph(rng: np.random.Generator) -> np.ndarray:
    """(SIDE, SIDE, 3): smooth patches of many colors, with fine grain."""
    coarse = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
    smooth = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    grain = rng.normal(0, 1, (SIDE, SIDE, 3))
    return np.clip(np.asarray(smooth) + grain, 0, 255).astype(np.uint8)


def dataset(root: Path, paint: Paint, suffix: str = ".png", count: int = 14) -> Path:
    """Photographs with two discs each, of the classes 1 and 2; *paint* changes the image."""
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for name in ("i", "m"):
        (root / name).mkdir(parents=True)
    for n in range(count):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        for value, left in ((1, 45), (2, 115)):
            row, column = rng.integers(50, 110), left + rng.integers(-8, 8)
            mask[np.hypot(rows - row, columns - column) < rng.integers(18, 30)] = value
        image = np.asarray(paint(photograph(rng), mask)).astype(np.uint8)
        Image.fromarray(image).save(root / "i" / f"{n}{suffix}", quality=88)
        Image.fromarray(mask).save(root / "m" / f"{n}.png")
    return root


def messages(root: Path) -> list[str]:
    report = segprep.check(images=root / "i", masks=root / "m", select=["SEG609"])
    return [finding.message for finding in report.findings]


def mixed(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The whole picture mixed with the colors of its mask, black for background."""
    return np.asarray(0.6 * pixels + 0.4 * VOC[mask])


def objects(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Objects of their own colors with soft edges, as a photograph shows them."""
    colors = np.array([(0, 0, 0), (200, 40, 40), (60, 160, 50)])[mask]
    light = pixels.mean(axis=2, keepdims=True) / 255
    inside = Image.fromarray((255 * (mask > 0)).astype(np.uint8)).filter(ImageFilter.BoxBlur(1))
    share = np.asarray(inside)[..., None] / 255
    return np.asarray((1 - share) * pixels + share * colors * (0.6 + 0.6 * light))


def filled(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Shapes of one color, as a generator draws them."""
    return np.asarray(np.where(mask[..., None] > 0, VOC[mask + 8], pixels))


def rimmed(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Drawn shapes with black outlines."""
    line = outlined(pixels * 0 + 1, mask) == (255, 0, 0)
    return np.asarray(np.where(line, 0, filled(pixels, mask)))


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_tint_is_found_with_its_color(suffix: str, tmp_path: Path) -> None:
    first, second = sorted(messages(dataset(tmp_path, tinted, suffix)), key=lambda text: text[19:])
    assert first.startswith("a tint of #")
    assert first.endswith("marks 1 in the images themselves")
    red, green, blue = (int(first[n : n + 2], 16) for n in (11, 13, 15))
    assert abs(red - 128) < 16 > max(green, blue)
    assert "marks 2 " in second


def test_a_mixture_of_whole_pictures_is_found(tmp_path: Path) -> None:
    assert messages(dataset(tmp_path, mixed))[-1].startswith("a tint marks ")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_an_outline_is_found_with_its_color(suffix: str, tmp_path: Path) -> None:
    (message,) = messages(dataset(tmp_path, outlined, suffix))
    assert message.startswith("an outline of #")
    assert int(message[15:17], 16) > 200
    assert int(message[17:19], 16) < 60
    assert message.endswith("marks the annotations in the images themselves")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("paint", [lambda pixels, mask: pixels, objects, filled, rimmed])
def test_objects_of_one_color_are_not_painted(paint: Paint, suffix: str, tmp_path: Path) -> None:
    assert messages(dataset(tmp_path, paint, suffix)) == []


def test_a_few_painted_images_are_no_fault_of_the_dataset(tmp_path: Path) -> None:
    calls = iter(range(100))
    root = dataset(tmp_path, lambda p, m: outlined(p, m) if next(calls) % 3 == 0 else p)
    assert messages(root) == []


@pytest.mark.parametrize(("paint", "count"), [(outlined, 1), (lambda pixels, mask: pixels, 0)])
def test_a_rim_that_is_ignored_hides_no_outline(tmp_path: Path, paint: Paint, count: int) -> None:
    """VOC ignores five pixels along the outlines of its objects."""
    root = dataset(tmp_path, paint)
    for path in (root / "m").iterdir():
        mask = np.asarray(Image.open(path)).copy()
        edge = np.gradient(mask.astype(float))
        line = Image.fromarray((np.hypot(*edge) > 0).astype(np.uint8)).filter(
            ImageFilter.MaxFilter(3)
        )
        mask[np.asarray(line) > 0] = 255
        Image.fromarray(mask).save(path)
    assert len(messages(root)) == count


def test_lines_run_from_the_lower_class_to_the_higher() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[12:25], mask[30:], mask[:, :3] = 3, 255, 255
    picture = np.repeat((mask * 10)[..., None], 3, axis=2)
    lines = crossings(picture, mask)
    assert set(map(tuple, lines.classes.tolist())) == {(0, 3)}
    assert (lines.colors[:, 7] == 0).all()
    assert (lines.colors[:, 8] == 30).all()
    assert sorted(set(lines.reach.tolist())) == [5, 8]
