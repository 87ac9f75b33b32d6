"""A folder of fields of view beside the masks: used, and said, where all is plain; else named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import UsageError
from segprep.sources._common.pairing.folder_names import shows_view

ROWS, COLUMNS = np.mgrid[:12, :12]
INSIDE = (ROWS - 6) ** 2 + (COLUMNS - 6) ** 2 < 30
VESSEL = (ROWS == 6) & INSIDE


def lay_out(root: Path, masks: str, views: str, end: str = "", drawn: object = VESSEL) -> Path:
    """Three photographs, their drawings and their fields of view, 255 in both."""
    for number in range(3):
        for folder, name, pixels in (
            ("images", f"{number}.png", INSIDE),
            (masks, f"{number}.png", drawn),
            (views, f"{number}{end}.png", INSIDE),
        ):
            (root / folder).mkdir(parents=True, exist_ok=True)
            gray = np.asarray(pixels, np.uint8) * np.uint8(255 - (folder == "images") * number)
            Image.fromarray(gray).save(root / folder / name)
    return root


@pytest.mark.parametrize(
    ("masks", "views", "end"),
    [
        ("mask", "fov_masks", ""),
        ("mask", "FOV_mask", "_fov"),
        ("gt", "FOVmasks", "_mask"),
        ("vessels", "field_of_view", ""),
        ("manual1", "fov", ""),
    ],
)
def test_one_is_used_and_said(tmp_path: Path, masks: str, views: str, end: str) -> None:
    root = lay_out(tmp_path / "in", masks, views, end)
    done = segprep.convert("binary", root, tmp_path / "out", foreground="light")
    mask = segprep.read_mask(tmp_path / "out/SegmentationClass/1.png")
    assert np.array_equal(mask, np.where(INSIDE, VESSEL, 255))
    assert any(f"{views}/ is taken as the field of view" in note.message for note in done.notes)
    segprep.convert("binary", root, tmp_path / "whole", foreground="light", exclude_folder=(views,))
    whole = segprep.read_mask(tmp_path / "whole/SegmentationClass/1.png")
    assert np.array_equal(whole, VESSEL)


@pytest.mark.parametrize(
    ("masks", "views"), [("manual1", "roi_mask"), ("mask", "roi"), ("vessel", "mask")]
)
def test_unsure_names_are_all_named(tmp_path: Path, masks: str, views: str) -> None:
    root = lay_out(tmp_path / "in", masks, views)
    with pytest.raises(UsageError) as caught:
        segprep.convert("binary", root, tmp_path / "out", foreground="light")
    assert caught.value.code == "folders-unclear"
    assert masks in caught.value.message
    assert views in caught.value.message
    assert f"--view {views}" in caught.value.hint


def test_masks_that_go_on_outside_are_no_view(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "mask", "fov", drawn=COLUMNS < 6)
    with pytest.raises(UsageError, match="several folders hold masks"):
        segprep.convert("binary", root, tmp_path / "out", foreground="light")


def test_an_image_without_a_view(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "mask", "fov")
    (root / "fov/2.png").unlink()
    with pytest.raises(UsageError, match="several folders hold masks"):
        segprep.convert("binary", root, tmp_path / "out", foreground="light")


def test_formats_that_apply_no_view_name_it(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "mask", "fov")
    with pytest.raises(UsageError, match="several folders hold masks") as caught:
        segprep.convert("pairs", root, tmp_path / "out", ids="0=background,255=vessel")
    assert "--masks mask --view fov" in caught.value.hint
    options: dict[str, Any] = {"images": "images", "masks": "mask"}
    options["ids"] = "0=background,255=vessel"
    assert segprep.convert("pairs", root, tmp_path / "out", **options).converted == 3


def test_a_view_is_no_class(tmp_path: Path) -> None:
    root = lay_out(tmp_path / "in", "masks/vessel", "masks/fov")
    with pytest.raises(UsageError, match="fov is the name of a camera's field of view"):
        segprep.convert("merge-masks", root, tmp_path / "out")
    done = segprep.convert("merge-masks", root, tmp_path / "out", classes="fov,vessel")
    assert done.converted == 3


def test_names_of_views() -> None:
    assert all(map(shows_view, ["fov", "FOVmasks", "field_of_view", "fieldOfView", "mask_fov"]))
    assert not any(map(shows_view, ["fovea", "masks", "overview", "field"]))
