"""Trees that no tutorial has: each export is right, or refused with its reason."""

import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep import targets
from segprep.dataset.tree_files import class_files
from segprep.errors import BadInputError, SegprepError, UsageError
from segprep.imaging.image import write_mask
from segprep.targets._common import lists
from segprep.types import Classes, Entry
from segprep.writer import Inventory

DEEP = ("hf", "monai", "coco", "datumaro", "fiftyone")  # their readers keep 16 bits
EIGHT = sorted({*targets.names()} - {*DEEP, "cvat"})


def tree(
    root: Path, classes: tuple[str, ...] = ("_background_", "cat"), **lists: tuple[str, ...]
) -> Path:
    """Four samples of 8x6 pixels, s0 to s3, without a manifest."""
    stems = ("s0", "s1", "s2", "s3")
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / name).mkdir(parents=True)
    for stem in stems:
        Image.new("RGB", (8, 6), (90, 120, 150)).save(root / f"JPEGImages/{stem}.png")
        mask = np.zeros((6, 8), np.uint8)
        mask[1:4, 2:6] = 1
        write_mask(root / f"SegmentationClass/{stem}.png", mask)
    (root / "class_names.txt").write_text("".join(f"{name}\n" for name in classes))
    for name, listed in (lists or {"train": stems[:2], "val": stems[2:]}).items():
        text = "".join(f"{stem}\n" for stem in listed)
        (root / f"ImageSets/Segmentation/{name}.txt").write_text(text)
    return root


def images(out: Path) -> Iterator[Image.Image]:
    """The images of an export, shards included, as Pillow opens them; masks not."""
    for path in sorted(out.rglob("*")):
        if path.suffix == ".tar":
            with tarfile.open(path) as shard:
                for member in shard:
                    file = shard.extractfile(member)
                    if file and not member.name.endswith(".seg.png"):
                        yield Image.open(io.BytesIO(file.read()))
        elif path.suffix in (".png", ".jpg") and not any(
            word in str(path.relative_to(out))
            for word in ("mask", "label", "annot", "gtFine", "Segmentation")
        ):
            yield Image.open(path)


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """Gray images of 16 bits of which a camera used 12: half of its white."""
    root = tree(tmp_path / "deep")
    for path in (root / "JPEGImages").iterdir():
        Image.fromarray(np.full((6, 8), 2048, np.uint16)).save(path)
    Image.fromarray(np.full((6, 8), 4095, np.uint16)).save(root / "JPEGImages/s0.png")
    return root


@pytest.mark.parametrize("name", EIGHT)
def test_readers_of_eight_bits_get_eight(name: str, deep: Path, tmp_path: Path) -> None:
    options = {"frames": "png"} if name == "keras" else {}
    done = segprep.export(name, deep, tmp_path / "out", **options)
    shown = sorted(
        np.asarray(one.convert("RGB")).mean().round() for one in images(tmp_path / "out")
    )
    assert shown == [128, 128, 128, 255]
    assert [note.code for note in done.notes].count("image-converted") == 4
    assert "the highest 8 of the 12 bits in use" in done.notes[-1].message


@pytest.mark.parametrize("name", DEEP)
def test_readers_of_sixteen_bits_get_the_file(name: str, deep: Path, tmp_path: Path) -> None:
    segprep.export(name, deep, tmp_path / "out")
    shown = sorted(np.asarray(one).mean() for one in images(tmp_path / "out"))
    assert shown == [2048, 2048, 2048, 4095]


def test_a_sixteen_bit_tiff_is_no_frame_for_keras(deep: Path, tmp_path: Path) -> None:
    with Image.open(deep / "JPEGImages/s0.png") as picture:
        picture.save(deep / "JPEGImages/s0.tif")
    (deep / "JPEGImages/s0.png").unlink()
    with pytest.raises(BadInputError) as caught:
        segprep.export("keras", deep, tmp_path / "out")
    (skipped,) = caught.value.skipped
    assert (skipped.code, skipped.hint) == ("image-unsupported", "give --frames png")
    assert "16 bits" in skipped.reason


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("cvat", "ignored"),
        ("datumaro", "background"),
        ("nnunet", "ignore"),
        ("cityscapes", "unlabeled"),
    ],
)
def test_a_class_with_the_name_of_something_else_is_refused(
    name: str, taken: str, tmp_path: Path
) -> None:
    root = tree(tmp_path / "tree", ("_background_", taken))
    with pytest.raises(UsageError) as caught:
        segprep.export(name, root, tmp_path / "out")
    assert (caught.value.code, repr(taken) in str(caught.value)) == ("bad-classes", True)
    assert f"--map {taken}=NAME" in caught.value.hint


