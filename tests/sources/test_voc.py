import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.dataset import tree
from segprep.errors import BadInputError, SegprepError, UsageError
from segprep.imaging.image import voc_colors
from segprep.sources.voc import Reader

VOC = np.frombuffer(voc_colors(), np.uint8).reshape(256, 3).copy()
IDS = np.array([[0, 1, 2, 255]], np.uint8).repeat(3, 0)


def lay_out(
    folder: Path, masks: dict[str, Image.Image], names: str = "background\ncat\ndog\n"
) -> Path:
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


def test_palette_gray_and_color_masks_become_the_same(tmp_path: Path) -> None:
    shown = VOC[IDS]
    shown[:, 3] = 224, 224, 192
    root = lay_out(
        tmp_path / "in",
        {"p": palette(IDS), "sub/l": Image.fromarray(IDS), "rgb": Image.fromarray(shown)},
    )
    done = segprep.convert("voc", root, tmp_path / "out")
    assert done.classes == ("background", "cat", "dog")
    assert {
        path.stem: segprep.read_mask(path).tolist()
        for path in (tmp_path / "out/SegmentationClass").iterdir()
    } == dict.fromkeys(("p", "l", "rgb"), IDS.tolist())


def test_a_tree_of_ours_comes_back_unchanged(tmp_path: Path, real: Path) -> None:
    segprep.convert(
        "dsb2018",
        real / "dsb2018",
        tmp_path / "one",
        objects=True,
        target="touching",
        border_as="ignore",
        jobs=2,
    )
    segprep.split(tmp_path / "one", seed=1, folds=3)
    done = segprep.convert("voc", tmp_path / "one", tmp_path / "two", jobs=2)
    assert done.converted == 121
    for folder in (
        "JPEGImages",
        "SegmentationClass",
        "SegmentationObject",
        "ImageSets/Segmentation",
    ):
        names = sorted(path.name for path in (tmp_path / "one" / folder).iterdir())
        assert names == sorted(path.name for path in (tmp_path / "two" / folder).iterdir())
        assert [
            name
            for name in names
            if (tmp_path / "one" / folder / name).read_bytes()
            != (tmp_path / "two" / folder / name).read_bytes()
        ] == []


