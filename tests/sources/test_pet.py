import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, UsageError
from segprep.sources.pet import Reader

TRIMAP = np.array([[2, 2, 3, 1]], np.uint8).repeat(2, 0)
WANTED = {"trimap": [1, 1, 2, 0], "binary": [0, 0, 1, 1], "voc": [0, 0, 255, 1]}


def lay_out(
    folder: Path,
    stems: tuple[str, ...] = ("Bengal_1", "Abyssinian_2", "american_bulldog_3"),
    lists: bool = True,
) -> Path:
    (folder / "images").mkdir(parents=True)
    (folder / "annotations/trimaps").mkdir(parents=True)
    for stem in stems:
        Image.new("RGB", (4, 2), (200, 180, 60)).save(folder / f"images/{stem}.jpg")
        Image.fromarray(TRIMAP).save(folder / f"annotations/trimaps/{stem}.png")
    (folder / "annotations/trimaps/._Bengal_1.png").write_bytes(b"\0\5\26\7")
    if lists:
        (folder / "annotations/list.txt").write_text(
            "#Image CLASS-ID SPECIES BREED ID\nAbyssinian_2 1 1 1\namerican_bulldog_3 2 2"
            " 1\nBengal_1 6 1 2\n"
        )
        (folder / "annotations/trainval.txt").write_text("Bengal_1 6 1 2\nAbyssinian_2 1 1 1\n")
        (folder / "annotations/test.txt").write_text("american_bulldog_3 2 2 1\n")
    return folder


def example(folder: Path) -> Reader:
    return Reader(lay_out(folder))


def first_row(out: Path, stem: str) -> list[int]:
    row: list[int] = segprep.read_mask(out / f"SegmentationClass/{stem}.png")[0].tolist()
    return row


@pytest.mark.parametrize("target", WANTED)
def test_targets(tmp_path: Path, target: str) -> None:
    done = segprep.convert("pet", lay_out(tmp_path / "in"), tmp_path / "out", target=target)
    assert done.converted == 3
    assert first_row(tmp_path / "out", "Bengal_1") == WANTED[target]
    lists = segprep.Tree(tmp_path / "out").lists()
    assert lists == {"trainval": ("Abyssinian_2", "Bengal_1"), "test": ("american_bulldog_3",)}


def test_background_is_class_one_of_a_trimap(tmp_path: Path) -> None:
    segprep.convert("pet", lay_out(tmp_path / "in"), tmp_path / "out")
    classes = segprep.Tree(tmp_path / "out").classes()
    assert classes == segprep.Classes(("pet", "background", "border"), background=1)


def test_species_and_breed(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in")
    done = segprep.convert("pet", root, tmp_path / "species", target="species")
    assert done.classes == ("background", "cat", "dog")
    assert [
        first_row(tmp_path / "species", stem)[-1]
        for stem in ("Bengal_1", "Abyssinian_2", "american_bulldog_3")
    ] == [1, 1, 2]
    done = segprep.convert("pet", root, tmp_path / "breed", target="breed")
    assert done.classes == ("background", "Abyssinian", "american_bulldog", "Bengal")
    assert first_row(tmp_path / "breed", "Bengal_1") == [0, 0, 255, 3]
    done = segprep.convert(
        "pet", lay_out(tmp_path / "bare", lists=False), tmp_path / "natural", target="breed"
    )
    assert done.classes == ("background", "Abyssinian", "american_bulldog", "Bengal")


@pytest.mark.parametrize(
    "moves",
    [
        {"": "oxford-iiit-pet"},
        {"images": "images/images", "annotations": "annotations/annotations"},
        {"": "a/b"},
    ],
)
def test_wherever_the_archives_were_unpacked(tmp_path: Path, moves: dict[str, str]) -> None:
    """torchvision's download, Kaggle's copies; what macOS adds is not a second set."""
    root = lay_out(tmp_path / "made")
    for old, new in moves.items():
        (tmp_path / "in" / new).parent.mkdir(parents=True)
        (root / old).rename(tmp_path / "in" / new)
    (tmp_path / "in/__MACOSX/images").mkdir(parents=True)
    (tmp_path / "in/__MACOSX/annotations/trimaps").mkdir(parents=True)
    done = segprep.convert("auto", tmp_path / "in", tmp_path / "out", target="breed")
    assert done.classes == ("background", "Abyssinian", "american_bulldog", "Bengal")
    assert first_row(tmp_path / "out", "Bengal_1") == [0, 0, 255, 3]
    assert segprep.Tree(tmp_path / "out").lists() == {
        "trainval": ("Abyssinian_2", "Bengal_1"),
        "test": ("american_bulldog_3",),
    }


def test_faults_are_named(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", ("Bengal_1", "Bengal_2", "Bengal_3"))
    Image.fromarray(TRIMAP * 50).save(root / "annotations/trimaps/Bengal_2.png")
    (root / "images/Bengal_3.jpg").unlink()
    with pytest.raises(BadInputError) as caught:
        segprep.convert("pet", root, tmp_path / "out")
    assert {one.code for one in caught.value.skipped} == {"unknown-value", "image-missing"}  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="missing"):
        segprep.convert("pet", root / "images", tmp_path / "out")


def test_the_sample_of_120(real: Path, tmp_path: Path) -> None:
    done = segprep.convert("pet", real / "oxford_pets", tmp_path / "out", jobs=2)
    assert done.converted == 120
    assert {note.stem for note in done.notes if note.code == "image-extension"} == {
        "Abyssinian_34",
        "Abyssinian_5",
    }
    shares = {one.name: round(one.share, 4) for one in segprep.info(tmp_path / "out").classes}
    assert shares == {"pet": 0.295, "background": 0.5926, "border": 0.1124}
    for path in sorted((real / "oxford_pets/annotations/trimaps").glob("*.png"))[:10]:
        with Image.open(path) as trimap:
            assert (
                segprep.read_mask(tmp_path / f"out/SegmentationClass/{path.name}")
                == np.asarray(trimap) - 1
            ).all()


def test_a_copy_of_the_trimaps_is_no_conflict(tmp_path: Path) -> None:
    root = example(tmp_path).root
    trimaps = next(path for path in root.rglob("trimaps") if path.is_dir())
    copy = root / "copy/trimaps"
    shutil.copytree(trimaps, copy)
    scan = Reader(root).scan()
    assert scan.items
    assert [note.code for note in scan.notes].count("duplicate-folder") == 1
    first = next(copy.glob("*.png"))
    Image.fromarray(3 - np.asarray(Image.open(first)) % 2).save(first)
    with pytest.raises(UsageError) as caught:
        Reader(root).scan()
    assert "--trimaps copy/trimaps" in caught.value.hint
    chosen = Reader(root, trimaps="copy/trimaps").scan()
    assert all(item.labels[0].is_relative_to(root / "copy") for item in chosen.items)
