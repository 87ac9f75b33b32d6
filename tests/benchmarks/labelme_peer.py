"""Run by an environment that has labelme: what its own conversion to VOC does per image, JPEG and
class PNG only.

Usage: python labelme_peer.py SRC OUT
"""

import sys
from pathlib import Path

import imgviz
import labelme
import numpy as np
from labelme import utils


def main(source: Path, out: Path) -> None:
    names = (source / "labels.txt").read_text().split()
    ids = {name: number - 1 for number, name in enumerate(names)}
    for name in ("JPEGImages", "SegmentationClass"):
        (out / name).mkdir(parents=True)
    for path in sorted(source.glob("*.json")):
        file = labelme.LabelFile(filename=str(path))
        picture = utils.img_data_to_arr(file.imageData)
        imgviz.io.imsave(str(out / "JPEGImages" / f"{path.stem}.jpg"), picture)
        classes, _ = utils.shapes_to_label(picture.shape, file.shapes, ids)
        imgviz.io.lblsave(
            str(out / "SegmentationClass" / f"{path.stem}.png"), classes.astype(np.uint8)
        )


main(Path(sys.argv[1]), Path(sys.argv[2]))
