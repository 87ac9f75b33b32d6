"""A folder that --exclude-folder names has to be there."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segprep
from segprep.errors import BadInputError, UsageError
from segprep.sources._common.pairing import folder_names
from segprep.types import Skipped


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Images, masks, and other masks in a folder of their own."""
    for name in ("images", "masks", "old/masks"):
        (tmp_path / "src" / name).mkdir(parents=True)
        for number in range(3):
            ids = np.full((8, 8), number % 2, np.uint8)
            Image.fromarray(ids).save(tmp_path / "src" / name / f"{number}.png")
    (tmp_path / "src/.cache").mkdir()
    return tmp_path / "src"


@pytest.mark.parametrize("format", ["pairs", "auto"])
def test_a_mistyped_folder_is_refused(pairs: Path, format: str) -> None:
    out = pairs.parent / "out"
    with pytest.raises(UsageError, match="there is no folder 'odl'") as error:
        segprep.convert(format, pairs, out, exclude_folder=("odl",), classes="2")
    assert "did you mean old" in str(error.value.hint)
    assert not out.exists()


def test_folders_that_are_there_are_taken(pairs: Path) -> None:
    for name in ("old", "masks", "old/masks/", "old/masks", ".cache"):
        folder_names.refuse_absent((pairs,), (name,))
    for name in ("old/images", "0.png", "Old"):
        with pytest.raises(UsageError):
            folder_names.refuse_absent((pairs,), (name,))


def test_a_folder_inside_that_of_the_images_is_left_alone(pairs: Path) -> None:
    """Thumbnails, which the refusal names."""
    (pairs / "images/thumbs").mkdir()
    for number in range(3):
        path = pairs / f"images/{number}.png"
        (pairs / f"images/thumbs/{number}_small.png").write_bytes(path.read_bytes())
    out = pairs.parent / "out"
    with pytest.raises(BadInputError) as caught:
        segprep.convert("pairs", pairs, out, exclude_folder=("old",), classes="2")
    text = "if no image in thumbs/ belongs to the set: --exclude-folder thumbs; else add"
    skipped = [skip for skip in caught.value.skipped if isinstance(skip, Skipped)]
    assert [skip.hint.startswith(text) for skip in skipped] == [True] * 3
    for name in ("thumbs", "images/thumbs"):
        done = segprep.convert(
            "pairs", pairs, out, exclude_folder=("old", name), classes="2", overwrite=True
        )
        assert done.converted + done.kept == 3
