"""Trees with what a bundled example has not: names of any script, classes without a background,
masks that are empty or ignored, holes in holes, single pixels, images of every pixel type. Every
target writes them, and what is also a source gives them back.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import segprep
from segprep import targets
from segprep.dataset.tree import Tree
from segprep.errors import BadInputError, UsageError
from segprep.imaging.image import read_mask, write_mask
from segprep.types import Skipped

Masks = Mapping[str, NDArray[np.uint8]]
PLAIN = np.zeros((24, 32), np.uint8)
PLAIN[2:16, 3:20], PLAIN[12:22, 15:30], PLAIN[6:9, 6:11] = 1, 2, 0
IGNORED = np.full_like(PLAIN, 255)
NESTED = np.zeros((40, 40), np.uint8)
for step, value in enumerate((1, 0, 2, 0, 1, 255, 1, 2, 0, 1)):
    NESTED[2 * step : 40 - 2 * step, 2 * step : 40 - 2 * step] = value
DOTS = np.zeros_like(PLAIN)
DOTS[3, 4] = DOTS[0, 0] = DOTS[20, :] = 1
DOTS[10, 10] = DOTS[11, 11] = DOTS[23, 31] = DOTS[14:19:2, 15:30:2] = DOTS[20, 5] = 2
SCRIPTS = ("стол", "図 1", "a b", "o'neil", "-dash", "100%", "naïve,1", "#h", "[k]", "a&b")
NAMES = ("_background_", "дорога", "道路", "café au lait", 'say "hi"', "it's", "50% x/y")
VARIANTS: dict[str, tuple[Masks, tuple[str, ...]]] = {
    "scripts": (dict.fromkeys(SCRIPTS, PLAIN), ("_background_", "cat", "dog")),
    "names": (
        {f"s{n}": np.where(PLAIN == 2, 2 + n % 5, PLAIN).astype(np.uint8) for n in range(5)},
        NAMES,
    ),
    "commas": ({"s0": PLAIN, "s1": PLAIN}, ("_background_", "red, dark", "#hash")),
    "no background": ({"s0": PLAIN, "s1": PLAIN}, ("road", "cat", "dog")),
    "one class": ({"s0": PLAIN * 0, "s1": PLAIN * 0}, ("road",)),
    "empty": ({"s0": PLAIN, "s1": PLAIN * 0}, ("_background_", "cat", "dog")),
    "ignored": ({"s0": PLAIN, "s1": IGNORED}, ("_background_", "cat", "dog")),
    "holes": ({"s0": NESTED, "s1": NESTED}, ("_background_", "cat", "dog")),
    "dots": ({"s0": DOTS, "s1": DOTS}, ("_background_", "cat", "dog")),
}
CASES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "voc": ("voc", "voc", "VOCdevkit/VOC2007", {}),
    "datumaro": ("datumaro", "voc", "", {}),
    "cvat": ("cvat", "voc", "", {"images": True}),
    "mmseg": ("mmseg", "voc", "", {"images": "png"}),
    "cityscapes": ("cityscapes", "cityscapes", "", {}),
    "labelme masks": ("labelme", "labelme", "", {"shapes": "mask"}),
    "labelme polygons": ("labelme", "labelme", "", {}),
    "coco": ("coco", "coco", "", {}),
    "coco polygons": ("coco", "coco", "", {"segmentation": "polygon"}),
    "yolo-seg": ("yolo-seg", "yolo-seg", "", {}),
}
WITH_NAMES = ("fiftyone", "hf", "monai", "nnunet", "paddle", "ultralytics")  # gray, with names
REFUSED = {("commas", "datumaro"), ("commas", "cvat")}  # labelmap.txt takes "#hash" for a comment


def write(root: Path, masks: Masks, names: tuple[str, ...], mode: str = "RGB") -> Path:
    for folder in ("JPEGImages", "SegmentationClass"):
        (root / folder).mkdir(parents=True)
    for stem, mask in masks.items():
        image = root / f"JPEGImages/{stem}.png"
        label = root / f"SegmentationClass/{stem}.png"
        for path in (image, label):
            path.parent.mkdir(parents=True, exist_ok=True)
        shape = (*mask.shape, 4)
        pixels = np.random.default_rng(len(stem)).integers(0, 256, shape).astype(np.uint8)
        picture = Image.fromarray(pixels if mode == "RGBA" else pixels[..., :3])
        if mode == "I;16":
            picture = Image.fromarray(pixels[..., 0].astype(np.uint16) * 16)
        elif mode not in ("RGB", "RGBA"):
            picture = picture.convert(mode)
        picture.save(image)
        write_mask(label, mask)
    (root / "class_names.txt").write_text("".join(f"{name}\n" for name in names), "utf-8")
    return root


def differing(again: Path, masks: Masks, names: tuple[str, ...], lost: bool = False) -> int:
    """Pixels of the tree *again* that have not the class of *masks*, classes matched by name; with
    *lost* an ignored pixel is background.
    """
    place = Tree(again)
    listed = [name.strip("_") for name in place.classes().names]  # type: ignore[union-attr]
    assert sorted(place.stems()) == sorted(masks)
    table = np.full(256, 254, np.uint8)
    table[255] = 0 if lost else 255
    for value, name in enumerate(names):
        table[value] = listed.index(name.strip("_"))
    return sum(
        int((read_mask(place.mask_path(stem)) != table[masks[stem]]).sum())
        for stem in place.stems()
    )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_pixel_comes_back(variant: str, case: str, tmp_path: Path) -> None:
    (masks, names), (target, source, inner, options) = VARIANTS[variant], CASES[case]
    if target in ("cvat", "datumaro"):
        masks = {stem: mask for stem, mask in masks.items() if stem != "#h"}
    tree = write(tmp_path / "tree", masks, names)
    if (variant, target) in REFUSED:
        with pytest.raises(UsageError, match=r"labelmap\.txt"):
            segprep.export(target, tree, tmp_path / "out", **options)
        return
    segprep.export(target, tree, tmp_path / "out", **options)
    assert segprep.verify(tmp_path / "out").intact
    given: dict[str, Any] = (
        {"classes": str(tmp_path / "out/labels.txt")} if source == "labelme" else {}
    )
    segprep.convert(source, tmp_path / "out" / inner, tmp_path / "again", **given)
    lost = target in ("coco", "yolo-seg")
    assert differing(tmp_path / "again", masks, names, lost) == 0


@pytest.mark.parametrize("target", WITH_NAMES)
@pytest.mark.parametrize("variant", ["scripts", "names", "commas", "ignored", "holes"])
def test_auto_reads_the_names_beside_gray_masks(variant: str, target: str, tmp_path: Path) -> None:
    masks, names = VARIANTS[variant]
    if target == "paddle":  # which refuses names with blanks
        masks = {stem: mask for stem, mask in masks.items() if " " not in stem}
    tree = write(tmp_path / "tree", masks, names)
    segprep.export(target, tree, tmp_path / "out")
    segprep.convert("auto", tmp_path / "out", tmp_path / "again")
    assert differing(tmp_path / "again", masks, names) == 0


@pytest.mark.parametrize("target", targets.names())
@pytest.mark.parametrize("mode", ["I;16", "RGBA", "1", "P"])
def test_images_of_every_pixel_type(mode: str, target: str, tmp_path: Path) -> None:
    tree = write(
        tmp_path / "tree", {"s0": PLAIN, "s1": PLAIN}, ("_background_", "cat", "dog"), mode
    )
    segprep.split(tree, seed=1, ratio="50/50/0")
    options: dict[str, Any] = {"frames": "png"} if target == "keras" else {}
    done = segprep.export(target, tree, tmp_path / "out", **options)
    assert done.samples == 2
    for path in (tmp_path / "out").rglob("*.png"):
        with Image.open(path) as picture:
            assert picture.size == (32, 24)


@pytest.fixture
def nested(tmp_path: Path) -> Callable[..., Path]:
    def make(*stems: str) -> Path:
        return write(tmp_path / "tree", dict.fromkeys(stems, PLAIN), ("_background_", "cat", "dog"))

    return make


def test_nnunet_has_no_folders_in_a_case(nested: Callable[..., Path], tmp_path: Path) -> None:
    """nnU-Net lists imagesTr itself, not what lies below."""
    done = segprep.export("nnunet", nested("ulm/a", "ulm/b", "bonn/a"), tmp_path / "out")
    base = next((tmp_path / "out/nnUNet_raw").iterdir())
    assert {path.name for path in (base / "labelsTr").iterdir()} == {
        *("ulm_a.png", "ulm_b.png", "bonn_a.png")
    }
    assert (base / "imagesTr/ulm_a_0000.png").is_file()
    assert "stem-joined" in {note.code for note in done.notes}


def test_the_folder_of_a_stem_is_its_city(nested: Callable[..., Path], tmp_path: Path) -> None:
    """torchvision lists leftImg8bit/train/CITY, not what lies below."""
    segprep.export("cityscapes", nested("ulm/a", "ulm/deep/b", "c"), tmp_path / "out", city="x")
    images = (tmp_path / "out/leftImg8bit/train").rglob("*.png")
    names = {path.relative_to(tmp_path / "out/leftImg8bit/train").as_posix() for path in images}
    assert names == {f"{name}_leftImg8bit.png" for name in ("ulm/a", "ulm/deep_b", "x/c")}


@pytest.mark.parametrize("target", ["nnunet", "cityscapes"])
def test_names_that_become_one_are_refused(
    target: str, nested: Callable[..., Path], tmp_path: Path
) -> None:
    tree = nested("ulm/deep/a", "ulm/deep_a")
    with pytest.raises(UsageError, match="would both be called") as caught:
        segprep.export(target, tree, tmp_path / "out")
    assert caught.value.code == "stem-collision"


@pytest.mark.parametrize("target", ["cvat", "datumaro"])
def test_a_name_that_datumaro_drops_is_refused(target: str, tmp_path: Path) -> None:
    """Datumaro 1.13 read nine of ten samples, without a word."""
    tree = write(tmp_path / "tree", {"#h": PLAIN, "a": PLAIN}, ("_background_", "cat", "dog"))
    with pytest.raises(BadInputError) as caught:
        segprep.export(target, tree, tmp_path / "out")
    (lost,) = caught.value.skipped
    assert isinstance(lost, Skipped)
    assert (lost.stem, lost.code) == ("#h", "bad-stem")


def test_labelme_numbers_the_classes_anew_without_a_background(tmp_path: Path) -> None:
    tree = write(tmp_path / "tree", *VARIANTS["no background"])
    segprep.export("labelme", tree, tmp_path / "out")
    readme = (tmp_path / "out/README.txt").read_text()
    assert "- 0 road became 1\n- 1 cat became 2\n- 2 dog became 3" in readme
