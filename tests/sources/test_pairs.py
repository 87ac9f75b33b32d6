import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, SegprepError, UsageError
from segprep.sources.pairs import Reader

IDS = np.array([[0, 1, 2, 255]], np.uint8).repeat(3, 0)


def lay_out(
    folder: Path, masks: dict[str, np.ndarray], images: str = "images", labels: str = "masks"
) -> Path:
    """*masks*: "image name:mask name" -> pixels."""
    for name, mask in masks.items():
        image, label = name.split(":")
        for path in (folder / images / image, folder / labels / label):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", mask.shape[::-1], (7, 70, 170)).save(folder / images / image)
        Image.fromarray(mask).save(folder / labels / label)
    return folder


def example(folder: Path) -> Reader:
    return Reader(
        lay_out(folder, {"a.jpg:a.png": IDS, "b.png:b.png": IDS[:, ::-1].copy()}),
        classes="background,cat,dog",
    )


def masks_of(out: Path) -> dict[str, list[list[int]]]:
    return {
        path.stem: segprep.read_mask(path).tolist()
        for path in sorted((out / "SegmentationClass").iterdir())
    }


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        (["x.jpg:x.png", "y.jpg:y.png"], ("images", "masks")),
        (["frame_001.png:mask_001.png", "frame_002.png:mask_002.png"], ("frames", "masks")),
        (["x.jpg:x_mask.gif", "y.jpg:y_mask.gif"], ("train", "train_masks")),
        (["00000_img.jpg:00000_gt.png", "00001_img.jpg:00001_gt.png"], ("imgs", "gts")),
        (["0001TP_1.png:0001TP_1_P.png", "0001TP_2.png:0001TP_2_P.png"], ("images", "labels")),
        (["one/x.jpg:one/x.png", "two/y.jpg:two/y.png"], ("img", "ann")),
        (["x.jpg:Kx_zzz.png", "y.jpg:Ky_zzz.png"], ("images", "masks")),
        (["x.jpg:x.jpg.png", "y.jpg:y.jpg.png"], ("images", "annotations")),
    ],
)
def test_pairs_are_found(tmp_path: Path, files: list[str], folders: tuple[str, str]) -> None:
    lay_out(tmp_path / "in", dict.fromkeys(files, IDS % 255), *folders)
    done = segprep.convert("pairs", tmp_path / "in", tmp_path / "out", classes="3", palette="gray")
    assert done.converted == 2
    assert not done.skipped
    assert all(mask == (IDS % 255).tolist() for mask in masks_of(tmp_path / "out").values())


def test_by_number_only_where_all_pair(tmp_path: Path) -> None:
    lay_out(tmp_path / "in", {"photo7.jpg:truth_07.png": IDS, "photo8.jpg:truth_08.png": IDS})
    done = segprep.convert("pairs", tmp_path / "in", tmp_path / "out", classes="3")
    assert [note.code for note in done.notes] == ["paired-by"]
    lay_out(tmp_path / "in", {"photo9.jpg:else_10.png": IDS})
    with pytest.raises(BadInputError):
        segprep.convert("pairs", tmp_path / "in", tmp_path / "other", classes="3")


def test_a_table_of_any_values(tmp_path: Path) -> None:
    lay_out(tmp_path / "in", {"a.jpg:a.png": np.array([[0, 128, 255]], np.uint8)})
    done = segprep.convert(
        "pairs", tmp_path / "in", tmp_path / "out", ids="255=nucleus,0=background,128=__ignore__"
    )
    assert done.classes == ("background", "nucleus")
    assert masks_of(tmp_path / "out") == {"a": [[0, 255, 1]]}


