"""Which folders hold images and which masks, by their names."""

from pathlib import Path

import pytest
from PIL import Image

from segprep.errors import UsageError
from segprep.sources._common.pairing import files_beside, image_folders, matching, stems
from segprep.types import Item, Skipped

HOMES = ("data/train", "a"), ("runs/7/preds", "a_0")


def lay_out(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (3, 2)).save(path)
    return root


def found(root: Path, **options: bool) -> list[tuple[str, str, str]]:
    return [
        (
            pair.images.relative_to(root).as_posix(),
            pair.masks.relative_to(root).as_posix(),
            pair.split,
        )
        for pair in image_folders.folders(root, **options)
    ]


@pytest.mark.parametrize(
    ("files", "pairs"),
    [
        (
            "Kvasir-SEG/images/a.jpg Kvasir-SEG/masks/a.jpg",
            [("Kvasir-SEG/images", "Kvasir-SEG/masks", "")],
        ),
        (
            "inputs/dsb/images/a.png inputs/dsb/masks/0/a.png",
            [("inputs/dsb/images", "inputs/dsb/masks", "")],
        ),
        ("label data/img/a.png label data/gt/a.png", [("label data/img", "label data/gt", "")]),
        (
            "image/0.png image/1.png mask/0.png mask/1.png img/0.png label/0.png",
            [("image", "mask", ""), ("img", "label", "")],
        ),
        (
            "segmentation/train/image/0.png segmentation/train/label/0.png train/image/0.png"
            " train/label/0.png",
            [
                ("segmentation/train/image", "segmentation/train/label", "train"),
                ("train/image", "train/label", "train"),
            ],
        ),
        (
            "images/training/a/b/x.jpg annotations/training/a/b/x.png",
            [("images", "annotations", "")],
        ),
        ("masks/image_1/0.png images/image_1.png", [("images", "masks", "")]),
        (
            (
                "CamVid/train/a.png CamVid/train_labels/a_L.png CamVid/val/b.png"
                " CamVid/val_labels/b_L.png"
            ),
            [
                ("CamVid/train", "CamVid/train_labels", "train"),
                ("CamVid/val", "CamVid/val_labels", "val"),
            ],
        ),
        (
            "data/eval/image/a.png data/eval/label/a.png data/train/image/b.png"
            " data/train/label/b.png",
            [
                ("data/eval/image", "data/eval/label", "val"),
                ("data/train/image", "data/train/label", "train"),
            ],
        ),
        (
            "data/train/org/1.png data/train/label/1.png data/train/predictions/1.png",
            [("data/train/org", "data/train/label", "train")],
        ),
        ("a.jpg a_mask.png b.jpg b_mask.png", [(".", ".", "")]),
        (
            "train/a_sat.jpg train/a_mask.png val/b_sat.jpg val/b_mask.png",
            [("train", "train", "train"), ("val", "val", "val")],
        ),
    ],
)
def test_folders(tmp_path: Path, files: str, pairs: list[tuple[str, str, str]]) -> None:
    root = lay_out(tmp_path, *files.replace("label data", "label-data").split())
    assert found(root) == [
        (images.replace(" ", "-"), masks.replace(" ", "-"), split) for images, masks, split in pairs
    ]


@pytest.mark.parametrize(
    "files",
    ["a.jpg b.jpg", "left/a.png right/a.png", "photos/101.jpg photos/mask_ball.jpg photos/102.jpg"],
)
def test_what_names_do_not_tell(tmp_path: Path, files: str) -> None:
    with pytest.raises(UsageError, match="cannot tell the image folder"):
        found(lay_out(tmp_path, *files.split()))


