import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep import sources
from segprep.errors import BadInputError, UsageError
from segprep.sources.merge_masks import Reader

LEFT = np.array([[255, 255, 0, 0]], np.uint8).repeat(3, 0)
MIDDLE = np.array([[0, 255, 255, 0]], np.uint8).repeat(3, 0)


def lay_out(folder: Path, images: list[str], masks: dict[str, np.ndarray]) -> Path:
    for name in images:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), (7, 70, 170)).save(folder / name)
    for name, mask in masks.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(folder / name)
    return folder


def example(folder: Path) -> Reader:
    return Reader(
        lay_out(folder, ["images/x.png"], {"masks/cat/x.png": LEFT, "masks/dog/x.png": MIDDLE}),
        objects=True,
    )


def row(out: Path, folder: str = "SegmentationClass") -> list[int]:
    values: list[int] = segprep.read_mask(out / folder / "x.png")[0].tolist()
    return values


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (["images/x.png"], ["masks/cat/x.png", "masks/dog/x.png"]),
        (["images/x.png"], ["masks/x/cat_1.png", "masks/x/dog_1.png"]),
        (["images/x.jpg"], ["masks/x_cat.png", "masks/x_dog.png"]),
        (["x.png"], ["x_cat.png", "x_dog_2.png"]),
        (
            ["images/x.png", "images/xx.png"],
            ["masks/x-cat.png", "masks/x-dog.png", "masks/xx-cat.png", "masks/xx-dog.png"],
        ),
    ],
)
def test_layouts(tmp_path: Path, images: list[str], masks: list[str]) -> None:
    root = lay_out(
        tmp_path / "in", images, {name: LEFT if "cat" in name else MIDDLE for name in masks}
    )
    done = segprep.convert("merge-masks", root, tmp_path / "out", objects=True)
    assert done.classes == ("_background_", "cat", "dog")
    assert (row(tmp_path / "out"), row(tmp_path / "out", "SegmentationObject")) == (
        [1, 2, 2, 0],
        [1, 2, 2, 0],
    )
    assert done.skipped == ()


def test_unetpp_folders_of_numbers(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path / "in", ["images/x.png"], {"masks/0/x.png": LEFT, "masks/1/x.png": MIDDLE}
    )
    done = segprep.convert("merge-masks", root, tmp_path / "out")
    assert done.classes == ("_background_", "0", "1")
    assert row(tmp_path / "out") == [1, 2, 2, 0]


def test_label_studio_exports_find_their_image_through_the_json(tmp_path: Path) -> None:
    masks = {
        "masks/task-7-annotation-3-by-1-tag-cat-0.png": LEFT,
        "masks/task-7-annotation-3-by-1-tag-guide dog-1.png": MIDDLE,
    }
    root = lay_out(tmp_path / "in", ["images/x.png"], masks)
    (root / "export.json").write_text(
        json.dumps([{"id": 7, "data": {"image": "/data/upload/1/0123abcd-x.png"}}])
    )
    done = segprep.convert("merge-masks", root, tmp_path / "out")
    assert done.classes == ("_background_", "cat", "guide dog")
    assert row(tmp_path / "out") == [1, 2, 2, 0]


def test_a_table_names_what_names_do_not_tell(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path / "in", ["images/x.png"], {"masks/8f.png": LEFT, "masks/a1.png": MIDDLE}
    )
    with pytest.raises(BadInputError):
        segprep.convert("merge-masks", root, tmp_path / "out")
    (tmp_path / "table.csv").write_text("mask,image,class\n8f.png,x.png,cat\na1.png,x.png,dog\n")
    segprep.convert("merge-masks", root, tmp_path / "out", table=str(tmp_path / "table.csv"))
    assert row(tmp_path / "out") == [1, 2, 2, 0]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"overlap": "order"}, [1, 2, 2, 0]),
        ({"overlap": "priority", "priority": "cat"}, [1, 1, 2, 0]),
        ({"classes": "dog,cat"}, [2, 1, 1, 0]),
    ],
)
def test_overlap_and_order(tmp_path: Path, options: dict[str, str], wanted: list[int]) -> None:
    root = lay_out(
        tmp_path / "in", ["images/x.png"], {"masks/cat/x.png": LEFT, "masks/dog/x.png": MIDDLE}
    )
    segprep.convert("merge-masks", root, tmp_path / "out", **options)
    assert row(tmp_path / "out") == wanted


