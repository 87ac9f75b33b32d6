"""Real annotations against the masks that their authors published."""

import json
from pathlib import Path

import numpy as np
import pytest

import segprep


def differing(ours: Path, theirs: Path) -> list[int]:
    return [
        int((segprep.read_mask(path) != segprep.read_mask(ours / path.name)).sum())
        for path in sorted(theirs.glob("*.png"))
    ]


def test_the_classic_before_folder(real: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", real / "before" / "before", tmp_path / "out")
    assert differing(tmp_path / "out/SegmentationClass", real / "before" / "SegmentationClass") == [
        0
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("semantic_segmentation", [0, 1, 0]), ("instance_segmentation", [0, 1, 0])],
)
def test_labelmes_own_examples(real: Path, tmp_path: Path, name: str, expected: list[int]) -> None:
    """labelme's published masks; its older Pillow drew one pixel of one image differently."""
    folder = real / "labelme" / name
    segprep.convert(
        "labelme",
        folder / "data_annotated",
        tmp_path / "out",
        classes=str(folder / "labels.txt"),
        objects=True,
    )
    found = differing(
        tmp_path / "out/SegmentationClass", folder / "data_dataset_voc/SegmentationClass"
    )
    assert sorted(found) == sorted(expected)
    assert (tmp_path / "out/class_names.txt").read_text().split() == (
        folder / "data_dataset_voc/class_names.txt"
    ).read_text().split()


def test_instances(real: Path, tmp_path: Path) -> None:
    """The same objects as labelme's, which also counts ignored shapes and so leaves gaps in its
    numbers.
    """
    folder = real / "labelme/instance_segmentation"
    segprep.convert(
        "labelme",
        folder / "data_annotated",
        tmp_path / "out",
        classes=str(folder / "labels.txt"),
        objects=True,
    )
    for path in (folder / "data_dataset_voc/SegmentationObject").glob("*.png"):
        theirs, ours = (
            segprep.read_mask(path),
            segprep.read_mask(tmp_path / "out/SegmentationObject" / path.name),
        )
        classes = "SegmentationClass/" + path.name
        same = segprep.read_mask(folder / "data_dataset_voc" / classes) == segprep.read_mask(
            tmp_path / "out" / classes
        )
        shared = same & (ours != 255)  # labelme writes 0 where ignored
        pairs = set(zip(theirs[shared].tolist(), ours[shared].tolist(), strict=True))
        assert len(pairs) == len({one for one, _ in pairs}) == len({one for _, one in pairs})


@pytest.mark.parametrize("name", ["labelme", "labelme_more", "walknav"])
def test_nothing_is_left_out_without_a_reason(real: Path, tmp_path: Path, name: str) -> None:
    done = segprep.convert("labelme", real / name, tmp_path / "out", on_error="skip", stem="path")
    files = {str(path) for path in (real / name).resolve().rglob("*.json")}
    skipped = {one.path for one in done.skipped}
    assert done.converted + len(skipped) == len(files)
    assert all(one.reason and one.code for one in done.skipped)
    for one in done.skipped:
        content = json.loads(Path(one.path).read_bytes())
        assert one.code == "other-json" or (
            one.code == "image-missing" and not content.get("imageData")
        )
    assert all(
        np.isin(segprep.read_mask(p), [*range(len(done.classes)), 255]).all()
        for p in (tmp_path / "out/SegmentationClass").glob("*.png")
    )
