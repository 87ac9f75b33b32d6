"""A converted tree opens in the readers that people use, with the same ids in each.

torchvision itself is not run: its VOCSegmentation documents JPEGImages/<stem>.jpg,
SegmentationClass/<stem>.png opened by Pillow, and ImageSets/Segmentation/<list>.txt below
VOCdevkit/VOC2007; those are checked.
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage import io as skimage_io

import segprep


def test_pillow_opencv_and_scikit_image_agree(source: Path, tmp_path: Path) -> None:
    segprep.convert("labelme", source, tmp_path / "gray", mask_mode="gray")
    segprep.convert("labelme", source, tmp_path / "palette")
    for path in (tmp_path / "gray/SegmentationClass").glob("*.png"):
        wanted = np.asarray(Image.open(tmp_path / "palette/SegmentationClass" / path.name))
        assert (np.asarray(Image.open(path)) == wanted).all()
        assert (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) == wanted).all()
        assert (skimage_io.imread(path) == wanted).all()
        assert set(np.unique(wanted)) - {0}


def test_the_layout_that_torchvision_documents(source: Path, tmp_path: Path) -> None:
    Image.new("RGB", (32, 24)).save(
        source / "img1.jpg", "PNG"
    )  # a PNG by content, too, must become .jpg
    root = tmp_path / "VOCdevkit/VOC2007"
    segprep.convert("labelme", source, root, image_format="jpg")
    segprep.split(root, seed=1)
    for name in ("train", "val", "trainval", "test"):
        for stem in (root / f"ImageSets/Segmentation/{name}.txt").read_text().split("\n")[:-1]:
            with (
                Image.open(root / f"JPEGImages/{stem}.jpg") as image,
                Image.open(root / f"SegmentationClass/{stem}.png") as mask,
            ):
                assert (image.format, mask.mode) == ("JPEG", "P")
                assert image.size == mask.size
                assert mask.getpalette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]  # type: ignore[index]
