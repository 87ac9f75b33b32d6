"""The folders of labelme_json_to_dataset: values that mean another label in each image."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sources.region_files import HEIGHT, WIDTH, masks, photo, write

from segprep.errors import UsageError
from segprep.sources import guesses, recognize
from segprep.sources import pairs as paired
from segprep.sources.labelme_folders import Reader


def values(*present: int, deep: bool = False) -> Image.Image:
    """A column of each value."""
    pixels = np.zeros((HEIGHT, WIDTH), np.uint16 if deep else np.uint8)
    for n, value in enumerate(present):
        pixels[:, 2 * n] = value
    return Image.fromarray(pixels)


def put(folder: Path, stem: str, names: str, mask: Image.Image, file: str = "info.yaml") -> None:
    home = folder / f"{stem}_json"
    photo(home / "img.png", len(names))
    photo(home / "label_viz.png", 9)
    mask.save(home / "label.png")
    listed = names.split()
    text = "\n".join(listed) if file.endswith("txt") else f"label_names: [{', '.join(listed)}]"
    write(home / file, f"{text}\n")


def example(folder: Path) -> Reader:
    put(folder, "a", "_background_ cat dog", values(1, 2))
    put(folder, "b", "_background_ dog", values(1, deep=True), "label_names.txt")
    return Reader(folder)


def test_values_are_read_by_the_names_beside(tmp_path: Path) -> None:
    reader = example(tmp_path)
    assert guesses(tmp_path)[0][0] == "labelme-folders"
    assert reader.scan().classes.names == ("_background_", "cat", "dog")
    found = masks(reader)
    assert {stem: mask[0, :4].tolist() for stem, mask in found.items()} == {
        "a": [1, 0, 2, 0],
        "b": [2, 0, 0, 0],
    }
    assert sorted(masks(Reader(tmp_path, stem="path"))) == ["a", "b"]


def test_folders_of_masks_and_lists(tmp_path: Path) -> None:
    """As they are copied together for Mask R-CNN; a label listed twice is two objects."""
    for n, (stem, names) in enumerate((("a", "cat, dog, cat"), ("b", "dog"))):
        photo(tmp_path / "imgs" / f"{stem}.jpg", n)
        write(tmp_path / "yaml" / f"{stem}.yaml", f"label_names: [_background_, {names}]\n")
        (tmp_path / "mask").mkdir(exist_ok=True)
        values(*range(1, 4 - 2 * n)).save(tmp_path / "mask" / f"{stem}.png")
    found = masks(Reader(tmp_path, objects=True))
    assert found["a"][0, :6].tolist() == [1, 0, 2, 0, 1, 0]
    assert found["b"][0, :2].tolist() == [2, 0]
    detected, evidence = recognize(tmp_path)
    assert detected == "labelme-folders"
    assert "pairs" not in evidence
    with pytest.raises(UsageError, match="3 and 1 are both cat in ") as caught:
        paired.Reader(tmp_path).scan()
    assert "labelme-folders" in caught.value.hint


def test_pairs_does_not_mix_them(tmp_path: Path) -> None:
    example(tmp_path)
    pattern = "{sample}/img.png={sample}/label.png"
    with pytest.raises(UsageError, match="1 is cat in ") as caught:
        paired.Reader(tmp_path, pair=pattern, stem="path").scan()
    assert caught.value.code == "values-unclear"
    put(tmp_path, "a", "_background_ dog", values(1))
    assert len(paired.Reader(tmp_path, pair=pattern, stem="path").scan().items) == 2


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    reader = example(tmp_path)
    put(tmp_path, "a", "_background_ cat", values(1, 2))
    (tmp_path / "b_json" / "img.png").unlink()
    reasons = {one.code: one.reason for one in reader.scan().skipped}
    assert "holds the value 2; info.yaml names 2 labels" in reasons["unknown-label"]
    assert "has no img.png" in reasons["image-missing"]
    write(tmp_path / "a_json" / "info.yaml", "other: 1\n")
    assert "bad-classes" in {one.code for one in reader.scan().skipped}
