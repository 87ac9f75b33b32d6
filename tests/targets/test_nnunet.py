"""nnU-Net's raw folders: gray labels, 255 as the last one, the background first."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from segprep_cli.main import group

import segprep
from segprep.dataset.tree import Tree
from segprep.errors import UsageError
from segprep.imaging.image import encode_mask, read_mask

Ids = Callable[[Path, str], "np.ndarray[Any, Any]"]


def test_images_labels_and_descriptions(rich: Path, ids: Ids, tmp_path: Path) -> None:
    segprep.export("nnunet", rich, tmp_path / "out", id=7, name="Cats and dogs")
    base = tmp_path / "out/nnUNet_raw/Dataset007_Cats_and_dogs"
    description = json.loads((base / "dataset.json").read_bytes())
    assert description["labels"] == {"background": 0, "cat": 1, "dog": 2, "ignore": 3}
    assert description["channel_names"] == {"0": "R", "1": "G", "2": "B"}
    lists = Tree(rich).lists()
    training = {*lists["train"], *lists["val"]}
    assert description["numTraining"] == len(training)
    assert {path.name for path in (base / "imagesTr").iterdir()} == {
        f"{s}_0000.png" for s in training
    }
    for stem in training:
        with Image.open(base / f"labelsTr/{stem}.png") as label_map:
            assert label_map.mode == "L"
        truth = ids(rich, stem)
        assert (read_mask(base / f"labelsTr/{stem}.png") == np.where(truth == 255, 3, truth)).all()
        with Image.open(base / f"imagesTr/{stem}_0000.png") as picture:
            assert (picture.format, picture.mode) == ("PNG", "RGB")
    assert {path.stem for path in (base / "labelsTs").iterdir()} == set(lists["test"])
    folder = tmp_path / "out/nnUNet_preprocessed" / base.name
    (split,) = json.loads((folder / "splits_final.json").read_bytes())
    assert split == {"train": list(lists["train"]), "val": list(lists["val"])}
    assert "nnUNetv2_train 7 2d 0" in (tmp_path / "out/README.txt").read_text()


def foreign(root: Path, names: str, mask: "np.ndarray[Any, Any]") -> Path:
    for folder in ("JPEGImages", "SegmentationClass"):
        (root / folder).mkdir(parents=True)
    Image.new("L", mask.shape[::-1], 90).save(root / "JPEGImages/a.png")
    (root / "SegmentationClass/a.png").write_bytes(encode_mask(mask))
    (root / "class_names.txt").write_text(names)
    return root


@pytest.mark.parametrize(
    ("names", "labels", "values"),
    [
        ("cat\n_background_\ndog\n", {"background": 0, "cat": 1, "dog": 2}, [1, 0, 2]),
        ("cat\ncow\ndog\n", {"background": 0, "cat": 1, "cow": 2, "dog": 3}, [1, 2, 3]),
    ],
)
def test_a_background_that_is_elsewhere_moves_to_label_0(
    names: str, labels: dict[str, int], values: list[int], tmp_path: Path
) -> None:
    root = foreign(tmp_path / "tree", names, np.array([[0, 1, 2]], np.uint8))
    done = segprep.export("nnunet", root, tmp_path / "out")
    base = tmp_path / "out/nnUNet_raw/Dataset001_tree"
    assert read_mask(base / "labelsTr/a.png").tolist() == [values]
    assert json.loads((base / "dataset.json").read_bytes())["labels"] == labels
    assert "0 cat became 1" in (tmp_path / "out/README.txt").read_text()
    assert [note.code for note in done.notes] == ["image-converted", "no-split"][::-1]


def test_reserved_names_and_numbers_are_refused(tmp_path: Path) -> None:
    root = foreign(tmp_path / "tree", "_background_\nignore\n", np.zeros((2, 2), np.uint8))
    with pytest.raises(UsageError) as caught:
        segprep.export("nnunet", root, tmp_path / "out")
    assert caught.value.code == "bad-classes"
    with pytest.raises(UsageError):
        segprep.export("nnunet", root, tmp_path / "out", id=1000)


def test_an_out_called_as_nnunet_calls_a_dataset_holds_its_files(
    rich: Path, tmp_path: Path
) -> None:
    out = tmp_path / "nnUNet_raw/Dataset027_Cats"
    segprep.export("nnunet", rich, out)
    names = {"dataset.json", "imagesTr", "imagesTs", "labelsTr", "labelsTs", "splits_final.json"}
    assert {path.name for path in out.iterdir()} == names | {"README.txt", "segprep-export.json"}
    text = (out / "README.txt").read_text()
    assert "export nnUNet_raw=OUT/.. nnUNet_preprocessed=OUT/../../nnUNet_preprocessed" in text
    assert "cp OUT/splits_final.json OUT/../../nnUNet_preprocessed/Dataset027_Cats/" in text
    assert "nnUNetv2_train 27 2d 0" in text
    segprep.export("nnunet", rich, out, id=27, name="Cats", overwrite=True)


@pytest.mark.parametrize(
    ("out", "options"),
    [
        ("nnUNet_raw", {}),
        ("Dataset027_Cats", {"id": 28}),
        ("Dataset027_Cats", {"name": "Dogs"}),
        ("Dataset000_Cats", {}),
    ],
)
def test_an_out_that_contradicts_the_layout_is_refused(
    out: str, options: dict[str, Any], rich: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        segprep.export("nnunet", rich, tmp_path / out, **options)
    assert caught.value.code == "bad-option"
    assert not (tmp_path / out).exists()


def test_the_zip_of_such_a_name_has_the_folders_of_nnunet(rich: Path, tmp_path: Path) -> None:
    segprep.export("nnunet", rich, tmp_path / "Dataset027_Cats.zip", archive=True)
    with zipfile.ZipFile(tmp_path / "Dataset027_Cats.zip") as file:
        assert "nnUNet_raw/Dataset001_rich/dataset.json" in file.namelist()


def test_the_lines_that_are_printed_can_be_pasted(rich: Path, tmp_path: Path) -> None:
    out = tmp_path / "my sets"
    done = CliRunner().invoke(group, ["export", "nnunet", str(out), "-d", str(rich)])
    assert f"export nnUNet_raw='{out}'/nnUNet_raw " in done.output
    done = CliRunner().invoke(group, ["export", "hf", str(out / "hf"), "-d", str(rich)])
    assert f'data_dir="{out}/hf"' in done.output
