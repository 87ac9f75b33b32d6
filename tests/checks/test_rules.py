"""Every rule: described, found by its file, silent on clean scenes, and loud on its fault."""

import re
from pathlib import Path

import faults
import matrix
import numpy as np
import pytest
import scenes
from PIL import Image

import segprep
from segprep import checks
from segprep.errors import UsageError

FAULTS = {
    f"{fault.name}, {scope}": (fault, scope)
    for fault in faults.STRUCTURAL
    for scope in fault.scopes
}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scenes.make(tmp_path_factory.mktemp("scenes") / "clean").root


@pytest.fixture(scope="module")
def before(clean: Path):
    return segprep.check(clean)


def test_codes_are_unique_and_described() -> None:
    for code, _rule in checks.rules().items():
        assert re.fullmatch(r"SEG[1-8]\d\d", code)
        text = checks.explain(code)
        assert all(word in text for word in ("Why:", "Fix:", "Source:")), code
    modules = {path.stem for path in Path(checks.__file__).parent.glob("[a-z]*.py")}
    assert len(modules) == len(checks.rules())


def test_clean_scenes_have_no_findings(before) -> None:
    assert [one for one in before.findings if one.severity != "info"] == []


@pytest.mark.parametrize("name", FAULTS)
def test_structural_faults_are_found_with_their_cause(name: str, clean, before, tmp_path) -> None:
    fault, scope = FAULTS[name]
    found = matrix.score(fault, matrix.copy(clean, tmp_path / "spoiled"), before, scope, seed=1)
    assert found.spoiled
    assert found.right == found.spoiled
    assert not found.alarms


def test_codes_can_be_chosen(clean) -> None:
    ran = segprep.check(clean, select=["SEG3", "SEG101"], ignore=["SEG302"]).rules
    assert "SEG101" in ran
    assert "SEG302" not in ran
    assert all(code == "SEG101" or code.startswith("SEG3") for code in ran)
    with pytest.raises(UsageError, match="SEG9"):
        segprep.check(clean, select=["SEG9"])


def test_the_page_lists_every_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "check.md").read_text("utf-8")
    rows = re.findall(r"^\| `(SEG\d+)` \| (\w+) \| (.+) \|$", page, re.M)
    rules = checks.rules()
    listed = [(code, rule.RULE.severity, checks.title(rule)) for code, rule in rules.items()]
    assert rows == listed, "run: make docs"


def phantoms(root: Path, drawn: int = 0) -> list[str]:
    """The messages of check on masks of 0 and 2, where bilinear resizing made 1, a class of the
    list; *drawn* masks have a region of it.
    """
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for number in range(6):
        ids = np.zeros((40, 50), np.uint8)
        ids[8 + number : 25, 10:40] = 2
        soft = Image.fromarray(ids).resize((100, 80), Image.Resampling.BILINEAR)
        mask = np.asarray(soft).copy()
        if number < drawn:
            mask[2:8, 2:20] = 1
        Image.fromarray(mask).save(root / "masks" / f"{number}.png")
        noise = rng.integers(0, 256, (80, 100, 3), np.uint8)
        Image.fromarray(noise).save(root / "images" / f"{number}.png")
    report = segprep.check(images=root / "images", masks=root / "masks", classes="bg,rim,cat")
    return [entry.message for entry in report.findings if entry.code == "SEG306"]


def test_a_class_that_is_a_rim_everywhere_is_doubted(tmp_path: Path) -> None:
    (message,) = phantoms(tmp_path)
    assert "is in 6 masks, in all of them only as a rim" in message


def grays(folder: Path, masks: list[np.ndarray], names: str) -> dict[str, set[str]]:
    """The codes of check on each of *masks* (m0, m1, …) beside images of noise."""
    rng = np.random.default_rng(0)
    for name in ("JPEGImages", "SegmentationClass"):
        (folder / name).mkdir(parents=True)
    for number, mask in enumerate(masks):
        noise = rng.integers(0, 255, (*mask.shape, 3)).astype(np.uint8)
        Image.fromarray(noise).save(folder / "JPEGImages" / f"m{number}.png")
        Image.fromarray(mask).save(folder / "SegmentationClass" / f"m{number}.png")
    (folder / "class_names.txt").write_text("".join(f"{name}\n" for name in names.split()))
    findings = segprep.check(folder, select=["SEG3"]).findings
    return {
        f"m{n}": {one.code for one in findings if one.stem == f"m{n}"} for n in range(len(masks))
    }


def squares(*values: int) -> np.ndarray:
    """A square of each of *values* on 0."""
    mask = np.zeros((60, 60), np.uint8)
    for number, value in enumerate(values):
        mask[5 + 18 * number : 20 + 18 * number, 10:40] = value
    return mask


