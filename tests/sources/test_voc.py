import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, UsageError
from segprep.image import voc_colours
from segprep.sources.voc import Reader

VOC = np.frombuffer(voc_colours(), np.uint8).reshape(256, 3).copy()
IDS = np.array([[0, 1, 2, 255]], np.uint8).repeat(3, 0)


def lay_out(folder: Path, masks: dict[str, Image.Image], names: str = "background\ncat\ndog\n") -> Path:
    for stem, mask in masks.items():
        for path in (folder / f"JPEGImages/{stem}.jpg", folder / f"SegmentationClass/{stem}.png"):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", mask.size, (7, 70, 170)).save(folder / f"JPEGImages/{stem}.jpg")
        mask.save(folder / f"SegmentationClass/{stem}.png")
    if names:
        (folder / "class_names.txt").write_text(names)
    return folder


def palette(ids: np.ndarray) -> Image.Image:
    made = Image.fromarray(ids, mode="P")
    made.putpalette(VOC.tobytes())
    return made


def example(folder: Path) -> Reader:
    return Reader(lay_out(folder, {"a": palette(IDS), "b": Image.fromarray(IDS[:, ::-1].copy())}))


def test_palette_grey_and_colour_masks_become_the_same(tmp_path: Path) -> None:
    shown = VOC[IDS]
    shown[:, 3] = 224, 224, 192
    root = lay_out(tmp_path / "in", {"p": palette(IDS), "sub/l": Image.fromarray(IDS), "rgb": Image.fromarray(shown)})
    done = segprep.convert("voc", root, tmp_path / "out")
    assert done.classes == ("background", "cat", "dog")
    assert {path.stem: segprep.read_mask(path).tolist() for path in (tmp_path / "out/SegmentationClass").iterdir()} == dict.fromkeys(
        ("p", "l", "rgb"), IDS.tolist()
    )


def test_a_tree_of_ours_comes_back_unchanged(tmp_path: Path, real: Path) -> None:
    segprep.convert("dsb2018", real / "dsb2018", tmp_path / "one", objects=True, target="touching", border_as="ignore", jobs=2)
    segprep.split(tmp_path / "one", seed=1, folds=3)
    done = segprep.convert("voc", tmp_path / "one", tmp_path / "two", jobs=2)
    assert done.converted == 121
    for folder in ("JPEGImages", "SegmentationClass", "SegmentationObject", "ImageSets/Segmentation"):
        names = sorted(path.name for path in (tmp_path / "one" / folder).iterdir())
        assert names == sorted(path.name for path in (tmp_path / "two" / folder).iterdir())
        assert all((tmp_path / "one" / folder / name).read_bytes() == (tmp_path / "two" / folder / name).read_bytes() for name in names)


def test_images_without_a_mask_are_counted_only(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in/VOCdevkit/VOC2012", {"a": palette(IDS)})
    shutil.copy(root / "JPEGImages/a.jpg", root / "JPEGImages/b.jpg")
    (root / "ImageSets/Segmentation").mkdir(parents=True)
    (root / "ImageSets/Segmentation/train.txt").write_text("a\nb\n")
    done = segprep.convert("voc", tmp_path / "in", tmp_path / "out")
    assert (done.converted, done.skipped) == (1, ())
    assert {note.code for note in done.notes} == {"mask-missing", "classes-found", "listed-missing"}
    assert segprep.Tree(tmp_path / "out").lists() == {"train": ("a",)}


def test_the_colours_of_a_label_map_count(tmp_path: Path) -> None:
    shown = np.array([[[9, 9, 9], [250, 0, 3]]], np.uint8)
    root = lay_out(tmp_path / "in", {"a": Image.fromarray(shown)}, names="")
    (root / "labelmap.txt").write_text("# label:color_rgb:parts:actions\nbackground:9,9,9::\ncat:250,0,3::\n")
    segprep.convert("voc", root, tmp_path / "out")
    assert segprep.read_mask(tmp_path / "out/SegmentationClass/a.png").tolist() == [[0, 1]]


def test_instances_keep_their_ids(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": palette(IDS), "b": palette(IDS)})
    (root / "SegmentationObject").mkdir()
    palette(np.array([[0, 1, 2, 255]], np.uint8).repeat(3, 0)).save(root / "SegmentationObject/a.png")
    Image.fromarray(np.array([[0, 300, 2, 65535]], np.uint16).repeat(3, 0)).save(root / "SegmentationObject/b.png")
    segprep.convert("voc", root, tmp_path / "out")
    assert segprep.read_mask(tmp_path / "out/SegmentationObject/a.png")[0].tolist() == [0, 1, 2, 255]
    assert segprep.read_mask(tmp_path / "out/SegmentationObject/b.png")[0].tolist() == [0, 300, 2, 65535]


def test_faults_are_named_and_the_rest_converts(tmp_path: Path) -> None:
    masks = {stem: palette(IDS) for stem in ("good", "lonely", "instances")}
    masks |= {"high": palette(np.where(IDS == 2, 7, IDS).astype(np.uint8)), "white": Image.fromarray(np.where(IDS == 1, 0, IDS).astype(np.uint8) // 255 * 255)}
    root = lay_out(tmp_path / "in", masks)
    (root / "JPEGImages/lonely.jpg").unlink()
    (root / "SegmentationObject").mkdir()
    palette(IDS[:1]).save(root / "SegmentationObject/instances.png")
    with pytest.raises(BadInputError):
        segprep.convert("voc", root, tmp_path / "out")
    done = segprep.convert("voc", root, tmp_path / "out", on_error="skip")
    assert {(one.stem, one.code) for one in done.skipped} == {
        ("lonely", "image-missing"), ("high", "unknown-value"), ("white", "values-unclear"), ("instances", "size-mismatch"),
    }  # fmt: skip
    with pytest.raises(UsageError, match="SegmentationClass"):
        segprep.convert("voc", tmp_path / "in/JPEGImages", tmp_path / "other")


def test_samples_of_other_projects(real: Path, tmp_path: Path) -> None:
    done = segprep.convert("voc", real / "formats/voc_labelformat", tmp_path / "a")
    assert (done.converted, done.classes[15]) == (2, "person")
    done = segprep.convert("voc", real / "formats/datumaro/voc_dataset_voc_dataset1", tmp_path / "b", classes="voc")
    assert segprep.read_mask(tmp_path / "b/SegmentationClass/2007_000001.png").tolist() == [[2] * 20] * 10
