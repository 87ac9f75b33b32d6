"""Groups from the images themselves: copies, frames, mirrored versions, and numbering."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

import segprep
from segprep.dataset import scenes as grouping
from segprep.dataset.tree import Tree

sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))
import scenes


@pytest.fixture
def place(tmp_path: Path):
    """Ten scenes; scene 0 has a copy, a mirrored one and one encoded again."""
    place = scenes.make(tmp_path / "tree", 10)
    mask = segprep.read_mask(place.mask_path("scene_000"))
    first = place.root / "JPEGImages" / "scene_000.jpg"
    with Image.open(first) as picture:
        ImageOps.mirror(picture).save(first.with_name("mirror.jpg"))
        picture.save(first.with_name("again.jpg"), quality=40)
    first.with_name("copy.jpg").write_bytes(first.read_bytes())
    for stem in ("mirror", "again", "copy"):
        segprep.write_mask(place.mask_path(stem), mask)
    return place


def test_near_duplicates_stay_together(place) -> None:
    groups, notes = grouping.groups_of(place, place.stems(), "near-duplicates")
    together = {stem for stem, group in groups.items() if group == groups["scene_000"]}
    assert together == {"scene_000", "mirror", "again", "copy"}
    assert len(set(groups.values())) == 10
    assert "1 groups of 4 samples" in notes[0].message
    again = grouping.groups_of(place, place.stems(), "near-duplicates", jobs=2)
    assert again == (groups, notes)


@pytest.mark.parametrize("seed", range(4))
def test_a_split_keeps_them_in_one_list(place, seed: int) -> None:
    done = segprep.split(place.root, seed=seed, group_by="near-duplicates", overwrite=True)
    homes = {
        name
        for name in ("train", "val", "test")
        for stem in done.lists[name]
        if stem in ("scene_000", "mirror", "again", "copy")
    }
    assert len(homes) == 1
    assert not [one for one in segprep.check(place.root).findings if one.code == "SEG503"]
    assert "groups-found" in {note.code for note in done.notes}


def test_numbering() -> None:
    stems = ("film1_001", "film1_002", "film2-9", "12", "lone")
    groups, _ = grouping.groups_of(segprep.Tree(Path()), stems, "numbering")
    assert groups == {
        "film1_001": "film1",
        "film1_002": "film1",
        "film2-9": "film2",
        "12": "12",
        "lone": "lone",
    }


def test_damaged_and_flat_images_are_alone(place) -> None:
    (place.root / "JPEGImages" / "scene_001.jpg").write_bytes(b"broken")
    flat = np.full((96, 120, 3), 90, np.uint8)
    for stem in ("scene_002", "scene_003"):
        Image.fromarray(flat).save(place.root / "JPEGImages" / f"{stem}.jpg")
    groups, _ = grouping.groups_of(place, place.stems(), "near-duplicates")
    assert groups["scene_001"] == "scene_001"
    assert groups["scene_003"] == groups["scene_002"]  # equal pixel by pixel


def film(root: Path, frame: float = 0.0) -> Path:
    """Four scenes of six frames each; the camera moves by a sixteenth of the picture each time.
    *frame*: the radius of what is seen, as a share; all around is black.
    """
    rng = np.random.default_rng(2)
    for name in ("JPEGImages", "SegmentationClass"):
        (root / name).mkdir(parents=True)
    rows, columns = np.mgrid[:128, :128] - 63.5
    for scene in range(4):
        coarse = rng.integers(0, 256, (40, 40, 3)).astype(np.uint8)
        wide = np.asarray(Image.fromarray(coarse).resize((200, 200), Image.Resampling.BICUBIC))
        for number in range(6):
            seen = wide[4 * number : 4 * number + 128, 8 * number : 8 * number + 128]
            grain = np.clip(seen * rng.uniform(0.9, 1.1) + rng.normal(0, 4, seen.shape), 0, 255)
            if frame:
                grain = grain / 8 + 120
                grain[np.hypot(rows, columns) > 128 * frame] = 0
            stem = f"{scene}{number:02d}"
            Image.fromarray(grain.astype(np.uint8)).save(root / "JPEGImages" / f"{stem}.png")
            segprep.write_mask(
                root / "SegmentationClass" / f"{stem}.png", np.zeros((128, 128), np.uint8)
            )
    (root / "class_names.txt").write_text("_background_\nx\n")
    return root


def test_frames_of_a_camera_that_moves_stay_together(tmp_path: Path) -> None:
    place = Tree(film(tmp_path / "film"))
    groups, notes = grouping.groups_of(place, place.stems(), "near-duplicates")
    assert groups == {stem: f"{stem[0]}00" for stem in place.stems()}
    assert "4 groups of 24 samples" in notes[0].message


@pytest.mark.parametrize("named", ["", "number"])
def test_check_says_what_the_split_keeps_together(tmp_path: Path, named: str) -> None:
    """Frames in different splits, found by what the images show and by following numbers; split by
    near-duplicates none is left. Stems that follow no numbers say nothing of a film.
    """
    place = Tree(film(tmp_path / "film"))
    stems = place.stems()
    if not named:
        for folder in ("JPEGImages", "SegmentationClass"):
            for stem in stems:
                path = place.root / folder / f"{stem}.png"
                path.rename(path.with_stem("".join(chr(ord("a") + int(n)) for n in stem)))
    segprep.split(place.root, seed=1)
    train = set(place.lists()["train"])
    said = [one for one in segprep.check(place.root).findings if one.code == "SEG503"]
    assert {one.stem for one in said} == (set(stems) - train if named else set())
    assert not named or all("moved on" in one.message for one in said)
    segprep.split(place.root, group_by="near-duplicates", seed=1, overwrite=True)
    assert not [one for one in segprep.check(place.root).findings if one.code == "SEG503"]


def test_a_shared_surround_is_no_shared_scene(tmp_path: Path) -> None:
    place = Tree(film(tmp_path / "retinas", frame=0.45))
    groups, _ = grouping.groups_of(place, place.stems(), "near-duplicates")
    assert all(group[0] == stem[0] for stem, group in groups.items())
    segprep.split(place.root, seed=1)
    assert not [one for one in segprep.check(place.root).findings if one.code == "SEG503"]