def test_a_link_to_a_folder_is_named(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "masks/a.png")
    (lay_out(tmp_path, "elsewhere/a.png") / "in/images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="images: a link to a folder is not entered"):
        found(root)


def test_mixed_folders_are_not_for_everyone(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        found(lay_out(tmp_path, "a.jpg", "a_mask.png"), mixed=False)


def test_class_and_list_files_are_looked_for_above_the_folders(tmp_path: Path) -> None:
    root = lay_out(tmp_path, "x/CamVid/train/a.png", "x/CamVid/trainannot/a.png")
    assert files_beside.homes(root, image_folders.folders(root)) == [
        root,
        root / "x",
        root / "x/CamVid",
    ]
    root = lay_out(tmp_path / "two", "a.png", "a_mask.png")
    assert files_beside.homes(root, image_folders.folders(root)) == [root]


def test_a_name_is_not_found_inside_another_number(tmp_path: Path) -> None:
    """seg_10 holds 1 and 10; only 10 is meant, even where as many would pair the other way."""
    root = lay_out(
        tmp_path,
        *(f"images/{n}.png" for n in range(1, 31)),
        "masks/seg_10x.png",
        "masks/seg_20x.png",
    )
    items = matching.match(root, image_folders.folders(root), "auto", "name").items
    assert {(item.stem, item.labels[0].name) for item in items} == {
        ("10", "seg_10x.png"),
        ("20", "seg_20x.png"),
    }


def test_a_thousand_samples_of_one_name_are_told_in_few_words(tmp_path: Path) -> None:
    """Each used to list all others: a square of the number of files."""
    paths = [tmp_path / f"t{n}/a.png" for n in range(1000)]
    skipped: list[Skipped] = []
    assert stems.unique((Item("a", path, (path,)) for path in paths), skipped) == ()
    assert len(skipped) == 1000
    assert skipped[0].reason.endswith("and 995 more")
    assert all(
        one.path not in one.reason.split(", ") and one.code == "stem-collision" for one in skipped
    )


@pytest.mark.parametrize("other", ["masks_vis", "masks_color", "instance_masks"])
def test_other_pictures_of_the_masks_are_said(tmp_path: Path, other: str) -> None:
    for folder in ("images", "masks", other):
        (tmp_path / folder).mkdir()
        for stem in "ab":
            Image.new("L", (4, 4), 1).save(tmp_path / folder / f"{stem}.png")
    (pair,) = image_folders.folders(tmp_path)
    assert (pair.masks.name, [path.name for path in pair.unused]) == ("masks", [other])
    notes = matching.match(tmp_path, (pair,)).notes
    assert [note.code for note in notes] == ["folders-chosen"]
    (chosen,) = image_folders.folders(tmp_path, masks=other)
    assert not chosen.unused


@pytest.mark.parametrize("other", ["masks_old", "masks_copy", "labels_second_reader"])
def test_other_masks_of_the_same_images_are_rivals(tmp_path: Path, other: str) -> None:
    for folder in ("images", "masks", other):
        (tmp_path / folder).mkdir()
        for stem in "ab":
            Image.new("L", (4, 4), 1).save(tmp_path / folder / f"{stem}.png")
    with pytest.raises(UsageError, match=other):
        image_folders.folders(tmp_path)


def test_masks_of_other_images_are_no_rivals(tmp_path: Path) -> None:
    for folder, letters in (("images", "ab"), ("masks", "ab"), ("masks_old", "xy")):
        (tmp_path / folder).mkdir()
        for stem in letters:
            Image.new("L", (4, 4), 1).save(tmp_path / folder / f"{stem}.png")
    (pair,) = image_folders.folders(tmp_path)
    assert not pair.unused


def test_predictions_are_left_out_and_named(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path,
        *(f"{home}/{kind}/{name}.png" for home, name in HOMES for kind in ("images", "masks")),
    )
    kept = [("data/train/images", "data/train/masks", "train")]
    assert found(root) == kept
    for pairs in (
        image_folders.folders(root),
        image_folders.folders(root, "images", "masks"),
    ):
        assert [pair.images for pair in pairs] == [root / "data/train/images"]
        (note,) = matching.match(root, pairs).notes
        assert note.code == "folders-chosen"
        assert "runs/7/preds/masks/ was skipped" in note.message
    stated = image_folders.folders(root, "runs/7/preds/images", "runs/7/preds/masks")
    assert [pair.masks for pair in stated] == [root / "runs/7/preds/masks"]


def test_masks_that_all_lie_in_results_are_masks(tmp_path: Path) -> None:
    lay_out(tmp_path, "results/images/a.png", "results/masks/a.png")
    assert found(tmp_path) == [("results/images", "results/masks", "")]


def test_folders_that_repeat_are_named_once(tmp_path: Path) -> None:
    names = ("train", "a"), ("val", "b")
    kinds = ("images", "masks", "masks_rgb2")
    root = lay_out(tmp_path, *(f"d/{home}/{k}/{n}.png" for home, n in names for k in kinds))
    with pytest.raises(UsageError) as caught:
        image_folders.folders(root)
    assert "--images images --masks masks or --images images --masks masks_rgb2" in (
        caught.value.hint
    )
    assert len(image_folders.folders(root, "images", "masks")) == 2


def test_pictures_that_pair_with_no_masks_are_named(tmp_path: Path) -> None:
    """A test set beside train/ and val/, and the depth of each image."""
    homes = ("train", "a"), ("val", "b")
    root = lay_out(
        tmp_path, *(f"{home}/{kind}/{name}.png" for home, name in homes for kind in ("img", "gt"))
    )
    lay_out(root, "test/img/c.png", "test/img/d.png", "train/depth/a.png")
    notes = matching.match(root, image_folders.folders(root)).notes
    assert [(note.code, note.message) for note in notes if "left alone" in note.message] == [
        (
            "image-unlabelled",
            "no masks pair with the pictures in test/img/ (2); they were left alone",
        )
    ]
    text = "the images are those of train/img/; train/depth/ has files of the same names"
    assert ("folders-chosen", f"{text}: --images chooses") in [
        (note.code, note.message) for note in notes
    ]


def test_two_folders_of_images_beside_the_masks_are_rivals(tmp_path: Path) -> None:
    """The last one used to be taken, and the other said to pair with no masks."""
    root = lay_out(
        tmp_path, *(f"d/{kind}/{n}.png" for kind in ("images", "imgs", "masks") for n in "ab")
    )
    with pytest.raises(UsageError) as caught:
        image_folders.folders(root)
    assert "several folders hold images of d/masks/: d/images, d/imgs" in str(caught.value)
    assert "--images d/images --masks d/masks or --images d/imgs --masks d/masks" in (
        caught.value.hint
    )
    lay_out(root, "d/imgs/c.png")  # without a mask: the other one fits better
    assert image_folders.folders(root)[0].images == root / "d" / "images"
