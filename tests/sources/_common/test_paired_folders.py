"""Which image belongs to which mask: by names, by a pattern, by a table; what is left, and
lists.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, UsageError
from segprep.sources import binary, colormap, pairs
from segprep.sources._common.pairing import image_folders, matching, pair_patterns
from segprep.sources._common.pairing.name_rules import Folders

BLACK, WHITE = np.zeros((3, 4), np.uint8), np.full((3, 4), 255, np.uint8)


def lay_out(root: Path, *names: str) -> Path:
    """Masks are white but for their first pixel, so that an image taken for a mask shows."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(BLACK if name.endswith(".jpg") else WHITE).save(path)
    return root


def joined(reader: binary.Reader, root: Path) -> dict[str, tuple[str, str]]:
    items = reader.paired(reader.folders()).items
    return {
        item.stem: (
            str(item.image).removeprefix(f"{root}/"),
            str(item.labels[0]).removeprefix(f"{root}/"),
        )
        for item in items
    }


def test_what_lies_below_the_mask_folder_is_not_an_image(tmp_path: Path) -> None:
    names = [f"Train/{n}.png" for n in (1, 2, 3)] + ["Train/Label/2_label.png"]
    root = lay_out(tmp_path, *names)
    reader = binary.Reader(root / "Train", images=".", masks="Label", foreground="light")
    assert joined(reader, root) == {"2": ("Train/2.png", "Train/Label/2_label.png")}
    reader = binary.Reader(root, images="Train", masks="Train/Label", foreground="light")
    assert joined(reader, root) == {"2": ("Train/2.png", "Train/Label/2_label.png")}


def test_photograph_and_mask_of_one_name_in_one_folder(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path,
        *(
            f"{part}crop/{n}{s}"
            for part in ("train", "val")
            for n in (f"{part}1", f"{part}2")
            for s in (".jpg", ".png")
        ),
    )
    reader = binary.Reader(root, foreground="light")
    pairing = reader.paired(reader.folders())
    assert [item.image.suffix + item.labels[0].suffix for item in pairing.items if item.image] == [
        ".jpg.png"
    ] * 4
    assert pairing.lists == {"train": ("train1", "train2"), "val": ("val1", "val2")}


def test_channels_of_nnunet(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path,
        "imagesTr/X_1_0000.png",
        "imagesTr/X_2_0000.png",
        "labelsTr/X_1.png",
        "labelsTr/X_2.png",
    )
    assert joined(binary.Reader(root), root) == {
        "X_1": ("imagesTr/X_1_0000.png", "labelsTr/X_1.png"),
        "X_2": ("imagesTr/X_2_0000.png", "labelsTr/X_2.png"),
    }


@pytest.mark.parametrize(
    ("names", "rivals"),
    [
        (["images/1.jpg", "manual1/1.png", "mask/1_mask.png"], ["manual1", "mask"]),
        (["images/1.jpg", "masks/1.png", "labels/1.png"], ["labels", "masks"]),
        (["images/1.jpg", "labels/ids/1.png", "labels/vis/1.png"], ["labels/ids", "labels/vis"]),
    ],
)
def test_several_mask_folders_are_named(
    tmp_path: Path, names: list[str], rivals: list[str]
) -> None:
    root = lay_out(tmp_path, *names)
    with pytest.raises(UsageError, match="which is the truth") as caught:
        image_folders.folders(root)
    assert all(name in caught.value.message for name in rivals)
    for name in rivals:
        assert f"--images images --masks {name}" in caught.value.hint
        reader = binary.Reader(root, images="images", masks=name, foreground="light")
        assert joined(reader, root)["1"][1].startswith(name)


def test_numbered_folders_of_one_kind_are_no_rivals(tmp_path: Path) -> None:
    root = lay_out(tmp_path, "images1/a.jpg", "masks1/a.png", "images2/b.jpg", "masks2/b.png")
    assert len(image_folders.folders(root)) == 2


def test_images_anywhere_below_the_source(tmp_path: Path) -> None:
    root = lay_out(tmp_path, "a/x.jpg", "b/c/y.jpg", "labels/x.png", "labels/y.png")
    assert joined(binary.Reader(root), root) == {
        "x": ("a/x.jpg", "labels/x.png"),
        "y": ("b/c/y.jpg", "labels/y.png"),
    }


