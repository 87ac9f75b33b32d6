"""DRIVE: fusing drawing and field of view, partners, palettes, lists; on an invented look-alike."""

import importlib.util
import io
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, SegprepError, SourceError
from segprep.sources.drive import Reader
from segprep.types import Sample, Scan

MAKER = Path(__file__).parents[2] / "examples" / "make_drive.py"
SMALL = (113, 117)


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_drive", MAKER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def example(folder: Path) -> Reader:
    maker().make(folder / "DRIVE", 2, 2, size=SMALL)
    return Reader(folder / "DRIVE")


def pixels(path: Path) -> Any:
    with Image.open(path) as picture:
        return np.asarray(picture)


def gif(path: Path, pixels: Any, palette: list[int] | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(np.asarray(pixels, np.uint8), "P" if palette else "L")
    if palette:
        picture.putpalette(palette)
    picture.save(path, optimize=False)


def single(folder: Path, drawing: Any, view: Any, split: str = "training") -> Path:
    """One image, whose *drawing* and *view* are given as gray levels."""
    size = np.asarray(drawing).shape[::-1]
    (folder / split / "images").mkdir(parents=True)
    Image.new("RGB", size, (200, 100, 50)).save(folder / split / "images" / f"21_{split}.tif")
    gif(folder / split / "1st_manual" / "21_manual1.gif", drawing)
    gif(folder / split / "mask" / f"21_{split}_mask.gif", view)
    return folder


def only(folder: Path, **options: Any) -> Sample:
    reader = Reader(folder, **options)
    (item,) = reader.scan().items
    return reader.read(item)


def codes(scan: Scan) -> dict[str, str]:
    return {Path(one.path).name: one.code for one in scan.skipped}


def refused(folder: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        only(folder)
    return caught.value


def test_outside_wins_over_vessel(tmp_path: Path) -> None:
    single(tmp_path, [[0, 255, 0, 255]], [[255, 255, 0, 0]])
    sample = only(tmp_path)
    assert sample.mask.tolist() == [[0, 1, 255, 255]]
    assert [(note.code, note.message) for note in sample.notes] == [
        (
            "view-outside",
            "50.0 % of the pixels lie outside the field of view, 1 of them drawn as vessel",
        ),
    ]
    assert only(tmp_path, outside="background").mask.tolist() == [[0, 1, 0, 0]]


def test_the_whole_tree_with_its_official_lists(tmp_path: Path) -> None:
    reader = example(tmp_path)
    done = segprep.convert("drive", reader.root, tmp_path / "out")
    assert (done.converted, done.skipped, done.classes) == (4, (), ("_background_", "vessel"))
    lists = tmp_path / "out" / "ImageSets" / "Segmentation"
    assert (lists / "train.txt").read_text() == "21_training\n22_training\n"
    assert (lists / "test.txt").read_text() == "01_test\n02_test\n"
    for split, number in (("training", 21), ("test", 1)):
        part = reader.root / split
        drawing = pixels(part / "1st_manual" / f"{number:02}_manual1.gif")
        view = pixels(part / "mask" / f"{number:02}_{split}_mask.gif")
        expected = np.clip(drawing // 255 + (255.0 - view), 0, 255)  # the published formula
        assert np.array_equal(
            segprep.read_mask(tmp_path / "out" / "SegmentationClass" / f"{number:02}_{split}.png"),
            expected,
        )
        assert 0.02 < (expected == 1).sum() / (expected != 255).sum() < 0.3
        kept = pixels(tmp_path / "out" / "JPEGImages" / f"{number:02}_{split}.png")
        assert np.array_equal(kept, pixels(part / "images" / f"{number:02}_{split}.tif"))


def test_nested_folders_and_the_name_testing(tmp_path: Path) -> None:
    reader = example(tmp_path / "archive")
    (reader.root / "test").rename(reader.root / "testing")
    scan = Reader(tmp_path).scan()
    assert scan.lists == {"train": ("21_training", "22_training"), "test": ("01_test", "02_test")}
    assert Reader(reader.root / "training").scan().lists == {}


def test_the_second_annotator_drew_the_test_images_only(tmp_path: Path) -> None:
    reader = Reader(example(tmp_path).root, annotator="2nd")
    scan = reader.scan()
    assert [item.stem for item in scan.items] == ["01_test", "02_test"]
    assert [(note.code, note.message) for note in scan.notes] == [
        (
            "image-unlabelled",
            "training has no 2nd_manual, as published: its 2 images are not samples",
        )
    ]
    assert scan.skipped == ()
    with Image.open(scan.items[0].labels[0]) as drawn:
        assert drawn.mode == "P"
        indices = np.asarray(drawn)
    assert set(np.unique(indices).tolist()) == {0, 1}
    mask = reader.read(scan.items[0]).mask
    assert (mask == 1).sum() > 100
    assert np.array_equal(mask[mask != 255], indices[mask != 255])


def test_the_later_release_has_no_drawings_for_test(tmp_path: Path) -> None:
    root = example(tmp_path).root
    for kind in ("1st_manual", "2nd_manual"):
        for path in (root / "test" / kind).iterdir():
            path.unlink()
    scan = Reader(root).scan()
    assert [item.stem for item in scan.items] == ["21_training", "22_training"]
    assert [note.code for note in scan.notes] == ["image-unlabelled"]
    assert scan.lists == {}


def test_a_missing_partner_is_named(tmp_path: Path) -> None:
    root = example(tmp_path).root
    (root / "training" / "1st_manual" / "21_manual1.gif").unlink()
    (root / "test" / "mask" / "02_test_mask.gif").unlink()
    (root / "test" / "images" / "01_test.tif").unlink()
    scan = Reader(root).scan()
    assert codes(scan) == {
        "21_training.tif": "mask-missing",
        "02_test.tif": "mask-missing",
        "01_manual1.gif": "image-missing",
        "01_test_mask.gif": "image-missing",
    }
    reasons = {one.stem: one.reason for one in scan.skipped}
    assert reasons["21_training"] == "there is no training/1st_manual/21_manual1.gif"
    assert reasons["02_test"] == "there is no test/mask/02_test_mask.gif"
    assert reasons["01_manual1"] == "there is no image 01 in test/images"
    with pytest.raises(BadInputError):
        segprep.convert("drive", root, tmp_path / "out")
    assert not (tmp_path / "out" / "segprep.json").exists()
    done = segprep.convert("drive", root, tmp_path / "out", on_error="skip")
    assert (done.converted + done.kept, len(done.failed)) == (1, 4)


def test_a_half_without_any_drawing_or_view_is_no_quiet_loss(tmp_path: Path) -> None:
    root = example(tmp_path).root
    for path in (
        *(root / "training" / "1st_manual").iterdir(),
        *(root / "test" / "mask").iterdir(),
    ):
        path.unlink()
    assert codes(Reader(root).scan()) == {
        f"{name}.tif": "mask-missing"
        for name in ("21_training", "22_training", "01_test", "02_test")
    }


def test_two_files_of_one_number(tmp_path: Path) -> None:
    single(tmp_path, [[0, 255]], [[255, 255]])
    gif(tmp_path / "training" / "1st_manual" / "21_manual1 copy.gif", [[0, 255]])
    (skipped,) = Reader(tmp_path).scan().skipped
    assert skipped.code == "mask-missing"
    assert "2 files could be training/1st_manual/21_manual1.gif" in skipped.reason
    (tmp_path / "training" / "images" / "21_again.tif").write_bytes(
        (tmp_path / "training" / "images" / "21_training.tif").read_bytes()
    )
    assert codes(Reader(tmp_path).scan()) == {
        "21_training.tif": "image-ambiguous",
        "21_again.tif": "image-ambiguous",
    }


def test_the_number_may_stand_anywhere_in_a_name(tmp_path: Path) -> None:
    single(tmp_path, [[0, 255]], [[255, 255]])
    for folder, name in (
        ("images/21_training.tif", "DRIVE_21.tif"),
        ("1st_manual/21_manual1.gif", "21manual1.gif"),
    ):
        path = tmp_path / "training" / folder
        path.rename(path.with_name(name))
    scan = Reader(tmp_path).scan()
    assert (scan.skipped, [item.stem for item in scan.items]) == ((), ["DRIVE_21"])


def test_the_same_name_in_both_halves(tmp_path: Path) -> None:
    for split in ("training", "test"):
        single(tmp_path, [[0, 255]], [[255, 255]], split)
        (tmp_path / split / "images" / f"21_{split}.tif").rename(
            tmp_path / split / "images" / "21.tif"
        )
    assert {one.code for one in Reader(tmp_path).scan().skipped} == {"stem-collision"}
    scan = Reader(tmp_path, stem="path").scan()
    assert scan.lists == {"test": ("test_images_21",), "train": ("training_images_21",)}


def test_two_copies_of_the_tree(tmp_path: Path) -> None:
    for home in ("DRIVE", "old/DRIVE"):
        maker().make(tmp_path / home, 1, 1, size=SMALL)
    scan = Reader(tmp_path).scan()
    assert {skip.code for skip in scan.skipped} == {"stem-collision"}
    assert all("give the other as SRC" in skip.hint for skip in scan.skipped)
    assert len(Reader(tmp_path / "DRIVE").scan().items) == 2


@pytest.mark.parametrize(
    "palette", [[0, 0, 0, 255, 255, 255], [0, 0, 0, *[7, 8, 9] * 254, 255, 255, 255]]
)
def test_white_of_a_palette_is_vessel_whatever_its_index(
    tmp_path: Path, palette: list[int]
) -> None:
    single(tmp_path, [[0, 255]], [[255, 255]])
    top = len(palette) // 3 - 1
    gif(tmp_path / "training" / "1st_manual" / "21_manual1.gif", [[0, top]], palette)
    assert only(tmp_path).mask.tolist() == [[0, 1]]
    gif(
        tmp_path / "training" / "1st_manual" / "21_manual1.gif",
        [[top, 0]],
        palette[::-1] if top == 1 else palette,
    )
    assert only(tmp_path).mask.tolist() == [[0, 1] if top == 1 else [1, 0]]


def test_levels_in_between_and_zero_one_are_noted(tmp_path: Path) -> None:
    single(tmp_path, [[0, 127, 128, 255]], [[255, 255, 255, 254]])
    sample = only(tmp_path)
    assert sample.mask.tolist() == [[0, 0, 1, 1]]
    between = [note.message for note in sample.notes if note.code == "intermediate-values"]
    assert [message.split(" of ")[0] for message in between] == ["2", "1"]
    gif(tmp_path / "training" / "1st_manual" / "21_manual1.gif", [[0, 1, 1, 0]])
    sample = only(tmp_path)
    assert sample.mask.tolist() == [[0, 1, 1, 0]]
    assert "values-zero-one" in [note.code for note in sample.notes]


def test_bad_files_have_codes(tmp_path: Path) -> None:
    manual, view = (
        tmp_path / "training" / "1st_manual" / "21_manual1.gif",
        tmp_path / "training" / "mask" / "21_training_mask.gif",
    )
    single(tmp_path, [[0, 255, 0]], [[255, 255, 0]])
    gif(view, [[255], [255], [0]])
    assert (refused(tmp_path).code, refused(tmp_path).path) == ("size-mismatch", view)
    gif(view, [[0, 0, 0]])
    assert refused(tmp_path).code == "view-empty"
    gif(view, [[255, 255, 0]])
    gif(manual, [[255], [255], [0]])
    assert (refused(tmp_path).code, refused(tmp_path).path) == ("size-mismatch", manual)
    gif(manual, [[0, 1, 2]], [0, 0, 0, 255, 255, 255, 200, 0, 0])
    assert refused(tmp_path).code == "mask-is-colour"
    frames = [Image.new("L", (3, 1), level) for level in (0, 255)]
    frames[0].save(manual, save_all=True, append_images=frames[1:])
    assert refused(tmp_path).code == "mask-frames"
    manual.write_bytes(b"")
    assert refused(tmp_path).code == "empty-file"
    manual.write_bytes(b"GIF89a nothing more")
    assert refused(tmp_path).code in ("image-damaged", "image-unsupported")
    manual.unlink()
    manual.symlink_to("/etc/hostname")
    assert refused(tmp_path).code == "link-outside-root"


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "DRIVE" / "training" / "images").mkdir(parents=True)
    assert Reader.recognize(tmp_path / "DRIVE") is None
    with pytest.raises(SegprepError) as caught:
        segprep.convert("drive", tmp_path / "DRIVE", tmp_path / "out")
    assert caught.value.code == "nothing-to-convert"


def test_recognized_by_its_folders(tmp_path: Path) -> None:
    evidence = Reader.recognize(example(tmp_path).root)
    assert evidence
    assert evidence.score >= 0.9
    assert "1st_manual" in evidence.reason
    (tmp_path / "other" / "images").mkdir(parents=True)
    Image.new("L", (2, 2)).save(tmp_path / "other" / "images" / "a.png")
    assert Reader.recognize(tmp_path / "other") is None


def test_the_look_alike_is_like_the_real_one(tmp_path: Path) -> None:
    maker().make(tmp_path, 1, 1)
    with (
        Image.open(tmp_path / "training" / "images" / "21_training.tif") as photo,
        Image.open(tmp_path / "training" / "1st_manual" / "21_manual1.gif") as first,
    ):
        assert (photo.mode, photo.size, first.mode, first.size) == (
            "RGB",
            (565, 584),
            "L",
            (565, 584),
        )
        vessel, green, all_colors = (
            np.asarray(first) == 255,
            np.asarray(photo)[..., 1].astype(float),
            np.asarray(photo),
        )
    view = pixels(tmp_path / "training" / "mask" / "21_training_mask.gif") == 255
    assert view.mean() == pytest.approx(0.688, abs=0.01)  # the real one's
    assert 0.06 < vessel[view].mean() < 0.18  # .125 in the real one
    assert green[view & vessel].mean() < 0.87 * green[view & ~vessel].mean()
    assert all_colors[~view].mean() < 5
    stream = io.BytesIO()
    Image.fromarray(maker().scene("0 21")[0]).save(stream, "TIFF")
    assert stream.getvalue() == (tmp_path / "training" / "images" / "21_training.tif").read_bytes()
