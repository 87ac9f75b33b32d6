"""Repairs: a plan without a guess, the change, and the way back."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli import main

import segprep
from segprep import checking
from segprep.checking import undoing
from segprep.errors import TreeError, UsageError

sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))
import faults
import scenes


def snapshot(root: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in paths
        if "runs" not in path.parts
    }


@pytest.fixture
def place(tmp_path: Path):
    return scenes.make(tmp_path / "tree", 8)


def spoil(place, name: str, stems=None) -> None:
    fault = next(one for one in faults.STRUCTURAL if one.name == name)
    fault.apply(place, stems or place.stems(), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("colors", "SEG303"),
        ("flattened palette", "SEG304"),
        ("stale entry", "SEG402"),
        ("entry twice", "SEG402"),
        ("entry with extension", "SEG402"),
        ("Windows line ends", "SEG402"),
    ],
)
def test_a_fault_is_repaired_to_what_it_was_and_undone(place, name: str, code: str) -> None:
    before = {stem: segprep.read_mask(place.mask_path(stem)) for stem in place.stems()}
    lists = place.lists()
    spoil(place, name)
    spoiled = snapshot(place.root)
    planned = checking.fix(place.root, dry_run=True)
    assert {one.code for one in planned.repairs} == {code}
    assert snapshot(place.root) == spoiled
    done = checking.fix(place.root)
    assert done.record
    assert place.lists() == lists
    for stem, mask in before.items():
        assert (segprep.read_mask(place.mask_path(stem)) == mask).all()
    assert not segprep.check(place.root).counts["error"]
    assert checking.fix(place.root).repairs == ()
    undoing.undo(done.record)
    assert snapshot(place.root) == spoiled
    with pytest.raises(UsageError):
        undoing.undo(done.record)


def test_black_and_white_needs_two_classes(place) -> None:
    spoil(place, "0 and 255")
    assert checking.fix(place.root, dry_run=True).repairs == ()
    (place.root / "class_names.txt").write_text("background\ncell\n")
    foreground = {s: segprep.read_mask(place.mask_path(s)) == 255 for s in place.stems()}
    checking.fix(place.root)
    for stem, drawn in foreground.items():
        assert (segprep.read_mask(place.mask_path(stem)) == drawn).all()
    assert not segprep.check(place.root).counts["error"]


def test_a_photograph_is_written_upright_where_its_mask_says_so(place) -> None:
    for stem, turn in (("scene_001", 6), ("scene_002", 3)):
        path = place.image_path(stem)
        with Image.open(path) as picture:
            stored = picture.rotate(90, expand=True) if turn == 6 else picture.rotate(180)
            exif = Image.Exif()
            exif[0x0112] = turn
            stored.save(path, exif=exif, quality=95)
    done = checking.fix(place.root)
    assert [(one.code, one.target) for one in done.repairs] == [
        ("SEG104", "JPEGImages/scene_001.png")
    ]
    with Image.open(place.root / "JPEGImages" / "scene_001.png") as picture:
        assert picture.size == (120, 96)
    assert not (place.root / "JPEGImages" / "scene_001.jpg").exists()
    left = [one.stem for one in segprep.check(place.root).findings if one.code == "SEG104"]
    assert left == ["scene_002"]  # both views have one size: that would be a guess


def test_a_wrong_extension_is_renamed(place) -> None:
    path = place.image_path("scene_003")
    out = io.BytesIO()
    with Image.open(path) as picture:
        picture.save(out, "PNG")
    path.write_bytes(out.getvalue())
    (repair,) = checking.fix(place.root).repairs
    assert (repair.code, repair.target) == ("SEG103", "JPEGImages/scene_003.png")
    assert (place.root / repair.target).read_bytes() == out.getvalue()


def test_a_file_changed_since_is_not_overwritten(place) -> None:
    spoil(place, "stale entry")
    done = checking.fix(place.root)
    path = place.root / "ImageSets" / "Segmentation" / "train.txt"
    path.write_text("scene_000\n")
    assert done.record
    with pytest.raises(TreeError):
        undoing.undo(done.record)
    assert path.read_text() == "scene_000\n"


def test_a_tree_with_a_manifest_keeps_its_masks(tmp_path: Path, source: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "out")
    segprep.split(tmp_path / "out")
    path = segprep.Tree(tmp_path / "out").mask_path("img3")
    Image.fromarray(faults.VOC[segprep.read_mask(path)]).save(path)
    planned = checking.fix(tmp_path / "out", dry_run=True)
    assert (planned.repairs, planned.left) == ((), 1)
    shown = CliRunner().invoke(main.group, ["check", str(tmp_path / "out"), "--fix"])
    assert "1 more files need repair, but segprep wrote them" in shown.stdout


def test_the_command(place) -> None:
    spoil(place, "stale entry")

    def run(*words: str) -> str:
        shown = CliRunner().invoke(main.group, ["check", *words])
        assert shown.exit_code == 0, shown.output
        return shown.stdout

    assert "add --yes" in run(str(place.root), "--fix")
    content = json.loads(run(str(place.root), "--fix", "--yes", "--json"))
    assert [one["code"] for one in content["repairs"]] == ["SEG402"]
    assert "1 files" in run("--undo", content["undo"])


def test_a_repaired_copy_leaves_the_dataset_as_it_is(place, tmp_path: Path) -> None:
    masks = {stem: segprep.read_mask(place.mask_path(stem)) for stem in place.stems()}
    spoil(place, "colors")
    spoil(place, "stale entry")
    (place.root / "runs").mkdir()
    (place.root / "runs" / "model.pt").write_bytes(b"weights")
    spoiled, out = snapshot(place.root), tmp_path / "fixed"
    done = checking.fix(place.root, out=out)
    assert {one.code for one in done.repairs} == {"SEG303", "SEG402"}
    assert done.record is None
    assert snapshot(place.root) == spoiled
    assert not list((place.root / "runs").glob("fix-*"))
    assert sorted(snapshot(out)) == sorted(spoiled)
    assert not (out / "runs").exists()
    for stem, mask in masks.items():
        assert (segprep.read_mask(segprep.Tree(out).mask_path(stem)) == mask).all()
    assert not segprep.check(out).counts["error"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fixed", "tree"]


def test_a_repaired_copy_of_two_folders_takes_their_pictures_only(place, tmp_path: Path) -> None:
    images, masks = tmp_path / "set" / "photos", tmp_path / "set" / "labels"
    (place.root / "JPEGImages").rename(tmp_path / "photos")
    images.parent.mkdir()
    (tmp_path / "photos").rename(images)
    spoil_all = place.root / "SegmentationClass"
    for path in spoil_all.iterdir():
        table = np.frombuffer(segprep.imaging.image.voc_colors(), np.uint8).reshape(256, 3)
        Image.fromarray(table[segprep.read_mask(path)]).save(path)
    spoil_all.rename(masks)
    (tmp_path / "set" / "secret.txt").write_text("no part of it")
    out = tmp_path / "out"
    options = {"images": images, "masks": masks, "classes": "4"}
    assert {one.code for one in checking.fix(**options, out=out).repairs} == {"SEG303"}
    assert {path.split("/")[0] for path in snapshot(out)} == {"photos", "labels"}
    options = {"images": out / "photos", "masks": out / "labels", "classes": "4"}
    assert not segprep.check(**options).counts["error"]


@pytest.mark.parametrize("where", ["tree", "tree/inner", ".", "full"])
def test_a_copy_is_not_written_over_anything(place, where: str, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises((UsageError, TreeError)):
        checking.fix(place.root, out=tmp_path / where)
    assert snapshot(tmp_path) == before


def test_a_copy_that_fails_leaves_nothing(place, tmp_path: Path) -> None:
    spoil(place, "stale entry")
    (place.root / "JPEGImages" / "far.jpg").symlink_to(tmp_path / "gone.jpg")
    (place.root / "SegmentationClass" / "far.png").write_bytes(b"")
    with pytest.raises(segprep.errors.SegprepError):
        checking.fix(place.root, out=tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]


def test_the_command_writes_a_repaired_copy(place, tmp_path: Path) -> None:
    spoil(place, "stale entry")
    out = tmp_path / "out"
    result = CliRunner().invoke(
        main.group, ["check", str(place.root), "--fix", "--out", str(out), "--json"]
    )
    assert result.exit_code == 0
    assert json.loads(result.output)["out"] == str(out)
    assert not segprep.check(out).counts["error"]
    again = CliRunner().invoke(main.group, ["check", str(place.root), "--fix", "--out", str(out)])
    assert again.exit_code != 0
    assert "output-occupied" in again.output
    alone = CliRunner().invoke(main.group, ["check", str(place.root), "--out", str(out)])
    assert alone.exit_code == 2