def test_faults_are_named_and_the_rest_converts(tmp_path: Path) -> None:
    stems = ("x", "size", "color", "ones", "lacking", "bare")
    masks = {f"masks/{label}/{stem}.png": LEFT for stem in stems[:4] for label in ("cat", "dog")}
    masks |= {
        "masks/cat/lacking.png": LEFT,
        "masks/dog/size.png": LEFT[:2],
        "masks/cat/lonely.png": LEFT,
        "masks/cat/ones.png": LEFT // 255,
    }
    root = lay_out(tmp_path / "in", [f"images/{stem}.png" for stem in stems], masks)
    Image.new("RGB", (4, 3), (255, 0, 0)).save(root / "masks/cat/color.png")
    with pytest.raises(BadInputError):
        segprep.convert("merge-masks", root, tmp_path / "out")
    done = segprep.convert("merge-masks", root, tmp_path / "out", on_error="skip")
    assert done.converted + done.kept == 1
    assert {(one.stem, one.code) for one in done.skipped} == {
        ("size", "size-mismatch"),
        ("color", "mask-is-colour"),
        ("ones", "values-unclear"),
        ("lacking", "mask-missing"),
        ("bare", "mask-missing"),
        ("lonely", "image-missing"),
    }
    assert "no mask of class dog" in {one.stem: one.reason for one in done.skipped}["lacking"]
    done = segprep.convert("merge-masks", root, tmp_path / "two", on_error="skip", missing="empty")
    assert "lacking" not in {one.stem for one in done.skipped}


@pytest.mark.parametrize(
    ("options", "code"), [({"overlap": "error"}, "overlap"), ({"classes": "cat"}, "unknown-label")]
)
def test_refusals(tmp_path: Path, options: dict[str, str], code: str) -> None:
    root = lay_out(
        tmp_path / "in", ["images/x.png"], {"masks/cat/x.png": LEFT, "masks/dog/x.png": MIDDLE}
    )
    with pytest.raises(BadInputError) as caught:
        segprep.convert("merge-masks", root, tmp_path / "out", **options)
    assert [one.code for one in caught.value.skipped] == [code]  # type: ignore[attr-defined]
    with pytest.raises(UsageError):
        segprep.convert("merge-masks", root, tmp_path / "out", overlap="priority")
    with pytest.raises(UsageError, match="columns"):
        segprep.convert("merge-masks", root, tmp_path / "out", table=str(Path(__file__)))


def test_a_hidden_region_is_said(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path / "in",
        ["images/x.png"],
        {
            "masks/cat/x.png": LEFT,
            "masks/dog/x.png": np.full_like(LEFT, 255),
            "masks/eel/x.png": LEFT * 0,
        },
    )
    done = segprep.convert("merge-masks", root, tmp_path / "out")
    assert {note.code for note in done.notes} >= {"hidden-shape", "instance-empty"}


def white(path: Path, size: tuple[int, int] = (6, 4), part: int = 6) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(size[::-1], np.uint8)
    mask[:, :part] = 255
    Image.fromarray(mask).save(path)


