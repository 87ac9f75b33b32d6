"""Clean sets of rare kinds raise no alarm, and one fault gets one cause."""

from pathlib import Path

import faults
import numpy as np
import pytest
import scenes
from PIL import Image

import segprep
from segprep.dataset.tree import LISTS, Tree

RNG = np.random.default_rng(0)


def codes(place: Tree, severity: str) -> set[str]:
    report = segprep.check(place.root)
    return {finding.code for finding in report.findings if finding.severity == severity}


def fault(name: str, place: Tree, stem: str) -> None:
    (fault,) = [fault for fault in faults.STRUCTURAL if fault.name == name]
    assert list(fault.apply(place, [stem], RNG)) == [stem]


def uniform(place: Tree, values: list[int]) -> None:
    """Fill the masks with *values*, in turn; -1 leaves one as it is."""
    for n, stem in enumerate(place.stems()):
        path, value = place.mask_path(stem), values[n % len(values)]
        if value >= 0:
            segprep.write_mask(path, np.full_like(segprep.read_mask(path), value))


@pytest.mark.parametrize(
    ("values", "severity"), [([0], "error"), ([0, 1, 2], "warning"), ([-1, 0], "info")]
)
def test_masks_of_one_value_by_what_they_share(
    values: list[int], severity: str, tmp_path: Path
) -> None:
    """All alike teach nothing; a class for each image, or half of them negatives, may be meant."""
    place = scenes.make(tmp_path / "tree")
    uniform(place, values)
    said = [finding for finding in segprep.check(place.root).findings if finding.code == "SEG309"]
    assert {finding.severity for finding in said} == {severity}
    assert (len(said) == 1) == (severity != "info")


def test_black_and_white_beside_a_frame_of_ignored_pixels(tmp_path: Path) -> None:
    """255 means a field of view in all others; in the white mask it is the objects."""
    place = scenes.make(tmp_path / "tree")
    for stem in place.stems():
        mask = segprep.read_mask(place.mask_path(stem)).copy()
        mask[mask == 255] = 0
        mask[:, :60] = 255
        mask[20:, 70:] = 0
        mask[30:33, 80:100] = 1
        segprep.write_mask(place.mask_path(stem), mask)
    assert "SEG302" not in codes(place, "error")
    fault("0 and 255", place, "scene_005")
    assert "SEG302" in codes(place, "error")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("mask missing", "SEG203"),
        ("palette renumbered", "SEG305"),
        ("mask as JPEG", "SEG114"),
        ("16-bit objects", "SEG307"),
        ("flattened palette", "SEG304"),
        ("black image", "SEG105"),
    ],
)
def test_one_fault_has_one_cause(name: str, code: str, tmp_path: Path) -> None:
    place = scenes.make(tmp_path / "tree")
    fault(name, place, "scene_005")
    assert codes(place, "error") == {code}
    assert not codes(place, "warning") & {"SEG110", "SEG312", "SEG315", "SEG605"}


def test_colors_that_tell_no_classes_apart_accuse_nobody(tmp_path: Path) -> None:
    place = scenes.make(tmp_path / "tree", 16)
    for stem in place.stems():
        path = place.image_path(stem)
        assert path
        with Image.open(path) as picture:
            picture.point(lambda level: level // 12).save(path)
    assert "SEG605" not in codes(place, "warning")


@pytest.mark.parametrize(("inverted", "named"), [(False, []), (True, ["s7"])])
def test_an_image_in_other_light_is_not_taken_for_swapped(
    inverted: bool, named: list[str], tmp_path: Path
) -> None:
    """What is lit more has the color of other images' objects, and its own object is brighter
    still.
    """
    for part in ("JPEGImages", "SegmentationClass"):
        (tmp_path / part).mkdir()
    (tmp_path / "class_names.txt").write_text("_background_\nleaf\n")
    for n in range(16):
        mask = np.zeros((64, 96), np.uint8)
        top, left = RNG.integers(4, 24), RNG.integers(4, 50)
        mask[top : top + 30, left : left + 40] = 1
        levels = np.where(mask == 1, 160, 95) + RNG.normal(0, 4, mask.shape)
        if n == 7:
            levels, mask = (levels, 1 - mask) if inverted else (levels + 65, mask)
        picture = Image.fromarray(levels.astype(np.uint8)).convert("RGB")
        picture.save(tmp_path / f"JPEGImages/s{n}.png")
        segprep.write_mask(tmp_path / f"SegmentationClass/s{n}.png", mask)
    findings = segprep.check(tmp_path).findings
    assert [finding.stem for finding in findings if finding.code == "SEG605"] == named


def test_an_image_of_another_kind_is_named_by_its_kind(tmp_path: Path) -> None:
    place = scenes.make(tmp_path / "tree")
    path = place.image_path("scene_003")
    assert path
    with Image.open(path) as picture:
        picture.convert("RGBA").save(path.with_suffix(".png"))
    path.unlink()
    (said,) = [
        finding for finding in segprep.check(place.root).findings if finding.code == "SEG110"
    ]
    assert said.message == "color with alpha; 23 of 24 images are color"


@pytest.mark.parametrize("unmasked", [1, 6])
def test_entries_of_images_without_masks_are_said_once(unmasked: int, tmp_path: Path) -> None:
    place = scenes.make(tmp_path / "tree")
    with open(place.root / LISTS / "train.txt", "a") as file:
        file.write("gone\n")
    for stem in place.stems()[:unmasked]:
        place.mask_path(stem).unlink()
    said = [f for f in segprep.check(place.root).findings if f.severity == "error"]
    missing = {("SEG203", f"scene_{n:03d}") for n in range(unmasked)}
    assert {(finding.code, finding.stem) for finding in said} == missing | {("SEG402", "gone")}


def test_a_palette_among_gray_masks_is_a_warning(tmp_path: Path) -> None:
    """The only mask that an editor stored with colors: its numbers may be the editor's."""
    place = scenes.make(tmp_path / "tree")
    fault("palette renumbered", place, "scene_005")
    for stem in place.stems():
        path = place.mask_path(stem)
        if stem != "scene_005":
            segprep.write_mask(path, segprep.read_mask(path), "gray")
    said = [f for f in segprep.check(place.root).findings if f.code == "SEG305"]
    assert [(finding.stem, finding.severity) for finding in said] == [("scene_005", "warning")]
