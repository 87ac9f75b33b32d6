"""Masks that JPEG or smoothing spoiled are told from drawn ones, whatever was drawn."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import segprep
from segprep.errors import BadInputError, UsageError
from segprep.imaging import image, steps

BILINEAR, BICUBIC = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC


def drawn(seed: int, classes: int, kind: str = "disk") -> Image.Image:
    """Disks, cells with an outline of class 1, or lines across disks, on background 0."""
    rng = np.random.default_rng(seed)
    picture = Image.new("L", (170, 130))
    pen = ImageDraw.Draw(picture)
    for _ in range(6):
        x, y, r = (int(n) for n in rng.integers((0, 0, 12), (170, 130, 35)))
        box, value = (x - r, y - r, x + r, y + r), int(rng.integers(1, classes))
        if kind == "cell":
            pen.ellipse(box, fill=2, outline=1, width=int(rng.integers(1, 3)))
            continue
        pen.ellipse(box, fill=value)
        if kind == "line":
            pen.line((x, y, 0, r), fill=1 + value % (classes - 1), width=1)
    return picture


def as_jpeg(mask: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    mask.save(out, "JPEG", quality=quality)
    return Image.open(out)


SPOILED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "jpeg75": lambda mask: as_jpeg(mask, 75),
    "jpeg95": lambda mask: as_jpeg(mask, 95),
    "smaller": lambda mask: mask.resize((110, 90), BILINEAR),
    "larger": lambda mask: mask.resize((340, 260), BILINEAR),
    "cubic": lambda mask: mask.resize((200, 150), BICUBIC),
    "rotated": lambda mask: mask.rotate(7, BICUBIC),
}


def found(picture: Image.Image) -> frozenset[int]:
    mask: NDArray[np.uint8] = np.asarray(picture)
    return steps.find(mask, image.histogram(mask))


@pytest.mark.parametrize("kind", ["disk", "cell", "line"])
@pytest.mark.parametrize("classes", [3, 4, 7])
def test_what_was_drawn_has_no_steps(kind: str, classes: int) -> None:
    assert not any(found(drawn(seed, classes, kind)) for seed in range(12))


@pytest.mark.parametrize("how", SPOILED)
@pytest.mark.parametrize("classes", [4, 7])
def test_what_was_smoothed_has_steps(how: str, classes: int) -> None:
    assert all(found(SPOILED[how](drawn(seed, classes))) for seed in range(12))


def test_ignored_rims_are_no_steps() -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[10:50, 10:50] = 255
    mask[11:49, 11:49] = 3
    assert not found(Image.fromarray(mask))


def lay_out(root: Path, how: str) -> Path:
    for seed in range(4):
        mask = SPOILED[how](drawn(seed, 4)) if how else drawn(seed, 4)
        for folder, picture in (("images", Image.new("RGB", mask.size)), ("masks", mask)):
            (root / folder).mkdir(parents=True, exist_ok=True)
            picture.save(root / folder / f"{seed}.png")
    return root


@pytest.mark.parametrize("how", ["jpeg95", "smaller"])
@pytest.mark.parametrize("options", [{}, {"classes": "sky,road,car,tree,sign"}])
def test_spoiled_ids_are_refused_with_and_without_names(
    tmp_path: Path, how: str, options: dict[str, Any]
) -> None:
    root = lay_out(tmp_path / "in", how)
    with pytest.raises(BadInputError if options else UsageError) as caught:
        segprep.convert("pairs", root, tmp_path / "out", **options)
    listed = getattr(caught.value, "skipped", ())
    told = " ".join(map(str, [caught.value, caught.value.hint, *listed]))
    assert "also occur as single pixels" in told
    assert "saved as JPEG" in told
    assert "--ids 0=_background_,1=class_1" in told or len(listed) == 4
    stated = "0=sky,1=road,2=car,3=tree,4=sign"
    assert segprep.convert("pairs", root, tmp_path / "out", ids=stated).converted == 4
    sound = lay_out(tmp_path / "sound", "")
    assert segprep.convert("pairs", sound, tmp_path / "out2", **options).converted == 4


def test_ids_beyond_the_list_are_explained_by_the_smearing(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "jpeg75")
    with pytest.raises(BadInputError) as caught:
        segprep.convert("pairs", root, tmp_path / "out", ids="0=sky,1=road,2=car")
    assert "saved as JPEG" in str(caught.value.skipped[0])


def with_rest(seed: int) -> Image.Image:
    """A cyst in a kidney, at whose edge one pixel of kidney is left on one side."""
    picture = drawn(seed, 2)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((40, 40, 120, 90), fill=1)
    pen.rectangle((60, 41, 130, 80), fill=2)
    return picture


@pytest.mark.parametrize("rests", [1, 9])
def test_a_thin_rest_in_few_masks_of_a_set_was_drawn(tmp_path: Path, rests: int) -> None:
    source = tmp_path / "in"
    for seed in range(10):
        mask = with_rest(seed) if seed < rests else drawn(seed, 3)
        for folder, picture in (("images", Image.new("RGB", mask.size)), ("masks", mask)):
            (source / folder).mkdir(parents=True, exist_ok=True)
            picture.save(source / folder / f"{seed}.png")
    assert sum(bool(found(with_rest(seed))) for seed in range(rests)) >= rests - 1
    if rests == 9:
        with pytest.raises((BadInputError, UsageError)):
            segprep.convert("pairs", source, tmp_path / "out", classes="background,kidney,cyst")
        return
    for classes in ("background,kidney,cyst", None):
        done = segprep.convert("pairs", source, tmp_path / f"out{classes}", classes=classes)
        assert "mask-steps" in {note.code for note in done.notes}


def worn(seed: int) -> Image.Image:
    """A face with a mask in front of it, whose edges lie within pixels of each other: closely in
    every other one.
    """
    mask = np.zeros((200, 200), np.uint8)
    mask[20:190, 30:180] = 1
    widths = (0, 0, 0, 1, 1, 4) if seed % 2 == 0 else (0,) * 12 + (1, 3)
    for row, rest in zip(
        range(40, 180, 10), np.random.default_rng(seed).choice(widths, 14), strict=True
    ):
        mask[row : row + 10, 30 + rest : 170] = 2
    return Image.fromarray(mask)


def test_thin_rests_of_any_width_in_most_masks_of_a_set_were_drawn(tmp_path: Path) -> None:
    for folder, spoil in (("drawn", None), ("smoothed", BILINEAR)):
        for seed in range(12):
            mask = worn(seed)
            mask = mask.resize((150, 150), spoil) if spoil else mask
            for kind, picture in (("images", Image.new("RGB", mask.size)), ("masks", mask)):
                (tmp_path / folder / kind).mkdir(parents=True, exist_ok=True)
                picture.save(tmp_path / folder / kind / f"{seed}.png")
    assert sum(bool(found(worn(seed))) for seed in range(12)) >= 4
    for classes in ("background,face,mask", None):
        done = segprep.convert(
            "pairs", tmp_path / "drawn", tmp_path / f"{classes}", classes=classes
        )
        assert done.converted == 12
        assert "mask-steps" in {note.code for note in done.notes}
        with pytest.raises((BadInputError, UsageError)):
            segprep.convert("pairs", tmp_path / "smoothed", tmp_path / "out", classes=classes)


def test_steps_nearly_everywhere_with_strips_as_often_are_left_to_the_set() -> None:
    mask = np.zeros((90, 60), np.uint8)
    mask[:, 30:] = 2
    for row in range(0, 90, 6):
        mask[row : row + 6, 30 - row // 6 % 6 - 1 : 30] = 1
    measured = steps.measure(mask, image.histogram(mask))
    assert measured.share > 0.85
    assert steps.has_slivers(mask, measured)
    smoothed = np.asarray(drawn(3, 4).resize((340, 260), BILINEAR))
    assert not steps.has_slivers(smoothed, steps.measure(smoothed, image.histogram(smoothed)))


@pytest.mark.parametrize("seed", range(30))
def test_steps_are_those_between_three_neighbors_in_a_row_or_column(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(seed)
    height, width = random.integers(1, 30, 2).tolist()
    kind = np.uint16 if seed % 3 else np.uint8
    mask = random.choice(np.array([0, 1, 2, 5, 255], kind), (height, width))
    mask = np.repeat(mask, 1 + seed % 4, axis=1)[:, :: 1 + seed % 2]
    between, direct = list[int](), 0
    for lines in (mask.astype(int), mask.T.astype(int)):
        for line in lines.tolist():
            for first, own, last in zip(line, line[1:], line[2:], strict=False):
                if min(first, last) < own < max(first, last) < 255:
                    between.append(own)
            direct += sum(abs(a - b) > 1 and max(a, b) < 255 for a, b in zip(line, line[1:]))  # noqa: B905, RUF007
    monkeypatch.setattr(steps, "_NOISE", 9)
    monkeypatch.setattr(steps, "LEAST_STEPS", 0)
    monkeypatch.setattr(steps, "STEPPED", 0)
    monkeypatch.setattr(steps, "_is_line", lambda own: False)
    counts = image.histogram(mask)
    expected = steps.MaskSteps(frozenset(between), len(between), len(between) + direct)
    for band in (1, 50, 1 << 20):
        monkeypatch.setattr(steps, "_BAND", band)
        several = len(counts.keys() - {255}) >= 3
        assert steps.measure(mask, counts) == (expected if several else steps.NONE)
