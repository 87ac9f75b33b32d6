import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, UsageError
from segprep.sources.dsb2018 import Reader


def lay_out(folder: Path, ids: dict[str, list[np.ndarray]]) -> Path:
    for name, masks in ids.items():
        for kind in ("images", "masks"):
            (folder / name / kind).mkdir(parents=True)
        Image.new("RGBA", (masks[0].shape[1], masks[0].shape[0]), (9, 9, 99, 255)).save(
            folder / name / "images" / f"{name}.png"
        )
        for number, mask in enumerate(masks):
            Image.fromarray(mask.astype(np.uint8) * 255).save(
                folder / name / "masks" / f"{number:064x}.png"
            )
    return folder


def square(top: int, left: int, size: int) -> np.ndarray:
    mask = np.zeros((24, 32), bool)
    mask[top : top + size, left : left + size] = True
    return mask


TWO = [square(2, 2, 6), square(2, 8, 6)]


def example(folder: Path) -> Reader:
    return Reader(
        lay_out(folder, {"aa": TWO, "bb": [square(0, 0, 3)]}), target="border", objects=True
    )


def test_the_union_and_the_instances(tmp_path: Path) -> None:
    lay_out(tmp_path / "in", {"aa": TWO})
    segprep.convert("dsb2018", tmp_path / "in", tmp_path / "out", objects=True)
    assert (segprep.read_mask(tmp_path / "out/SegmentationClass/aa.png") == (TWO[0] | TWO[1])).all()
    assert (
        segprep.read_mask(tmp_path / "out/SegmentationObject/aa.png") == TWO[0] + 2 * TWO[1]
    ).all()
    assert (tmp_path / "out/JPEGImages/aa.png").read_bytes() == (
        tmp_path / "in/aa/images/aa.png"
    ).read_bytes()


@pytest.mark.parametrize(("border_as", "value"), [("class", 2), ("ignore", 255)])
def test_touching_is_the_seam_between_neighbors(tmp_path: Path, border_as: str, value: int) -> None:
    lay_out(tmp_path / "in", {"aa": TWO})
    done = segprep.convert(
        "dsb2018", tmp_path / "in", tmp_path / "out", target="touching", border_as=border_as
    )
    mask = segprep.read_mask(tmp_path / "out/SegmentationClass/aa.png")
    assert {tuple(place) for place in np.argwhere(mask == value).tolist()} == {
        (row, column) for row in range(1, 9) for column in (7, 8)
    }
    assert done.classes == (
        ("_background_", "nucleus", "touching") if value == 2 else ("_background_", "nucleus")
    )


def test_the_border_is_inside_the_nucleus(tmp_path: Path) -> None:
    lay_out(tmp_path / "in", {"aa": [square(4, 4, 9)]})
    segprep.convert("dsb2018", tmp_path / "in", tmp_path / "out", target="border", border_width=2)
    mask = segprep.read_mask(tmp_path / "out/SegmentationClass/aa.png")
    assert ((mask == 1) == square(6, 6, 5)).all()
    assert ((mask > 0) == square(4, 4, 9)).all()


def test_faults_are_named_and_the_rest_converts(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path / "in",
        dict.fromkeys(("good", "size", "broken", "color", "none", "twice", "bare"), TWO),
    )
    first = f"{0:064x}.png"
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(root / "size/masks" / first)
    (root / "broken/masks" / first).write_bytes((root / "good/masks" / first).read_bytes()[:60])
    Image.new("RGB", (32, 24), (255, 0, 0)).save(root / "color/masks" / first)
    for path in (root / "none/masks").iterdir():
        path.unlink()
    Image.new("RGB", (32, 24)).save(root / "twice/images/other.png")
    (root / "bare/images/bare.png").unlink()
    with pytest.raises(BadInputError):
        segprep.convert("dsb2018", root, tmp_path / "out")
    done = segprep.convert("dsb2018", root, tmp_path / "out", on_error="skip")
    assert done.converted + done.kept == 1
    assert {(one.stem, one.code) for one in done.skipped} == {
        ("size", "size-mismatch"),
        ("broken", "image-damaged"),
        ("color", "mask-is-colour"),
        ("none", "mask-missing"),
        ("twice", "image-ambiguous"),
        ("bare", "image-missing"),
    }