def test_two_classes_never_share_a_name(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", ("_background_", "background"))
    segprep.export("paddle", root, tmp_path / "out")
    assert (tmp_path / "out/labels.txt").read_text() == "_background_\nbackground\n"


def test_trainval_is_train_where_there_is_no_train(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", trainval=("s0", "s1", "s2"), test=("s3",))
    done = segprep.export("paddle", root, tmp_path / "out")
    assert len((tmp_path / "out/train.txt").read_text().splitlines()) == 3
    (note,) = done.notes
    assert (note.code, "trainval is train" in note.message) == ("no-split", True)


def test_shared_and_missing_lists_are_said(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", train=("s0", "s1", "s2"), val=("s2", "s3"), test=())
    notes = segprep.export("monai", root, tmp_path / "out").notes
    assert [note.code for note in notes] == ["empty-split", "lists-overlap"]
    assert "test is empty" in notes[0].message
    assert "1 samples are in several lists, s2 first (train, val)" in notes[1].message
    root = tree(tmp_path / "other", val=("s0", "s1", "s2", "s3"))
    (note,) = segprep.export("monai", root, tmp_path / "again").notes
    assert (note.code, "train is missing" in note.message) == ("empty-split", True)


def test_which_lists_are_a_split(tmp_path: Path) -> None:
    entries = tuple(Entry(f"s{n}", Path(), Path()) for n in range(4))
    train = {"train": ("s0", "s1", "s2", "s3")}
    for given, expected in (
        ({}, train),
        ({"odd": ("s1",)}, train),
        ({"trainval": ("s1", "s2"), "test": ("s3",)}, {"train": ("s1", "s2"), "test": ("s3",)}),
        ({"val": ("s3", "s1"), "train": ()}, {"val": ("s1", "s3")}),
    ):
        assert lists.stems_by_split(Inventory("tree", entries, given, None)) == expected
    assert not lists.has_split(Inventory("tree", entries, {"odd": ("s1",), "train": ()}, None))
    assert lists.stems_by_split(Inventory("tree", (), {}, None)) == {"train": ()}


@pytest.mark.parametrize("target", ["cvat", "datumaro"])
@pytest.mark.parametrize("name", ["#hash", "a:b"])
def test_names_that_a_labelmap_cannot_hold(target: str, name: str, tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", ("_background_", name))
    with pytest.raises(UsageError, match=f"{name}.*labelmap.txt"):
        segprep.export(target, root, tmp_path / "out")


def test_a_name_is_no_comment_of_the_label_map() -> None:
    rows = class_files(Classes(("_background_", "#hash", "a:b#"), 0))["labelmap.txt"].decode()
    assert [row.partition(":")[0] for row in rows.splitlines()[2:4]] == ["_hash", "a_b#"]


def test_datasets_would_expand_a_variable(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    for path in (*root.glob("*/s3.png"),):
        path.rename(path.with_name("$HOME.png"))
    (root / "ImageSets/Segmentation/val.txt").write_text("s2\n$HOME\n")
    with pytest.raises(BadInputError) as caught:
        segprep.export("hf", root, tmp_path / "out")
    assert [(one.stem, one.code) for one in caught.value.skipped] == [("$HOME", "bad-stem")]


def test_labelme_opens_no_cmyk(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    (root / "JPEGImages/s0.png").unlink()
    Image.new("CMYK", (8, 6), (40, 80, 0, 20)).save(root / "JPEGImages/s0.jpg")
    done = segprep.export("labelme", root, tmp_path / "out")
    assert [note.code for note in done.notes] == ["image-converted"]
    with Image.open(tmp_path / "out/s0.png") as picture:
        assert picture.mode == "RGB"
    assert '"imagePath": "s0.png"' in (tmp_path / "out/s0.json").read_text()


@pytest.mark.parametrize("name", targets.names())
@pytest.mark.parametrize("listed", [("val",), ("train", "val")])
def test_the_readme_names_files_that_are_there(
    listed: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    """A dataset with a val list alone was to be loaded from train."""
    parts = dict(zip(listed, (("s0", "s1"), ("s2", "s3")), strict=False))
    root = tree(tmp_path / "tree", **parts)
    if name == "keras" and "train" not in listed:
        with pytest.raises(SegprepError, match="no train list"):
            segprep.export(name, root, tmp_path / "out")
        return
    options = {"frames": "png"} if name == "keras" else {}
    segprep.export(name, root, tmp_path / "out", **options)
    lines = (tmp_path / "out/README.txt").read_text().partition("What this format")[0]
    paths = set(re.findall(r"OUT/([\w./-]+[\w])", lines)) - {
        "nnUNet_results",
        "nnUNet_preprocessed",
    }
    assert [path for path in paths if not (tmp_path / "out" / path).exists()] == []
    if listed == ("val",):
        assert not re.search(r"""["']train["']""", lines)


def test_webdataset_names_the_shards_of_every_list(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", train=("s0", "s1", "s2"), val=("s3",))
    segprep.export("webdataset", root, tmp_path / "out", shard=2)
    lines = (tmp_path / "out/README.txt").read_text()
    assert 'WebDataset("OUT/train-{000000..000001}.tar"' in lines
    assert "- OUT/val-000000.tar" in lines
