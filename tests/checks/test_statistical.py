"""Rules that compare samples with the rest of their dataset, on generated scenes."""

from collections import Counter
from pathlib import Path
from typing import Any

import matrix
import numpy as np
import pytest
import scenes
from PIL import Image
from statistical_faults import STATISTICAL

import segprep
from segprep.checking import signals
from segprep.checks import channels_swapped, classes_swapped, pairs_off_by_one
from segprep.checks._common import fit, likelihood
from segprep.checks._common.survey import Cells, Signals
from segprep.imaging import likeness

NONE = Cells(b"")
FAULTS = {fault.name: fault for fault in STATISTICAL}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scenes.make(tmp_path_factory.mktemp("scenes") / "clean", 40, seed=3).root


@pytest.fixture(scope="module")
def before(clean: Path):
    return segprep.check(clean)


@pytest.mark.parametrize(
    ("name", "scope", "least"),
    [
        ("mirrored", "all", 1.0),
        ("rotated by 180", "all", 1.0),
        ("shifted by 10 %", "all", 1.0),
        ("shifted by 5 %", "all", 1.0),
        ("permuted", "all", 1.0),
        ("mirrored", "few", 0.5),
        ("shifted by 10 %", "few", 0.5),
        ("permuted", "few", 0.5),
        ("inverted", "few", 0.5),
        ("dark", "few", 0.5),
        ("red and blue swapped", "few", 0.5),
        ("off by one from here", "all", 1.0),
        ("re-encoded copy", "few", 1.0),
        ("mirrored copy", "few", 1.0),
    ],
)
def test_found_with_its_kind(name: str, scope: str, least: float, clean, before, tmp_path) -> None:
    fault, place = FAULTS[name], matrix.copy(clean, tmp_path / "spoiled")
    found = matrix.score(fault, place, before, scope, seed=1)
    assert found.right >= least * found.spoiled > 0
    assert not found.alarms


@pytest.mark.parametrize(
    "spoil",
    [
        lambda mask: mask[:, ::-1],
        lambda mask: mask[::-1, ::-1],
        lambda mask: np.roll(mask, 6, 1),
        lambda mask: np.roll(mask, 12, 1),
    ],
    ids=["mirrored", "rotated", "shifted by 5 %", "shifted by 10 %"],
)
def test_single_spoiled_masks_are_found_by_edges_and_colors_together(spoil) -> None:
    """Edges alone find one in three of those shifted by 5 %."""
    rng = np.random.default_rng(5)
    pictures = [scenes.scene(rng, 120, 96) for _ in range(40)]
    shorts = [np.asarray(Image.fromarray(one).resize((64, 64), 4)) for one, _ in pictures]
    masks = [mask for _, mask in pictures]
    clean = [signals.measure(*pair) for pair in zip(shorts, masks, strict=True)]
    assert (fit.misplaced(clean) <= fit.FAR).all()
    found = 0
    for n, (short, mask) in enumerate(zip(shorts, masks, strict=True)):
        spoiled = signals.measure(short, np.ascontiguousarray(spoil(mask)))
        found += fit.misplaced([*clean[:n], spoiled, *clean[n + 1 :]])[n] > fit.FAR
    assert found >= 38


def weak(own: float, moved: float, told: tuple[float, float]) -> Signals:
    """The signals of a mask: its fit as it lies and moved, and what colors tell of it so."""
    here, there = told
    return Signals(
        own, -1.0, "mirrored", moved, (0.0, 0.1), 200, (here, 0.0, there), NONE, NONE, NONE
    )


@pytest.mark.parametrize(
    ("usual", "own", "there", "accused"),
    [
        (4.0, -1.0, 390, False),  # cracks on gravel: some masks fit nowhere, and colors agree
        (4.0, -1.0, 460, True),  # colors tell more of the mask elsewhere
        (9.0, -1.0, 390, True),  # among sharp objects no mask fits so badly
    ],
)
def test_a_mask_that_fits_nowhere_is_accused_where_edges_or_colors_are_sure(
    usual: float, own: float, there: float, accused: bool
) -> None:
    rng = np.random.default_rng(6)
    fits = rng.normal(usual, 2, 100).clip(usual - 3, usual + 3)
    clean = [weak(fit, max(fit, 2.5), (400, 330)) for fit in fits.tolist()]
    scores = fit.misplaced([*clean, weak(own, 2.5, (400, there))])
    assert (scores[-1] > fit.FAR + fit.FEW / len(scores)) == accused
    assert (scores[:-1] <= fit.FAR).all()