def test_soft_masks_are_cut_at_127_and_said(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"aa": TWO})
    soft = np.zeros((24, 32), np.uint8)
    soft[3, 3:6] = 127, 128, 255
    Image.fromarray(soft).save(root / "aa/masks" / f"{0:064x}.png")
    done = segprep.convert("dsb2018", root, tmp_path / "out")
    assert [
        note.message.split()[0] for note in done.notes if note.code == "intermediate-values"
    ] == ["2"]
    assert segprep.read_mask(tmp_path / "out/SegmentationClass/aa.png")[3, 3:6].tolist() == [
        0,
        1,
        1,
    ]


def test_a_border_of_no_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="border-width"):
        segprep.convert(
            "dsb2018",
            lay_out(tmp_path / "in", {"aa": TWO}),
            tmp_path / "out",
            target="border",
            border_width=0,
        )


def test_the_sample_of_121_ids(real: Path, tmp_path: Path) -> None:
    source = real / "dsb2018"
    done = segprep.convert("dsb2018", source, tmp_path / "out", objects=True, jobs=2)
    assert done.converted == 121
    listed = {
        note.stem
        for note in done.notes
        if note.code in ("instance-empty", "instance-duplicate", "instance-covered")
    }
    for path in sorted((tmp_path / "out/SegmentationObject").iterdir()):
        stack = list((source / "stage1_train" / path.stem / "masks").iterdir())
        objects, mask = (
            segprep.read_mask(path),
            segprep.read_mask(tmp_path / "out/SegmentationClass" / path.name),
        )
        union = np.any([np.asarray(Image.open(one)) > 127 for one in stack[:400]], 0)
        assert (mask == union).all()
        assert ((objects > 0) == union).all()
        if path.stem not in listed:
            assert objects.max() == len(np.unique(objects)) - 1 == len(stack)
    assert not listed


def test_the_folder_of_one_image_may_hold_another(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"aa": TWO})
    (root / "images").mkdir()
    shutil.copy(root / "aa/images/aa.png", root / "images/in.png")
    done = segprep.convert("dsb2018", root, tmp_path / "out")
    assert (done.converted, [note.code for note in done.notes]) == (1, ["image-unlabelled"])


def test_the_test_set_beside_is_no_fault(tmp_path: Path) -> None:
    lay_out(tmp_path / "in/stage1_train", {"aa": TWO, "bb": TWO})
    lay_out(tmp_path / "in/stage1_test", {"00": TWO, "01": TWO})
    for name in ("00", "01"):
        shutil.rmtree(tmp_path / "in/stage1_test" / name / "masks")
    done = segprep.convert("auto", tmp_path / "in", tmp_path / "out")
    assert (done.converted, done.skipped) == (2, ())
    assert [note.message for note in done.notes if note.code == "image-unlabelled"] == [
        "stage1_test: none of its 2 images has masks; they were skipped"
    ]
    shutil.rmtree(tmp_path / "in/stage1_train/bb/masks")
    with pytest.raises(BadInputError) as caught:
        segprep.convert("dsb2018", tmp_path / "in", tmp_path / "other")
    assert [one.code for one in caught.value.skipped] == ["mask-missing"]  # type: ignore[attr-defined]


def test_masks_of_0_and_1_are_no_empty_masks(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", {"aa": TWO})
    for path in (root / "aa/masks").iterdir():
        Image.fromarray(segprep.read_mask(path) // 255).save(path)
    done = segprep.convert("dsb2018", root, tmp_path / "out")
    assert (segprep.read_mask(tmp_path / "out/SegmentationClass/aa.png") == (TWO[0] | TWO[1])).all()
    assert [note.code for note in done.notes] == ["values-zero-one"]


def test_an_image_without_nuclei(tmp_path: Path) -> None:
    root = example(tmp_path / "in").root
    picture = next(path for path in root.rglob("images/*") if path.is_file())
    folder = root / "none/images"
    folder.mkdir(parents=True)
    shutil.copy(picture, folder / "none.png")
    with pytest.raises(BadInputError):
        segprep.convert("dsb2018", root, tmp_path / "a")
    segprep.convert("dsb2018", root, tmp_path / "b", missing="empty")
    assert not segprep.read_mask(tmp_path / "b/SegmentationClass/none.png").any()
