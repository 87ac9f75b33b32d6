"""The run over a dataset: layouts, settings, output for programs, exit codes."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from segprep_cli import main

import segprep
from segprep.checking import settings
from segprep.errors import UsageError

sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))
import scenes


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main.group, ["check", *(str(one) for one in arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def codes(report) -> set[str]:
    return {finding.code for finding in report.findings if finding.severity != "info"}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scenes.make(tmp_path_factory.mktemp("scenes") / "clean", 12).root


@pytest.fixture
def tree(clean: Path, tmp_path: Path) -> Path:
    shutil.copytree(clean, tmp_path / "tree")
    return tmp_path / "tree"


def test_a_clean_tree_is_fine_whatever_its_layout(tree: Path) -> None:
    assert codes(segprep.check(tree)) == set()
    (tree / "SegmentationClass").rename(tree / "SegmentationClassPNG")
    (tree / "SegmentationClass").mkdir()
    (tree / "SegmentationClass" / "scene_000.npy").write_bytes(b"array")
    report = segprep.check(tree)
    assert (codes(report), report.samples) == (set(), 12)


def test_two_folders_pair_by_affix(tree: Path, tmp_path: Path) -> None:
    masks = tmp_path / "labels"
    masks.mkdir()
    for path in (tree / "SegmentationClass").iterdir():
        path.rename(masks / f"{path.stem}_mask.png")
    report = segprep.check(images=tree / "JPEGImages", masks=masks, classes="4")
    assert (codes(report), report.samples) == (set(), 12)
    next(masks.iterdir()).unlink()
    lonely = segprep.check(images=tree / "JPEGImages", masks=masks, classes="4")
    assert codes(lonely) == {"SEG203"}
    two = segprep.check(images=tree / "JPEGImages", masks=masks, classes="2").findings
    assert {"SEG301"} <= {one.code for one in two}


def test_other_files_are_told_unless_they_belong_to_a_sample(tree: Path, tmp_path: Path) -> None:
    for name in ("scene_000.txt", "scene_001.png.json", "Scene_002.xml"):
        (tree / "JPEGImages" / name).write_text("annotation")
    (tree / "SegmentationClass" / "scene_000.json").write_text("{}")
    assert codes(segprep.check(tree)) == set()
    (tree / "JPEGImages" / "notes.txt").write_text("ask Ann")
    (tree / "SegmentationClass" / "gone.json").write_text("{}")
    strays = {"JPEGImages/notes.txt", "SegmentationClass/gone.json"}
    assert {one.path for one in segprep.check(tree, select=["SEG107"]).findings} == strays
    images, masks = tree / "JPEGImages", tree / "SegmentationClass"
    (masks / "Thumbs.db").write_bytes(b"db")
    two = segprep.check(images=images, masks=masks, classes="4", select=["SEG107"])
    assert {one.path for one in two.findings} == {*strays, "SegmentationClass/Thumbs.db"}


def test_a_project_around_its_images_has_no_stray_files(tree: Path, tmp_path: Path) -> None:
    """The masks lie in a folder below the images, beside code and notes."""
    project = tmp_path / "project"
    shutil.copytree(tree / "JPEGImages", project)
    shutil.copytree(tree / "SegmentationClass", project / "masks")
    (project / "README.md").write_text("about")
    assert codes(segprep.check(images=project, masks=project / "masks", classes="4")) == set()


def test_black_and_white_masks_of_two_folders_are_converted(tree: Path, tmp_path: Path) -> None:
    masks = tmp_path / "labels"
    masks.mkdir()
    for path in (tree / "SegmentationClass").iterdir():
        drawn = segprep.read_mask(path) > 0
        Image.fromarray(drawn.astype(np.uint8) * 255).save(masks / path.name)
    findings = segprep.check(images=tree / "JPEGImages", masks=masks).findings
    hints = {finding.hint for finding in findings if finding.code == "SEG302"}
    assert hints == {
        "segprep convert pairs SRC OUT --ids 0=background,255=NAME"
    }  # no tree to remap


def test_files_of_a_manifest(tmp_path: Path, source: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "out")
    mask = tmp_path / "out" / "SegmentationClass" / "img3.png"
    segprep.write_mask(mask, np.ones_like(segprep.read_mask(mask)))
    image = tmp_path / "out" / "JPEGImages" / "img1.jpg"
    image.unlink()
    findings = segprep.check(tmp_path / "out").findings
    changed = {(one.code, one.path) for one in findings if one.code in ("SEG109", "SEG202")}
    assert ("SEG109", "SegmentationClass/img3.png") in changed
    assert ("SEG109", "JPEGImages/img1.jpg") in changed
    assert ("SEG202", "SegmentationClass/img1.png") in changed


@pytest.mark.parametrize("what", ["nothing", "a file", "empty"])
def test_what_is_not_a_dataset_is_a_usage_error(tmp_path: Path, what: str) -> None:
    target = tmp_path / "target"
    if what == "a file":
        target.write_text("text")
    elif what == "empty":
        target.mkdir()
    result = run(target)
    assert result.exit_code == 2
    assert "no-tree" in result.stderr


def test_annotations_of_other_tools_are_to_be_converted_first(tmp_path: Path) -> None:
    shape = {"name": "polygon", "all_points_x": [1, 5, 5], "all_points_y": [1, 1, 5]}
    region = {"shape_attributes": shape, "region_attributes": {"class": "cat"}}
    images = {"a": {"filename": "a.png", "regions": [region]}}
    Image.new("RGB", (8, 8), 255).save(tmp_path / "a.png")
    (tmp_path / "via.json").write_text(json.dumps(images))
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "segprep convert via SRC OUT" in result.stderr


def test_a_source_is_to_be_converted_first(tmp_path: Path) -> None:
    for name, folder in (("a", "images"), ("one", "masks"), ("two", "masks")):
        path = tmp_path / "in" / "a" / folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L" if folder == "masks" else "RGB", (8, 8), 255).save(path)
    result = run(tmp_path / "in")
    assert result.exit_code == 2
    assert "segprep convert dsb2018" in result.stderr


def test_exit_codes_and_json(tree: Path) -> None:
    assert run(tree).exit_code == 0
    (tree / "SegmentationClass" / "scene_003.png").write_bytes(b"")
    result = run(tree, "--json")
    assert result.exit_code == 1
    content = json.loads(result.stdout)
    (finding,) = [one for one in content["findings"] if one["severity"] == "error"]
    assert list(finding) == ["code", "severity", "stem", "path", "message", "hint", "score"]
    assert (finding["code"], finding["stem"]) == ("SEG102", "scene_003")
    assert content["counts"]["error"] == 1
    assert run(tree, "--ignore", "SEG1").exit_code == 0
    assert run(tree, "--select", "SEG77").exit_code == 2


def test_output_for_other_programs(tree: Path) -> None:
    (tree / "SegmentationClass" / "scene_003.png").write_bytes(b"")
    log = json.loads(run(tree, "--format", "sarif").stdout)
    (ran,) = log["runs"]
    (result,) = [one for one in ran["results"] if one["level"] == "error"]
    assert result["ruleId"] in {one["id"] for one in ran["tool"]["driver"]["rules"]}
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == "SegmentationClass/scene_003.png"
    lines = run(tree, "--format", "github").stdout.splitlines()
    errors = [line for line in lines if line.startswith("::error ")]
    assert errors[0].startswith(
        "::error file=SegmentationClass/scene_003.png,title=SEG102::scene_003: "
    )


def test_explain() -> None:
    result = run("--explain", "SEG302")
    assert result.exit_code == 0
    assert result.stdout.startswith("SEG302 (error): ")
    assert "Fix: segprep remap" in result.stdout
    assert "SEG201" in run("--explain", "all").stdout
    assert run("--explain", "seg302").stdout == result.stdout
    assert run("--explain", "SEG999").exit_code == 2


def test_settings_of_a_project(tree: Path, tmp_path: Path) -> None:
    (tree / "SegmentationClass" / "scene_003.png").write_bytes(b"")
    (tmp_path / "pyproject.toml").write_text('[tool.segprep.check]\nignore = ["SEG102"]\n')
    assert run(tree).exit_code == 0
    assert run(tree, "--ignore", "SEG3").exit_code == 1
    (tmp_path / "segprep.toml").write_text('[check]\nselect = ["SEG1"]\n')
    assert settings.nearest(tree).select == ("SEG1",)
    for text in ("[check]\ncolour = 1\n", "[check]\nselect = 1\n", "[check\n"):
        (tmp_path / "segprep.toml").write_text(text)
        with pytest.raises(UsageError):
            settings.nearest(tree)
        assert run(tree).exit_code == 2


def test_hostile_names_leave_the_terminal_alone(tree: Path) -> None:
    stem = "a\x1b[31m\nb"
    Image.new("L", (9, 9)).save(tree / "SegmentationClass" / f"{stem}.png")
    result = run(tree)
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
    assert "SEG113" in result.stdout


def test_jobs_do_not_change_the_findings(tmp_path: Path) -> None:
    place = scenes.make(tmp_path / "many", 90, size=(64, 64))
    (place.root / "JPEGImages" / "scene_050.jpg").write_bytes(b"broken")
    assert segprep.check(place.root, jobs=2).findings == segprep.check(place.root).findings


def test_images_equal_in_short_only_are_no_duplicates(tree: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (96, 120, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    pixels += rng.integers(0, 40, pixels.shape, dtype=np.uint8) // 20
    other = pixels.copy()
    other[0, :2], other[1, :2] = pixels[1, :2], pixels[0, :2]  # the same means in short
    assert (other != pixels).any()
    for stem, content, suffix in (
        ("scene_000", pixels, ".png"),
        ("scene_001", other, ".png"),
        ("scene_002", pixels, ".bmp"),
    ):
        (tree / "JPEGImages" / f"{stem}.jpg").unlink()
        Image.fromarray(content).save(tree / "JPEGImages" / f"{stem}{suffix}")
        mask = np.zeros(content.shape[:2], np.uint8)
        mask[40:300, 50:400] = 1
        segprep.write_mask(tree / "SegmentationClass" / f"{stem}.png", mask)
    found = [one for one in segprep.check(tree).findings if one.code == "SEG501"]
    assert {one.stem for one in found} <= {"scene_000", "scene_002"}
    assert found
    assert not any("scene_001" in one.message for one in found)


def test_the_commands_of_hints_work_when_pasted(tree: Path, tmp_path: Path) -> None:
    """They name the dataset as it was given."""
    lists = tree / "ImageSets" / "Segmentation"
    with open(lists / "train.txt", "a", encoding="utf-8") as file:
        file.write("gone\n")
    odd = tmp_path / "a tree"
    tree.rename(odd)
    result = run(odd, "--select", "SEG402")
    (hint,) = [line for line in result.output.splitlines() if "->" in line]
    command = shlex.split(hint.partition("segprep ")[2])
    assert command == ["check", str(odd), "--fix"]
    page = tmp_path / "check.html"
    document = json.loads(run(odd, "--select", "SEG402", "--json", "--report", str(page)).output)
    assert [one["hint"] for one in document["findings"]] == [
        f"drop the entry: segprep check '{odd}' --fix"
    ]
    assert f"segprep check &#39;{odd}&#39; --fix" in page.read_text(encoding="utf-8")
    again = CliRunner().invoke(main.group, [*command, "--yes"])
    assert again.exit_code == 0
    assert run(odd, "--select", "SEG402").exit_code == 0


def test_a_check_of_a_tree_starts_without_what_only_others_need(tree: Path) -> None:
    """Repairs, pages, annotations and the matching of names load as long as fifty masks take."""
    code = f"import segprep, sys; segprep.check({str(tree)!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "segprep.checking.measure" in loaded
    assert (
        not {
            "segprep.checking.annotations",
            "segprep.checking.findings_page",
            "segprep.checking.fixing",
            "segprep.sources",
            "segprep.grouping",
        }
        & loaded
    )