def test_colors_that_tell_barely_more_elsewhere_accuse_no_mask_whose_edges_fit() -> None:
    rng = np.random.default_rng(7)
    clean = [weak(own, own, (2400, 1700)) for own in rng.normal(8.4, 2, 39).tolist()]
    assert fit.misplaced([*clean, weak(4.8, 4.8, (501, 511))])[-1] <= fit.FAR


def test_a_stretch_of_half_misfits_is_found_and_single_ones_are_not() -> None:
    rng = np.random.default_rng(2)
    usual = rng.normal(0, 1, 90)
    assert pairs_off_by_one.worst([*usual, 9, 9, 9, *usual])[2] < pairs_off_by_one.SUM
    start, end, total = pairs_off_by_one.worst([*usual, *rng.normal(2.6, 1, 30)])
    assert 80 <= start <= 95
    assert end >= 115
    assert pairs_off_by_one.stands_out([3.0, 2.6, 0.9, 2.8] * 8, total)


def test_a_stretch_in_the_middle_takes_twice_the_evidence(monkeypatch, tmp_path: Path) -> None:
    """Ten frames of a film, whose masks fit a little worse, are no pairs that are off by one; the
    same to the end of the names are.
    """
    survey = segprep.checking.survey(scenes.make(tmp_path / "tree", 40).root)
    rng = np.random.default_rng(2)
    usual, odd = rng.normal(-0.5, 0.6, 30).tolist(), [2.2] * 10

    def codes(scores: list[float]) -> int:
        judged = fit.Fit({}, None, range(40), scores, [1.0] * 40)
        monkeypatch.setattr(pairs_off_by_one, "judged", lambda _: judged)
        return len(list(pairs_off_by_one.find(survey)))

    assert codes([*usual, *odd]) == 1
    assert codes([*usual[:15], *odd, *usual[15:]]) == 0
    assert codes([*usual[:5], *[2.2] * 25, *usual[5:15]]) == 1


def test_a_long_stretch_of_images_alike_that_fit_a_little_worse_is_no_shift_of_names() -> None:
    """Augmented copies of two radiographs: 79 masks with a mean score of 1.4."""
    scores = np.random.default_rng(3).normal(1.4, 1.2, 79).tolist()
    start, end, total = pairs_off_by_one.worst(scores)
    assert total > pairs_off_by_one.SUM
    assert not pairs_off_by_one.stands_out(scores[start:end], total)


def test_a_stretch_of_masks_of_which_colors_tell_more_as_they_lie_is_no_shift_of_names() -> None:
    """Of a public set of cracks 86 in a row are hardly visible: .43 of their gains are positive; of
    pairs that are off by one, .57 and more.
    """
    rng = np.random.default_rng(8)
    assert not pairs_off_by_one.told_elsewhere(rng.normal(-0.7, 3, 86).tolist())
    assert pairs_off_by_one.told_elsewhere(rng.normal(4.3, 3, 80).tolist())