def test_folders_that_are_batches_are_not_images(tmp_path: Path) -> None:
    """CelebAMask-HQ: folder 0 holds the masks of the first two thousand people."""
    root = tmp_path / "in"
    for person in range(3):
        white(root / f"images/{person}.jpg")
        for part, width in (("hair", 2), ("skin", 4)):
            white(root / f"masks/{person // 2}/{person:05}_{part}.png", part=width)
    scan = Reader(root).scan()
    assert {item.stem: len(item.labels) for item in scan.items} == {"0": 2, "1": 2, "2": 2}
    assert scan.classes.names == ("_background_", "hair", "skin")
    assert all(
        int(label.name[:5]) == int(item.stem) for item in scan.items for label in item.labels
    )


def test_images_without_masks_and_lists(tmp_path: Path) -> None:
    root = tmp_path / "in"
    for part in ("train", "val"):
        white(root / f"images/{part}/{part}1.png")
        white(root / f"masks/{part}/cat/{part}1.png")
    white(root / "images/val/none.png")
    done = segprep.convert("merge-masks", root, tmp_path / "out", missing="empty")
    assert done.converted == 3
    assert not segprep.read_mask(tmp_path / "out/SegmentationClass/none.png").any()
    lists = tmp_path / "out/ImageSets/Segmentation"
    assert lists.joinpath("val.txt").read_text().split() == ["none", "val1"]
    with pytest.raises(BadInputError):
        segprep.convert("merge-masks", root, tmp_path / "other")


def test_two_folders_of_truth_are_no_masks_of_classes(tmp_path: Path) -> None:
    """BDD100K: masks/train/x.png and colormaps/train/x.png are the same truth twice."""
    for part in ("train", "val"):
        for folder in ("images/10k", "labels/masks", "labels/colormaps"):
            path = tmp_path / folder / part / f"{part[0]}7a9.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(np.eye(6, dtype=np.uint8)).save(path)
    assert Reader.recognize(tmp_path) is None


def test_plots_beside_each_other_are_no_masks_of_classes(tmp_path: Path) -> None:
    """Figures of a paper: x.png, x_cos.png, x_rmse.png, all in colors."""
    for name in ("x", "x_cos", "x_rmse"):
        Image.new("RGB", (6, 6), (30, 60, 200)).save(tmp_path / f"{name}.png")
    assert Reader.recognize(tmp_path) is None
    for name in ("x_cos", "x_rmse"):
        white(tmp_path / f"{name}.png")
    assert Reader.recognize(tmp_path)


@pytest.mark.parametrize("names", [("0", "1"), ("cat", "dog")])
def test_numbers_for_classes_may_be_objects(tmp_path: Path, names: tuple[str, ...]) -> None:
    masks = {f"masks/x/{name}.png": mask for name, mask in zip(names, (LEFT, MIDDLE), strict=True)}
    root = lay_out(tmp_path / "in", ["images/x.png"], masks)
    done = segprep.convert("merge-masks", root, tmp_path / "out")
    told = [note.message for note in done.notes if note.code == "instances-suspected"]
    assert len(told) == (names == ("0", "1"))
    if told:
        maps = told[0].split("MERGED ")[1].replace("--map ", "").split()
        segprep.remap(tmp_path / "out", tmp_path / "merged", map=tuple(maps))
        assert row(tmp_path / "merged") == [1, 1, 1, 0]


def test_tiles_beside_the_whole_images_are_no_classes(tmp_path: Path) -> None:
    """1.pngpatch_00.png is the mask of a tile, not one of the class pngpatch for 1.jpg."""
    tiles = [f"tiles/images/{n}.jpgpatch_0{m}.jpg" for n in (1, 2) for m in range(3)]
    root = lay_out(tmp_path / "in", ["images/1.jpg", "images/2.jpg", *tiles], {})
    masks = [tile.replace("images", "masks").replace("jpg", "png") for tile in tiles]
    lay_out(root, [], dict.fromkeys([*masks, "masks/1.png", "masks/2.png"], LEFT))
    assert "merge-masks" not in dict(sources.guesses(root))
    done = segprep.convert("auto", root, tmp_path / "out", foreground="light")
    assert (done.converted, done.classes) == (8, ("_background_", "foreground"))