def test_images_without_a_mask_are_counted_only(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in/VOCdevkit/VOC2012", {"a": palette(IDS)})
    shutil.copy(root / "JPEGImages/a.jpg", root / "JPEGImages/b.jpg")
    (root / "ImageSets/Segmentation").mkdir(parents=True)
    (root / "ImageSets/Segmentation/train.txt").write_text("a\nb\n")
    done = segprep.convert("voc", tmp_path / "in", tmp_path / "out")
    assert (done.converted, done.skipped) == (1, ())
    assert {note.code for note in done.notes} == {"mask-missing", "classes-found", "listed-missing"}
    assert segprep.Tree(tmp_path / "out").lists() == {"train": ("a",)}


def test_the_colors_of_a_label_map_count(tmp_path: Path) -> None:
    shown = np.array([[[9, 9, 9], [250, 0, 3]]], np.uint8)
    root = lay_out(tmp_path / "in", {"a": Image.fromarray(shown)}, names="")
    (root / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:9,9,9::\ncat:250,0,3::\n"
    )
    segprep.convert("voc", root, tmp_path / "out")
    assert segprep.read_mask(tmp_path / "out/SegmentationClass/a.png").tolist() == [[0, 1]]


def test_instances_keep_their_ids(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": palette(IDS), "b": palette(IDS)})
    (root / "SegmentationObject").mkdir()
    palette(np.array([[0, 1, 2, 255]], np.uint8).repeat(3, 0)).save(
        root / "SegmentationObject/a.png"
    )
    Image.fromarray(np.array([[0, 300, 2, 65535]], np.uint16).repeat(3, 0)).save(
        root / "SegmentationObject/b.png"
    )
    segprep.convert("voc", root, tmp_path / "out")
    assert segprep.read_mask(tmp_path / "out/SegmentationObject/a.png")[0].tolist() == [
        0,
        1,
        2,
        255,
    ]
    assert segprep.read_mask(tmp_path / "out/SegmentationObject/b.png")[0].tolist() == [
        0,
        300,
        2,
        65535,
    ]


def test_faults_are_named_and_the_rest_converts(tmp_path: Path) -> None:
    masks = {stem: palette(IDS) for stem in ("good", "lonely", "instances")}
    masks |= {
        "high": palette(np.where(IDS == 2, 7, IDS).astype(np.uint8)),
        "white": Image.fromarray(np.where(IDS == 1, 0, IDS).astype(np.uint8) // 255 * 255),
    }
    root = lay_out(tmp_path / "in", masks)
    (root / "JPEGImages/lonely.jpg").unlink()
    (root / "SegmentationObject").mkdir()
    palette(IDS[:1]).save(root / "SegmentationObject/instances.png")
    with pytest.raises(BadInputError):
        segprep.convert("voc", root, tmp_path / "out")
    done = segprep.convert("voc", root, tmp_path / "out", on_error="skip")
    assert {(one.stem, one.code) for one in done.skipped} == {
        ("lonely", "image-missing"),
        ("high", "unknown-value"),
        ("white", "values-unclear"),
        ("instances", "size-mismatch"),
    }
    with pytest.raises(UsageError, match="SegmentationClass"):
        segprep.convert("voc", tmp_path / "in/JPEGImages", tmp_path / "other")


def test_samples_of_other_projects(real: Path, tmp_path: Path) -> None:
    done = segprep.convert("voc", real / "formats/voc_labelformat", tmp_path / "a")
    assert (done.converted, done.classes[15]) == (2, "person")
    done = segprep.convert(
        "voc", real / "formats/datumaro/voc_dataset_voc_dataset1", tmp_path / "b", classes="voc"
    )
    assert (
        segprep.read_mask(tmp_path / "b/SegmentationClass/2007_000001.png").tolist()
        == [[2] * 20] * 10
    )


def masks_of(out: Path) -> dict[str, list[list[int]]]:
    return {
        path.stem: segprep.read_mask(path).tolist()
        for path in (out / "SegmentationClass").iterdir()
    }


def test_black_and_white_masks_ask_what_255_is_and_the_hint_works(tmp_path: Path) -> None:
    white = Image.fromarray(np.array([[0, 255]], np.uint8))
    root = lay_out(tmp_path / "in", {"a": white, "b": white}, names="")
    with pytest.raises(UsageError, match="0, 255") as caught:
        segprep.convert("voc", root, tmp_path / "out")
    assert "--ids 0=background,255=NAME" in caught.value.hint
    done = segprep.convert("voc", root, tmp_path / "out", ids="0=background,255=cell")
    assert (done.classes, masks_of(tmp_path / "out")) == (
        ("background", "cell"),
        {"a": [[0, 1]], "b": [[0, 1]]},
    )
    Image.fromarray(np.array([[0, 1]], np.uint8)).save(root / "SegmentationClass/b.png")
    segprep.convert("voc", root, tmp_path / "both", classes="background,cell", ids="255=cell")
    assert masks_of(tmp_path / "both") == {"a": [[0, 1]], "b": [[0, 1]]}


def test_ids_read_colors_as_the_values_they_stand_for(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path / "in", {"a": Image.fromarray(VOC[np.array([[0, 3, 1]], np.uint8)])}, names=""
    )
    segprep.convert("voc", root, tmp_path / "out", ids="0=background,1=cat,3=dog")
    assert masks_of(tmp_path / "out") == {"a": [[0, 2, 1]]}


def test_the_gray_of_a_class_is_a_color_too(tmp_path: Path) -> None:
    """VOC's car is 128,128,128: a picture of cars only is gray throughout."""
    root = lay_out(
        tmp_path / "in",
        {
            "car": Image.fromarray(VOC[np.array([[0, 7]], np.uint8)]),
            "ids": Image.fromarray(np.full((9, 9, 3), 7, np.uint8)),
        },
        names="",
    )
    segprep.convert("voc", root, tmp_path / "out", classes="voc")
    assert masks_of(tmp_path / "out") == {"car": [[0, 7]], "ids": [[7] * 9] * 9}


def test_old_labelme_exports_keep_their_pictures_in_another_folder(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": palette(IDS)})
    (root / "SegmentationClass").rename(root / "SegmentationClassPNG")
    (root / "SegmentationClass").mkdir()
    (root / "SegmentationClass/a.npy").write_bytes(b"an array")
    done = segprep.convert("voc", root, tmp_path / "out")
    assert masks_of(tmp_path / "out") == {"a": IDS.tolist()}
    assert "labels-from" in {note.code for note in done.notes}


def test_the_tree_is_found_below_archives_and_beside_what_macos_leaves(tmp_path: Path) -> None:
    lay_out(tmp_path / "in/VOCtrainval_11-May-2012/VOCdevkit/VOC2012", {"a": palette(IDS)})
    for folder in ("JPEGImages", "SegmentationClass"):
        (tmp_path / "in/VOCtrainval_11-May-2012/__MACOSX/VOC2012" / folder).mkdir(parents=True)
    assert segprep.convert("auto", tmp_path / "in", tmp_path / "out").converted == 1


def test_several_trees_are_named(tmp_path: Path) -> None:
    for year in ("VOC2007", "VOC2012"):
        lay_out(tmp_path / "in" / year, {"a": palette(IDS)})
    with pytest.raises(UsageError, match="VOC2007, VOC2012") as caught:
        segprep.convert("auto", tmp_path / "in", tmp_path / "out")
    assert (caught.value.code, str(tmp_path / "in/VOC2007") in caught.value.hint) == (
        "folders-unclear",
        True,
    )
    assert "segprep merge OUT1 OUT2 OUT" in caught.value.hint


def two_truths(tmp_path: Path) -> Path:
    root = lay_out(tmp_path / "in", {f"{n}": palette(IDS) for n in range(3)})
    masks = root / "SegmentationClass"
    for name in ("defect", "element"):
        (masks / name).mkdir()
        for n in range(3):
            Image.fromarray(IDS if name == "defect" else IDS[:, ::-1].copy()).save(
                masks / name / f"{n}.png"
            )
    for path in masks.glob("*.png"):
        path.unlink()
    return root


def test_several_masks_of_an_image_are_a_question(tmp_path: Path) -> None:
    root = two_truths(tmp_path)
    with pytest.raises(UsageError) as caught:
        segprep.convert("auto", root, tmp_path / "out")
    assert caught.value.code == "folders-unclear"
    assert "defect/ (3), element/ (3)" in str(caught.value)
    assert "--masks SegmentationClass/element" in caught.value.hint
    segprep.convert("voc", root, tmp_path / "out", masks="SegmentationClass/element")
    mask = segprep.read_mask(tmp_path / "out/SegmentationClass/0.png")
    assert mask.tolist() == IDS[:, ::-1].tolist()


def test_masks_without_a_sample_say_why_not_what_their_values_mean(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": palette(IDS)}, names="")
    shutil.copy(root / "JPEGImages/a.jpg", root / "JPEGImages/a.png")
    with pytest.raises(SegprepError) as caught:
        segprep.convert("voc", root, tmp_path / "out")
    assert caught.value.code != "values-unclear"


def test_a_tree_without_masks_says_so(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": palette(IDS)})
    (root / "SegmentationClass/a.png").unlink()
    with pytest.raises(SegprepError, match="holds no mask") as caught:
        segprep.convert("voc", root, tmp_path / "out")
    assert caught.value.code == "nothing-to-convert"


def test_a_class_list_without_the_background_is_suspected(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"a": palette(IDS)}, names="cat\ndog\n")
    with pytest.raises(BadInputError) as caught:
        segprep.convert("voc", root, tmp_path / "out")
    assert "lack the background" in caught.value.skipped[0].hint  # type: ignore[attr-defined]


def test_colors_of_no_table_lead_to_a_label_map(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path / "in", {"a": Image.fromarray(np.array([[[9, 9, 99], [0, 0, 0]]], np.uint8))}
    )
    with pytest.raises(BadInputError) as caught:
        segprep.convert("voc", root, tmp_path / "out")
    assert "labelmap.txt" in caught.value.skipped[0].hint  # type: ignore[attr-defined]
    (root / "class_names.txt").unlink()
    (root / "labelmap.txt").write_text("background:0,0,0::\ncat:9,9,99::\n")
    segprep.convert("voc", root, tmp_path / "out")
    assert masks_of(tmp_path / "out") == {"a": [[1, 0]]}


@pytest.mark.parametrize(
    "content", ["{}", '{"99999999999": "x"}', '{"-1": "x"}', "[" * 100_000, '{"0": "a", "x": "b"}']
)
def test_a_table_of_names_that_cannot_be_used(tmp_path: Path, content: str) -> None:
    root = lay_out(tmp_path / "in", {"a": palette(IDS)}, names="")
    (root / "class_id_to_name.json").write_text(content)
    with pytest.raises(SegprepError) as caught:
        segprep.convert("voc", root, tmp_path / "out")
    assert caught.value.code == "bad-classes"


LABELMAP = "# label:color_rgb:parts:actions\ncat:250,50,83::\nbackground:0,0,0::\nbig dog:1,2,3::\n"


def cvat_export(folder: Path) -> Path:
    """CVAT's "Segmentation mask 1.1" without images: colors of labelmap.txt, background inside."""
    colors = np.array([[[0, 0, 0], [250, 50, 83], [1, 2, 3], [0, 0, 0]]], np.uint8).repeat(3, 0)
    objects = np.array([[[0, 0, 0], [128, 0, 0], [0, 128, 0], [0, 0, 0]]], np.uint8).repeat(3, 0)
    for name, pixels in (("SegmentationClass", colors), ("SegmentationObject", objects)):
        path = folder / "export" / name / "sub" / "a.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(pixels).save(path)
    (folder / "export/labelmap.txt").write_text(LABELMAP)
    lists = folder / "export/ImageSets/Segmentation"
    lists.mkdir(parents=True)
    (lists / "default.txt").write_text("sub/a\n")
    (folder / "pictures/sub").mkdir(parents=True)
    Image.new("RGB", (4, 3), (7, 70, 170)).save(folder / "pictures/sub/a.jpg")
    return folder / "export"


def test_cvat_masks_without_images(tmp_path: Path) -> None:
    root = cvat_export(tmp_path)
    with pytest.raises(UsageError, match="no JPEGImages") as caught:
        segprep.convert("auto", root, tmp_path / "out")
    assert "--image-root" in caught.value.hint
    roots = (tmp_path / "pictures",)
    done = segprep.convert("auto", root, tmp_path / "out", image_root=roots)
    assert done.classes == ("background", "cat", "big dog")
    ids = [[0, 1, 2, 0]] * 3
    assert segprep.read_mask(tmp_path / "out/SegmentationClass/a.png").tolist() == ids
    assert segprep.read_mask(tmp_path / "out/SegmentationObject/a.png").tolist() == ids
    kept = segprep.convert("voc", root, tmp_path / "kept", image_root=roots, keep_order=True)
    assert kept.classes == ("cat", "background", "big dog")
    assert (tmp_path / "out/ImageSets/Segmentation/default.txt").read_text() == "a\n"


def test_cvat_masks_as_its_zip(tmp_path: Path) -> None:
    root = cvat_export(tmp_path)
    shutil.make_archive(str(tmp_path / "task"), "zip", root)
    roots = (tmp_path / "pictures",)
    done = segprep.convert("auto", tmp_path / "task.zip", tmp_path / "out", image_root=roots)
    assert (done.converted, done.classes) == (1, ("background", "cat", "big dog"))


def test_colors_of_the_palette_beyond_its_classes_are_named(tmp_path: Path) -> None:
    """CVAT colors labels from VOC's palette; without labelmap.txt they are not class ids."""
    colors = np.zeros((4, 6, 3), np.uint8)
    colors[1:3, 1:3] = 160, 96, 64
    root = lay_out(tmp_path, {"a": Image.fromarray(colors)}, names="")
    with pytest.raises(UsageError, match="hold the colors 0,0,0; 160,96,64") as caught:
        Reader(root).scan()
    assert "labelmap.txt" in caught.value.hint


@pytest.mark.parametrize("folder", ["SegmentationClass", "SegmentationClassPNG"])
def test_trees_without_png_masks_name_the_format_that_reads_them(
    tmp_path: Path, folder: str
) -> None:
    """labelme2voc.py of old: arrays in SegmentationClass, or the pictures alone beside it."""
    root, mask = tmp_path / "in", np.eye(4, dtype=np.uint8)
    for name in ("JPEGImages", folder):
        (root / name).mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(root / "JPEGImages/a.jpg")
    if folder == "SegmentationClass":
        np.save(root / folder / "a.npy", mask)
    else:
        Image.fromarray(mask).save(root / folder / "a.png")
    with pytest.raises(UsageError) as caught:
        tree.find(root)
    assert caught.value.code == "no-tree"
    named = caught.value.hint.split()[5]
    segprep.convert("auto", root, tmp_path / "auto")
    segprep.convert(named, root, tmp_path / "named")
    for out in ("auto", "named"):
        made = segprep.read_mask(tmp_path / out / "SegmentationClass/a.png")
        assert (made == mask).all()