PATTERNS = {
    "{stem}.jpg={stem}_anno.png": [
        "d/x.jpg",
        "d/x_anno.png",
        "d/y.jpg",
        "d/y_anno.png",
        "stray.png",
    ],
    "img/{stem}.*=gt/{stem}.png": ["img/x.jpg", "gt/x.png", "img/y.jpg", "gt/y.png", "old/x.jpg"],
    "{stem}_img.png={stem}.png": ["x_img.png", "x.png", "y_img.png", "y.png"],
    "{case}/photo.jpg={case}/{case}_mask.png": ["x/photo.jpg", "x/x_mask.png"],
    "{stem}.png=mask_{stem}_v*.png": ["x.png", "mask_x_v2.png"],
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns(tmp_path: Path, pattern: str) -> None:
    root = lay_out(tmp_path, *PATTERNS[pattern])
    pairing = binary.Reader(root, pair=pattern).paired(())
    assert not pairing.skipped
    found = {str(item.labels[0].relative_to(root)) for item in pairing.items}
    assert found == {
        n
        for n in PATTERNS[pattern]
        if ("anno" in n or "gt/" in n or "mask" in n)
        or (n in ("x.png", "y.png") and "img" in pattern)
    }


def test_patterns_across_folders_of_one_name(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path,
        *(
            f"{kind}/{part}/0{suffix}"
            for kind, suffix in (("i", ".jpg"), ("m", ".png"))
            for part in ("train", "val")
        ),
    )
    pairing = binary.Reader(root, pair="{stem}.jpg={stem}.png", stem="path").paired(())
    assert [item.stem for item in pairing.items] == ["i_train_0", "i_val_0"]
    assert all(
        item.image and item.image.parent.name == item.labels[0].parent.name
        for item in pairing.items
    )
    assert pairing.lists == {"train": ("i_train_0",), "val": ("i_val_0",)}


@pytest.mark.parametrize("spec", ["x", "{stem}.jpg", "{a}.jpg={b}.png", "x.jpg=x.png"])
def test_what_is_not_a_pattern(tmp_path: Path, spec: str) -> None:
    with pytest.raises(UsageError, match="neither a CSV"):
        pair_patterns.stated(spec, (tmp_path,), ())


def test_a_table_of_pairs(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "p/one.jpg", "q/1.png", "p/two.jpg", "p/three.jpg")
    table = tmp_path / "pairs.csv"
    table.write_text(
        "image,mask,split\np/one.jpg,q/1.png,train\np/two.jpg,,valid\np/three.jpg,q/3.png,\nx,y,\n"
    )
    pairing = binary.Reader(root, pair=str(table)).paired(())
    assert [item.stem for item in pairing.items] == ["one", "two"]
    assert pairing.lists == {"train": ("one",), "val": ("two",)}
    assert [(skip.code, "line" in skip.reason) for skip in pairing.skipped] == [
        ("mask-missing", True),
        ("image-missing", True),
    ]


@pytest.mark.parametrize("missing", ["error", "empty"])
def test_images_without_a_mask(tmp_path: Path, missing: str) -> None:
    root = lay_out(tmp_path / "in", "images/a.jpg", "images/b.jpg", "masks/a.png")
    for format, options in (
        ("binary", {"foreground": "light"}),
        ("pairs", {"ids": "0=background,255=cell"}),
    ):
        out = tmp_path / format
        if missing == "error":
            with pytest.raises(BadInputError):
                segprep.convert(format, root, out, **options)
            continue
        done = segprep.convert(format, root, out, missing="empty", **options)
        assert done.converted == 2
        assert not segprep.read_mask(out / "SegmentationClass/b.png").any()
        assert segprep.read_mask(out / "SegmentationClass/a.png").all()
        assert "mask-empty" in {note.code for note in done.notes}


def test_empty_needs_a_background(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "images/a.jpg", "images/b.jpg", "masks/a.png")
    with pytest.raises(UsageError, match="needs a background"):
        pairs.Reader(root, classes="sky,road", missing="empty").scan()


def test_images_of_another_root(tmp_path: Path) -> None:
    photos = lay_out(tmp_path / "photos", "a.jpg", "b/c.jpg")
    masks = lay_out(tmp_path / "masks", "a.png", "c.png")
    done = segprep.convert(
        "binary", masks, tmp_path / "out", foreground="light", image_root=(photos,)
    )
    assert done.converted == 2
    with pytest.raises(UsageError, match="--pair only"):
        binary.Reader(masks, image_root=(photos, masks)).folders()


def test_a_copy_can_be_left_alone(tmp_path: Path) -> None:
    names = [f"{home}{kind}" for home in ("", "copy/") for kind in ("images/a.jpg", "masks/a.png")]
    root = lay_out(tmp_path, *names)
    reader = binary.Reader(root, exclude_folder=("copy",))
    assert joined(reader, root) == {"a": ("images/a.jpg", "masks/a.png")}


def test_lists_from_folders_inside_the_masks(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path,
        *(
            f"TrainVal_{kind}/{part}_{kind}/{part}{n}{s}"
            for kind, s in (("images", ".jpg"), ("annotations", ".png"))
            for part in ("train", "val")
            for n in (1, 2)
        ),
    )
    reader = binary.Reader(root)
    assert reader.paired(reader.folders()).lists == {
        "train": ("train1", "train2"),
        "val": ("val1", "val2"),
    }
    reader = binary.Reader(root, lists_from_folders="no")
    assert not reader.paired(reader.folders()).lists


def test_a_test_folder_beside_the_rest_is_a_list(tmp_path: Path) -> None:
    """A public set of heart curves: data/imgs, data/masks, and data/test with data/test/mask."""
    root = lay_out(tmp_path, "imgs/a.jpg", "imgs/b.jpg", "masks/a.png", "masks/b.png")
    lay_out(root, "test/c.jpg", "test/mask/c.png")
    reader = binary.Reader(root)
    pairing = reader.paired(reader.folders())
    assert pairing.lists == {"test": ("c",)}
    (note,) = pairing.notes
    assert note.message.startswith("2 of 3 samples are in no list of the source, a first; ")
    assert "split --keep test --overwrite" in note.message


@pytest.mark.parametrize("home", ["train", "test"])
def test_one_folder_that_holds_all_is_no_list(tmp_path: Path, home: str) -> None:
    reader = binary.Reader(lay_out(tmp_path, f"{home}/images/a.jpg", f"{home}/masks/a.png"))
    assert not reader.paired(reader.folders()).lists


def test_why_two_files_were_joined(tmp_path: Path) -> None:
    root = lay_out(tmp_path, "images/a.jpg", "images/b.jpg", "masks/a_mask.png")
    reader = colormap.Reader(root, missing="empty")
    assert "but for a prefix or suffix" in reader.explain("a")[0]
    assert "has no mask" in reader.explain("b")[0]
    assert "mask-missing" in colormap.Reader(root).explain("b")[0]
    assert reader.explain("c") == []


def test_a_field_of_view_beside_the_drawings(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "images/1.jpg", "manual1/1.png", "mask/1_mask.png")
    view = np.full((3, 4), 255, np.uint8)
    view[:, 0] = 0
    Image.fromarray(view).save(root / "mask/1_mask.png")
    with pytest.raises(UsageError) as caught:
        image_folders.folders(root)
    assert "--images images --masks manual1 --view mask" in caught.value.hint
    options = {"images": "images", "masks": "manual1", "view": "mask", "foreground": "light"}
    segprep.convert("binary", root, tmp_path / "out", **options)
    mask = segprep.read_mask(tmp_path / "out/SegmentationClass/1.png")
    assert mask.tolist() == [[255, 1, 1, 1]] * 3
    (root / "mask/1_mask.png").unlink()
    with pytest.raises(BadInputError):
        segprep.convert("binary", root, tmp_path / "none", **options)


def test_images_anywhere_for_a_folder_of_masks_that_is_named(tmp_path: Path) -> None:
    root = lay_out(tmp_path, "a/x.jpg", "b/c/y.jpg", "drawn/x.png", "drawn/y.png")
    assert set(joined(binary.Reader(root, masks="drawn"), root)) == {"x", "y"}


def test_a_copy_is_named_in_the_hint(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path,
        "train/images/a.jpg",
        "train/masks/a.png",
        "copy/train/images/a.jpg",
        "copy/train/masks/a.png",
    )
    reader = binary.Reader(root)
    collisions = [s for s in reader.paired(reader.folders()).skipped if s.code == "stem-collision"]
    assert collisions
    assert all("--exclude-folder" in skip.hint for skip in collisions)


def test_a_test_set_without_masks_is_a_note(tmp_path: Path) -> None:
    root = lay_out(tmp_path, "images/train/a.jpg", "images/test/b.jpg", "masks/train/a.png")
    reader = binary.Reader(root)
    pairing = reader.paired(reader.folders())
    assert not pairing.skipped
    assert ["mask in test (1): 1 images were" in note.message for note in pairing.notes] == [True]
    lay_out(tmp_path, "images/train/c.jpg")
    assert [skip.stem for skip in reader.paired(reader.folders()).skipped] == ["c"]
    empty = binary.Reader(root, missing="empty")
    assert [item.stem for item in empty.paired(empty.folders()).items] == ["a", "c"]


@pytest.mark.parametrize("missing", ["error", "empty"])
def test_pictures_elsewhere_are_no_images_without_a_mask(tmp_path: Path, missing: str) -> None:
    """Published knees: data/xrays and data/masks, a chart in data/tables, drawn results."""
    root = lay_out(tmp_path, "data/xrays/1.jpg", "data/xrays/2.jpg", "data/masks/1.png")
    lay_out(root, "data/tables/bars.png", "drawn/img_1.png")
    reader = binary.Reader(root, missing=missing)
    pairing = reader.paired(reader.folders())
    named = [item.stem for item in pairing.items], [skip.stem for skip in pairing.skipped]
    assert named == ((["1", "2"], []) if missing == "empty" else (["1"], ["2"]))
    notes = [note.message for note in pairing.notes if note.code == "image-unlabelled"]
    assert notes == ["no image has a mask in data/tables (1), drawn (1): 2 images were skipped"]


def test_folders_that_are_joined_are_named(tmp_path: Path) -> None:
    root = lay_out(tmp_path, "images/a.jpg", "masks/a.png", "aside/images/b.jpg")
    reader = binary.Reader(lay_out(root, "aside/masks/b.png"))
    (note,) = reader.paired(reader.folders()).notes
    assert note.code == "folders-chosen"
    assert "from 2 folders: aside/masks/ (1), masks/ (1); --exclude-folder" in note.message


def test_channels_in_folders_of_the_same_name(tmp_path: Path) -> None:
    """nnU-Net's names, sorted into views; the same cases in both."""
    cases = [(view, number) for view in ("axial", "coronal") for number in (1, 2)]
    images = [f"imagesTr/{view}/c{number}_0000.jpg" for view, number in cases]
    root = lay_out(
        tmp_path / "in", *images, *(f"labelsTr/{view}/c{number}.png" for view, number in cases)
    )
    with pytest.raises(BadInputError) as caught:
        segprep.convert("binary", root, tmp_path / "out", foreground="light")
    assert {skip.code for skip in caught.value.skipped} == {"stem-collision"}
    assert "--stem path" in caught.value.skipped[0].hint
    pairs_of = joined(binary.Reader(root, stem="path"), root)
    assert len(pairs_of) == 4
    for image, mask in pairs_of.values():
        assert (
            image.removeprefix("imagesTr").replace("_0000.jpg", ".png") == mask[len("labelsTr") :]
        )


def test_without_a_partner_or_with_several_are_told_apart(tmp_path: Path) -> None:
    root = lay_out(tmp_path, "i/a.jpg", "i/b.jpg", "i/c.jpg", "i/d.jpg", "i/d.png")
    lay_out(root, "m/a.png", "m/b.png", "m/b.gif", "m/d.png", "m/e.png")
    matched = matching.match(root, [Folders(root / "i", root / "m")], "name")
    reasons = {
        (Path(skip.path).relative_to(root).as_posix(), skip.code): skip.reason
        for skip in matched.skipped
    }
    assert reasons == {
        ("i/b.jpg", "mask-missing"): "2 masks may belong to this image: m/b.gif, m/b.png",
        ("i/c.jpg", "mask-missing"): "no mask belongs to this image",
        ("i/d.jpg", "mask-missing"): "2 images may belong to the mask m/d.png: i/d.jpg, i/d.png",
        ("i/d.png", "mask-missing"): "2 images may belong to the mask m/d.png: i/d.jpg, i/d.png",
        ("m/b.gif", "image-missing"): "2 masks may belong to the image i/b.jpg: m/b.gif, m/b.png",
        ("m/b.png", "image-missing"): "2 masks may belong to the image i/b.jpg: m/b.gif, m/b.png",
        ("m/d.png", "image-missing"): "2 images may belong to this mask: i/d.jpg, i/d.png",
        ("m/e.png", "image-missing"): "no image belongs to this mask",
    }


def test_an_image_of_several_masks_is_no_empty_one(tmp_path: Path) -> None:
    root = lay_out(tmp_path, "i/a.jpg", "i/b.jpg", "i/c.jpg", "m/a.png", "m/b.png", "m/b.gif")
    folders = [Folders(root / "i", root / "m")]
    for matched in (
        matching.match(root, folders, "name", empty=True),
        matching.match_stated(root, "i/{n}.jpg=m/{n}.*", sorted(root.rglob("*.*")), empty=True),
    ):
        assert [item.stem for item in matched.items] == ["a", "c"]
        assert {skip.stem for skip in matched.skipped} == {"b"}
        assert "2 masks" in next(s.reason for s in matched.skipped if s.code == "mask-missing")
