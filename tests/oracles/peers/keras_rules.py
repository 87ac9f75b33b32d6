"""image-segmentation-keras' rules of its ``verify_segmentation_dataset``, written from what it
documents: every image has a mask of its name, both can be read by OpenCV, sizes agree, and no value
is as large as the number of classes. The package itself needs a Keras of long ago.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
from common import IMAGES, MASKS, answer, ids_as_gray, names, stems


def ask(folder: Path) -> Iterator[tuple[str, str]]:
    images = [path for path in (folder / IMAGES).iterdir() if path.suffix in (".jpg", ".png")]
    masks = set(stems(folder))
    gray = folder / "gray.png"
    for path in images:
        if path.stem not in masks:
            yield "no mask", path.stem
            continue
        ids_as_gray(folder / MASKS / f"{path.stem}.png", gray)
        image, mask = cv2.imread(str(path), 1), cv2.imread(str(gray), 1)
        if image is None or mask is None:
            yield "unreadable", path.stem
        elif image.shape[:2] != mask.shape[:2]:
            yield "sizes differ", path.stem
        elif mask[mask != 255].max(initial=0) >= len(names(folder)):  # 255 is granted to it
            yield "value beyond the classes", path.stem


answer(ask)
