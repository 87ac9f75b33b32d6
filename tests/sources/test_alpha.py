"""Cut-outs: the alpha channel as the mask."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sources.region_files import HEIGHT, WIDTH, only, photo, square

from segprep.errors import SegprepError, SourceError, UsageError
from segprep.sources import guesses, recognize
from segprep.sources.alpha import Reader


def put(folder: Path, alpha: np.ndarray) -> Reader:
    rgba = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    rgba[..., 3] = alpha
    out = io.BytesIO()
    Image.fromarray(rgba).save(out, "PNG")
    (folder / "a.png").write_bytes(out.getvalue())
    return Reader(folder, name="cup")


def example(folder: Path) -> Reader:
    return put(folder, square(255))


def test_opaque_pixels_are_the_class(tmp_path: Path) -> None:
    reader = example(tmp_path)
    assert reader.scan().classes.names == ("_background_", "cup")
    assert (only(reader) == square()).all()


def test_the_threshold_is_included(tmp_path: Path) -> None:
    reader = put(tmp_path, square(128))
    assert (only(reader) == square()).all()
    assert not only(put(tmp_path, square(127))).any()
    with pytest.raises(UsageError):
        Reader(tmp_path, threshold=0).scan()


def test_images_without_alpha_are_refused_and_whole_ones_noted(tmp_path: Path) -> None:
    reader = put(tmp_path, np.full((HEIGHT, WIDTH), 255, np.uint8))
    assert [note.code for note in reader.read(reader.scan().items[0]).notes] == ["one-class-only"]
    photo(tmp_path / "a.png")
    with pytest.raises(SourceError) as caught:
        only(reader)
    assert caught.value.code == "mask-missing"


def test_auto_only_hints_at_it(tmp_path: Path) -> None:
    example(tmp_path)
    assert [name for name, _ in guesses(tmp_path)] == ["alpha"]
    with pytest.raises(SegprepError, match="at best it could be read as alpha"):
        recognize(tmp_path)


def test_two_images_of_one_name_are_not_told_apart_by_their_folder(tmp_path: Path) -> None:
    """a.png and a.webp: with --stem path both are `a` again."""
    with Image.open(example(tmp_path).root / "a.png") as picture:
        picture.save(tmp_path / "a.webp", lossless=True)
        (tmp_path / "b").mkdir()
        picture.save(tmp_path / "b" / "c.png")
    hints = {skip.hint for skip in Reader(tmp_path, name="cup").scan().skipped}
    assert hints == {"rename one of them"}
    (tmp_path / "a.webp").rename(tmp_path / "b" / "a.webp")
    hints = {skip.hint for skip in Reader(tmp_path, name="cup").scan().skipped}
    assert hints == {"rename one, or give --stem path"}