def test_ids_of_sixteen_bits_and_of_gray_rgb(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path / "in",
        {
            "a.jpg:a.png": np.array([[0, 1000, 2000]], np.uint16),
            "b.jpg:b.png": np.array([[0, 1, 1]], np.uint8),
        },
    )
    Image.open(root / "masks/b.png").convert("RGB").save(root / "masks/b.png")
    done = segprep.convert(
        "pairs", root, tmp_path / "out", ids="0=background,1=cat,1000=cat,2000=dog"
    )
    assert masks_of(tmp_path / "out") == {"a": [[0, 1, 2]], "b": [[0, 1, 1]]}
    assert "mask-grey-rgb" in {note.code for note in done.notes}


def test_the_position_in_the_class_list_is_the_value_whatever_the_first_name(
    tmp_path: Path,
) -> None:
    done = segprep.convert(
        "pairs",
        lay_out(tmp_path / "in", {"a.jpg:a.png": IDS}),
        tmp_path / "out",
        classes="sky,road,car",
    )
    assert done.classes == ("sky", "road", "car")
    assert masks_of(tmp_path / "out") == {"a": IDS.tolist()}


def test_a_palette_counts_by_its_indices(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a.jpg:a.png": IDS})
    indexed = Image.fromarray(IDS, mode="P")
    indexed.putpalette([random.Random(3).randrange(256) for _ in range(768)])
    indexed.save(root / "masks/a.png")
    segprep.convert("pairs", root, tmp_path / "out", classes="3")
    assert masks_of(tmp_path / "out") == {"a": IDS.tolist()}


def test_without_a_list_the_classes_are_inferred_and_said(tmp_path: Path) -> None:
    done = segprep.convert(
        "pairs", lay_out(tmp_path / "in", {"a.jpg:a.png": IDS}), tmp_path / "out"
    )
    assert done.classes == ("_background_", "class_1", "class_2")
    assert [note.code for note in done.notes] == ["classes-inferred"]


def test_a_list_beside_the_folders_is_found(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a.jpg:a.png": IDS})
    (root / "codes.txt").write_text("Sky\nRoad\nCar\n")
    done = segprep.convert("pairs", root, tmp_path / "out")
    assert done.classes == ("Sky", "Road", "Car")


@pytest.mark.parametrize(
    ("mask", "cause"),
    [
        (np.array([[0, 255, 255]], np.uint8), "convert binary"),
        (np.array([[0, 38, 75]], np.uint8), "--from-voc-gray"),
        (np.arange(256, dtype=np.uint8)[None], "smoothed or saved as JPEG"),
    ],
)
def test_values_that_are_no_ids_are_named_with_their_cause(
    tmp_path: Path, mask: np.ndarray, cause: str
) -> None:
    root = lay_out(tmp_path / "in", {"a.jpg:a.png": mask})
    with pytest.raises(UsageError) as unstated:
        segprep.convert("pairs", root, tmp_path / "out")
    assert (unstated.value.code, cause in unstated.value.hint) == ("values-unclear", True)
    with pytest.raises(BadInputError) as stated:
        segprep.convert("pairs", root, tmp_path / "out", classes="background,cell")
    (bad,) = stated.value.skipped
    assert cause in bad.hint  # type: ignore[attr-defined]
    assert "px" in bad.reason  # type: ignore[attr-defined]


def test_faults_are_named_and_the_rest_converts(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path / "in",
        {
            f"{name}.jpg:{name}.png": IDS
            for name in ("good", "high", "small", "color", "cut", "lonely")
        },
    )
    Image.fromarray(np.where(IDS == 2, 9, IDS).astype(np.uint8)).save(root / "masks/high.png")
    Image.fromarray(IDS[:2]).save(root / "masks/small.png")
    Image.new("RGB", (4, 3), (200, 3, 7)).save(root / "masks/color.png")
    (root / "masks/cut.png").write_bytes((root / "masks/good.png").read_bytes()[:-30])
    (root / "images/lonely.jpg").unlink()
    Image.new("RGB", (4, 3)).save(root / "images/bare.jpg")
    with pytest.raises(BadInputError):
        segprep.convert("pairs", root, tmp_path / "out", classes="3")
    assert not (tmp_path / "out/segprep.json").exists()
    done = segprep.convert("pairs", root, tmp_path / "out", classes="3", on_error="skip")
    assert masks_of(tmp_path / "out") == {"good": IDS.tolist()}
    assert {(one.stem, one.code) for one in done.skipped} == {
        ("high", "unknown-value"),
        ("small", "size-mismatch"),
        ("color", "mask-is-colour"),
        ("cut", "image-damaged"),
        ("lonely", "image-missing"),
        ("bare", "mask-missing"),
    }


def test_a_gif_that_renumbered_its_palette_is_refused_until_it_is_said(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a.jpg:a.gif": np.array([[0, 5, 9]], np.uint8)})
    with pytest.raises(SegprepError) as caught:
        segprep.convert("pairs", root, tmp_path / "out", classes="10")
    assert {one.code for one in getattr(caught.value, "skipped", ())} == {"palette-ambiguous"}
    segprep.convert("pairs", root, tmp_path / "out", classes="10", palette="gray")
    assert masks_of(tmp_path / "out") == {"a": [[0, 5, 9]]}


@pytest.mark.parametrize(
    "options",
    [
        {"ids": "0-bg"},
        {"ids": "x=bg"},
        {"ids": "0=a,0=b"},
        {"images": "nowhere"},
        {"images": "../in2", "masks": "masks"},
        {"ids": "1=cta", "classes": "background,cat"},
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, options: dict[str, str]) -> None:
    (tmp_path / "in2").mkdir()
    with pytest.raises(UsageError):
        segprep.convert(
            "pairs", lay_out(tmp_path / "in", {"a.jpg:a.png": IDS}), tmp_path / "out", **options
        )


def test_names_that_do_not_tell_images_from_masks_are_asked_for(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a.png:a.png": IDS}, "left", "right")
    with pytest.raises(UsageError, match="left, right") as caught:
        segprep.convert("pairs", root, tmp_path / "out", classes="3")
    assert caught.value.code == "folders-unclear"
    assert (
        segprep.convert(
            "pairs", root, tmp_path / "out", classes="3", images="left", masks="right"
        ).converted
        == 1
    )


def test_samples_of_other_projects(real: Path, tmp_path: Path) -> None:
    done = segprep.convert("pairs", real / "formats/mmseg_pseudo/pseudo_dataset", tmp_path / "mm")
    assert (done.converted, len(done.classes)) == (5, 4)
    assert sorted(path.name for path in (tmp_path / "mm/ImageSets/Segmentation").iterdir()) == [
        "train.txt",
        "val.txt",
    ]
    done = segprep.convert("pairs", real / "predictions", tmp_path / "p", classes="2")
    assert done.converted == 40


def test_a_list_beside_the_folders_is_found_below_too(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in/CamVid", {"a.jpg:a.png": IDS}, "train", "trainannot")
    lay_out(root, {"b.jpg:b.png": IDS}, "val", "valannot")
    (root / "codes.txt").write_text("Sky\nRoad\nCar\n")
    (root / "train.txt").write_text("/SegNet/CamVid/train/a.jpg /SegNet/CamVid/trainannot/a.png\n")
    (root / "val.txt").write_text("/SegNet/CamVid/val/b.jpg /SegNet/CamVid/valannot/b.png\n")
    done = segprep.convert("pairs", tmp_path / "in", tmp_path / "out")
    assert done.classes == ("Sky", "Road", "Car")
    assert segprep.Tree(tmp_path / "out").lists() == {"train": ("a",), "val": ("b",)}


def test_images_and_masks_in_one_folder(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a.jpg:a_mask.png": IDS, "b.jpg:b_mask.png": IDS}, ".", ".")
    assert segprep.convert("auto", root, tmp_path / "out", classes="3").converted == 2
    assert masks_of(tmp_path / "out") == dict.fromkeys("ab", IDS.tolist())


@pytest.mark.parametrize(
    ("masks", "hint"),
    [
        ([np.arange(151, dtype=np.uint8)[None]], "--classes 151"),
        ([np.arange(0, 151, 5, dtype=np.uint8)[None]], "--classes 151"),
        ([np.array([[0, 150]], np.uint8)], "--ids VALUE=NAME"),
        ([np.array([[0, 3, 252, 255] * 9], np.uint8)], "convert binary"),
        ([np.array([[0, 255] * 80 + [64, 128, 191]], np.uint8)], "; or, if they are black and"),
    ],
)
def test_values_that_may_be_ids_after_all(
    tmp_path: Path, masks: list[np.ndarray], hint: str
) -> None:
    """ADE20K has 151 ids; a JPEG smears black and white a little."""
    root = lay_out(tmp_path / "in", {f"{n}.jpg:{n}.png": mask for n, mask in enumerate(masks)})
    with pytest.raises(UsageError) as caught:
        segprep.convert("pairs", root, tmp_path / "out")
    assert hint in caught.value.hint
    assert caught.value.code == "values-unclear"


def test_auto_leaves_the_question_what_large_values_mean_to_the_format(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a.jpg:a.png": np.array([[0, 38, 75]], np.uint8)})
    with pytest.raises(UsageError) as caught:
        segprep.convert("auto", root, tmp_path / "out")
    assert (caught.value.code, "--from-voc-gray" in caught.value.hint) == ("values-unclear", True)


def numbered(root: Path, counts: list[int], step: int = 1) -> Path:
    """Images with as many single patches as *counts* says, each with a number of its own."""
    masks = {}
    for number, count in enumerate(counts):
        mask = np.zeros((8, 40), np.uint16 if step > 8 else np.uint8)
        for thing in range(count):
            mask[2:5, 4 * thing + 1 : 4 * thing + 3] = step * (thing + 1)
        masks[f"{number}.jpg:{number}.png"] = mask
    return lay_out(root, masks)


def test_numbers_of_things_are_not_taken_for_classes_silently(tmp_path: Path) -> None:
    done = segprep.convert("pairs", numbered(tmp_path / "a", [3, 1, 4]), tmp_path / "out")
    assert "instances-suspected" in {note.code for note in done.notes}
    with pytest.raises(UsageError, match="300, 600") as caught:
        segprep.convert("pairs", numbered(tmp_path / "b", [4, 4, 4], 300), tmp_path / "none")
    assert "binary --foreground nonzero" in caught.value.hint
    done = segprep.convert(
        "binary", numbered(tmp_path / "c", [4, 4, 4], 300), tmp_path / "d", foreground="nonzero"
    )
    assert done.converted == 3


@pytest.mark.parametrize("source", ["pairs", "voc", "arrays"])
def test_sets_of_numbered_objects_are_refused(tmp_path: Path, source: str) -> None:
    """Touching objects are cut into several patches by those that lie on them; ids tell enough."""
    root = numbered(tmp_path / "in", [3, 1, 8, 5, 6, 2])
    if source == "voc":
        (root / "images").rename(root / "JPEGImages")
        (root / "masks").rename(root / "SegmentationClass")
    for path in [*root.glob("masks/*.png")] * (source == "arrays"):
        np.save(path.with_suffix(".npy"), np.asarray(Image.open(path)))
        path.unlink()
    with pytest.raises(UsageError, match="numbers of objects") as caught:
        segprep.convert(source, root, tmp_path / "out")
    assert caught.value.code == "values-unclear"
    assert "--foreground nonzero" in caught.value.hint
    done = segprep.convert(source, root, tmp_path / "out", classes="9")  # as the hint says
    assert done.converted == 6


def test_classes_in_patches_are_classes(tmp_path: Path) -> None:
    root = numbered(tmp_path / "in", [3, 1, 4])
    for path in (root / "masks").iterdir():
        mask = np.asarray(Image.open(path)).copy()
        mask[7, ::4] = 1
        Image.fromarray(mask).save(path)
    done = segprep.convert("pairs", root, tmp_path / "out")
    assert "instances-suspected" not in {note.code for note in done.notes}


def test_levels_at_equal_steps_are_named(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a.jpg:a.png": np.array([[0, 85, 170, 255]], np.uint8)})
    with pytest.raises(UsageError) as caught:
        segprep.convert("pairs", root, tmp_path / "out")
    assert "--ids 0=background,85=class_1,170=class_2,255=class_3" in caught.value.hint
    ids = caught.value.hint.split("--ids ")[1]
    segprep.convert("pairs", root, tmp_path / "out", ids=ids)
    assert segprep.read_mask(tmp_path / "out/SegmentationClass/a.png").tolist() == [[0, 1, 2, 3]]


def test_ids_that_went_through_jpeg_are_not_taken_for_ids(tmp_path: Path) -> None:
    """A JPEG of three classes holds a fourth along its outlines, or one of the three elsewhere."""
    mask = np.zeros((40, 60), np.uint8)
    mask[8:20, 10:30] = 1
    mask[25:35, 30:50] = 2
    folder = lay_out(tmp_path / "in", {f"i{n}.png:i{n}.jpg": np.roll(mask, n) for n in range(4)})
    options: dict[str, Any]
    for name, options in (("auto", {}), ("pairs", {"classes": "background,a,b,c"})):
        with pytest.raises(SegprepError) as refused:
            segprep.convert(name, folder, tmp_path / "out", **options)
        assert "is a JPEG file" in f"{refused.value} {getattr(refused.value, 'skipped', '')}"
    meanings = "0=background,1=a,2=b,3=__ignore__"
    made = segprep.convert("pairs", folder, tmp_path / "out", ids=meanings)
    assert made.converted == 4


def test_a_voc_tree_of_jpeg_masks_is_refused_too(tmp_path: Path) -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[8:20, 10:30] = 1
    folder = lay_out(tmp_path / "in", {"a.jpg:a.jpg": mask}, "JPEGImages", "SegmentationClass")
    with pytest.raises(SegprepError) as refused:
        segprep.convert("voc", folder, tmp_path / "out", classes="background,cat")
    assert "is a JPEG file" in f"{refused.value} {getattr(refused.value, 'skipped', '')}"


def test_a_list_that_counts_the_background_from_1_does_not_name_0(tmp_path: Path) -> None:
    """The masks count from 0, or the list is of other masks: every name would be off by one."""
    listed = tmp_path / "classes.csv"
    listed.write_text("id,name\n1,background\n2,cat\n3,dog\n")
    lay_out(tmp_path / "in", {"a.jpg:a.png": IDS})
    with pytest.raises(BadInputError) as caught:
        segprep.convert("pairs", tmp_path / "in", tmp_path / "out", classes=str(listed))
    assert caught.value.skipped[0].code == "unknown-value"
    lay_out(tmp_path / "in", {"a.jpg:a.png": IDS % 255 + 1})
    done = segprep.convert("pairs", tmp_path / "in", tmp_path / "out", classes=str(listed))
    assert done.converted == 1


def test_a_mask_that_links_to_itself_is_one_bad_input(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a.jpg:a.png": IDS, "b.jpg:b.png": IDS})
    mask = next(root.rglob("b*.png"))
    mask.unlink()
    mask.symlink_to(mask.name)
    with pytest.raises(BadInputError):
        segprep.convert("pairs", root, tmp_path / "out", classes="2")


def test_tiles_whose_names_hold_the_extension_of_the_whole_pair(tmp_path: Path) -> None:
    """A public set of satellite tiles."""
    for folder, kind, mode in (("images", "jpg", "RGB"), ("masks", "png", "L")):
        (tmp_path / "in" / folder).mkdir(parents=True)
        for number in ("00", "10"):
            tile = f"1.{kind}patch_{number}.{kind}"
            Image.new(mode, (4, 3), 1 if mode == "L" else 0).save(tmp_path / "in" / folder / tile)
    segprep.convert("pairs", tmp_path / "in", tmp_path / "out", classes="background,cat")
    assert len([*(tmp_path / "out/SegmentationClass").iterdir()]) == 2
