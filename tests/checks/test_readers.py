"""What readers will misread, and what only a few datasets have."""

import shutil
from pathlib import Path

import pytest
import scenes
from PIL import Image

import segprep


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scenes.make(tmp_path_factory.mktemp("scenes") / "clean", 12).root


@pytest.fixture
def tree(clean: Path, tmp_path: Path) -> Path:
    shutil.copytree(clean, tmp_path / "tree")
    return tmp_path / "tree"


def codes(root: Path, *readers: str) -> set[str]:
    report = segprep.check(root, reader=readers)  # type: ignore[arg-type]
    return {one.code for one in report.findings if one.severity == "error"}


def test_without_a_reader_nothing_is_predicted(tree: Path) -> None:
    assert codes(tree) == set()


def test_palette_masks(tree: Path) -> None:
    assert codes(tree, "pil") == codes(tree, "mmseg") == set()
    assert codes(tree, "cv2") == codes(tree, "skimage") == {"SEG701"}
    assert codes(tree, "nnunet") == {"SEG701", "SEG702", "SEG703", "SEG705"}
    for path in (tree / "SegmentationClass").iterdir():
        segprep.write_mask(path, segprep.read_mask(path), "gray")
    assert codes(tree, "cv2") == set()
    assert codes(tree, "keras") == {"SEG702", "SEG705"}


def test_layout_and_suffix(tree: Path) -> None:
    assert codes(tree, "torchvision") == {"SEG705"}
    home = tree.parent / "VOCdevkit" / "VOC2007"
    home.parent.mkdir()
    tree.rename(home)
    assert codes(home, "torchvision") == set()
    with Image.open(home / "JPEGImages" / "scene_000.jpg") as picture:
        picture.save(home / "JPEGImages" / "scene_000.png")
    (home / "JPEGImages" / "scene_000.jpg").unlink()
    assert codes(home, "torchvision", "mmseg") == {"SEG703"}


def test_names_with_blanks(tree: Path) -> None:
    for folder, suffix in (("JPEGImages", ".jpg"), ("SegmentationClass", ".png")):
        path = tree / folder / f"scene_001{suffix}"
        path.rename(path.with_name(f"scene 001{suffix}"))
    assert codes(tree, "ultralytics") >= {"SEG704"}


def test_opencv_reads_palette_masks_as_colors(tree: Path) -> None:
    """The prediction is held against the reader itself."""
    cv2 = pytest.importorskip("cv2")
    path = tree / "SegmentationClass" / "scene_000.png"
    ids = segprep.read_mask(path)
    assert (cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., 0] != ids).any()
    segprep.write_mask(path, ids, "gray")
    assert (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) == ids).all()


def test_rare_faults_of_files(tree: Path) -> None:
    """A list that is not text, an unfinished run, names, kinds, an enlarged mask, a lost border."""
    lists = tree / "ImageSets" / "Segmentation"
    (lists / "test.txt").write_bytes(b"\xff\xfe\x00")
    assert "SEG401" in codes(tree)
    (tree / ".segprep-incomplete").mkdir()
    assert "SEG112" in codes(tree)
    (tree / "JPEGImages" / "scene_005.jpg").rename(tree / "JPEGImages" / "Scene_005.jpg")
    with Image.open(tree / "JPEGImages" / "scene_006.jpg") as picture:
        picture.convert("L").save(tree / "JPEGImages" / "scene_006.jpg")
    mask = segprep.read_mask(tree / "SegmentationClass" / "scene_007.png")
    coarse = mask[::4, ::4].repeat(4, 0).repeat(4, 1)[: mask.shape[0], : mask.shape[1]]
    segprep.write_mask(tree / "SegmentationClass" / "scene_007.png", coarse)
    found = {(one.code, one.stem) for one in segprep.check(tree).findings}
    assert ("SEG205", "scene_005") in found
    assert ("SEG110", "scene_006") in found
    assert ("SEG314", "scene_007") in found
    (tree / "class_names.txt").write_text("_background_\ndisc\nbox\nline\nnever\nnot yet\n")
    findings = segprep.check(tree).findings
    assert {"SEG311", "SEG313"} <= {one.code for one in findings}
    hints = [one.hint for one in findings if one.code == "SEG311"]
    assert len(hints) == 2
    assert all("--drop never --drop 'not yet'" in hint for hint in hints)


def test_a_border_that_one_mask_lacks(tmp_path: Path) -> None:
    place = scenes.make(tmp_path / "tree", 24)
    path = place.mask_path("scene_004")
    mask = segprep.read_mask(path)
    mask[mask == 255] = 0
    segprep.write_mask(path, mask)
    listed = [one.stem for one in segprep.check(place.root).findings if one.code == "SEG312"]
    assert listed == ["scene_004"]


def test_groups_of_the_split_record(tmp_path: Path, source: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "out")
    segprep.split(tmp_path / "out", group_by=r"^(img\d)")
    assert "SEG504" not in codes(tmp_path / "out")
    lists = tmp_path / "out" / "ImageSets" / "Segmentation"
    grouped = (lists / "train.txt").read_text().splitlines()
    moved = next(stem for stem in grouped if stem in ("img1", "img10", "img11"))
    (lists / "train.txt").write_text("".join(f"{s}\n" for s in grouped if s != moved))
    with open(lists / "val.txt", "a") as file:
        file.write(f"{moved}\n")
    assert "SEG504" in codes(tmp_path / "out")