def test_colors_that_no_other_image_has_are_not_called_swapped(tmp_path: Path) -> None:
    """Half of the swapped picture is pink: in no order of the channels is it like the others."""
    rng = np.random.default_rng(9)
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / folder).mkdir()
    for n in range(60):
        mask = np.zeros((64, 64), np.uint8)
        mask[10:40, 10 + n % 30 : 30 + n % 30] = 1
        colors = np.where(mask[..., None] == 1, (200, 40, 30), (30, 110, 60))
        if n == 7:
            colors = colors[..., ::-1].copy()
            colors[:32] = 250, 30, 250
        colors = (colors + rng.integers(-100, 100, colors.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(colors).save(tmp_path / "JPEGImages" / f"s{n}.png")
        segprep.write_mask(tmp_path / "SegmentationClass" / f"s{n}.png", mask)
    assert not segprep.check(tmp_path, select=["SEG607"]).findings


def test_a_mask_that_lies_elsewhere_has_one_cause(tmp_path: Path, monkeypatch) -> None:
    """Its classes have the colors of others, which may look like swapped channels or classes."""
    place = scenes.make(tmp_path / "scenes", 40, seed=3)
    stems = place.stems()[3:5]
    FAULTS["mirrored"].apply(place, stems[:1], np.random.default_rng(0))
    odd = {stem: likelihood.Channels(1.0, 9.0) for stem in stems}
    monkeypatch.setattr(channels_swapped, "swapped_channels", lambda survey: odd)
    swaps = {stem: likelihood.Swap((0, 1), 1.0, 9.0) for stem in stems}
    monkeypatch.setattr(classes_swapped, "swaps", lambda survey: swaps)
    told = [(one.stem, one.code) for one in segprep.check(place.root, select=["SEG6"]).findings]
    assert sorted(told) == [(stems[0], "SEG602"), (stems[1], "SEG605"), (stems[1], "SEG607")]


def test_an_image_of_another_gamma_stands_out_among_dark_and_bright_ones(tmp_path: Path) -> None:
    """The darkest of images of many means is not an outlier, one raised to the power of 4 is."""
    place = scenes.make(tmp_path / "scenes", 40, seed=8)
    for n, stem in enumerate(place.stems()):
        path = place.image_path(stem)
        assert path
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB")) * (0.6 + 0.9 * n / 40)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=95)
    assert "SEG606" not in {one.code for one in segprep.check(place.root).findings}
    stem = place.stems()[12]
    assert FAULTS["dark"].apply(place, [stem], np.random.default_rng(0)) == [stem]
    found = [one.stem for one in segprep.check(place.root).findings if one.code == "SEG606"]
    assert found == [stem]


def test_deviations_are_robust() -> None:
    values = np.array([0.0, 0.1, -0.1, 0.05, 9.0])
    scores = fit.deviations(values)
    assert scores[4] > 20
    assert abs(scores[:4]).max() < 1


def test_likeness_is_symmetric_and_bounded() -> None:
    rng = np.random.default_rng(0)
    many = rng.integers(0, 256, (60, 32, 32), dtype=np.uint8)
    many[7] = many[3][:, ::-1]
    many[9] = np.clip(many[3].astype(int) + 3, 0, 255)
    found = {(one, other): turn for one, other, turn, _ in likeness.pairs(list(many))}
    assert found[3, 7] == "mirrored left to right"
    assert found[3, 9] == ""
    assert set(found) == {(3, 7), (3, 9), (7, 9)}
    assert list(likeness.pairs(list(many[:1]))) == []


def test_a_crowd_of_equal_hashes_is_not_compared_pair_by_pair() -> None:
    """Pictures that differ only in noise around one gray: their hashes have long equal runs."""
    flat = np.full((4000, 32, 32), 90, np.uint8)
    words = likeness.in_words(likeness.hashes(flat))
    assert len(likeness._candidates(words, words)) < 200_000


def test_a_speckled_mask_stands_out_from_smooth_ones(tmp_path: Path) -> None:
    place = scenes.make(tmp_path / "tree", 16, size=(240, 180))
    rng = np.random.default_rng(0)
    for stem in place.stems():
        path = place.mask_path(stem)
        mask = np.zeros((180, 240), np.uint8)
        mask[40:120, 60:200] = 1
        segprep.write_mask(path, mask)
    assert "SEG315" not in {one.code for one in segprep.check(place.root).findings}
    mask[rng.random(mask.shape) < 1 / 200] = 2
    segprep.write_mask(path, mask)
    found = [one for one in segprep.check(place.root).findings if one.code == "SEG315"]
    assert [one.stem for one in found] == [stem]


def test_empty_masks_do_not_make_specks_unusual(tmp_path: Path) -> None:
    """Dotted lines, as they are drawn here, beside more masks of nothing."""
    place = scenes.make(tmp_path / "tree", 40, size=(240, 180))
    for number, stem in enumerate(place.stems()):
        mask = np.zeros((180, 240), np.uint8)
        mask[40 + number : 120 + number : 2, 60] = number > 24
        segprep.write_mask(place.mask_path(stem), mask)
    assert not segprep.check(place.root, select=["SEG315"]).findings


def test_the_commonest_shift_is_found_without_comparing_all_pairs() -> None:
    shifts = [(0.0, 5 / 64)] * 30 + [(0.0, 6 / 64)] * 5 + [(-10 / 64, 10 / 64)] * 20
    every = [Signals(0, 0, "", 0, shift, 20, (0, 0, 0), NONE, NONE, NONE) for shift in shifts]
    center, count = fit._commonest(every)
    assert center.tolist() == [0, 5]
    assert count == 35


def test_a_few_cells_of_one_class_among_many_accuse_nobody() -> None:
    """Ten cells of class 2 in the colors of class 1, which is as small: chance, where three classes
    are there.
    """
    usual = np.zeros((3, likelihood.BINS))
    usual[0, 0], usual[1, 1], usual[2, 2] = 3000, 800, 200
    logs = 2 * likelihood.log_shares(usual).T
    odd = usual.copy()
    odd[1], odd[2] = usual[0] / 300, usual[1] / 80
    swapped = usual[[0, 2, 1]]
    both = np.stack([odd, swapped])
    largest, gains, classes = likelihood._gains(both @ logs, both.sum(2))
    assert largest[0] > 0
    assert gains[0] < 0
    assert gains[1] > 1
    assert classes[1] == (1, 2)


def test_red_and_blue_say_nothing_where_either_order_fits_many_images() -> None:
    """On gray ground the gain of a swap is as often above zero as below."""
    rng = np.random.default_rng(2)
    vivid, gray = rng.normal(-1.5, 0.4, 200), rng.normal(-0.2, 0.5, 200)
    assert likelihood._telling(vivid, 1.4)
    assert not likelihood._telling(gray, 0.9)


def test_like_objects_a_step_further_are_no_shift() -> None:
    """As in radiographs of teeth: the row above has the sharper borders, but only the masks as they
    lie agree with the colors. Colored bars under frames of the same size.
    """
    rng = np.random.default_rng(2)
    measured = []
    for _ in range(20):
        image = rng.integers(96, 105, (64, 64, 1)).repeat(3, 2).astype(np.uint8)
        mask = np.zeros((64, 64), np.uint8)
        for column in range(int(rng.integers(2, 8)), 56, 12):
            image[24:32, column : column + 7] = 240
            image[25:31, column + 1 : column + 6] = 100
            image[34:42, column : column + 7] = (60, 110, 130)  # as bright as the ground
            mask[34:42, column : column + 7] = 1
        measured.append(signals.measure(image, mask))
    center, count = fit._commonest(measured)
    assert (center.tolist(), count) == ([-10, 0], 20)
    assert fit._whole(measured) is None


def cells(folder: Path, count: int, inverted: int, *, odd: bool = False) -> Path:
    """A tree of *count* dark pictures of bright cells, each of another exposure; the masks of the
    first *inverted* ones are. *odd*: one more shows a class that no other has, as bright as ground.
    """
    rng = np.random.default_rng(4)
    for name in ("JPEGImages", "SegmentationClass"):
        (folder / name).mkdir(parents=True)
    rows, columns = np.mgrid[:96, :96]
    for number in range(count + odd):
        mask = np.zeros((96, 96), np.uint8)
        for _ in range(int(rng.integers(4, 9))):
            row, column, radius = rng.integers((8, 8, 4), (88, 88, 9))
            mask[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = 1
        light = rng.uniform(0.5, 1) * (8 + 24.0 * mask) + rng.normal(0, 2, mask.shape)
        if number == count:
            mask, light = mask * 2, light / (1 + 3 * mask) + 60 * (rows < 30)
        gray = np.clip(light, 0, 255).astype(np.uint8)
        Image.fromarray(gray).save(folder / "JPEGImages" / f"c{number:02}.png")
        stored = 1 - mask if number < inverted else mask
        segprep.write_mask(folder / "SegmentationClass" / f"c{number:02}.png", stored)
    (folder / "class_names.txt").write_text("_background_\ncell\nother\n")
    return folder


@pytest.mark.parametrize("inverted", [0, 1, 6, 10])
def test_of_dark_pictures_up_to_a_third_may_be_inverted(tmp_path: Path, inverted: int) -> None:
    """Cells and ground have one of four levels of red, green and blue, but not the same light among
    what else the picture shows; and what is counted of each class is blurred by the inverted ones.
    """
    findings = segprep.check(cells(tmp_path / "tree", 30, inverted), select=["SEG605"]).findings
    assert {one.stem for one in findings} == {f"c{number:02}" for number in range(inverted)}


def test_half_of_the_masks_inverted_is_told_of_the_set_and_accuses_neither_half(
    tmp_path: Path,
) -> None:
    (finding,) = segprep.check(cells(tmp_path / "tree", 30, 15), select=["SEG605"]).findings
    assert finding.stem == ""
    assert finding.message.startswith("about half of the masks are inverted: in 15 of 30")


def test_a_class_that_no_other_image_has_is_not_called_swapped(tmp_path: Path) -> None:
    assert not segprep.check(cells(tmp_path / "tree", 20, 0, odd=True), select=["SEG605"]).findings


def test_counts_by_color_are_made_once_and_are_the_same_for_many_samples(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Counter[str]()

    def table(*parts: Any) -> Any:
        calls["tables"] += 1
        return made(*parts)

    made = likelihood._table
    monkeypatch.setattr(likelihood, "_table", table)
    codes = ["SEG605", "SEG607"]
    kept = segprep.check(clean, select=codes)
    assert calls["tables"] == 3  # of color, light and place
    monkeypatch.setattr(likelihood, "KEPT", 0)
    assert segprep.check(clean, select=codes).findings == kept.findings
    assert calls["tables"] > 6