def test_white_alone_is_told_among_masks_of_three_grays(tmp_path: Path) -> None:
    """128 is as little a class as 255; masks that have only one of the two are no exception."""
    masks = [squares(128, 255), squares(255, 128), squares(255), squares(128), squares(255)]
    found = grays(tmp_path, masks, "background a b c")
    assert found == {f"m{n}": {"SEG302"} if n != 3 else found["m3"] for n in range(5)}
    assert found["m3"] & {"SEG301", "SEG302"}


def test_gray_levels_of_later_colors_are_told_by_the_other_masks(tmp_path: Path) -> None:
    """15 and 53 are the levels of the classes 4 and 5; alone they could be anything."""
    names = "background a b c d e"
    found = grays(tmp_path / "set", [squares(38, 75), squares(15, 53), squares(113, 15)], names)
    assert found == {f"m{n}": {"SEG304"} for n in range(3)}
    alone = grays(tmp_path / "alone", [squares(1, 2), squares(15, 53), squares(3, 1)], names)
    assert "SEG304" not in alone["m1"]
    assert alone["m1"]


def test_rims_of_two_pixels_are_smoothing(tmp_path: Path) -> None:
    """Of a rim of 1 that is two pixels wide, some have no 0 beside them, and others no 2."""
    rows, columns = np.mgrid[:120, :120]
    disk = np.where((rows - 75) ** 2 + (columns - 75) ** 2 < 30**2, 2, 0).astype(np.uint8)
    small = Image.fromarray(disk).resize((108, 108), Image.Resampling.BILINEAR)
    smooth = np.asarray(small.resize((120, 120), Image.Resampling.BILINEAR))
    found = grays(tmp_path, [*[squares(2, 1)] * 3, disk, smooth], "background a b")
    assert [found[f"m{n}"] & {"SEG306"} for n in range(5)] == [*[set()] * 4, {"SEG306"}]


def test_a_class_that_one_mask_shows_as_a_region_is_not(tmp_path: Path) -> None:
    assert phantoms(tmp_path, drawn=1) == []


def test_each_mask_with_values_outside_is_told_where_masks_are_gray(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for number in range(30):
        ids = np.zeros((20, 30), np.uint8)
        ids[5:15, 4 + number % 5 : 20] = 1
        mask = Image.fromarray(ids)
        if number in (3, 9):
            ids[0:5] = 77
            mask = Image.fromarray(ids)
            mask.putpalette([value * 3 % 256 for value in range(256)])
        mask.save(tmp_path / "masks" / f"{number}.png")
        noise = np.random.default_rng(number).integers(0, 256, (20, 30, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "images" / f"{number}.png")
    report = segprep.check(images=tmp_path / "images", masks=tmp_path / "masks", classes="2")
    assert [entry.stem for entry in report.findings if entry.code == "SEG301"] == ["3", "9"]


@pytest.mark.parametrize(("most", "codes"), [(9, ["SEG316"]), (4, [])])
def test_masks_that_number_their_objects(tmp_path: Path, most: int, codes: list[str]) -> None:
    """With at most four values, each may be a class that occurs with those before it."""
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for number in range(12):
        ids = np.zeros((40, 60), np.uint8)
        for thing in range(number % most + 1):
            ids[4 * thing : 4 * thing + 3, 2 + number : 30 + number] = thing + 1
        Image.fromarray(ids).save(tmp_path / "masks" / f"{number}.png")
        noise = np.random.default_rng(number).integers(0, 256, (40, 60, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "images" / f"{number}.png")
    report = segprep.check(images=tmp_path / "images", masks=tmp_path / "masks")
    assert [entry.code for entry in report.findings if entry.severity == "error"] == codes


def test_a_class_that_is_missing_while_255_fills_areas_may_be_255(clean, tmp_path: Path) -> None:
    def findings(rows: slice, value: int):
        place = matrix.copy(clean, tmp_path / f"{value}{rows.start}")
        for stem in place.stems():
            path = place.mask_path(stem)
            mask = segprep.read_mask(path)
            mask[rows][mask[rows] == 2] = value
            segprep.write_mask(path, np.where(mask == 2, 0, mask))
        return segprep.check(place.root, select=["SEG311"]).findings

    (finding,) = findings(slice(0, None), 255)
    assert finding.severity == "warning"
    assert "class 2 (box) occurs in no mask, but 255 (ignored) fills areas in" in finding.message
    assert finding.hint.endswith("--ids 0=_background_,1=disc,255=box,3=line")
    (finding,) = findings(slice(0, None), 0)  # only rims are ignored
    assert finding.severity == "info"
    assert finding.hint == "segprep remap --drop box"
