"""Folders that hold masks alone, whose images --image-root names."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from command_line import fine, run
from numpy.typing import NDArray
from PIL import Image

import segprep
from segprep import sources
from segprep.errors import UsageError
from segprep.imaging import image

IDS = np.repeat(np.arange(4, dtype=np.uint8), 16)[:, None].repeat(24, 1)


def lay_out(root: Path, mask: NDArray[np.uint8], photo: NDArray[np.uint8] | None = None) -> Path:
    """masks/ and, outside of it, pictures/."""
    photo = np.full((*mask.shape[:2], 3), 90, np.uint8) if photo is None else photo
    for folder, array in (("masks", mask), ("pictures", photo)):
        (root / folder).mkdir(parents=True)
        for name in "abc":
            Image.fromarray(array).save(root / folder / f"{name}.png")
    return root


def test_auto_reads_ids_whose_images_lie_elsewhere(tmp_path: Path) -> None:
    root = lay_out(tmp_path, IDS)
    done = segprep.convert(
        "auto", root / "masks", tmp_path / "out", image_root=[root / "pictures"], classes="a,b,c,d"
    )
    assert done.converted == 3
    mask = image.decode_mask((tmp_path / "out/SegmentationClass/b.png").read_bytes(), Path("b.png"))
    assert (mask == IDS).all()


@pytest.mark.parametrize("joined", [True, False])
def test_the_command_finds_the_source_behind_options(tmp_path: Path, joined: bool) -> None:
    root = lay_out(tmp_path, (IDS > 1).astype(np.uint8) * 255)
    folder = str(root / "pictures")
    option = [f"--image-root={folder}"] if joined else ["--image-root", folder]
    words = ["convert", "auto", "-j1", *option, "--foreground", "light", root / "masks"]
    shown = fine(*words, tmp_path / "out")
    assert "detected as binary: all 3 image files that were tried are black and white" in (
        shown.stderr
    )


@pytest.mark.parametrize(
    ("mask", "format"),
    [
        (IDS, "pairs"),
        ((IDS > 1).astype(np.uint8) * 255, "binary"),
        (np.stack([IDS * 60, IDS * 20, IDS], 2), "colormap"),
    ],
)
def test_without_image_root_the_command_is_named(
    tmp_path: Path, mask: NDArray[np.uint8], format: str
) -> None:
    root = lay_out(tmp_path, mask) / "masks"
    with pytest.raises(UsageError, match="holds masks only") as caught:
        sources.recognize(root)
    assert f"segprep convert {format} SRC OUT --image-root FOLDER" in caught.value.hint
    assert sources.recognize(root, [tmp_path / "pictures"])[0] == format


def test_photographs_are_no_masks(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    root = lay_out(tmp_path, ramp)
    with pytest.raises(UsageError, match="not clear which of them are masks"):
        sources.recognize(root / "masks", [root / "pictures"])


def test_tables_that_formats_read_are_not_called_unread(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    root = lay_out(tmp_path, ramp) / "masks"
    (root / "class_dict.csv").write_text("name,r,g,b\nsky,0,0,0\n")
    (root / "boxes.csv").write_text("file,left,top\na.png,0,0\n")
    shown = run("convert", "auto", root, tmp_path / "out")
    assert "class_dict" not in shown.stderr
    assert "nor does any format read boxes.csv with file, left, top" in shown.stderr


def test_a_chosen_folder_with_a_smoothed_mask_is_not_asked_for_again(tmp_path: Path) -> None:
    """Two folders of masks; the one that is named holds a mask that no format of ids reads."""
    root = lay_out(tmp_path, (IDS > 1).astype(np.uint8) * 255)
    (root / "masks").rename(root / "first")
    shutil.copytree(root / "first", root / "second")
    smoothed = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    Image.fromarray(smoothed).save(root / "first" / "b.png")
    options = ("--images", "pictures", "--masks", "first")
    shown = run("convert", "auto", root, tmp_path / "out", *options)
    assert shown.exit_code == 2
    assert "first/b.png is neither a mask of class ids nor of few colors" in shown.stderr
    assert "segprep convert binary SRC OUT" in shown.stderr


def test_a_mask_folder_that_repeats_is_named_once(tmp_path: Path) -> None:
    lay_out(tmp_path / "train", np.minimum(IDS, 1) * 255)
    lay_out(tmp_path / "val", IDS)
    assert sources.recognize(tmp_path, masks="masks")[0] == "pairs"  # ids in one of the two
    with pytest.raises(UsageError, match="--masks mask is not a folder inside the source") as error:
        sources.recognize(tmp_path, masks="mask")
    assert error.value.code == "bad-option"
